"""A removed operation names where it may be now: at most three, the likeliest first, and nothing that is only a guess."""

from typing import Any

import pytest

from contract_watch.diff.document import compare
from tests.support.documents.pairs import complete_document


def _find_message(base: list[str], revision: list[str]) -> str:
    """Return the message of the one removed operation; operations are written as ``GET /a``."""
    documents = []
    for operations in (base, revision):
        paths: dict[str, Any] = {}
        for method, path in (one.split(" ") for one in operations):
            names = [segment[1:-1] for segment in path.split("/") if "{" in segment]
            spec = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
            paths.setdefault(path, {})[method.lower()] = {"parameters": spec}
        documents.append(complete_document({"paths": paths}, "3.1.0"))
    (message,) = (change.message for change in compare(*documents).changes if change.level.value == "breaking")
    return message.removeprefix(f"{base[0]} removed").removeprefix(", with its path").removeprefix("; ")


@pytest.mark.parametrize(
    ("base", "revision", "words"),
    [
        (["GET /v1/a/b"], ["GET /v2/a/b"], "it may be GET /v2/a/b now"),
        (["GET /pets/{id}"], ["GET /animals/pets/{id}"], "it may be GET /animals/pets/{id} now"),
        (["GET /pets"], ["POST /pets"], "it may be POST /pets now"),
        (["GET /outbound/host"], ["GET /v2/host"], "it may be GET /v2/host now"),
        (["POST /bank/create"], ["POST /user/create", "POST /item/create"], ""),
        (["POST /bank/get"], ["POST /item/create", "POST /item/get", "POST /link/get"], ""),
        (["GET /pets/{id}"], ["GET /pets"], ""),
        (
            ["POST /cra/report/get"],
            ["POST /cra/x/get", *(f"POST /cra/{word}/report/get" for word in "abcd"), "POST /cra/reports/get"],
            "it may be POST /cra/reports/get or POST /cra/a/report/get or POST /cra/b/report/get now",
        ),
    ],
)
def test_guess_is_likely(base: list[str], revision: list[str], words: str) -> None:
    """A new operation has the id, the path, or mostly the words of the removed one; the same last word is not enough."""
    assert _find_message(base, revision) == words


@pytest.mark.parametrize(
    ("base", "kept", "words"),
    [
        ("GET /v1/account/people", "GET /v1/accounts/{account}/people", "GET /v1/accounts/{account}/people exists too"),
        ("GET /v1/account/people", "POST /v1/accounts/{account}/people", ""),
        ("GET /v1/account/people", "GET /v1/accounts/{account}/people/{id}", ""),
        ("GET /v1/account/people", "GET /v1/teams/{team}/people", ""),
        ("GET /v1/people", "GET /v2/people", ""),
    ],
)
def test_twin_is_named(base: str, kept: str, words: str) -> None:
    """An operation that both documents have is named if its method and its words are the same."""
    assert _find_message([base, kept], [kept]) == words
