"""Schemathesis's cases for one operation. Only this module loads Schemathesis, which takes longer than all probes."""

from collections.abc import Callable, Mapping
from typing import Any

import requests
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.parameters import is_parameter_key
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.request_checks import MOST, has_documented_maximum
from contract_watch.engine.exploring.drawn_case import CaseRequest
from contract_watch.engine.exploring.search_settings import apply_seed

_schemas: dict[int, tuple[Any, Any]] = {}
"""By the identity of a document: the document, which must outlive its entry, and Schemathesis's schema of it."""


class LibraryCase:
    """A case as Schemathesis drew it. See `Case`."""

    def __init__(self, case: Any, operation: Operation) -> None:
        self._case, self._operation = case, operation
        self.parameters: dict[str, Any] = {
            **(case.path_parameters or {}),
            **{
                key: self._read_drawn(spec.location)[spec.name]
                for key, spec in operation.specs.items()
                if spec.name in self._read_drawn(spec.location)
            },
        }
        self.path_parameters: dict[str, Any] = dict(case.path_parameters or {})
        self.body = case.body

    def _read_drawn(self, location: str) -> Any:
        return {"query": self._case.query, "header": self._case.headers, "cookie": self._case.cookies}[location] or {}

    def _replace_drawn(self, parameters: dict[str, Any]) -> None:
        for key, spec in self._operation.specs.items():
            drawn = self._read_drawn(spec.location)
            if key in parameters:
                drawn[spec.name] = parameters[key]
            elif key in self.parameters:
                drawn.pop(spec.name, None)

    def build_request(self, parameters: dict[str, Any], body: Any, base: str) -> CaseRequest:
        """Implement `Case.build_request`, as Schemathesis and its HTTP library encode it."""
        in_path = {name: value for name, value in parameters.items() if not is_parameter_key(name)}
        self._case.path_parameters = in_path or self._case.path_parameters
        self._replace_drawn(parameters)
        self._case.body = body if isinstance(self.body, dict) else self._case.body
        prepared = requests.Request(**self._case.as_transport_kwargs(base_url=base)).prepare()
        content = prepared.body or b""
        media_type = prepared.headers.get("Content-Type", "application/json") if content else ""
        return CaseRequest(
            prepared.method or "GET",
            str(prepared.url),
            content.encode() if isinstance(content, str) else content,
            media_type,
            self._select_headers(prepared.headers),
        )

    def _select_headers(self, headers: Mapping[str, Any]) -> dict[str, str]:
        """Select the headers that carry documented parameters: Schemathesis draws credentials too."""
        wanted = {spec.name if spec.location == "header" else "Cookie" for spec in self._operation.specs.values()
                  if spec.location != "query"}  # fmt: skip
        found = {name.lower(): headers[name] for name in sorted(wanted) if name in headers}
        return {name: value if isinstance(value, str) else value.decode("latin-1") for name, value in found.items()}


def run_cases(
    contract: Contract,
    operation: str,
    mode: str,
    seed_value: int,
    search_settings: settings,
    check: Callable[[LibraryCase], None],
    check_limits: Callable[[], None] = lambda: None,
) -> None:
    """Search with ``check`` over the cases of ``operation``: valid ones (``positive``) or others (``negative``).

    ``check_limits`` is called before each case is drawn: many a case is drawn in vain while another is shrunk.
    """
    declared = contract.operations[operation]
    schema = _load_schema(contract)
    drawn = schema[declared.path][declared.method].as_strategy(generation_mode=GenerationMode(mode))

    def begin(_: None) -> Any:
        check_limits()
        return drawn

    @search_settings
    @apply_seed(seed_value, f"{operation}/{mode}")  # below the settings: it takes the database out of those it finds
    @given(case=st.none().flatmap(begin))
    def run(case: Any) -> None:
        check(LibraryCase(case, declared))

    run()


def _load_schema(contract: Contract) -> Any:
    """Return Schemathesis's schema of a contract, made once: that takes as long as drawing two cases."""
    raw = contract.effective.raw
    if id(raw) not in _schemas:
        _schemas[id(raw)] = (raw, schemathesis.openapi.from_dict(bound_numbers(dict(raw))))
    return _schemas[id(raw)][1]


def bound_numbers(raw: Any) -> Any:
    """Return a document in which each number without a maximum has that of 32 bits.

    Nearly all others that are drawn are larger, and a vendor may refuse those whatever else is wrong with them.
    """
    if isinstance(raw, list):
        return [bound_numbers(inner) for inner in raw]
    if not isinstance(raw, dict):
        return raw
    copy = {name: bound_numbers(inner) for name, inner in raw.items()}
    kinds = raw.get("type")
    is_number = any(one in ("number", "integer") for one in (kinds if isinstance(kinds, list) else [kinds]))
    least = raw.get("minimum", raw.get("exclusiveMinimum", 0))
    if is_number and not has_documented_maximum(raw) and isinstance(least, int | float) and least < MOST:
        copy["maximum"] = MOST
    return copy
