"""Content codings of request bodies (RFC 9110, section 8.4): gzip and deflate, bounded after decompression."""

import zlib

from contract_watch.escaping import escape_text
from contract_watch.mock.bodies import RequestTooLargeError
from contract_watch.mock.vendor import MAX_BODY

ACCEPTED_CODINGS = "gzip, deflate"
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""The window sizes that tell zlib which format it reads."""
_MAX_CODINGS = 3
_MAX_MEMBERS = 100
"""Members of one gzip body: each costs a copy of the bytes that follow it."""
_MAX_SHOWN = 60


class UnsupportedCodingError(ValueError):
    """A content coding that the mock does not decode."""


class BrokenContentError(ValueError):
    """A body that is not in the coding that its header names."""


def decode_content(codings: str, content: bytes) -> bytes:
    """Return ``content`` without the codings that a ``Content-Encoding`` header lists, the last one first.

    Raises:
        UnsupportedCodingError: one is unknown, or there are too many.
        BrokenContentError: the body is not in one of them.
        RequestTooLargeError: the decoded body exceeds `MAX_BODY`.
    """
    names = [name for one in codings.split(",") if (name := one.strip().lower()) not in ("", "identity")]
    unknown = next((name for name in names if name not in ("gzip", "x-gzip", "deflate")), None)
    if unknown is not None or len(names) > _MAX_CODINGS:
        problem = escape_text(unknown or codings, _MAX_SHOWN)
        raise UnsupportedCodingError(f"Content-Encoding {problem}; the mock reads {ACCEPTED_CODINGS}")
    for name in reversed(names):
        content = _inflate_members(content) if name != "deflate" else _inflate_deflate(content)
    return content


def _inflate_members(content: bytes) -> bytes:
    """Return the content of the members of a gzip file, at least one."""
    found = b""
    for _ in range(_MAX_MEMBERS):
        part, content = _inflate(content, _GZIP, "gzip", MAX_BODY - len(found))
        found += part
        if not content:
            return found
    raise BrokenContentError(f"Content-Encoding gzip: the body has more than {_MAX_MEMBERS} members")


def _inflate_deflate(content: bytes) -> bytes:
    """Return the content of a zlib stream; some clients send its raw form, so that one is read too."""
    # RFC 1950: the method is 8, and the first two bytes are a multiple of 31.
    is_zlib = len(content) >= 2 and content[0] & 0x0F == 8 and int.from_bytes(content[:2]) % 31 == 0
    found, rest = _inflate(content, _ZLIB if is_zlib else _RAW, "deflate", MAX_BODY)
    if rest:
        raise BrokenContentError("Content-Encoding deflate: bytes follow the end of the compressed body")
    return found


def _inflate(content: bytes, window: int, name: str, most: int) -> tuple[bytes, bytes]:
    """Return at most ``most`` bytes of one stream, and the bytes that follow it."""
    stream = zlib.decompressobj(window)
    try:
        found = stream.decompress(content, most + 1)
    except zlib.error as error:
        raise BrokenContentError(f"Content-Encoding {name}: the body is not in this coding") from error
    if len(found) > most:
        raise RequestTooLargeError(f"the body must be at most {MAX_BODY} bytes after decompression")
    if not stream.eof:
        raise BrokenContentError(f"Content-Encoding {name}: the compressed body ends too early")
    return found, stream.unused_data
