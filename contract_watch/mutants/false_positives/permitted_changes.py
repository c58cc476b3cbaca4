"""Changes that the documents permit; a finding of a whole run against one is a false positive."""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from contract_watch.contracts.matchers import Matcher, ObjectMatcher, Satisfies, is_match
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.engine.protocols.wire import Response
from contract_watch.mutants.false_positives.pairwise import build_pairwise_rows
from contract_watch.mutants.mutant import Mutation, VendorRequest
from contract_watch.mutants.mutated_vendor import MutatedVendor

KINDS = ("wire", "interpretation", "pair", "seed")
_OTHER_WORDING = "In other words: „grün“, ☃ and <b>no</b> harm"
LATENCY = 0.02
"""Seconds that a slow response takes."""


@dataclass(frozen=True)
class PermittedChange:
    """A permitted change. ``id`` begins with its kind; ``create_mutation`` and ``interpretations`` apply it."""

    id: str
    description: str
    create_mutation: Callable[[], Mutation] = Mutation
    interpretations: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Return the first part of the id."""
        return self.id.split("/", 1)[0]


class RewordedStrings(Mutation):
    """Mutation that rewords every string that the contract leaves open.

    A cursor stays as it is, because the vendor must understand it, and so does a property of an object, which later
    responses have to show again.
    """

    def respond(self, vendor: MutatedVendor, request: VendorRequest) -> tuple[int, Any]:
        """Implement `Mutation.respond`."""
        outcome = vendor.compute_outcome(request)
        status, body = vendor.apply_outcome(outcome)
        return status, self._reword(outcome.body, body, _list_fixed_names(vendor.contract))

    def _reword(self, matcher: Matcher | None, body: Any, fixed: frozenset[str]) -> Any:
        if not isinstance(matcher, ObjectMatcher) or not isinstance(body, dict):
            return body
        free = {name for name, inner in matcher.required.items()
                if name not in fixed and isinstance(inner, Satisfies) and isinstance(body.get(name), str) and is_match(inner, _OTHER_WORDING)}  # fmt: skip
        self.activations += bool(free)
        return {name: _OTHER_WORDING if name in free else value for name, value in body.items()}


def _list_fixed_names(contract: Contract) -> frozenset[str]:
    listed, spec = contract.list_config, getattr(contract.model, "spec", None)
    cursor = listed.next.removeprefix("/") if listed is not None else ""
    return frozenset((cursor, *(spec.layout.shown if isinstance(spec, ResourceSpec) else ())))


class ReformattedResponses(Mutation):
    """Mutation that reformats every response: same status, same JSON value."""

    def __init__(self, reformat: Callable[[Response], Response]) -> None:
        self._reformat = reformat

    def edit_response(self, operation: Operation | None, response: Response) -> Response:
        """Implement `Mutation.edit_response`."""
        del operation
        edited = self._reformat(response)
        self.activations += edited != response
        return edited


class AddedLatency(Mutation):
    """Mutation that delays every response."""

    delay = LATENCY


def _rewrite_json(change: Callable[[Any], str]) -> Callable[[Response], Response]:
    """Create a formatter that writes the same JSON differently."""

    def rewrite(response: Response) -> Response:
        return replace(response, body=change(json.loads(response.body)).encode()) if response.body else response

    return rewrite


def _add_headers(**added: str) -> Callable[[Response], Response]:
    names = {name.replace("_", "-"): value for name, value in added.items()}
    return lambda response: replace(response, headers={**response.headers, **names})


def _set_media_type(media_type: str) -> Callable[[Response], Response]:
    return lambda response: (
        _add_headers(content_type=media_type)(response) if "content-type" in response.headers else response
    )


def _compress_body(response: Response) -> Response:
    if not response.body:
        return response
    return Response(
        response.status,
        {**response.headers, "content-encoding": "gzip", "vary": "accept-encoding"},
        gzip.compress(response.body),
    )


def _reverse_properties(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reverse_properties(value[name]) for name in reversed(value)}
    return [_reverse_properties(inner) for inner in value] if isinstance(value, list) else value


def _reverse_rows(value: Any) -> Any:
    """Reverse arrays of objects: no document promises an order of rows."""
    if isinstance(value, dict):
        return {name: _reverse_rows(inner) for name, inner in value.items()}
    if isinstance(value, list) and all(isinstance(inner, dict) for inner in value):
        return value[::-1]
    return value


def _convert_integers(value: Any) -> Any:
    """Convert integers to the form ``5.0``, which JSON Schema accepts as an integer."""
    if isinstance(value, dict):
        return {name: _convert_integers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_convert_integers(inner) for inner in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value


_WIRE_FORMATS: Mapping[str, tuple[str, Callable[[Response], Response]]] = {
    "key-order": ("properties come in another order", _rewrite_json(lambda value: json.dumps(_reverse_properties(value)))),
    "row-order": ("rows come in another order", _rewrite_json(lambda value: json.dumps(_reverse_rows(value)))),
    "pretty": ("JSON is indented", _rewrite_json(lambda value: json.dumps(value, indent=4) + "\n")),
    "spaced": ("JSON has more spaces", _rewrite_json(partial(json.dumps, separators=(" , ", " : "), ensure_ascii=False))),
    "escaped": ("JSON escapes every slash and non-ASCII character", _rewrite_json(lambda value: json.dumps(value).replace("/", "\\/"))),
    "numbers": ("whole numbers are written with a fraction", _rewrite_json(lambda value: json.dumps(_convert_integers(value)))),
    "charset": ("the media type has a charset", _set_media_type("application/json; charset=utf-8")),
    "media-case": ("the media type is in mixed case", _set_media_type('Application/JSON;Charset="UTF-8"')),
    "headers": ("additional headers", _add_headers(
        x_request_id="b6e2-11", set_cookie="s=1; HttpOnly", cache_control="no-store", x_ratelimit_remaining="239",
        strict_transport_security="max-age=1", www_authenticate='Bearer realm="api"', server="nginx")),
    "no-keep-alive": ("every connection closes after its response", _add_headers(connection="close")),
    "chunked": ("bodies come in chunks", lambda response: replace(response, headers={**response.headers, "content-length": ""})),
    "gzip": ("bodies are compressed", _compress_body),
}  # fmt: skip


def list_permitted_changes(contract: Contract, seeds: int = 0) -> list[PermittedChange]:
    """List every permitted change of ``contract`` in a stable order, then ``seeds`` seeds of the exploring stage."""
    return [
        *_list_wire_changes(),
        *_list_interpretation_changes(contract),
        *_list_pair_changes(contract),
        *_list_seed_changes(seeds),
    ]


def _list_wire_changes() -> Iterator[PermittedChange]:
    yield PermittedChange("wire/wording", "strings that no document fixes are reworded", RewordedStrings)
    yield PermittedChange("wire/latency", f"every response takes {LATENCY * 1000:.0f} ms longer", AddedLatency)
    for name, (description, reformat) in _WIRE_FORMATS.items():
        yield PermittedChange(f"wire/{name}", description, partial(ReformattedResponses, reformat))


def _list_interpretation_changes(contract: Contract) -> Iterator[PermittedChange]:
    for name, values in contract.model.interpretations.items():
        for value in values[1:]:
            yield PermittedChange(
                f"interpretation/{name}={value}", f"{name} is interpreted as {value}", Mutation, {name: value}
            )


def _list_pair_changes(contract: Contract) -> Iterator[PermittedChange]:
    for number, row in enumerate(build_pairwise_rows(contract.model.interpretations), 1):
        yield PermittedChange(
            f"pair/{number}", ", ".join(f"{name}={value}" for name, value in row.items()), Mutation, row
        )


def _list_seed_changes(count: int) -> Iterator[PermittedChange]:
    for seed in range(1, count + 1):
        yield PermittedChange(f"seed/{seed}", f"the exploring stage with seed {seed}")
