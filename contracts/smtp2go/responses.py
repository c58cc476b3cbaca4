"""The envelopes of answers, and what refusals say."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from contract_watch.contracts.checks import Check
from contract_watch.contracts.matchers import JSON, Constant, Fields, Mismatch, Path, Pattern, Where

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CODE = re.compile(r"E_ApiResponseCodes\.[A-Z][A-Z0-9_]*")
_PREFIX = "E_ApiResponseCodes."
DENIED = f"{_PREFIX}ENDPOINT_PERMISSION_DENIED"
INVALID = f"{_PREFIX}NON_VALIDATING_IN_PAYLOAD"
FAILED = f"{_PREFIX}API_EXCEPTION"


@dataclass(frozen=True)
class RequestId:
    """A UUID, another one each time it is said."""

    def render(self) -> JSON:
        return str(uuid.uuid4())

    def mismatches(self, value: JSON, path: Path = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or _UUID.fullmatch(value) is None:
            yield Mismatch(path, "value", "a UUID")


def envelope(data: Pattern) -> Fields:
    """What every answer is wrapped in."""
    return Fields({"request_id": RequestId(), "data": data})


def refusal(check: Check) -> Fields:
    """What a refusal by ``check`` says.

    The codes that are published are those for want of permission and for a bad field, of which one is named. All others
    are open.
    """
    kind, *rest = check.clause.split("/")[1:]
    if kind == "rule" and rest == ["permission"]:
        return _error("You do not have permission to access this API endpoint", Constant(DENIED))
    if kind == "request" and len(rest) == 2 and not check.maybe and not check.reading:
        detail = Fields({"fieldname": Constant(rest[0]), "message": _text(f"The field '{rest[0]}': {check.why}")})
        return _error("The JSON data does not conform to the specification of this call.", Constant(INVALID), detail)
    code = Where(FAILED, lambda v: isinstance(v, str) and _CODE.fullmatch(v) is not None, f"{_PREFIX}<NAME>")
    return _error(check.why, code)


def _error(text: str, code: Pattern, detail: Pattern | None = None) -> Fields:
    required: dict[str, Pattern] = {"error": _text(text), "error_code": code}
    return envelope(Fields(required | ({"field_validation_errors": detail} if detail is not None else {})))


def _text(sample: str) -> Where:
    return Where(sample, lambda value: isinstance(value, str), "a text")
