"""Schemathesis's cases for one operation. Only this module loads Schemathesis, which takes longer than all probes."""

from collections.abc import Callable
from typing import Any

import requests
import schemathesis
from hypothesis import given, settings
from schemathesis import GenerationMode

from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring.drawn_case import CaseRequest
from contract_watch.engine.exploring.search_settings import apply_seed

_schemas: dict[int, tuple[Any, Any]] = {}
"""By the identity of a document: the document, which must outlive its entry, and Schemathesis's schema of it."""


class LibraryCase:
    """A case as Schemathesis drew it. See `Case`."""

    def __init__(self, case: Any) -> None:
        self._case = case
        self.path_parameters: dict[str, Any] = dict(case.path_parameters or {})
        self.body = case.body

    def build_request(self, path_parameters: dict[str, Any], body: Any, base: str) -> CaseRequest:
        """Implement `Case.build_request`, as Schemathesis and its HTTP library encode it."""
        self._case.path_parameters = path_parameters or self._case.path_parameters
        self._case.body = body if isinstance(self.body, dict) else self._case.body
        prepared = requests.Request(**self._case.as_transport_kwargs(base_url=base)).prepare()
        content = prepared.body or b""
        media_type = prepared.headers.get("Content-Type", "application/json") if content else ""
        return CaseRequest(
            prepared.method or "GET",
            str(prepared.url),
            content.encode() if isinstance(content, str) else content,
            media_type,
        )


def run_cases(
    contract: Contract,
    operation: str,
    mode: str,
    seed_value: int,
    search_settings: settings,
    check: Callable[[LibraryCase], None],
) -> None:
    """Search with ``check`` over the cases of ``operation``: valid ones (``positive``) or others (``negative``)."""
    declared = contract.operations[operation]
    schema = _load_schema(contract)
    strategy = schema[declared.path][declared.method].as_strategy(generation_mode=GenerationMode(mode))

    @search_settings
    @apply_seed(seed_value, f"{operation}/{mode}")  # below the settings: it takes the database out of those it finds
    @given(case=strategy)
    def run(case: Any) -> None:
        check(LibraryCase(case))

    run()


def _load_schema(contract: Contract) -> Any:
    """Return Schemathesis's schema of a contract, made once: that takes as long as drawing two cases."""
    raw = contract.effective.raw
    if id(raw) not in _schemas:
        _schemas[id(raw)] = (raw, schemathesis.openapi.from_dict(dict(raw)))
    return _schemas[id(raw)][1]
