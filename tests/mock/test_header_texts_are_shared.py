"""The journal keeps one copy of each header text that clients send again and again, of a bounded number."""

from contract_watch.mock import request_headers
from contract_watch.mock.request_headers import decode_headers


def _decode(*pairs: tuple[bytes, bytes]) -> dict[str, str]:
    return decode_headers(
        {"type": "http", "headers": [(bytes(bytearray(name)), bytes(bytearray(value))) for name, value in pairs]}
    )


def test_a_text_that_comes_again_is_the_same_object() -> None:
    """Names and values are shared between requests; the values of a repeated header are joined."""
    first, second = (_decode((b"x-shared-name", b"a shared value")) for _ in range(2))
    assert first == {"x-shared-name": "a shared value"}
    assert next(iter(first)) is next(iter(second))
    assert first["x-shared-name"] is second["x-shared-name"]
    assert _decode((b"accept", b"a"), (b"accept", b"b")) == {"accept": "a, b"}


def test_texts_are_few_and_short() -> None:
    """Clients that send another value each time, or a long one, fill no memory."""
    for number in range(3 * request_headers._MOST_TEXTS):  # noqa: SLF001 (the bound itself)
        _decode((b"x-request-id", b"%d" % number))
    long = b"z" * (request_headers._MAX_TEXT + 1)  # noqa: SLF001
    assert _decode((b"cookie", long)) == {"cookie": long.decode()}
    assert len(request_headers._TEXTS) <= request_headers._MOST_TEXTS  # noqa: SLF001
    assert long not in request_headers._TEXTS  # noqa: SLF001
