"""The headers of a request as strings."""

from starlette.types import Scope

_MOST_TEXTS = 1000
_MAX_TEXT = 200
"""Names and values that are kept, and the bytes of the longest."""


class _DecodedTexts(dict[bytes, str]):
    """The names and values that clients send again and again: the journal keeps one copy of each."""

    def __missing__(self, raw: bytes) -> str:
        text = raw.decode("latin-1")
        if len(raw) <= _MAX_TEXT:
            if len(self) >= _MOST_TEXTS:
                self.clear()
            self[raw] = text
        return text


_TEXTS = _DecodedTexts()


def decode_headers(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by lower-case name; the values of a repeated one are joined."""
    headers: dict[str, str] = {_TEXTS[name]: _TEXTS[value] for name, value in scope["headers"]}
    if len(headers) == len(scope["headers"]):  # most requests repeat none
        return headers
    headers.clear()
    for raw_name, raw_value in scope["headers"]:
        name, value = _TEXTS[raw_name], _TEXTS[raw_value]
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
