"""Mutations of raw bytes: of single bits, of ranges, with words of HTTP, and across requests."""

import random
from collections.abc import Callable, Sequence

MAX_LENGTH = 300_000
"""Bytes of one input. More is a matter of limits, which tests have of their own."""
_WORDS = (
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\0", b" ", b":", b"/", b"//", b"..", b"%", b"%00", b"%2f", b"%zz", b"%ed%a0%80", b"?", b"#", b"*",
    b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2.0", b"HTTP/0.9", b"HEAD", b"OPTIONS", b"PATCH",
    b"DELETE", b"CONNECT", b"PRI", b"http://evil.example", b"Content-Length: 5\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Connection: close\r\n", b"Connection: Upgrade\r\n",
    b"Upgrade: h2c\r\n", b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"Content-Encoding: gzip\r\n", b"Host: evil.example\r\n",
    b"Origin: null\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"{", b"}", b"[", b"]", b'"', b"\\ud800", b"\\u0000", b"null", b"true", b"NaN",
    b"1e999", b"-0", b"9" * 400, b'{"a":', b"application/json", b"text/plain", b"application/grpc-web-text", b"multipart/form-data; boundary=x",
    b"\x00\x00\x00\x00\x00", b"\x80\x00\x00\x00\x10", b"\x00\xff\xff\xff\xff",
)  # fmt: skip
_BYTES = bytes([0, 1, 9, 10, 13, 32, 34, 37, 44, 47, 58, 92, 123, 127, 128, 255])
_Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def mutate(randomness: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return one of ``seeds`` with a few mutations, or several such in a row on one connection."""
    requests = [bytearray(randomness.choice(seeds)) for _ in range(randomness.choice((1, 1, 1, 2, 5)))]
    for content in requests:
        for _ in range(randomness.choice((0, 1, 1, 2, 4, 16))):
            randomness.choice(_MUTATIONS)(randomness, content, seeds)
            del content[MAX_LENGTH:]
    return b"".join(requests)[:MAX_LENGTH]


def _choose_range(randomness: random.Random, content: bytearray) -> tuple[int, int]:
    begin = randomness.randint(0, len(content))
    return begin, min(len(content), begin + randomness.choice((1, 1, 2, 4, 16, 64, 1024)))


def _flip_bit(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    if content:
        content[randomness.randrange(len(content))] ^= 1 << randomness.randrange(8)


def _replace_byte(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    if content:
        content[randomness.randrange(len(content))] = randomness.choice(_BYTES)


def _delete_range(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    begin, end = _choose_range(randomness, content)
    del content[begin:end]


def _repeat_range(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    begin, end = _choose_range(randomness, content)
    content[end:end] = content[begin:end] * randomness.choice((1, 2, 10, 1000))


def _insert_word(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    begin, end = _choose_range(randomness, content)
    words = randomness.choice(_WORDS) * randomness.choice((1, 1, 1, 2, 100, 5000))
    content[begin : randomness.choice((begin, end))] = words


def _insert_at_line(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    ends = [at for at in range(len(content) - 1) if content[at : at + 2] == b"\r\n"]
    if ends:
        at = randomness.choice(ends) + 2
        content[at:at] = randomness.choice(_WORDS)


def _change_number(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    digits = [at for at, byte in enumerate(content) if 48 <= byte <= 57]
    if digits:
        at = randomness.choice(digits)
        content[at : at + 1] = randomness.choice((b"0", b"1", b"9", b"-1", b"00", b"4294967296", b"0x10", b"1.5", b""))


def _splice(randomness: random.Random, content: bytearray, seeds: Sequence[bytes]) -> None:
    other = bytearray(randomness.choice(seeds))
    begin, end = _choose_range(randomness, other)
    at = randomness.randint(0, len(content))
    content[at:at] = other[begin : max(end, randomness.randint(begin, len(other)))]


def _cut(randomness: random.Random, content: bytearray, _seeds: Sequence[bytes]) -> None:
    del content[randomness.randint(0, len(content)) :]


_MUTATIONS: tuple[_Mutation, ...] = (_flip_bit, _replace_byte, _delete_range, _repeat_range, _insert_word, _insert_at_line, _change_number,
                                     _splice, _cut)  # fmt: skip
