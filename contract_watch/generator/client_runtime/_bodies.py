"""Compressed bodies, read without trust in their size."""

import zlib
from collections.abc import Sequence

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a response body, compressed or not, that are read."""
TOO_LONG = f"the body is longer than {MAX_BODY // 1024 // 1024} MiB"
_GZIP, _ZLIB, _RAW = 31, 15, -15
"""The forms of a compressed body, as zlib numbers them."""
_FORMS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""``deflate`` means zlib's form, but some servers send the bare one."""


def decompress(content: bytes, encodings: Sequence[str]) -> tuple[bytes, str]:
    """Return ``content`` without its ``encodings``, which are in the order of their application, and an empty string.

    If that is impossible, return ``content`` as it is, and the reason.
    """
    found = content
    for encoding in reversed([one.strip().lower() for one in encodings]):
        if encoding in ("", "identity") or not found:
            continue
        if encoding not in _FORMS:
            return content, "the body has an unknown Content-Encoding"
        plain = next((one for form in _FORMS[encoding] if (one := _decompress(found, form)) is not None), None)
        if plain is None:
            return content, "the body cannot be decompressed"
        if len(plain) > MAX_BODY:
            return content, TOO_LONG
        found = plain
    return found, ""


def _decompress(content: bytes, form: int) -> bytes | None:
    """Return the plain bytes, at most one more than `MAX_BODY`; None if ``content`` is not of this form or was cut."""
    parts: list[bytes] = []
    size, rest = 0, content
    while rest and size <= MAX_BODY:
        decoder = zlib.decompressobj(form)
        try:
            part = decoder.decompress(rest, MAX_BODY + 1 - size)
        except zlib.error:
            return None
        parts.append(part)
        size += len(part)
        if size <= MAX_BODY and not decoder.eof:
            return None
        rest = decoder.unused_data if form == _GZIP else b""  # gzip may consist of several members
    return b"".join(parts)
