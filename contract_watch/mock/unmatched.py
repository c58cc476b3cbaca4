"""The endpoint of all paths that no contract declares: it answers in the form of the vendor that the path belongs to."""

from collections.abc import Iterator, Sequence
from functools import cache, partial

from starlette.types import Receive, Scope, Send

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.credential_locations import split_query_keys
from contract_watch.contracts.grpc_codes import HTTP_STATUS
from contract_watch.contracts.path_templates import MalformedPathError, parse_template
from contract_watch.contracts.resource.error_texts import get_phrase
from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_content
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.nearest import MAX_LENGTH, DeclaredRoute, PathExplainer
from contract_watch.mock.recorded_call import Explanation
from contract_watch.mock.request_headers import decode_headers
from contract_watch.mock.router import split_request_path
from contract_watch.mock.vendor import MockVendor, parse_body

_NO_METHOD = "the service has no such method"
_MOST_SEGMENTS = 100
"""Segments of a path that are looked at."""


class UnmatchedEndpoint:
    """The endpoint of unknown paths."""

    def __init__(self, vendors: Sequence[MockVendor], journal: MockJournal) -> None:
        self._vendors, self._journal = vendors, journal
        self._locations = [location for vendor in vendors for location in vendor.contract.credential_locations]
        self._routes = [list(_list_routes(vendor)) for vendor in vendors]
        self._explainer = PathExplainer([route for routes in self._routes for route in routes])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, path, headers = scope["method"], scope["path"], decode_headers(scope)
        query, _ = split_query_keys(self._locations, scope.get("query_string", b"").decode("latin-1"))
        try:
            received = await read_body(receive)
        except RequestTooLargeError:
            received = b""
        malformed = ""
        segments: list[str] | None = None
        try:
            segments = split_request_path(scope, _MOST_SEGMENTS)
        except MalformedPathError as error:
            malformed = str(error)
        vendor = self._find_vendor(segments or path.split("/", _MOST_SEGMENTS))
        status = 400 if malformed else 404
        answer = vendor.build_refusal(None, status, get_phrase(status)) if vendor else {"error": get_phrase(status)}
        media_type = headers.get("content-type", "")
        is_grpc = grpc_web_frames.is_grpc_web(media_type) and any(one.contract.grpc for one in self._vendors)
        if is_grpc:
            status, answer = HTTP_STATUS[12], _NO_METHOD
        content = encode_json(answer)
        self._journal.record_call(
            method, path, headers, parse_body(received), status, answer,
            len(received) + len(content), vendor=vendor.contract.slug if vendor else "", query=query,
            protocol="grpc-web" if is_grpc else "rest",
            explain=cache(partial(self._explain, method, path[:MAX_LENGTH], malformed)),
        )  # fmt: skip
        if is_grpc:
            from contract_watch.mock.grpc.web import send_unimplemented  # noqa: PLC0415 (gRPC loads slowly)

            await send_unimplemented(send, media_type, _NO_METHOD)
        else:
            await send_content(send, status, content)

    def _explain(self, method: str, path: str, malformed: str) -> Explanation:
        reason, nearest = self._explainer.explain(method, path)
        return malformed or reason, nearest.describe() if nearest is not None else None

    def _find_vendor(self, segments: Sequence[str]) -> MockVendor | None:
        """Return the vendor that a path belongs to: by its base path, else by its first segments; None if it is open."""
        if len(self._vendors) == 1:
            return self._vendors[0]
        lengths = [_match_base(vendor, segments) for vendor in self._vendors]
        longest = max(lengths)
        closest = [number for number, length in enumerate(lengths) if length == longest]
        if longest > 0 and len(closest) == 1:
            return self._vendors[closest[0]]
        common = [
            (max(map(partial(_count_start, segments), self._routes[number]), default=0), -number) for number in closest
        ]
        most, number = max(common)
        return self._vendors[-number] if most > max(longest, 0) else None


def _match_base(vendor: MockVendor, segments: Sequence[str]) -> int:
    """Return the number of segments of a vendor's base path if a path is below it, else -1."""
    base = parse_template(vendor.contract.base_path)[1:]
    is_below = len(base) < len(segments) and all(
        one.match(got) is not None for one, got in zip(base, segments[1:], strict=False)
    )
    return len(base) if is_below else -1


def _list_routes(vendor: MockVendor) -> Iterator[DeclaredRoute]:
    contract = vendor.contract
    for operation in contract.operations.values():
        path = contract.base_path + operation.path
        yield DeclaredRoute(contract.slug, operation.id, operation.method, contract.base_path, path)
    if contract.token is not None:
        yield DeclaredRoute(contract.slug, "", "POST", "", contract.token.path)
    if contract.grpc is not None:
        for name, method in contract.grpc.methods.items():
            yield DeclaredRoute(contract.slug, name, "POST", "", f"/{contract.grpc.service}/{method}")


def _count_start(segments: Sequence[str], route: DeclaredRoute) -> int:
    """Return the number of literal segments at the start of a path that a route has too."""
    count = 0
    for expected, segment in zip(route.template[1:], segments[1:], strict=False):
        if not expected.is_literal or expected.match(segment) is None:
            break
        count += 1
    return count
