"""The framing of gRPC-web: messages and trailers as length-prefixed frames in an HTTP body.

A frame is one byte of flags, four bytes of length, and the content. Flag 1 marks compression, flag 128 trailers.
Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md.
"""

import base64
import binascii
import struct
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote_to_bytes

COMPRESSED, TRAILERS = 0x01, 0x80
MEDIA_TYPES = ("application/grpc-web+proto", "application/grpc-web", "application/grpc-web-text")
"""The media types, the default first; the body of the last one is base64."""
_HEAD = struct.Struct(">BI")


class FrameError(ValueError):
    """Malformed or truncated framing."""


def is_text(media_type: str) -> bool:
    """Return True if bodies of this media type are base64."""
    return media_type.split(";", maxsplit=1)[0].strip().lower().startswith("application/grpc-web-text")


def is_grpc_web(media_type: str) -> bool:
    """Return True if ``media_type`` is one of gRPC-web's."""
    plain = media_type.split(";", maxsplit=1)[0].strip().lower()
    return plain in (*MEDIA_TYPES, "application/grpc-web-text+proto")


def encode_frame(content: bytes, flags: int = 0) -> bytes:
    """Return ``content`` as a frame."""
    return _HEAD.pack(flags, len(content)) + content


def decode_frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield flags and content of each frame in ``body``; raise `FrameError` if one is truncated."""
    offset = 0
    while offset < len(body):
        if len(body) - offset < _HEAD.size:
            raise FrameError("a frame's header is truncated")
        flags, size = _HEAD.unpack_from(body, offset)
        offset += _HEAD.size
        if len(body) - offset < size:
            raise FrameError(f"a frame is truncated: expected {size} bytes, got {len(body) - offset}")
        yield flags, body[offset : offset + size]
        offset += size


def decode_trailers(content: bytes) -> dict[str, str]:
    """Parse the content of a trailer frame; names are in lower case."""
    trailers: dict[str, str] = {}
    for line in content.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            trailers[name.strip().lower()] = value.strip()
    return trailers


def encode_trailers(values: Mapping[str, str]) -> bytes:
    """Return trailers as a trailer frame."""
    return encode_frame("".join(f"{name}: {value}\r\n" for name, value in values.items()).encode("latin-1"), TRAILERS)


def encode_text(body: bytes) -> bytes:
    """Encode ``body`` for the text variant."""
    return base64.b64encode(body)


def decode_text(body: bytes) -> bytes:
    """Decode a body of the text variant, whose pieces can each be padded; raise `FrameError` if it is not base64."""
    try:
        if b"=" not in body.rstrip(b"="):
            return base64.b64decode(body, validate=True)
        return b"".join(base64.b64decode(body[start : start + 4], validate=True) for start in range(0, len(body), 4))
    except (binascii.Error, ValueError) as error:
        raise FrameError("the body is not base64") from error


def encode_message(text: str) -> str:
    """Encode ``text`` for grpc-message: percent-encoded UTF-8."""
    safe = "".join(chr(code) for code in range(0x20, 0x7F) if code != 0x25)
    return quote(text, safe=safe, encoding="utf-8", errors="replace")


def decode_message(text: str) -> str:
    """Decode a grpc-message; raise ValueError if it is not percent-encoded UTF-8."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("grpc-message must be percent-encoded")
    return unquote_to_bytes(text).decode("utf-8")


def encode_binary(content: bytes) -> str:
    """Encode ``content`` for metadata whose name ends in ``-bin``: base64 without padding."""
    return base64.b64encode(content).decode("ascii").rstrip("=")


def decode_binary(text: str) -> bytes:
    """Decode metadata whose name ends in ``-bin``, padded or not; raise `FrameError` if it is not base64."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FrameError("the metadata is not base64") from error
