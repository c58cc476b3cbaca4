"""The guard reads queries, headers, cookies and forms from the bytes, and blocks those that may name a foreign object."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.guard import BlockedRequestError, Guard
from tests.engine.account.test_guard_blocks_foreign_requests import OURS, make_guard, make_request
from tests.support.depot import copy_depot

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(name="guard")
def _guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guard:
    return make_guard(copy_depot(tmp_path, monkeypatch), ids={"c1"})


def _blocks(guard: Guard, contract: Contract, method: str, path: str, **more: Any) -> bool:
    try:
        guard.check_request(make_request(contract, method, path, **more))
    except BlockedRequestError:
        return True
    return False


@pytest.mark.parametrize(
    ("path", "is_blocked"),
    [
        ("/crates/c1?force=true", False),
        ("/crates/c1", False),
        ("/crates/c2?force=true", True),
        ("/crates/c1?force=true&zone=north", True),
        ("/crates/c1?force=true&id=c2", True),
        ("/crates/c1?force=true;id=c2", True),
        ("/crates/c1?Force=true", True),
        ("/crates/c1?force[id]=c2", True),
    ],
)
def test_a_mutating_query_has_declared_parameters_only(guard: Guard, path: str, is_blocked: bool) -> None:
    """An undeclared one could name an object, in whatever way a server separates pairs."""
    assert _blocks(guard, guard.contract, "DELETE", path) == is_blocked


@pytest.mark.parametrize(
    ("body", "is_blocked"),
    [
        (f"mark={OURS}&weight=5", False),
        ("mark=theirs&weight=5", True),
        (f"mark={OURS}&mark=theirs&weight=5", True),
        (f"mark={OURS}&weight=5&ID=c2", True),
        (f"mark={OURS}&size[id]=c2", True),
        (f"mark={OURS}&mark[0]=theirs", True),
        (f"mark={OURS}&weight=5;id=c2", True),
        (f"mark={OURS}&tags=anything", False),
        ("\xe9", True),
    ],
)
def test_a_form_names_only_own_objects(guard: Guard, body: str, is_blocked: bool) -> None:
    """Every pair counts, and every part of a nested name."""
    sent = body.encode("latin-1")
    assert _blocks(guard, guard.contract, "POST", "/crates?notify=true", body=sent, headers=FORM) == is_blocked


def test_a_body_has_the_documented_media_type(guard: Guard) -> None:
    """A form for an operation that takes a merge patch is blocked, and a merge patch for one that takes a form."""
    patch = {"content-type": "application/merge-patch+json"}
    assert not _blocks(guard, guard.contract, "PATCH", "/crates/c1", body={"weight": 5}, headers=patch)
    assert _blocks(guard, guard.contract, "PATCH", "/crates/c1", body=b"weight=5", headers=FORM)
    assert _blocks(guard, guard.contract, "POST", "/crates", body=f'{{"mark": "{OURS}"}}'.encode(), headers=patch)


def test_identities_in_queries_and_headers_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter with a role is an identity as in a body; any other header names nothing."""
    contract = copy_depot(tmp_path, monkeypatch)
    config = contract.config_file.read_text(encoding="utf-8")
    roles = 'removeCrate = {"{id}" = "existing", "query:force" = "existing"}\nchangeCrate'
    config = config.replace('removeCrate = {"{id}" = "existing"}', "").replace("changeCrate", roles, 1)
    config = config.replace('addCrate = {"/mark" = "new"}', 'addCrate = {"/mark" = "new", "header:X-Zone" = "foreign"}')
    contract.config_file.write_text(config, encoding="utf-8")
    guard = make_guard(Contract("depot", contract.root), ids={"c1"})
    body = f"mark={OURS}".encode()
    assert _blocks(guard, contract, "DELETE", "/crates/c1?force=c2")
    assert not _blocks(guard, contract, "DELETE", "/crates/c1?force=c1")
    assert not _blocks(guard, contract, "POST", "/crates", body=body, headers=FORM)
    assert _blocks(guard, contract, "POST", "/crates", body=body, headers={**FORM, "X-ZONE": "theirs"})
    assert _blocks(guard, contract, "DELETE", "/crates/c1", headers={"x-zone": "theirs"})
