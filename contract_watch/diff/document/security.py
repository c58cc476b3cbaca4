"""Comparison of security requirements and schemes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import SourceDocument, as_object
from contract_watch.diff.document.value_text import describe_change

_ADDRESSES = {
    "authorizationUrl": "security-scheme-authorization-url-changed",
    "tokenUrl": "security-scheme-token-url-changed",
    "refreshUrl": "security-scheme-refresh-url-changed",
    "openIdConnectUrl": "security-scheme-open-id-connect-url-changed",
}
"""The keywords of a scheme or a flow that hold an address, with their rules."""
Alternative = Mapping[str, frozenset[str]]
"""Schemes that are required together, with the scopes of each."""


class SecurityComparison:
    """A comparison of requirements that treats a renamed scheme as the same one."""

    def __init__(self, change_log: ChangeLog) -> None:
        self._change_log = change_log
        self._old, self._new = _collect_schemes(change_log.base), _collect_schemes(change_log.revision)
        names_by_key = {_make_scheme_key(spec): name for name, spec in self._old.items() if name not in self._new}
        self._names = {
            name: names_by_key.get(_make_scheme_key(spec), name)
            for name, spec in self._new.items()
            if name not in self._old
        }

    def compare_requirements(self, base: Mapping[str, Any], revision: Mapping[str, Any], location: Tokens) -> None:
        """Record if the credentials that were sufficient still are, and if others are now."""
        raw_old = base.get("security", self._change_log.base.raw.get("security"))
        raw_new = revision.get("security", self._change_log.revision.raw.get("security"))
        old, new = _parse_alternatives(raw_old), _parse_alternatives(raw_new, self._names)
        if any(not any(_is_sufficient(one, other) for other in new) for one in old):
            self._change_log.record_change(
                "security-tightened",
                location,
                f"now required: {_format_alternatives(new)}; before: {_format_alternatives(old)}",
            )
        elif any(not any(_is_sufficient(one, other) for other in old) for one in new):
            self._change_log.record_change(
                "security-loosened",
                location,
                f"now sufficient: {_format_alternatives(new)}; before: {_format_alternatives(old)}",
            )
        elif any(one not in new for one in old) or any(one not in old for one in new):
            self._change_log.record_change(
                "security-rewritten",
                location,
                f"rewritten as {_format_alternatives(new)}; before: {_format_alternatives(old)}",
            )

    def compare_schemes(self) -> None:
        """Record the changes of the schemes themselves."""
        at = ("components", "securitySchemes")
        heirs = set(self._names.values())
        for name, spec in self._old.items():
            if name in self._new:
                self._compare_scheme(spec, self._new[name], (*at, name))
            elif name not in heirs:
                self._change_log.record_change(
                    "security-scheme-removed", (*at, name), f"security scheme {name} removed"
                )
        for name in self._new:
            if name not in self._old and self._names[name] == name:
                self._change_log.record_change("security-scheme-added", (*at, name), f"security scheme {name} added")

    def _compare_scheme(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Tokens) -> None:
        record = self._change_log.record_change
        for key in ("type", "name", "in", "scheme"):
            before, after = (str(spec.get(key, "")).lower() for spec in (old, new))
            if key == "name" and new.get("in") != "header":
                before, after = str(old.get(key)), str(new.get(key))
            if before != after:
                record("security-scheme-changed", (*at, key), describe_change(key, old.get(key), new.get(key)))
        self._compare_addresses(old, new, at)
        flows = [as_object(spec.get("flows")) for spec in (old, new)]
        for name in sorted({*flows[0], *flows[1]}):
            here = (*at, "flows", name)
            if name not in flows[1]:
                record("security-scheme-flow-removed", here, f"flow {name} removed")
            elif name not in flows[0]:
                record("security-scheme-flow-added", here, f"flow {name} added")
            else:
                self._compare_flow(as_object(flows[0][name]), as_object(flows[1][name]), here)

    def _compare_flow(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Tokens) -> None:
        self._compare_addresses(old, new, at)
        before, after = (set(as_object(spec.get("scopes"))) for spec in (old, new))
        for scope in sorted(after - before):
            self._change_log.record_change(
                "security-scheme-scope-added", (*at, "scopes", scope), f"scope {scope} of flow {at[-1]} added"
            )
        for scope in sorted(before - after):
            self._change_log.record_change(
                "security-scheme-scope-removed", (*at, "scopes", scope), f"scope {scope} of flow {at[-1]} removed"
            )

    def _compare_addresses(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Tokens) -> None:
        for key, rule in _ADDRESSES.items():
            if old.get(key) != new.get(key):
                self._change_log.record_change(rule, (*at, key), describe_change(key, old.get(key), new.get(key)))


def _collect_schemes(source: SourceDocument) -> dict[str, Mapping[str, Any]]:
    spec = as_object(as_object(source.raw.get("components")).get("securitySchemes"))
    return {name: source.follow(raw) for name, raw in spec.items()}


def _make_scheme_key(scheme: Mapping[str, Any]) -> str:
    return json.dumps(
        {key: value for key, value in scheme.items() if key != "description"}, sort_keys=True, default=str
    )


def _parse_alternatives(raw: Any, names: Mapping[str, str] | None = None) -> list[Alternative]:
    """Return the alternative requirements; no requirement is one alternative that needs no scheme."""
    if not isinstance(raw, Sequence) or not raw:
        return [{}]
    names = names or {}
    return [
        {
            names.get(name, name): frozenset(map(str, scopes if isinstance(scopes, list) else ()))
            for name, scopes in one.items()
        }
        for one in raw
        if isinstance(one, dict)
    ]


def _is_sufficient(one: Alternative, required: Alternative) -> bool:
    """Return True if the credentials for one alternative also meet the other."""
    return all(name in one and scopes <= one[name] for name, scopes in required.items())


def _format_alternatives(alternatives: Sequence[Alternative]) -> str:
    return " or ".join(
        " and ".join(f"{name} ({', '.join(sorted(scopes))})" if scopes else name for name, scopes in one.items())
        or "nothing"
        for one in alternatives
    )
