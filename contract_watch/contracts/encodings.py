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


def _letter(number: int) -> bytes:
    return chr(number).encode("utf-8", "surrogatepass")


_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _unescaped(found: _Match) -> bytes:
    high, low, letter, sign = found.groups()
    if high is not None:
        return _letter(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    return _letter(int(letter, 16)) if letter is not None else _SHORT.get(sign, sign)


def _percent(found: _Match) -> bytes:
    return bytes([int(found[1], 16)]) if found[1] is not None else b" "


def _entity(found: _Match) -> bytes:
    return html.unescape(found[0].decode()).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class _Undoing:
    """One way to spell a text: every match of ``pattern``, which has the byte ``sign`` in it, stands for what ``plain`` gives."""

    sign: bytes
    pattern: re.Pattern[bytes]
    plain: Callable[[_Match], bytes]


_ESCAPES = _Undoing(
    b"\\",
    re.compile(
        rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
        rb"|\\(?:u([0-9a-fA-F]{4})|([\"'\\/bfnrt]))"
    ),
    _unescaped,
)
_PERCENT = _Undoing(b"%", re.compile(rb"%([0-9a-fA-F]{2})"), _percent)
_FORM = _Undoing(b"+", re.compile(rb"%([0-9a-fA-F]{2})|\+"), _percent)
_ENTITIES = _Undoing(b"&", re.compile(rb"&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|amp|lt|gt|quot|apos);"), _entity)
_LINES = _Undoing(b"\n", re.compile(rb"[\r\n][ \t\r\n]*"), lambda _found: b"")
_RETURNS = _Undoing(b"\r", _LINES.pattern, _LINES.plain)
_TWICE = 2
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
"""Eight bytes, which is the least that is looked for, are eleven signs of base64 and sixteen of hex."""
SHORTEST = 8
"""Bytes of the shortest secret that is looked for."""
_ORDINARY = bytes.maketrans(b"-_", b"+/")


@dataclass(frozen=True)
class _Reading:
    """A text with one spelling undone; ``of`` is the reading it was made from, None for the text itself."""

    text: bytes
    of: "_Reading | None" = None
    undoing: _Undoing = _ESCAPES

    def made(self, undoing: _Undoing) -> "_Reading | None":
        """This one with a further spelling undone; None where nothing is spelled so."""
        if undoing.sign not in self.text:
            return None
        text = undoing.pattern.sub(undoing.plain, self.text)
        return _Reading(text, self, undoing) if text != self.text else None

    def origins(self, spans: list[Span]) -> list[Span]:
        """Where ``spans`` of this reading stand in the text itself."""
        if self.of is None or not spans:
            return spans
        starts = dict.fromkeys(sorted({start for start, _ in spans}), 0)
        ends = dict.fromkeys(sorted({end for _, end in spans}), 0)
        self._placed(starts, opening=True)
        self._placed(ends, opening=False)
        return self.of.origins([(starts[start], ends[end]) for start, end in spans])

    def _placed(self, points: dict[int, int], *, opening: bool) -> None:
        """Give each of ``points``, which are in order, its place in the reading before this one."""
        assert self.of is not None
        tokens = self.undoing.pattern.finditer(self.of.text)
        shift, token = 0, next(tokens, None)
        for point in points:
            while token is not None:
                size = len(self.undoing.plain(token))
                begins = token.start() - shift
                if begins + size > point or (not opening and begins >= point):
                    break
                shift += len(token[0]) - size
                token = next(tokens, None)
            points[point] = point + shift


def _readings(text: bytes) -> Iterator[_Reading]:
    """The readings of ``text``, itself first: at most forty-odd, and one where it has none of the signs."""
    layer: _Reading | None = _Reading(text)
    for depth in range(_TWICE + 1):
        assert layer is not None
        for reading in (layer, layer.made(_LINES) or layer.made(_RETURNS)):
            if reading is not None:
                yield reading
                for undoing in (_PERCENT, _FORM, _ENTITIES):
                    made = reading.made(undoing)
                    escaped = made.made(_ESCAPES) if made is not None else None
                    yield from (one for one in (made, escaped) if one is not None)
        layer = layer.made(_ESCAPES) if depth < _TWICE else None
        if layer is None:
            return


class Known:
    """Secrets as they are looked for: each is `SHORTEST` bytes or longer, and has a length to be told by."""

    def __init__(self) -> None:
        self._lengths: dict[bytes, int] = {}
        self._heads: dict[bytes, list[bytes]] = {}

    def add(self, spelled: str, length: int) -> None:
        """Look for ``spelled`` from now on."""
        secret = spelled.encode("utf-8", "surrogatepass")
        if secret not in self._lengths:
            self._heads.setdefault(secret[:SHORTEST], []).append(secret)
        self._lengths[secret] = max(length, self._lengths.get(secret, 0))

    def copy(self) -> "Known":
        """The same secrets, to be added to."""
        other = Known()
        other._lengths = dict(self._lengths)
        other._heads = {head: list(secrets) for head, secrets in self._heads.items()}
        return other

    def places(self, text: bytes) -> Iterator[tuple[int, int, int]]:
        """Where each secret begins and ends in ``text``, and its length: one walk over few signs, a search each over many."""
        if len(text) < len(self._lengths):
            for start in range(len(text) - SHORTEST + 1):
                for secret in self._heads.get(text[start : start + SHORTEST], ()):
                    if text.startswith(secret, start):
                        yield start, start + len(secret), self._lengths[secret]
            return
        for secret, length in self._lengths.items():
            start = text.find(secret)
            while start >= 0:
                yield start, start + len(secret), length
                start = text.find(secret, start + len(secret))


def occurrences(text: bytes, secrets: Known, inner: Known) -> list[tuple[int, int, int]]:
    """Every place of a secret in ``text``: where it begins and ends, and the length of the secret; in order, none overlap.

    ``inner`` are the secrets as they may be spelled in what is coded as base64 or hex (see `inside`). Where several overlap, they are one place, with the largest of their lengths.
    """
    found: dict[tuple[int, int], int] = {}
    for reading in _readings(text):
        hits = [*secrets.places(reading.text), *_coded(reading.text, inner)]
        places = reading.origins([(start, end) for start, end, _ in hits])
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


def _coded(text: bytes, secrets: Known) -> Iterator[tuple[int, int, int]]:
    """Secrets in runs of base64 or hex, whatever stands before and after them in the run."""
    for run in _HEX.finditer(text):
        for shift in (0, 1):
            signs = run[0][shift:]
            for start, end, said in secrets.places(bytes.fromhex(signs[: len(signs) // 2 * 2].decode())):
                yield run.start() + shift + 2 * start, run.start() + shift + 2 * end, said
    for run in _BASE64.finditer(text):
        ordinary = run[0].translate(_ORDINARY)
        for shift in range(4):
            signs = ordinary[shift:]
            decoded = binascii.a2b_base64(signs + b"A" * (-len(signs) % 4))
            for start, end, said in secrets.places(decoded):
                first, last = run.start() + shift + start * 4 // 3, run.start() + shift + -(-end * 4 // 3)
                yield first, min(last, run.end()), said


def inside(text: str) -> tuple[str, ...]:
    """A secret as it may stand in what is coded as a whole: JSON, an address, a form."""
    return (
        text,
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        quote(text, safe="", errors="surrogatepass"),
        quote_plus(text, errors="surrogatepass"),
    )
