"""The base path of a document means the same to clients, to the mock and to the suite."""

import pytest

from contract_watch.contracts.servers import find_base_path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/v1/", "/v1"),
        ("https://api.example.com", ""),
        ("https://api.example.com/a.b/..c", "/a.b/..c"),
        ("https://api.example.com/../../x", ""),
        ("https://api.example.com/v1/./x", ""),
        ("https://api.example.com/%2e%2E/x", ""),
        ("https://api.example.com/..%2fx", ""),
    ],
)
def test_a_path_with_dot_segments_counts_as_none(url: str, expected: str) -> None:
    """A client shortens such a path, so that no request would reach the route that the mock serves."""
    assert find_base_path({"servers": [{"url": url}]}) == expected
