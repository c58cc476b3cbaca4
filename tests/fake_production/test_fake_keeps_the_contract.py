"""The fake vendor is reliable: it keeps the contract, and reports every violation."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.net import get_tls_context
from tests.support.patience import PATIENCE
from tests.support.production.fake import FakeProduction, FakeProductionProcess
from tests.support.production.foreign_objects import MAX_FOREIGN_OBJECTS, has_run_name_form, make_similar_names
from tests.support.suite_process import SuiteResult, run_two_at_a_time, start_suite
from tests.support.virtual_clock import VirtualClock

JETEMAIL, SMTP2GO, ZITADEL = Contract("jetemail"), Contract("smtp2go"), Contract("zitadel")
VENDORS = {contract.slug: contract for contract in (JETEMAIL, SMTP2GO, ZITADEL)}
EVERY = pytest.mark.parametrize("slug", VENDORS)
RUN_NAME = "ct-261121-k3w9xq-1"
SMARTHOST = "/outbound/smarthost"
BLOCK = 300
"""Seconds for which an account is blocked, as the vendor documents."""
SMTP = "/admin/v1/smtp"
CONFIG = {"senderAddress": "a@example.org", "senderName": "A", "host": "mail.example.org:25", "description": RUN_NAME}

RequestSender = Callable[..., httpx.Response]


def make_sender(production: FakeProduction, account: int = 0) -> RequestSender:
    """Create a function (method, path, JSON body) that sends over a connection of its own, with an account's key."""
    contract = production.contract
    place, credential = contract.credential_locations[0], contract.credentials[account]
    headers = {place.header: place.form.format(credential.test)}

    def send(method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        sent = {"json": body} if body is not None else {}
        with httpx.Client(
            base_url=production.base, headers=headers, timeout=PATIENCE, verify=get_tls_context(production.base)
        ) as client:
            return client.request(method, contract.base_path + path, **sent, **more)

    return send


def list_violation_reasons(production: FakeProduction) -> list[tuple[str, str]]:
    """Return reason and object of each violation."""
    return [(violation["why"], violation["name"]) for violation in production.list_violations()]


@dataclass(frozen=True)
class FakeProductionRun:
    """A run of the suite against a fake vendor, and the fake's records afterwards."""

    result: SuiteResult
    run_objects: list[dict[str, str]]
    violations: list[dict[str, Any]]
    log: list[dict[str, Any]]


@pytest.fixture(name="visits", scope="module")
def _visits(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], FakeProductionRun]]:
    def visit(slug: str) -> FakeProductionRun:
        with FakeProduction(VENDORS[slug], with_neighbours=False, enforce_limit=False) as production:
            over = ("--grpc-target", production.grpc) if production.grpc else ()
            given = ("--vendor", slug, "--target", production.base, "--explore", "0", *over)
            result = start_suite(tmp_path_factory.mktemp(slug), *given).wait_for_exit()
            left, touched = production.list_run_objects(), production.list_violations()
            return FakeProductionRun(result, left, touched, production.log)

    with run_two_at_a_time(request, "slug", visit) as visits:
        yield visits


@EVERY
def test_it_keeps_the_contract(visits: Callable[[str], FakeProductionRun], slug: str) -> None:
    """A whole run ends with the verdict `none`, leaves no object, and has every request of every protocol in the log."""
    visit = visits(slug)
    report = visit.result.report
    assert (report["verdict"], report["reason"], report["findings"]) == ("none", None, []), visit.result
    assert visit.run_objects == report["left_behind"] == []
    assert {entry["surface"] for entry in visit.log} == set(VENDORS[slug].protocols)
    assert len([entry for entry in visit.log if not entry["path"].startswith("/__mock")]) == report["requests"]["total"]


@EVERY
def test_a_run_that_touches_nobody_is_reported(visits: Callable[[str], FakeProductionRun], slug: str) -> None:
    """A run names no foreign object, and changes none but the one that an activation deactivates."""
    touched = visits(slug).violations
    assert [touch for touch in touched if touch["why"] == "foreign"] == []
    changed = {touch["operation"] for touch in touched if touch["why"] == "changed"}
    assert changed == set(VENDORS[slug].lifecycle.affects_others)
    assert all(not has_run_name_form(touch["name"]) for touch in touched)


def test_what_it_cannot_see_is_not_there() -> None:
    """The mock's control paths are 404 for a run, and are logged."""
    with FakeProduction(JETEMAIL) as production:
        for path in ("/__mock/health", "/__mock/state"):
            assert httpx.get(production.base + path, trust_env=False).status_code == 404
        assert [entry["path"] for entry in production.log] == ["/__mock/health", "/__mock/state"]


@EVERY
def test_it_begins_with_objects_that_are_not_ours(slug: str) -> None:
    """Foreign objects exist from the start: examples of the documents and names like a run's."""
    with FakeProduction(VENDORS[slug], foreign_names=["of-somebody"]) as production:
        names = {listed["name"] for listed in production.list_foreign_objects()}
        assert {"smtp-user1", "existing-user", "ct-261121-abcdef-1", "CT-261121-ABCDEF-1", "smtp-user1 "} <= names
        assert "of-somebody" in names
        assert production.list_run_objects() == production.list_violations() == []
        active = production.read_active_object()
        assert (active["start"] is not None) == (slug == ZITADEL.slug)
        assert active["start"] == active["now"]


@EVERY
def test_neighbours_appear_beside_what_a_run_makes(slug: str) -> None:
    """After each creation there are foreign names that differ by case, a character and white space.

    Their number is limited. A run that confuses two names touches one of them.
    """
    contract = VENDORS[slug]
    create = contract.operations[contract.lifecycle.create]
    with FakeProduction(contract) as production:
        ask = make_sender(production)
        for number in range(12):
            name = f"{RUN_NAME}{number}"
            body = {**CONFIG, "description": name} if contract is ZITADEL else {"username": name}
            assert ask(create.method, create.path, body).status_code == 200, name
            production.clock.wait(60)  # type: ignore[attr-defined]
            names = {listed["name"] for listed in production.list_foreign_objects()}
            assert set(make_similar_names(name, has_run_name_form)) <= names
            assert len(names) <= MAX_FOREIGN_OBJECTS
        assert {name.upper(), f"{name} ", name.replace("-", "", 1)} <= names
        assert len(production.list_run_objects()) == 12
        assert production.list_violations() == []


def test_an_owner_is_recognized_letter_by_letter() -> None:
    """No similar name belongs to the run. By this rule a name's last character follows from the rest."""
    owns: Callable[[str], bool] = lambda name: has_run_name_form(name) and name[-1] == "q"  # noqa: E731 (a rule in a line)
    found = list(make_similar_names("ct-261121-k3w9xq-7q", owns))
    assert found == ["CT-261121-K3W9XQ-7Q", "ct-261121-k3w9xq-72", "ct-261121-k3w9xq-7q ", "ct-261121-k3w9xq-7",
                     "ct261121-k3w9xq-7q"]  # fmt: skip
    assert list(make_similar_names("", owns)) == []


# -- violations


def test_a_run_s_own_life_touches_nobody() -> None:
    """A run that creates, reads, edits, renames and removes its own objects, even twice, causes no violation."""
    with FakeProduction(JETEMAIL) as production:
        ask = make_sender(production)
        asked = [
            ask("POST", SMARTHOST, {"username": RUN_NAME}), ask("GET", SMARTHOST),
            ask("PATCH", SMARTHOST, {"currentUsername": RUN_NAME, "quota": 5, "newUsername": f"{RUN_NAME}b"}),
            ask("DELETE", SMARTHOST, {"username": f"{RUN_NAME}b"}), ask("DELETE", SMARTHOST, {"username": f"{RUN_NAME}b"}),
            ask("DELETE", SMARTHOST, {"username": f"{RUN_NAME}c"}), ask("DELETE", SMARTHOST, {}),
        ]  # fmt: skip
        assert [answer.status_code for answer in asked] == [200, 200, 200, 200, 404, 404, 400]
        assert production.list_violations() == production.list_run_objects() == []


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("DELETE", {"username": "smtp-user1"}, [("foreign", "smtp-user1"), ("changed", "smtp-user1")]),
        ("PATCH", {"currentUsername": "existing-user", "quota": 3}, [("foreign", "existing-user"), ("changed", "existing-user")]),
        ("PATCH", {"currentUsername": "existing-user", "newUsername": f"{RUN_NAME}b"},
         [("foreign", "existing-user"), ("changed", "existing-user")]),
        ("PATCH", {"currentUsername": RUN_NAME, "newUsername": "office"}, [("foreign", "office")]),
        ("POST", {"username": "office"}, [("foreign", "office")]),
        ("DELETE", {"username": RUN_NAME.upper()}, [("foreign", RUN_NAME.upper())]),
        ("DELETE", {"username": f"{RUN_NAME} "}, [("foreign", f"{RUN_NAME} ")]),
        ("DELETE", {"username": "OFFICE"}, [("foreign", "OFFICE")]),
        ("DELETE", {"username": "ct-261121-abcdef-1"}, [("foreign", "ct-261121-abcdef-1"), ("changed", "ct-261121-abcdef-1")]),
        ("DELETE", {"username": "nobody-knows"}, [("not-made", "nobody-knows")]),
        ("DELETE", {"username": 12345678}, [("not-made", "12345678")]),
        ("POST", {"username": "a"}, [("form", "a")]),
        ("PUT", {"username": "office"}, [("foreign", "office")]),
        ("GET", None, []),
    ],
)  # fmt: skip
def test_who_touches_what_is_not_its_own_is_reported(method: str, body: Any, expected: list[tuple[str, str]]) -> None:
    """One request affects a foreign object, by its name, another spelling or by accident.

    The violation has a reason, whether or not the vendor granted it, and the object's state before and after.
    """
    with FakeProduction(JETEMAIL) as production:
        ask = make_sender(production)
        ask("POST", SMARTHOST, {"username": RUN_NAME})
        assert production.list_violations() == []
        ask(method, SMARTHOST, body)
        assert list_violation_reasons(production) == expected
        changed = [touch for touch in production.list_violations() if touch["why"] == "changed"]
        assert all(touch["was"]["name"] == touch["name"] and touch["was"] != touch["is"] for touch in changed)


def test_the_key_of_nobody_excuses_nothing() -> None:
    """A request that names a foreign object is a violation even with a wrong key."""
    with FakeProduction(JETEMAIL) as production:
        wrong = {"Authorization": "Bearer nobody"}
        answer = make_sender(production)("DELETE", SMARTHOST, {"username": "office"}, headers=wrong)
        assert answer.status_code == 401
        assert list_violation_reasons(production) == [("foreign", "office")]


def test_a_subaccount_is_not_the_run_s() -> None:
    """A request about an object in a subaccount, which no run creates, is reported as `elsewhere`."""
    with FakeProduction(SMTP2GO) as production:
        ask = make_sender(production)
        ask("POST", "/users/smtp/add", {"username": RUN_NAME, "subaccount_id": "12345"})
        ask("POST", "/users/smtp/remove", {"username": "newsletter"})
        assert list_violation_reasons(production) == [
            ("elsewhere", "12345"),
            ("foreign", "newsletter"),
            ("changed", "newsletter"),
        ]


def test_an_activation_deactivates_somebody_s_and_a_restoration_is_seen() -> None:
    """An activation is reported: a run activates its own configuration, then the former one again.

    The former one is reported as changed, then as named. Its initial and current state are correct each time.
    """
    with FakeProduction(ZITADEL) as production:
        ask = make_sender(production)
        before = production.read_active_object()["start"]
        made = ask("POST", SMTP, CONFIG).json()["id"]
        assert production.list_violations() == []
        assert ask("POST", f"{SMTP}/{made}/_activate", {}).status_code == 200
        assert list_violation_reasons(production) == [("changed", before)]
        assert production.read_active_object() == {"start": before, "now": made}
        assert ask("POST", f"{SMTP}/{before}/_activate", {}).status_code == 200
        assert production.read_active_object() == {"start": before, "now": before}
        assert list_violation_reasons(production)[1:] == [("foreign", before), ("changed", before)]


def test_what_an_earlier_run_left_is_no_stranger() -> None:
    """Removing a killed run's object, two days old, is no violation. The other one remains the run's."""
    with FakeProduction(JETEMAIL) as production:
        for name in ("ct-261119-aaaaaa-1", "ct-261119-aaaaaa-2"):
            production.add_object(name)
        rows = make_sender(production)("GET", SMARTHOST).json()["smarthosts"]
        [row] = [row for row in rows if row["username"] == "ct-261119-aaaaaa-1"]
        age = dt.datetime.now(dt.UTC).timestamp() - float(row["created_date"]) / 1000
        assert 47 < age / 3600 < 49
        make_sender(production)("DELETE", SMARTHOST, {"username": "ct-261119-aaaaaa-1"})
        assert production.list_violations() == []
        assert [listed["name"] for listed in production.list_run_objects()] == ["ct-261119-aaaaaa-2"]


# -- the log


def test_the_log_holds_requests_without_keys() -> None:
    """The log has accounts instead of keys, the body unchanged, and the response's status.

    One request has a wrong key that starts with a valid one.
    """
    with FakeProduction(JETEMAIL) as production:
        key = JETEMAIL.credentials[0].test
        make_sender(production)("POST", SMARTHOST, {"username": RUN_NAME, "password": "marked-secret-1"})
        make_sender(production)(
            "DELETE", SMARTHOST, {"username": RUN_NAME}, headers={"Authorization": f"Bearer {key}x"}
        )
        first, second = production.log
        assert (first["account"], first["status"], first["executed"]) == ("paid", 200, True)
        assert first["headers"]["authorization"] == "Bearer <paid>"
        assert first["body"] == {"username": RUN_NAME, "password": "marked-secret-1"}
        assert (second["account"], second["status"]) == ("", 401)
        assert key not in str(production.log)


# -- the limit


@EVERY
def test_the_limit_trips_at_the_first_request_too_many(slug: str) -> None:
    """The limit is exactly the contract's: one request more is 429 and blocks the account for five minutes.

    Retry-After counts down. Another account is not blocked.
    """
    contract, clock = VENDORS[slug], VirtualClock()
    read = contract.operations[contract.lifecycle.read]
    with FakeProduction(contract, clock=clock) as production:
        ask, other = make_sender(production), make_sender(production, 1)

        def status(ask: RequestSender) -> int:
            body: Any = {} if read.body is not None else None
            return ask(read.method, read.path.replace("{id}", "1"), body).status_code

        assert 429 not in [status(ask) for _ in range(contract.rate.requests)]
        assert production.count_limit_hits() == 0
        answer = ask(read.method, read.path.replace("{id}", "1"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, str(BLOCK))
        assert status(other) != 429
        clock.wait(BLOCK - 0.5)
        answer = ask(read.method, read.path.replace("{id}", "1"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        clock.wait(0.5)
        assert status(ask) != 429
        assert production.count_limit_hits() == 1


def test_the_window_trails() -> None:
    """The limit applies to any window, not to minutes of a clock: a slot is free once its request leaves the window."""
    requests, seconds = SMTP2GO.rate.requests, SMTP2GO.rate.seconds
    for waited, tripped in ((seconds - 0.01, 1), (seconds, 0)):
        clock = VirtualClock()
        with FakeProduction(SMTP2GO, clock=clock) as production:
            ask = make_sender(production)
            for _ in range(requests):
                ask("POST", "/users/smtp/view", {})
            clock.wait(waited)
            ask("POST", "/users/smtp/view", {})
            assert production.count_limit_hits() == tripped
            assert production.read_peak_requests() == {"full": requests + tripped}


def test_what_is_refused_counts() -> None:
    """Refused requests count, too. A caller that exceeds the allowance during a block is blocked again at its end."""
    clock, requests = VirtualClock(), SMTP2GO.rate.requests
    with FakeProduction(SMTP2GO, clock=clock) as production:
        ask = make_sender(production)
        refused = [ask("POST", "/users/smtp/remove", {}).status_code for _ in range(requests)]
        assert set(refused) == {400}
        assert ask("POST", "/users/smtp/view", {}).status_code == 429
        clock.wait(BLOCK - 1)
        assert {ask("POST", "/users/smtp/view", {}).status_code for _ in range(requests)} == {429}
        clock.wait(1)
        assert ask("POST", "/users/smtp/view", {}).status_code == 429
        assert production.count_limit_hits() == 2


def test_a_limit_may_be_only_counted() -> None:
    """A run without a rate limiter can be observed: the excess request is counted and granted."""
    with FakeProduction(SMTP2GO, enforce_limit=False) as production:
        ask = make_sender(production)
        answers = [ask("POST", "/users/smtp/view", {}).status_code for _ in range(SMTP2GO.rate.requests + 1)]
        assert set(answers) == {200}
        assert production.count_limit_hits() == 1


# -- in a process of its own


def test_it_runs_in_a_process_of_its_own() -> None:
    """The command serves the same accessors over HTTP, so that a test can observe a killed run.

    A port that was closed opens again at the same address.
    """
    with FakeProductionProcess("jetemail", "--also", "of-somebody") as production:
        key = JETEMAIL.credentials[0].test
        with httpx.Client(
            base_url=production.base, headers={"Authorization": f"Bearer {key}"}, trust_env=False
        ) as client:
            assert client.post(SMARTHOST, json={"username": RUN_NAME}).status_code == 200
            assert client.request("DELETE", SMARTHOST, json={"username": "of-somebody"}).status_code == 200
            production.close_ports()
            # The client may not know yet that its open connection is gone.
            with pytest.raises((httpx.ConnectError, httpx.ReadError)):
                client.get(SMARTHOST)
            production.clear_faults()
            production.inject_fault("bad-gateway")
            assert [client.get(SMARTHOST).status_code for _ in range(2)] == [502, 200]
        assert [listed["name"] for listed in production.list_run_objects()] == [RUN_NAME]
        assert [touch["why"] for touch in production.list_violations()] == ["foreign", "changed"]
        assert [entry["status"] for entry in production.log] == [200, 200, 502, 200]
        assert production.count_limit_hits() == 0


def test_its_command_tells_addresses_of_all_protocols(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A vendor with gRPC has an address for it, and the command prints nothing else."""
    del tmp_path
    with FakeProductionProcess("zitadel") as production:
        assert production.grpc.startswith("127.0.0.1:")
        assert production.grpc not in (production.base, production.control)
    assert capfd.readouterr() == ("", "")
