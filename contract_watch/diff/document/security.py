"""Credentials: which a caller needs, and how they are sent."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from contract_watch.diff.document.change_log import Journal
from contract_watch.diff.document.changes import Tokens
from contract_watch.diff.document.source import Source, mapping

Alternative = Mapping[str, frozenset[str]]
"""Schemes that are needed together, with the scopes of each."""


class Security:
    """Compares what operations ask for, with the schemes that are one under two names taken for one."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._old, self._new = _schemes(journal.base), _schemes(journal.revision)
        forms = {_form(said): name for name, said in self._old.items() if name not in self._new}
        self._names = {name: forms.get(_form(said), name) for name, said in self._new.items() if name not in self._old}

    def requirements(self, base: Mapping[str, Any], revision: Mapping[str, Any], at: Tokens) -> None:
        """Tell whether callers with the credentials that were enough are let in, and whether others are now."""
        raw_old = base.get("security", self._journal.base.raw.get("security"))
        raw_new = revision.get("security", self._journal.revision.raw.get("security"))
        old, new = _alternatives(raw_old), _alternatives(raw_new, self._names)
        if any(not any(_enough(one, other) for other in new) for one in old):
            self._journal.tell("security-tightened", at, f"needed now: {_words(new)}; before: {_words(old)}")
        elif any(not any(_enough(one, other) for other in old) for one in new):
            self._journal.tell("security-loosened", at, f"enough now: {_words(new)}; before: {_words(old)}")
        elif any(one not in new for one in old) or any(one not in old for one in new):
            self._journal.tell("security-rewritten", at, f"written as {_words(new)}; before: {_words(old)}")

    def schemes(self) -> None:
        """Tell how schemes changed, wherever they are used."""
        at = ("components", "securitySchemes")
        heirs = set(self._names.values())
        for name, said in self._old.items():
            if name in self._new:
                self._scheme(said, self._new[name], (*at, name))
            elif name not in heirs:
                self._journal.tell("security-scheme-removed", (*at, name), f"security scheme {name} removed")
        for name in self._new:
            if name not in self._old and self._names[name] == name:
                self._journal.tell("security-scheme-added", (*at, name), f"security scheme {name} added")

    def _scheme(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Tokens) -> None:
        tell = self._journal.tell
        for key in ("type", "name", "in", "scheme"):
            before, after = (str(said.get(key, "")).lower() for said in (old, new))
            if key == "name" and new.get("in") != "header":
                before, after = str(old.get(key)), str(new.get(key))
            if before != after:
                tell("security-scheme-changed", (*at, key), f"{key} changed from {old.get(key)} to {new.get(key)}")
        if old.get("openIdConnectUrl") != new.get("openIdConnectUrl"):
            tell("security-scheme-address-changed", (*at, "openIdConnectUrl"), "the address of the provider changed")
        flows = [mapping(said.get("flows")) for said in (old, new)]
        for name in sorted({*flows[0], *flows[1]}):
            here = (*at, "flows", name)
            if name not in flows[1]:
                tell("security-scheme-flow-removed", here, f"flow {name} removed")
            elif name not in flows[0]:
                tell("security-scheme-flow-added", here, f"flow {name} added")
            else:
                self._flow(mapping(flows[0][name]), mapping(flows[1][name]), here)

    def _flow(self, old: Mapping[str, Any], new: Mapping[str, Any], at: Tokens) -> None:
        for key in ("authorizationUrl", "tokenUrl", "refreshUrl"):
            if old.get(key) != new.get(key):
                self._journal.tell("security-scheme-address-changed", (*at, key), f"{key} changed")
        before, after = (set(mapping(said.get("scopes"))) for said in (old, new))
        for scope in sorted(after - before):
            self._journal.tell("security-scheme-scope-added", (*at, "scopes", scope), f"scope {scope} added")
        for scope in sorted(before - after):
            self._journal.tell("security-scheme-scope-removed", (*at, "scopes", scope), f"scope {scope} removed")


def _schemes(source: Source) -> dict[str, Mapping[str, Any]]:
    said = mapping(mapping(source.raw.get("components")).get("securitySchemes"))
    return {name: source.followed(raw) for name, raw in said.items()}


def _form(scheme: Mapping[str, Any]) -> str:
    return json.dumps(
        {key: value for key, value in scheme.items() if key != "description"}, sort_keys=True, default=str
    )


def _alternatives(raw: Any, names: Mapping[str, str] | None = None) -> list[Alternative]:
    """Which credentials are enough, one or another of the list; nothing asked for is one that needs none."""
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


def _enough(one: Alternative, asked: Alternative) -> bool:
    """Whether who has the credentials of the one has those of the other."""
    return all(name in one and scopes <= one[name] for name, scopes in asked.items())


def _words(alternatives: Sequence[Alternative]) -> str:
    return " or ".join(
        " and ".join(f"{name}{sorted(scopes) if scopes else ''}" for name, scopes in one.items()) or "nothing"
        for one in alternatives
    )
