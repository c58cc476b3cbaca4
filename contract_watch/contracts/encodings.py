"""The search for known secrets in a string, in every usual encoding and in any case.

The search decodes the string instead of encoding the secrets in every way that a server might. It decodes JSON escapes
(up to twice), percent-encoding, HTML entities and line breaks, and runs of base64 and hex at every alignment; it looks
for the secrets in each decoding. No pattern backtracks, so a hostile string costs no more than a long one.
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


def _decode_escape(match: _Match) -> bytes:
    high, low, code, character = match.groups()
    if high is not None:
        return _encode_code_point(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return _encode_code_point(int(code, 16)) if code is not None else _SHORT_ESCAPES.get(character, character)


def _decode_percent(match: _Match) -> bytes:
    return bytes([int(match[1], 16)]) if match[1] is not None else b" "


def _decode_entity(match: _Match) -> bytes:
    return html.unescape(match[0].decode()).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class _Encoding:
    """An encoding: ``decode`` gives the bytes for each match of ``pattern``; every match contains ``marker``."""

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
_LINES = _Encoding(b"\n", re.compile(rb"[\r\n][ \t\r\n]*"), lambda _match: b"")
_RETURNS = _Encoding(b"\r", _LINES.pattern, _LINES.decode)
_MAX_ESCAPE_DEPTH = 2
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
"""The shortest secret, eight bytes, takes eleven characters of base64 and sixteen of hex."""
MIN_SECRET_BYTES = 8
"""Length of the shortest secret that the search looks for, in bytes."""
_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class _Decoding:
    """A string after one decoding step; ``source`` is the step before, None for the original string."""

    content: bytes
    source: "_Decoding | None" = None
    encoding: _Encoding = _ESCAPES

    def decode(self, encoding: _Encoding) -> "_Decoding | None":
        """Return the next decoding step, None if it changes nothing."""
        if encoding.marker not in self.content:
            return None
        decoded = encoding.pattern.sub(encoding.decode, self.content)
        return _Decoding(decoded, self, encoding) if decoded != self.content else None

    def map_spans(self, spans: list[Span]) -> list[Span]:
        """Map ``spans`` of this decoding to spans of the original string."""
        if self.source is None or not spans:
            return spans
        starts = dict.fromkeys(sorted({start for start, _ in spans}), 0)
        ends = dict.fromkeys(sorted({end for _, end in spans}), 0)
        self._map_points(starts, opening=True)
        self._map_points(ends, opening=False)
        return self.source.map_spans([(starts[start], ends[end]) for start, end in spans])

    def _map_points(self, points: dict[int, int], *, opening: bool) -> None:
        """Set each of ``points``, which are sorted, to its offset in the source of this decoding.

        A point inside a decoded token maps to the token's start if ``opening``, else to its end.
        """
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
    """Yield the decodings of ``text``, the original first: at most 42, and one if it has no marker of an encoding."""
    layer: _Decoding | None = _Decoding(text)
    for depth in range(_MAX_ESCAPE_DEPTH + 1):
        assert layer is not None
        for unfolded in (layer, layer.decode(_LINES) or layer.decode(_RETURNS)):
            if unfolded is not None:
                yield unfolded
                for encoding in (_PERCENT, _FORM_URLENCODED, _ENTITIES):
                    decoded = unfolded.decode(encoding)
                    unescaped = decoded.decode(_ESCAPES) if decoded is not None else None
                    yield from (one for one in (decoded, unescaped) if one is not None)
        layer = layer.decode(_ESCAPES) if depth < _MAX_ESCAPE_DEPTH else None
        if layer is None:
            return


class SecretIndex:
    """The secrets to search for, each at least `MIN_SECRET_BYTES` bytes, with the length that reports show."""

    def __init__(self) -> None:
        self._lengths: dict[bytes, int] = {}
        self._heads: dict[bytes, list[bytes]] = {}

    def add(self, encoded: str, length: int) -> None:
        """Add a secret in one encoding; ``length`` is its decoded length in characters."""
        secret = encoded.encode("utf-8", "surrogatepass").lower()
        if secret not in self._lengths:
            self._heads.setdefault(secret[:MIN_SECRET_BYTES], []).append(secret)
        self._lengths[secret] = max(length, self._lengths.get(secret, 0))

    def copy(self) -> "SecretIndex":
        """Return an independent copy."""
        other = SecretIndex()
        other._lengths = dict(self._lengths)
        other._heads = {head: list(secrets) for head, secrets in self._heads.items()}
        return other

    def find_spans(self, text: bytes) -> Iterator[tuple[int, int, int]]:
        """Yield start, end and shown length of each secret in ``text``, in any case: names of headers lose theirs."""
        text = text.lower()
        if len(text) < len(self._lengths):  # one walk over a short string is cheaper than a search for each secret
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
    """Return start, end and length of every secret in ``text``, sorted; overlapping ones are merged.

    ``inner`` are the secrets in the encodings that they can have within base64 or hex (see `list_encodings`). A merged
    span has the largest length of its secrets.
    """
    lengths: dict[Span, int] = {}
    for decoding in _list_decodings(text):
        hits = [*secrets.find_spans(decoding.content), *_find_in_base64_and_hex(decoding.content, inner)]
        spans = decoding.map_spans([(start, end) for start, end, _ in hits])
        for span, (_, _, length) in zip(spans, hits, strict=True):
            lengths[span] = max(lengths.get(span, 0), length)
    merged: list[tuple[int, int, int]] = []
    for (start, end), length in sorted(lengths.items()):
        if merged and start < merged[-1][1]:
            previous = merged[-1]
            merged[-1] = (previous[0], max(previous[1], end), max(previous[2], length))
        else:
            merged.append((start, end, length))
    return merged


def _find_in_base64_and_hex(text: bytes, secrets: SecretIndex) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and shown length of the secrets in runs of base64 or hex, at every alignment within a run."""
    for run in _HEX.finditer(text):
        for shift in (0, 1):
            digits = run[0][shift:]
            for start, end, length in secrets.find_spans(bytes.fromhex(digits[: len(digits) // 2 * 2].decode())):
                yield run.start() + shift + 2 * start, run.start() + shift + 2 * end, length
    for run in _BASE64.finditer(text):
        standard = run[0].translate(_STANDARD_ALPHABET)
        for shift in range(4):
            characters = standard[shift:]
            decoded = binascii.a2b_base64(characters + b"A" * (-len(characters) % 4))
            for start, end, length in secrets.find_spans(decoded):
                first, last = run.start() + shift + start * 4 // 3, run.start() + shift + -(-end * 4 // 3)
                yield first, min(last, run.end()), length


def list_encodings(text: str) -> tuple[str, ...]:
    """Return a secret as it can occur within base64 or hex: plain, in JSON, in a URL and in a form."""
    return (
        text,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        quote(text, safe="", errors="surrogatepass"),
        quote_plus(text, errors="surrogatepass"),
    )
