"""No request below another object than the given one leaves: the guard blocks it, and a run makes none."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.guard import BlockedRequestError, Guard, LiveMode
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.command.options import complete_settings, resolve_options
from contract_watch.engine.exploring.depth import ExplorationDepth
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.wire import encode_library_request
from contract_watch.errors import UsageError
from contract_watch.generator.outputs import generate_outputs
from contract_watch.mock.server import run_in_thread
from tests.support.alcove import copy_alcove
from tests.support.alcove_server import KEYS, AlcoveServer
from tests.support.live_runs import run_suite
from tests.support.virtual_clock import VirtualClock

NAMES = NameGenerator(dt.date(2026, 11, 29))
OURS = NAMES.create_name()
KEY = next(iter(KEYS))
GIVEN = "users.example.net"
_BLANK = complete_settings()


@pytest.fixture(name="alcove")
def _alcove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contract:
    contract = copy_alcove(tmp_path)
    monkeypatch.setenv("CONTRACTS", str(tmp_path / "contracts"))
    contract.given.read({"ALCOVE_DOMAIN": GIVEN})
    return contract


def _make_guard(contract: Contract, **more: Any) -> Guard:
    return Guard(contract, contract.base_path, {"main": KEY}, NAMES, LiveMode.MUTATE, **more)


def _make_request(method: str, path: str, body: Any = None) -> EncodedRequest:
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {KEY}", **({"content-type": "application/json"} if content else {})}
    return encode_library_request(httpx.Request(method, f"http://127.0.0.1/v2{path}", headers=headers, content=content))


def _is_blocked(guard: Guard, method: str, path: str, body: Any = None) -> bool:
    try:
        guard.check_request(_make_request(method, path, body))
    except BlockedRequestError:
        return True
    return False


def _list_requests(domain: str) -> list[tuple[str, str, Any]]:
    return [
        ("POST", f"/domains/{domain}/users", {"name": OURS}),
        ("GET", f"/domains/{domain}/users", None),
        ("GET", f"/domains/{domain}/users/{OURS}", None),
        ("PATCH", f"/domains/{domain}/users/{OURS}", {"note": "x"}),
        ("DELETE", f"/domains/{domain}/users/{OURS}", None),
    ]


@pytest.mark.parametrize(
    "domain",
    ["example.com", "example.org", GIVEN.upper(), f"{GIVEN}.", f"x{GIVEN}", "%20" + GIVEN, f"{GIVEN}%2Fusers", "*", "7",
     "ct-261129-abcdef-1-n"],
)  # fmt: skip
def test_request_below_another_parent_is_blocked(alcove: Contract, domain: str) -> None:
    """Reads too: a run looks at nobody else's objects. The test value is another object on a real account."""
    guard = _make_guard(alcove, ids={"7"})
    assert [_is_blocked(guard, *one) for one in _list_requests(domain)] == [True] * 5


@pytest.mark.parametrize("domain", [GIVEN, NAMES.create_name()], ids=["given", "fresh"])
def test_request_below_the_given_parent_or_a_fresh_name_passes(alcove: Contract, domain: str) -> None:
    """A name of the run is no object's name, so that a request below it changes nothing."""
    guard = _make_guard(alcove)
    assert [_is_blocked(guard, *one) for one in _list_requests(domain)] == [False] * 5


def test_permitted_pair_is_about_objects_not_parents(alcove: Contract) -> None:
    """A sweep may delete an object of a killed run; a domain of the same name stays foreign."""
    guard = _make_guard(alcove, permitted_pairs={("deleteUser", "usr_1")})
    assert not _is_blocked(guard, "DELETE", f"/domains/{GIVEN}/users/usr_1")
    assert _is_blocked(guard, "DELETE", "/domains/usr_1/users/usr_1")


@pytest.mark.parametrize(
    "body", [{"domain": "example.org"}, {"Domain": GIVEN.upper()}, {"note": {"domain": "example.org"}}]
)
def test_body_that_names_another_parent_is_blocked(alcove: Contract, body: Mapping[str, Any]) -> None:
    """A lenient server may read the parent from a body, in any spelling and at any depth."""
    guard = _make_guard(alcove)
    path = f"/domains/{GIVEN}/users/{OURS}"
    assert _is_blocked(guard, "PATCH", path, body)
    assert not _is_blocked(guard, "PATCH", path, {"domain": GIVEN})


def test_given_object_is_never_an_existing_one(alcove: Contract) -> None:
    """The given value names no object of the run: deleting a user called like the domain is blocked."""
    assert _is_blocked(_make_guard(alcove), "DELETE", f"/domains/{GIVEN}/users/{GIVEN}")


def test_role_takes_precedence(tmp_path: Path) -> None:
    """The given value is foreign to an operation whose argument names an object of the run."""
    old = 'deleteUser = {"{id}" = "existing"}'
    contract = copy_alcove(tmp_path, old=old, new='deleteUser = {"{id}" = "existing", "{domain}" = "existing"}')
    contract.given.read({"ALCOVE_DOMAIN": GIVEN})
    guard = _make_guard(contract)
    assert _is_blocked(guard, "DELETE", f"/domains/{GIVEN}/users/{OURS}")
    assert not _is_blocked(guard, "PATCH", f"/domains/{GIVEN}/users/{OURS}", {"note": "x"})
    assert not _is_blocked(guard, "DELETE", f"/domains/{OURS}/users/{OURS}")


def test_operation_on_the_given_object_itself_is_blocked(alcove: Contract) -> None:
    """An operation that changes the given object, such as its removal, never reaches a real account."""
    document = json.loads(alcove.published_file.read_text(encoding="utf-8"))
    document["paths"]["/domains/{domain}"] = {
        "parameters": document["paths"]["/domains/{domain}/users"]["parameters"],
        "delete": {"operationId": "deleteDomain", "responses": {"204": {"description": "Gone."}}},
    }
    alcove.published_file.write_text(json.dumps(document), encoding="utf-8")
    wider = Contract("alcove", alcove.root)
    wider.given.read({"ALCOVE_DOMAIN": GIVEN})
    assert "deleteDomain" in wider.operations
    assert _is_blocked(_make_guard(wider), "DELETE", f"/domains/{GIVEN}")


def test_run_asks_below_the_given_parent_alone(alcove: Contract, tmp_path: Path) -> None:
    """Probes, client, exploration, sweep and clean-up of a guarded run stay below the given domain and fresh names."""
    generate_outputs(alcove, alcove.output_directory)
    server = AlcoveServer(domains=("example.com", GIVEN))
    with run_in_thread(server) as base:
        raw = {
            "vendor": "alcove",
            "target": base,
            "live": "mutate",
            "explore": "1",
            "seed": "7",
            "out": str(tmp_path / "out"),
        }
        environment = {"LEDGER": str(tmp_path / "ledger"), "ALCOVE_DOMAIN": GIVEN}
        options = resolve_options({**_BLANK, **raw}, environment)
        record = run_suite(options, VirtualClock(), ExplorationDepth(5))
    assert record.reason is None
    assert [finding.id for finding in record.findings] == []
    assert record.left_behind == []
    domains = {path.split("/")[3] for _, path in server.paths}
    assert GIVEN in domains
    assert [one for one in domains if one != GIVEN and not re.match(r"ct-\d{6}-", one)] == []


def test_unset_variable_is_named(alcove: Contract, tmp_path: Path) -> None:
    """On a vendor's server the value has to be set: the one line names the variable and the object."""
    raw = {"vendor": "alcove", "target": "live", "out": str(tmp_path / "out")}
    keys = {"ALCOVE_KEY": "k" * 20, "LEDGER": str(tmp_path / "ledger")}
    with pytest.raises(UsageError, match=r"^ALCOVE_DOMAIN is not set; set it to a domain of the account$"):
        resolve_options({**_BLANK, **raw}, keys)
    given = resolve_options({**_BLANK, **raw}, {**keys, "ALCOVE_DOMAIN": GIVEN}).contracts[0].given
    assert given.values == {"{domain}": GIVEN}
    assert alcove.given.values == {"{domain}": GIVEN}
