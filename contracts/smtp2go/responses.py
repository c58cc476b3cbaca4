"""The envelopes of responses, and the bodies of refusals."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from contract_watch.contracts.matchers import JSON, Constant, Matcher, Mismatch, ObjectMatcher, Satisfies, ValuePath
from contract_watch.contracts.outcomes import Check

_UUID_FORMAT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CODE = re.compile(r"E_ApiResponseCodes\.[A-Z][A-Z0-9_]*")
_PREFIX = "E_ApiResponseCodes."
DENIED = f"{_PREFIX}ENDPOINT_PERMISSION_DENIED"
INVALID = f"{_PREFIX}NON_VALIDATING_IN_PAYLOAD"
FAILED = f"{_PREFIX}API_EXCEPTION"


@dataclass(frozen=True)
class RequestIdMatcher:
    """The matcher of UUIDs; it renders a new one each time."""

    def render(self) -> JSON:
        return str(uuid.uuid4())

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        if not isinstance(value, str) or _UUID_FORMAT.fullmatch(value) is None:
            yield Mismatch(path, "value", "a UUID")


def wrap_in_envelope(data: Matcher) -> ObjectMatcher:
    """Wrap ``data`` in the envelope of every response."""
    return ObjectMatcher({"request_id": RequestIdMatcher(), "data": data})


def build_refusal_matcher(check: Check) -> ObjectMatcher:
    """Build the matcher of the refusal for ``check``.

    The published error codes are those of a missing permission and of an invalid field, whose name the response
    contains. All other codes are open.
    """
    kind, *rest = check.clause.split("/")[1:]
    if kind == "rule" and rest == ["permission"]:
        return _build_error_matcher("You do not have permission to access this API endpoint", Constant(DENIED))
    if kind == "request" and len(rest) == 2 and not check.is_undecidable and not check.interpretation:
        detail = ObjectMatcher(
            {"fieldname": Constant(rest[0]), "message": _match_string(f"The field '{rest[0]}': {check.why}")}
        )
        return _build_error_matcher(
            "The JSON data does not conform to the specification of this call.", Constant(INVALID), detail
        )
    code = Satisfies(FAILED, lambda v: isinstance(v, str) and _CODE.fullmatch(v) is not None, f"{_PREFIX}<NAME>")
    return _build_error_matcher(check.why, code)


def _build_error_matcher(text: str, code: Matcher, detail: Matcher | None = None) -> ObjectMatcher:
    required: dict[str, Matcher] = {"error": _match_string(text), "error_code": code}
    return wrap_in_envelope(
        ObjectMatcher(required | ({"field_validation_errors": detail} if detail is not None else {}))
    )


def _match_string(sample: str) -> Satisfies:
    return Satisfies(sample, lambda value: isinstance(value, str), "a string")
