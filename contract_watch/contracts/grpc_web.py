"""gRPC-web's framing: messages and trailers as length-prefixed frames in an ordinary HTTP body.

A frame is a byte of flags, four bytes of length, and the content. Flag 1 marks compression, 128 a frame of trailers.
Source: the protocol's description, PROTOCOL-WEB.md of the gRPC project.
"""

import base64
import binascii
import struct
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote_to_bytes

COMPRESSED, TRAILERS = 0x01, 0x80
MEDIA_TYPES = ("application/grpc-web+proto", "application/grpc-web", "application/grpc-web-text")
"""The media types, the usual one first; the last has its body in base64."""
_HEAD = struct.Struct(">BI")


class FrameError(ValueError):
    """Bytes that are no whole frames."""


def is_text(media_type: str) -> bool:
    """Whether bodies of this media type are in base64."""
    return media_type.split(";", maxsplit=1)[0].strip().lower().startswith("application/grpc-web-text")


def is_grpc_web(media_type: str) -> bool:
    """Whether ``media_type`` is one of gRPC-web's."""
    plain = media_type.split(";", maxsplit=1)[0].strip().lower()
    return plain in (*MEDIA_TYPES, "application/grpc-web-text+proto")


def encode_frame(content: bytes, flags: int = 0) -> bytes:
    """``content`` as a frame."""
    return _HEAD.pack(flags, len(content)) + content


def decode_frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The frames of ``body`` as (flags, content); a `FrameError` where one is cut."""
    at = 0
    while at < len(body):
        if len(body) - at < _HEAD.size:
            raise FrameError("a frame is cut in its head")
        flags, size = _HEAD.unpack_from(body, at)
        at += _HEAD.size
        if len(body) - at < size:
            raise FrameError(f"a frame promises {size} bytes and has {len(body) - at}")
        yield flags, body[at : at + size]
        at += size


def decode_trailers(content: bytes) -> dict[str, str]:
    """The trailers in a trailer frame's content, names in lower case."""
    found: dict[str, str] = {}
    for line in content.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found


def encode_trailers(values: Mapping[str, str]) -> bytes:
    """Trailers as a trailer frame."""
    return encode_frame("".join(f"{name}: {value}\r\n" for name, value in values.items()).encode("latin-1"), TRAILERS)


def encode_text(body: bytes) -> bytes:
    """``body`` as the text variant has it."""
    return base64.b64encode(body)


def decode_text(body: bytes) -> bytes:
    """What the base64 in ``body`` says; pieces may each have their own padding. A `FrameError` where it is none."""
    try:
        if b"=" not in body.rstrip(b"="):
            return base64.b64decode(body, validate=True)
        return b"".join(base64.b64decode(body[at : at + 4], validate=True) for at in range(0, len(body), 4))
    except (binascii.Error, ValueError) as error:
        raise FrameError("the body is no base64") from error


def encode_message(text: str) -> str:
    """``text`` as grpc-message carries it: percent-encoded UTF-8."""
    safe = "".join(chr(sign) for sign in range(0x20, 0x7F) if sign != 0x25)
    return quote(text, safe=safe, encoding="utf-8", errors="replace")


def decode_message(text: str) -> str:
    """What grpc-message says; a `ValueError` where it is not percent-encoded UTF-8."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError("grpc-message is not percent-encoded")
    return unquote_to_bytes(text).decode("utf-8")


def encode_binary(content: bytes) -> str:
    """``content`` as metadata whose name ends in ``-bin`` carries it: base64 without padding."""
    return base64.b64encode(content).decode("ascii").rstrip("=")


def decode_binary(text: str) -> bytes:
    """What metadata whose name ends in ``-bin`` carries, padded or not; a `FrameError` where it is no base64."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FrameError("it is no base64") from error
