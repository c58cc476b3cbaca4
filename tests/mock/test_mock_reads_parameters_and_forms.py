"""The mock reads queries, headers, cookies and forms as the suite does."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.depot import KEY, copy_depot
from tests.support.patience import PATIENCE

FORM = {"X-Key": KEY, "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(name="base")
def _base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with run_in_thread(build_mock([copy_depot(tmp_path, monkeypatch)], {})) as address:
        yield address


def _send(base: str, method: str, path: str, **more: object) -> httpx.Response:
    return httpx.request(method, f"{base}/v1{path}", timeout=PATIENCE, **more)  # type: ignore[arg-type]


def test_mock_reads_forms_headers_and_queries(base: str) -> None:
    """A form has the schema's types, a header no case in its name, and a query the schema's type."""
    sent = "mark=a&weight=5&tags=x+y&tags=%C3%A9"
    added = _send(base, "POST", "/crates?notify=true&unknown=1", headers={**FORM, "x-ZONE": "north"}, content=sent)
    assert (added.status_code, added.json()["weight"], added.json()["tags"]) == (201, 5, ["x y", "é"])
    for zone in ("north", "south"):
        _send(base, "POST", "/crates", headers={**FORM, "X-Zone": zone}, content="mark=b&weight=6")
    key = {"X-Key": KEY}
    assert len(_send(base, "GET", "/crates?limit=2", headers=key).json()["crates"]) == 2
    assert len(_send(base, "GET", "/crates?zone=south", headers=key).json()["crates"]) == 1
    assert _send(base, "GET", "/crates?limit=abc", headers=key).status_code == 400
    assert _send(base, "GET", "/crates?limit=1&limit=2", headers=key).status_code == 400
    one = f"/crates/{added.json()['id']}"
    assert _send(base, "DELETE", one, headers=key).status_code == 400
    assert _send(base, "DELETE", f"{one}?force=true", headers={**key, "Cookie": "shift=dusk"}).status_code == 400
    assert _send(base, "DELETE", f"{one}?force=true", headers={**key, "Cookie": "a=b; shift=day"}).status_code == 204


def test_an_undocumented_media_type_is_malformed(base: str) -> None:
    """JSON is no form, and plain JSON is no merge patch."""
    json = {"X-Key": KEY, "X-Zone": "north", "Content-Type": "application/json"}
    assert _send(base, "POST", "/crates", headers=json, content='{"mark": "a", "weight": 5}').status_code == 400
    added = _send(base, "POST", "/crates", headers={**FORM, "X-Zone": "north"}, content="mark=a&weight=5").json()["id"]
    for kind, status in (("application/json", 400), ("application/merge-patch+json", 204)):
        done = _send(base, "PATCH", f"/crates/{added}", headers={**json, "Content-Type": kind}, content='{"weight": 6}')
        assert done.status_code == status


def test_the_journal_has_parameters_without_secrets(base: str) -> None:
    """A value under a secret's name, or one that a form sent under such a name, is redacted."""
    _send(base, "GET", "/crates?limit=2&password=hunter2hunter2", headers={"X-Key": KEY})
    call = httpx.get(f"{base}/__mock/calls", timeout=PATIENCE).json()[-1]
    assert call["parameters"] == {"query": {"limit": 2, "password": "[redacted, 14 characters]"}}
