"""The bodies of refusals: the published codes are those of a missing permission and of an invalid field."""

import re

from contract_watch.contracts.matchers import Constant, Matcher, ObjectMatcher, Satisfies
from contract_watch.contracts.outcomes import Check, is_definite
from contract_watch.contracts.resource.matchers import FreshUuid, match_anything

_CODE = re.compile(r"E_ApiResponseCodes\.[A-Z][A-Z0-9_]*")
_PREFIX = "E_ApiResponseCodes."
_ANY_CODE = Satisfies(
    f"{_PREFIX}API_EXCEPTION",
    lambda code: isinstance(code, str) and _CODE.fullmatch(code) is not None,
    f"{_PREFIX}<NAME>",
)
_DENIED = Constant(f"{_PREFIX}ENDPOINT_PERMISSION_DENIED")
_INVALID = Constant(f"{_PREFIX}NON_VALIDATING_IN_PAYLOAD")


def match_refusal(check: Check, description: str) -> ObjectMatcher:
    """Build the matcher of the refusal for ``check``; that of an invalid field names the field.

    ``description`` is the table's sentence about the status; the one of 400 is no sentence.
    """
    kind, *rest = check.clause.split("/")[1:]
    if (kind, rest) == ("rule", ["permission"]):
        return _match_error("You do not have permission to access this API endpoint", _DENIED)
    if kind == "request" and len(rest) == 2 and is_definite(check):
        message = match_anything(f"The field '{rest[0]}': {check.why}")
        field = ObjectMatcher({"fieldname": Constant(rest[0]), "message": message})
        text = "The JSON data does not conform to the specification of this call."
        return _match_error(text, _INVALID, field_validation_errors=field)
    return _match_error(check.why if check.status == 400 else description or check.why, _ANY_CODE)


def _match_error(text: str, code: Matcher, **more: Matcher) -> ObjectMatcher:
    data = ObjectMatcher({"error": match_anything(text), "error_code": code, **more})
    return ObjectMatcher({"request_id": FreshUuid(), "data": data})
