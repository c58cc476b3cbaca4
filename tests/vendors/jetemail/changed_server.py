# ruff: noqa: ARG002 (an override has the arguments of what it overrides)
"""JetEmail after one change by the vendor that shows in many responses: each class makes one."""

from typing import Any

from tests.support.loopback_server import LoopbackResponse, ReceivedRequest
from tests.vendors.jetemail.drifted_server import RewritingServer
from tests.vendors.jetemail.faithful_server import PATH


class Answers422(RewritingServer):
    """Answers 422 wherever 400 is documented."""

    STATUS = 400

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(422, answer.body)


class LosesUpdate(RewritingServer):
    """Has no PATCH any more: it answers 404."""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        if requested.method == "PATCH" and requested.path == PATH:
            return LoopbackResponse(404, {"success": False, "error": "Not found"})
        return super().respond(requested)

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return answer


class CreatesNothing(RewritingServer):
    """Answers each creation with 200 and `success` alone, as the example in README.md."""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        if requested.method == "POST" and requested.path == PATH:
            return LoopbackResponse(200, {"success": True})
        return super().respond(requested)

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return answer


class RenamesStatus(RewritingServer):
    """The list says `enabled` where it said `active`."""

    METHOD, STATUS = "GET", 200

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        rows = [
            {**row, "status": "enabled" if row["status"] == "active" else row["status"]}
            for row in answer.body["smarthosts"]
        ]
        return LoopbackResponse(200, {**answer.body, "smarthosts": rows})


class RenamesProperty(RewritingServer):
    """Every response says `FORMER` by the name `PRESENT`."""

    FORMER, PRESENT = "error", "reason"

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        def rename(value: Any) -> Any:
            if isinstance(value, list):
                return [rename(inner) for inner in value]
            if isinstance(value, dict):
                return {self.PRESENT if name == self.FORMER else name: rename(inner) for name, inner in value.items()}
            return value

        return LoopbackResponse(answer.status, rename(answer.body))


class RenamesMessage(RenamesProperty):
    """Every success says `detail` instead of `message`."""

    FORMER, PRESENT = "message", "detail"


class Answers422AndRenamesStatus(Answers422):
    """Two changes at once: 422 for 400, and `enabled` for `active` in the list."""

    def respond(self, requested: ReceivedRequest) -> LoopbackResponse | bytes | None:
        answer = super().respond(requested)
        assert isinstance(answer, LoopbackResponse)
        if requested.method == "GET" and answer.status == 200:
            return RenamesStatus.rewrite_response(self, answer, requested)  # type: ignore[arg-type]
        return answer


class LosesUpdateAndAnswers422(LosesUpdate):
    """Two changes at once: no PATCH, and 422 for 400."""

    def rewrite_response(self, answer: LoopbackResponse, requested: ReceivedRequest) -> LoopbackResponse:
        return LoopbackResponse(422, answer.body) if answer.status == 400 else answer
