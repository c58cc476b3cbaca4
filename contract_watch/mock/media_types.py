"""The media type of a request's body, compared with those that the contract declares for its operation."""

from contract_watch.contracts.bodies import is_form_type, is_json_type, strip_media_type
from contract_watch.contracts.openapi import Operation
from contract_watch.escaping import escape_text

_MAX_SHOWN = 100
_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")
"""The names of UTF-8, and of ASCII, which is a part of it."""


def find_type_problem(operation: Operation, content_type: str) -> str:
    """Return the reason why a body of this ``Content-Type`` is not what the contract declares; empty if it is.

    A body without one is read as the declared type (RFC 9110, section 8.3, leaves it to the recipient).
    """
    declared = operation.codec.media_types
    if not content_type or not declared:
        return ""
    plain = strip_media_type(content_type)
    if not any(_covers(one, plain) for one in declared):
        shown = escape_text(content_type, _MAX_SHOWN)
        return f"Content-Type {shown}; the contract has {', '.join(map(escape_text, declared))}"
    if (is_json_type(plain) or is_form_type(plain)) and (charset := _find_charset(content_type)):
        return f"Content-Type with charset {escape_text(charset, _MAX_SHOWN)}; only UTF-8 is read"
    return ""


def _covers(declared: str, plain: str) -> bool:
    """Return True if a declared media type or range, such as ``application/*``, covers a media type."""
    if declared in (plain, "*/*"):
        return True
    return declared.endswith("/*") and plain.startswith(declared[:-1])


def _find_charset(content_type: str) -> str:
    """Return the value of the parameter ``charset`` if it is another encoding than UTF-8; empty otherwise."""
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"')
        if name.strip().lower() == "charset" and charset.lower() not in _CHARSETS:
            return charset or "(none)"
    return ""
