"""Where known secrets stand in a text, however they are spelled there.

A secret is not spelled in every way that a server might: the text is undone instead. Escapes of JSON (up to twice),
percent signs, entities and line breaks are taken away, and runs of base64 and hex are decoded at every alignment; each
reading is searched for the secrets themselves. All patterns are plain runs of signs, so that a hostile text costs no more
than a long one.
"""

import binascii
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

Span = tuple[int, int]
_Match = re.Match[bytes]


def _encode_code_point(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass")


_SHORT_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _decode_escape(found: _Match) -> bytes:
    high, low, letter, sign = found.groups()
    if high is not None:
        return _encode_code_point(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return _encode_code_point(int(letter, 16)) if letter is not None else _SHORT_ESCAPES.get(sign, sign)


def _decode_percent(found: _Match) -> bytes:
    return bytes([int(found[1], 16)]) if found[1] is not None else b" "


def _decode_entity(found: _Match) -> bytes:
    return html.unescape(found[0].decode()).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class _Encoding:
    """One way to spell a text: every match of ``pattern``, which has the byte ``sign`` in it, stands for what ``plain`` gives."""

    marker: bytes
    pattern: re.Pattern[bytes]
    decode: Callable[[_Match], bytes]


_ESCAPES = _Encoding(
    b"\\",
    re.compile(
        rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
        rb"|\\(?:u([0-9a-fA-F]{4})|([\"'\\/bfnrt]))"
    ),
    _decode_escape,
)
_PERCENT = _Encoding(b"%", re.compile(rb"%([0-9a-fA-F]{2})"), _decode_percent)
_FORM_URLENCODED = _Encoding(b"+", re.compile(rb"%([0-9a-fA-F]{2})|\+"), _decode_percent)
_ENTITIES = _Encoding(b"&", re.compile(rb"&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|amp|lt|gt|quot|apos);"), _decode_entity)
_LINES = _Encoding(b"\n", re.compile(rb"[\r\n][ \t\r\n]*"), lambda _found: b"")
_RETURNS = _Encoding(b"\r", _LINES.pattern, _LINES.decode)
_MAX_ESCAPE_DEPTH = 2
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
"""Eight bytes, which is the least that is looked for, are eleven signs of base64 and sixteen of hex."""
MIN_SECRET_BYTES = 8
"""Bytes of the shortest secret that is looked for."""
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class _Decoding:
    """A text with one spelling undone; ``of`` is the reading it was made from, None for the text itself."""

    content: bytes
    source: "_Decoding | None" = None
    encoding: _Encoding = _ESCAPES

    def decode(self, encoding: _Encoding) -> "_Decoding | None":
        """This one with a further spelling undone; None where nothing is spelled so."""
        if encoding.marker not in self.content:
            return None
        text = encoding.pattern.sub(encoding.decode, self.content)
        return _Decoding(text, self, encoding) if text != self.content else None

    def map_spans(self, spans: list[Span]) -> list[Span]:
        """Where ``spans`` of this reading stand in the text itself."""
        if self.source is None or not spans:
            return spans
        starts = dict.fromkeys(sorted({start for start, _ in spans}), 0)
        ends = dict.fromkeys(sorted({end for _, end in spans}), 0)
        self._map_points(starts, opening=True)
        self._map_points(ends, opening=False)
        return self.source.map_spans([(starts[start], ends[end]) for start, end in spans])

    def _map_points(self, points: dict[int, int], *, opening: bool) -> None:
        """Give each of ``points``, which are in order, its place in the reading before this one."""
        assert self.source is not None
        tokens = self.encoding.pattern.finditer(self.source.content)
        shift, token = 0, next(tokens, None)
        for point in points:
            while token is not None:
                size = len(self.encoding.decode(token))
                begins = token.start() - shift
                if begins + size > point or (not opening and begins >= point):
                    break
                shift += len(token[0]) - size
                token = next(tokens, None)
            points[point] = point + shift


def _list_decodings(text: bytes) -> Iterator[_Decoding]:
    """The readings of ``text``, itself first: at most forty-odd, and one where it has none of the signs."""
    layer: _Decoding | None = _Decoding(text)
    for depth in range(_MAX_ESCAPE_DEPTH + 1):
        assert layer is not None
        for reading in (layer, layer.decode(_LINES) or layer.decode(_RETURNS)):
            if reading is not None:
                yield reading
                for undoing in (_PERCENT, _FORM_URLENCODED, _ENTITIES):
                    made = reading.decode(undoing)
                    escaped = made.decode(_ESCAPES) if made is not None else None
                    yield from (one for one in (made, escaped) if one is not None)
        layer = layer.decode(_ESCAPES) if depth < _MAX_ESCAPE_DEPTH else None
        if layer is None:
            return


class SecretIndex:
    """Secrets as they are looked for: each is `MIN_SECRET_BYTES` bytes or longer, and has a length to be told by."""

    def __init__(self) -> None:
        self._lengths: dict[bytes, int] = {}
        self._heads: dict[bytes, list[bytes]] = {}

    def add(self, encoded: str, length: int) -> None:
        """Look for ``spelled`` from now on."""
        secret = encoded.encode("utf-8", "surrogatepass")
        if secret not in self._lengths:
            self._heads.setdefault(secret[:MIN_SECRET_BYTES], []).append(secret)
        self._lengths[secret] = max(length, self._lengths.get(secret, 0))

    def copy(self) -> "SecretIndex":
        """The same secrets, to be added to."""
        other = SecretIndex()
        other._lengths = dict(self._lengths)
        other._heads = {head: list(secrets) for head, secrets in self._heads.items()}
        return other

    def find_spans(self, text: bytes) -> Iterator[tuple[int, int, int]]:
        """Where each secret begins and ends in ``text``, and its length: one walk over few signs, a search each over many."""
        if len(text) < len(self._lengths):
            for start in range(len(text) - MIN_SECRET_BYTES + 1):
                for secret in self._heads.get(text[start : start + MIN_SECRET_BYTES], ()):
                    if text.startswith(secret, start):
                        yield start, start + len(secret), self._lengths[secret]
            return
        for secret, length in self._lengths.items():
            start = text.find(secret)
            while start >= 0:
                yield start, start + len(secret), length
                start = text.find(secret, start + len(secret))


def find_secret_spans(text: bytes, secrets: SecretIndex, inner: SecretIndex) -> list[tuple[int, int, int]]:
    """Every place of a secret in ``text``: where it begins and ends, and the length of the secret; in order, none overlap.

    ``inner`` are the secrets as they may be spelled in what is coded as base64 or hex (see `list_encodings`). Where several overlap, they are one place, with the largest of their lengths.
    """
    found: dict[tuple[int, int], int] = {}
    for reading in _list_decodings(text):
        hits = [*secrets.find_spans(reading.content), *_find_in_base64_and_hex(reading.content, inner)]
        places = reading.map_spans([(start, end) for start, end, _ in hits])
        for place, (_, _, said) in zip(places, hits, strict=True):
            found[place] = max(found.get(place, 0), said)
    merged: list[tuple[int, int, int]] = []
    for (start, end), said in sorted(found.items()):
        if merged and start < merged[-1][1]:
            before = merged[-1]
            merged[-1] = (before[0], max(before[1], end), max(before[2], said))
        else:
            merged.append((start, end, said))
    return merged


def _find_in_base64_and_hex(text: bytes, secrets: SecretIndex) -> Iterator[tuple[int, int, int]]:
    """Secrets in runs of base64 or hex, whatever stands before and after them in the run."""
    for run in _HEX.finditer(text):
        for shift in (0, 1):
            signs = run[0][shift:]
            for start, end, said in secrets.find_spans(bytes.fromhex(signs[: len(signs) // 2 * 2].decode())):
                yield run.start() + shift + 2 * start, run.start() + shift + 2 * end, said
    for run in _BASE64.finditer(text):
        ordinary = run[0].translate(_STANDARD_ALPHABET)
        for shift in range(4):
            signs = ordinary[shift:]
            decoded = binascii.a2b_base64(signs + b"A" * (-len(signs) % 4))
            for start, end, said in secrets.find_spans(decoded):
                first, last = run.start() + shift + start * 4 // 3, run.start() + shift + -(-end * 4 // 3)
                yield first, min(last, run.end()), said


def list_encodings(text: str) -> tuple[str, ...]:
    """A secret as it may stand in what is coded as a whole: JSON, an address, a form."""
    return (
        text,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        quote(text, safe="", errors="surrogatepass"),
        quote_plus(text, errors="surrogatepass"),
    )
