"""The replayer: it answers requests with the responses of a recorded session."""

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from contract_watch.mock.bodies import RequestTooLargeError, encode_json, read_body, send_json
from contract_watch.mock.difference import describe_differences
from contract_watch.mock.journal import MockJournal
from contract_watch.mock.recording.masking import SecretFiller, is_match
from contract_watch.mock.recording.message import (
    SessionRequest,
    SessionResponse,
    find_account,
    is_grpc_web,
    read_request,
)
from contract_watch.mock.recording.session_file import RecordedExchange, load_session
from contract_watch.mock.vendor import MockVendor

UNMATCHED = 501
"""The status for a request that the session does not have: no contract documents it, so code does not expect it."""
_MAX_CANDIDATES = 200
_MAX_PATHS, _MAX_COMPARED = 100, 200
"""Paths that are compared with that of an unmatched request, and characters of each."""
_WORDS = ("recorded", "sent")


class SessionReplayer:
    """A session that is served again.

    Equal requests get their responses in the order of the session; after the last one, they get that again.
    """

    def __init__(self, path: Path, vendors: Sequence[MockVendor], journal: MockJournal) -> None:
        """Load the session at ``path``; see `load_session` for errors."""
        self.exchanges, self.is_cut = load_session(path)
        self._vendors, self._journal = vendors, journal
        self._filler = SecretFiller()
        self._played: set[int] = set()
        self._groups: dict[tuple[str, str], list[list[RecordedExchange]]] = {}
        """The exchanges of equal requests, in order, by method and path; a played one goes, but for the last."""
        self.rewind()

    @property
    def is_replay(self) -> bool:
        """See MockSession."""
        return True

    def rewind(self) -> None:
        """Return to the beginning of the session."""
        self._filler = SecretFiller()
        self._played.clear()
        self._groups.clear()
        groups: dict[str, list[RecordedExchange]] = {}
        for exchange in self.exchanges:
            request = exchange.request
            key = json.dumps([request.method, request.path, _get_compared(request)], sort_keys=True)
            if key not in groups:
                groups[key] = []
                self._groups.setdefault((request.method, request.path), []).append(groups[key])
            groups[key].append(exchange)
        for group in groups.values():
            group.reverse()

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and record it in the journal; ``app`` only decodes the calls of gRPC-web."""
        if is_grpc_web(scope):
            await app(scope, receive, send)
            return
        try:
            content = await read_body(receive)
        except RequestTooLargeError as error:
            await send_json(send, 413, {"error": str(error)})
            return
        request = read_request(self._vendors, scope, content)
        response = self._respond(request)
        text = response.text.encode("utf-8", "replace") or encode_json(response.body)
        self._record(request, response, len(content) + len(text))
        headers = {name: value for name, value in response.headers.items() if _is_header(name, value)}
        if text and not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = "text/plain" if response.text else "application/json"
        headers["content-length"] = str(len(text))
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": response.status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else text})

    def serve_call(
        self,
        handle: Callable[[], SessionResponse | None],
        vendor: MockVendor,
        headers: Mapping[str, str],
        request: SessionRequest,
    ) -> SessionResponse:
        """Answer a gRPC call, decoded to the JSON of REST; the reason of a refusal is its message."""
        del handle
        response = self._respond(replace(request, account=find_account(vendor, headers, request.body)))
        return replace(response, body={"message": _explain(response)}) if response.is_refusal else response

    def _record(self, request: SessionRequest, response: SessionResponse, size: int) -> None:
        parameters: dict[str, Any] = {f"query:{name}": value for name, value in request.query.items()}
        answer = response.text or response.body
        vendor, operation, in_path = self._find_operation(request)
        parameters |= {f"path:{name}": unquote(value) for name, value in in_path.items()}
        reason = _explain(response) if response.is_refusal else ""
        self._journal.record_call(
            request.method, request.path, request.headers, request.body, response.status, answer, size, parameters,
            vendor=vendor, operation=operation, reason=reason,
        )  # fmt: skip

    def _find_operation(self, request: SessionRequest) -> tuple[str, str, dict[str, str]]:
        """Return the vendor's slug, the operation and the path parameters of a request; empty if none declares it."""
        for vendor in self._vendors:
            contract, path = vendor.contract, quote(request.path)
            if path.startswith(f"{contract.base_path}/"):
                found, parameters = contract.effective.match_request(
                    path.removeprefix(contract.base_path), request.method
                )
                if found is not None:
                    return contract.slug, found.id, parameters
        return "", "", {}

    def _respond(self, request: SessionRequest) -> SessionResponse:
        groups = [one for one in self._find_groups(request) if _matches(one[-1].request, request)]
        if not groups:
            return self._refuse(request)
        # A group with more to play comes first: masks let one request match several.
        group = min(groups, key=lambda one: (len(one) == 1 and one[0].number in self._played, one[-1].number))
        exchange = group.pop() if len(group) > 1 else group[-1]
        self._played.add(exchange.number)
        self._filler.learn(exchange.request.body, request.body)
        self._filler.learn(exchange.request.query, request.query)
        recorded = exchange.response
        return SessionResponse(
            recorded.status,
            {name: str(self._filler.fill(value)) for name, value in recorded.headers.items()},
            self._filler.fill(recorded.body),
            str(self._filler.fill(recorded.text)),
        )

    def _find_groups(self, request: SessionRequest) -> list[list[RecordedExchange]]:
        found = self._groups.get((request.method, request.path), [])
        masked = [
            groups
            for (method, path), groups in self._groups.items()
            if method == request.method and "[" in path and path != request.path and is_match(path, request.path)
        ]
        return [*found, *(one for groups in masked for one in groups)]

    def _refuse(self, request: SessionRequest) -> SessionResponse:
        """Return the response to a request that no recorded one equals: the nearest one and the differences."""
        nearest, differences = self._find_nearest(request)
        answer = {
            "error": "no recorded request matches this one",
            "nearest": {
                "number": nearest.number,
                "method": nearest.request.method,
                "path": nearest.request.path,
            },
            "differences": differences,
        }
        return SessionResponse(UNMATCHED, body=answer, is_refusal=True)

    def _find_nearest(self, request: SessionRequest) -> tuple[RecordedExchange, list[str]]:
        """Return the recorded request with the fewest differences, of those with the most similar path."""
        paths = list(dict.fromkeys(path for _, path in self._groups))
        parts = request.path.count("/")
        paths = [path for path in paths if path.count("/") == parts] or paths
        shown = {path[:_MAX_COMPARED]: path for path in paths[:_MAX_PATHS]}
        path = shown[difflib.get_close_matches(request.path[:_MAX_COMPARED], shown, n=1, cutoff=0.0)[0]]
        groups = [one for (_, at), found in self._groups.items() if at == path for one in found]
        groups.sort(key=lambda one: one[-1].request.method != request.method)
        found = [(one[-1], _describe(one[-1].request, request)) for one in groups[:_MAX_CANDIDATES]]
        return min(found, key=lambda one: len(one[1]))


def _explain(refusal: SessionResponse) -> str:
    """Return the reason of a refusal, in one line."""
    return f"{refusal.body['error']}: {'; '.join(refusal.body['differences'])}"


def _get_compared(request: SessionRequest) -> dict[str, Any]:
    return {
        "query": request.query,
        "account": request.account,
        "body": request.body,
        "unreadable": request.unreadable,
    }


def _matches(recorded: SessionRequest, sent: SessionRequest) -> bool:
    return is_match(_get_compared(recorded), _get_compared(sent))


def _describe(recorded: SessionRequest, sent: SessionRequest) -> list[str]:
    """Return the differences of two requests, field by field."""
    found: list[str] = []
    for name in ("method", "path", "account", "unreadable"):
        found += describe_differences(getattr(recorded, name), getattr(sent, name), name, _WORDS, is_match)
    for name in ("query", "body"):
        found += describe_differences(getattr(recorded, name), getattr(sent, name), name, _WORDS, is_match)
    return found


def _is_header(name: str, value: str) -> bool:
    """Return True for a header that can be sent; a file can have any."""
    is_token = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return is_token and value.isprintable() and value.isascii() and name.lower() != "content-length"
