"""A session as the other parts of the mock see it: a recording, or a recorded one that answers in place of the model."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from contract_watch.errors import UsageError
from contract_watch.mock.vendor import MockVendor

if TYPE_CHECKING:
    from contract_watch.mock.recording.message import SessionRequest, SessionResponse

REPLAYED = "--replay: a recorded session answers, this changes nothing; leave out --replay"


class MockSession(Protocol):
    """A recorder of requests, or a recorded session that answers them."""

    @property
    def is_replay(self) -> bool:
        """True if it answers the requests, so that state, faults and clock have no effect."""

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with ``app`` or in its place; gRPC-web calls come through `serve_call`."""

    def serve_call(
        self,
        handle: "Callable[[], SessionResponse | None]",
        vendor: MockVendor,
        headers: Mapping[str, str],
        request: "SessionRequest",
    ) -> "SessionResponse | None":
        """Return the response to a gRPC call, decoded to the JSON of REST: of ``handle``, or in its place.

        ``handle`` returns None if no response is sent.
        """

    def rewind(self) -> None:
        """Return to the beginning of a recorded session; a recording goes on."""


def check_model_answers(session: MockSession | None) -> None:
    """Raise `UsageError` if ``session`` answers in place of the model, so that a change of it would have no effect."""
    if session is not None and session.is_replay:
        raise UsageError(REPLAYED)
