"""The stand-in for production can be relied on: it keeps the contract, and sees what it says it sees."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.wire import get_tls_context
from tests.production import Production, ProductionProcess
from tests.production_foreign import MOST, neighbours, of_our_form
from tests.sped_up_clock import SpedUpClock
from tests.suite_command import Result, contract_tests, two_at_a_time

JETEMAIL, SMTP2GO, ZITADEL = Contract("jetemail"), Contract("smtp2go"), Contract("zitadel")
VENDORS = {contract.slug: contract for contract in (JETEMAIL, SMTP2GO, ZITADEL)}
EVERY = pytest.mark.parametrize("slug", VENDORS)
OURS = "ct-261121-k3w9xq-1"
SMARTHOST = "/outbound/smarthost"
BLOCK = 300
"""For how many seconds an account is blocked, as the vendor says."""
SMTP = "/admin/v1/smtp"
CONFIG = {"senderAddress": "a@example.org", "senderName": "A", "host": "mail.example.org:25", "description": OURS}

Ask = Callable[..., httpx.Response]


def asking(production: Production, account: int = 0) -> Ask:
    """What sends a request to the stand-in over a connection of its own, with an account's key: method, path, JSON body."""
    contract = production.contract
    place, credential = contract.credential_locations[0], contract.credentials[account]
    headers = {place.header: place.form.format(credential.test)}

    def ask(method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        sent = {"json": body} if body is not None else {}
        with httpx.Client(base_url=production.base, headers=headers, timeout=10, verify=get_tls_context()) as client:
            return client.request(method, contract.base_path + path, **sent, **more)

    return ask


def whys(production: Production) -> list[tuple[str, str]]:
    """Why each touch is one, and what it touched."""
    return [(touch["why"], touch["name"]) for touch in production.touched()]


@dataclass(frozen=True)
class Visit:
    """A run of the suite against a stand-in, and what that knows afterwards."""

    result: Result
    left: list[dict[str, str]]
    touched: list[dict[str, Any]]
    log: list[dict[str, Any]]


@pytest.fixture(name="visits", scope="module")
def _visits(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Visit]]:
    def visit(slug: str) -> Visit:
        with Production(VENDORS[slug], beside=False, limited=False) as production:
            over = ("--grpc-target", production.grpc) if production.grpc else ()
            given = ("--vendor", slug, "--target", production.base, "--explore", "0", *over)
            result = contract_tests(tmp_path_factory.mktemp(slug), *given).end()
            return Visit(result, production.left(), production.touched(), production.log)

    with two_at_a_time(request, "slug", visit) as visits:
        yield visits


@EVERY
def test_it_keeps_the_contract(visits: Callable[[str], Visit], slug: str) -> None:
    """Claim: what a run finds at the stand-in is the run's own doing. Situation: the whole suite, beside foreign objects.

    Expectation: the verdict `none`, nothing found or left, and every request on every surface in the log.
    """
    visit = visits(slug)
    report = visit.result.report
    assert (report["verdict"], report["reason"], report["findings"]) == ("none", None, []), visit.result
    assert visit.left == report["left_behind"] == []
    assert {entry["surface"] for entry in visit.log} == set(VENDORS[slug].protocols)
    assert len([entry for entry in visit.log if not entry["path"].startswith("/__mock")]) == report["requests"]["total"]


@EVERY
def test_a_run_that_touches_nobody_is_told_so(visits: Callable[[str], Visit], slug: str) -> None:
    """Claim: what is told as touched is no noise. Situation: the same runs, which name objects beside their names' form.

    Expectation: nobody's object has changed but the one that an activation deactivates, and nobody's was named.
    """
    touched = visits(slug).touched
    crossing = VENDORS[slug].lifecycle.affects_others
    assert [touch for touch in touched if touch["why"] == "foreign"] == []
    assert {touch["operation"] for touch in touched if touch["why"] == "changed"} == set(crossing)
    assert all(not of_our_form(touch["name"]) for touch in touched)


def test_what_it_cannot_see_is_not_there() -> None:
    """Claim: the stand-in is no mock to a run. Situation: the mock's controls. Expectation: 404, and they are in the log."""
    with Production(JETEMAIL) as production:
        for path in ("/__mock/health", "/__mock/state"):
            assert httpx.get(production.base + path, trust_env=False).status_code == 404
        assert [entry["path"] for entry in production.log] == ["/__mock/health", "/__mock/state"]


@EVERY
def test_it_begins_with_objects_that_are_not_ours(slug: str) -> None:
    """Claim: there is something to be touched. Situation: the start. Expectation: examples of the documents, names like ours."""
    with Production(VENDORS[slug], also=["of-somebody"]) as production:
        names = {shown["name"] for shown in production.foreign()}
        assert {"smtp-user1", "existing-user", "ct-261121-abcdef-1", "CT-261121-ABCDEF-1", "smtp-user1 "} <= names
        assert "of-somebody" in names
        assert production.left() == production.touched() == []
        active = production.active()
        assert (active["start"] is not None) == (slug == ZITADEL.slug)
        assert active["start"] == active["now"]


@EVERY
def test_neighbours_appear_beside_what_a_run_makes(slug: str) -> None:
    """Claim: whoever takes a name for another touches somebody. Situation: a run makes twelve objects, one after another.

    Expectation: beside the last there are foreign ones that differ by case, a sign and white space; never too many in all.
    """
    contract = VENDORS[slug]
    create = contract.operations[contract.lifecycle.create]
    with Production(contract) as production:
        ask = asking(production)
        for number in range(12):
            name = f"{OURS}{number}"
            body = {**CONFIG, "description": name} if contract is ZITADEL else {"username": name}
            assert ask(create.method, create.path, body).status_code == 200, name
            production.clock.wait(60)  # type: ignore[attr-defined]
            names = {shown["name"] for shown in production.foreign()}
            assert set(neighbours(name, of_our_form)) <= names
            assert len(names) <= MOST
        assert {name.upper(), f"{name} ", name.replace("-", "", 1)} <= names
        assert len(production.left()) == 12
        assert production.touched() == []


def test_an_owner_is_told_letter_by_letter() -> None:
    """Claim: neighbours are never the run's own. Situation: a rule by which a name's last sign follows from the rest.

    Expectation: all five neighbours, and none that the rule takes for a run's.
    """
    owns: Callable[[str], bool] = lambda name: of_our_form(name) and name[-1] == "q"  # noqa: E731 (a rule in a line)
    found = list(neighbours("ct-261121-k3w9xq-7q", owns))
    assert found == ["CT-261121-K3W9XQ-7Q", "ct-261121-k3w9xq-72", "ct-261121-k3w9xq-7q ", "ct-261121-k3w9xq-7",
                     "ct261121-k3w9xq-7q"]  # fmt: skip
    assert list(neighbours("", owns)) == []


# -- what is touched


def test_a_run_s_own_life_touches_nobody() -> None:
    """Claim: a run may do with its own what it likes. Situation: made, read, edited, renamed, removed twice; then a refusal.

    Expectation: nothing is touched, nothing left.
    """
    with Production(JETEMAIL) as production:
        ask = asking(production)
        asked = [
            ask("POST", SMARTHOST, {"username": OURS}), ask("GET", SMARTHOST),
            ask("PATCH", SMARTHOST, {"currentUsername": OURS, "quota": 5, "newUsername": f"{OURS}b"}),
            ask("DELETE", SMARTHOST, {"username": f"{OURS}b"}), ask("DELETE", SMARTHOST, {"username": f"{OURS}b"}),
            ask("DELETE", SMARTHOST, {"username": f"{OURS}c"}), ask("DELETE", SMARTHOST, {}),
        ]  # fmt: skip
        assert [answer.status_code for answer in asked] == [200, 200, 200, 200, 404, 404, 400]
        assert production.touched() == production.left() == []


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("DELETE", {"username": "smtp-user1"}, [("foreign", "smtp-user1"), ("changed", "smtp-user1")]),
        ("PATCH", {"currentUsername": "existing-user", "quota": 3}, [("foreign", "existing-user"), ("changed", "existing-user")]),
        ("PATCH", {"currentUsername": "existing-user", "newUsername": f"{OURS}b"},
         [("foreign", "existing-user"), ("changed", "existing-user")]),
        ("PATCH", {"currentUsername": OURS, "newUsername": "office"}, [("foreign", "office")]),
        ("POST", {"username": "office"}, [("foreign", "office")]),
        ("DELETE", {"username": OURS.upper()}, [("foreign", OURS.upper())]),
        ("DELETE", {"username": f"{OURS} "}, [("foreign", f"{OURS} ")]),
        ("DELETE", {"username": "OFFICE"}, [("foreign", "OFFICE")]),
        ("DELETE", {"username": "ct-261121-abcdef-1"}, [("foreign", "ct-261121-abcdef-1"), ("changed", "ct-261121-abcdef-1")]),
        ("DELETE", {"username": "nobody-knows"}, [("not-made", "nobody-knows")]),
        ("DELETE", {"username": 12345678}, [("not-made", "12345678")]),
        ("POST", {"username": "a"}, [("form", "a")]),
        ("PUT", {"username": "office"}, [("foreign", "office")]),
        ("GET", None, []),
    ],
)  # fmt: skip
def test_who_touches_what_is_not_its_own_is_told(method: str, body: Any, expected: list[tuple[str, str]]) -> None:
    """Claim: no touch goes unseen. Situation: one request about somebody else's object, by name, spelling or chance.

    Expectation: the touch, with its reason, whether or not the vendor granted it; and the object's state before and after.
    """
    with Production(JETEMAIL) as production:
        ask = asking(production)
        ask("POST", SMARTHOST, {"username": OURS})
        assert production.touched() == []
        ask(method, SMARTHOST, body)
        assert whys(production) == expected
        changed = [touch for touch in production.touched() if touch["why"] == "changed"]
        assert all(touch["was"]["name"] == touch["name"] and touch["was"] != touch["is"] for touch in changed)


def test_the_key_of_nobody_excuses_nothing() -> None:
    """Claim: a run that names somebody's object is at fault whoever it is. Situation: a wrong key. Expectation: the touch."""
    with Production(JETEMAIL) as production:
        wrong = {"Authorization": "Bearer nobody"}
        answer = asking(production)("DELETE", SMARTHOST, {"username": "office"}, headers=wrong)
        assert answer.status_code == 401
        assert whys(production) == [("foreign", "office")]


def test_a_subaccount_is_not_the_run_s() -> None:
    """Claim: what no run ever makes is told, too. Situation: an object in a subaccount. Expectation: a touch elsewhere."""
    with Production(SMTP2GO) as production:
        ask = asking(production)
        ask("POST", "/users/smtp/add", {"username": OURS, "subaccount_id": "12345"})
        ask("POST", "/users/smtp/remove", {"username": "newsletter"})
        assert whys(production) == [("elsewhere", "12345"), ("foreign", "newsletter"), ("changed", "newsletter")]


def test_an_activation_deactivates_somebody_s_and_a_restoration_is_seen() -> None:
    """Claim: who changes what mails are sent with is told. Situation: a run activates its own, then the former one again.

    Expectation: the former one changed, then was named; which is active at the start and now is told each time.
    """
    with Production(ZITADEL) as production:
        ask = asking(production)
        before = production.active()["start"]
        made = ask("POST", SMTP, CONFIG).json()["id"]
        assert production.touched() == []
        assert ask("POST", f"{SMTP}/{made}/_activate", {}).status_code == 200
        assert whys(production) == [("changed", before)]
        assert production.active() == {"start": before, "now": made}
        assert ask("POST", f"{SMTP}/{before}/_activate", {}).status_code == 200
        assert production.active() == {"start": before, "now": before}
        assert whys(production)[1:] == [("foreign", before), ("changed", before)]


def test_what_an_earlier_run_left_is_no_stranger() -> None:
    """Claim: sweeping is no touch. Situation: a dead run's object, two days old, is removed; another stays.

    Expectation: nothing is touched, and the other is still there of ours.
    """
    with Production(JETEMAIL) as production:
        for name in ("ct-261119-aaaaaa-1", "ct-261119-aaaaaa-2"):
            production.plant(name)
        rows = asking(production)("GET", SMARTHOST).json()["smarthosts"]
        [row] = [row for row in rows if row["username"] == "ct-261119-aaaaaa-1"]
        age = dt.datetime.now(dt.UTC).timestamp() - float(row["created_date"]) / 1000
        assert 47 < age / 3600 < 49
        asking(production)("DELETE", SMARTHOST, {"username": "ct-261119-aaaaaa-1"})
        assert production.touched() == []
        assert [shown["name"] for shown in production.left()] == ["ct-261119-aaaaaa-2"]


# -- the log


def test_the_log_holds_requests_without_keys() -> None:
    """Claim: the log can be shown. Situation: a good key, a wrong one that begins with it, a body with a password.

    Expectation: accounts in place of keys, the body as it came, and what was answered.
    """
    with Production(JETEMAIL) as production:
        key = JETEMAIL.credentials[0].test
        asking(production)("POST", SMARTHOST, {"username": OURS, "password": "marked-secret-1"})
        asking(production)("DELETE", SMARTHOST, {"username": OURS}, headers={"Authorization": f"Bearer {key}x"})
        first, second = production.log
        assert (first["account"], first["status"], first["executed"]) == ("paid", 200, True)
        assert first["headers"]["authorization"] == "Bearer <paid>"
        assert first["body"] == {"username": OURS, "password": "marked-secret-1"}
        assert (second["account"], second["status"]) == ("", 401)
        assert key not in str(production.log)


# -- the limit


@EVERY
def test_the_limit_trips_at_the_first_request_too_many(slug: str) -> None:
    """Claim: the limit is the contract's, to the request. Situation: as many as allowed at once, then one more; then waiting.

    Expectation: that one is 429 and blocks the account for five minutes, counted down; another account goes on.
    """
    contract, clock = VENDORS[slug], SpedUpClock()
    read = contract.operations[contract.lifecycle.read]
    with Production(contract, clock=clock) as production:
        ask, other = asking(production), asking(production, 1)

        def status(ask: Ask) -> int:
            body: Any = {} if read.body is not None else None
            return ask(read.method, read.path.replace("{id}", "1"), body).status_code

        assert 429 not in [status(ask) for _ in range(contract.rate.requests)]
        assert production.tripped() == 0
        answer = ask(read.method, read.path.replace("{id}", "1"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, str(BLOCK))
        assert status(other) != 429
        clock.wait(BLOCK - 0.5)
        answer = ask(read.method, read.path.replace("{id}", "1"))
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        clock.wait(0.5)
        assert status(ask) != 429
        assert production.tripped() == 1


def test_the_window_trails() -> None:
    """Claim: the limit is over any window, not over minutes of a clock. Situation: half of the allowance, then most of a minute.

    Expectation: a request too many just before the first leave the window trips; when they have left, there is room.
    """
    requests, seconds = SMTP2GO.rate.requests, SMTP2GO.rate.seconds
    for waited, tripped in ((seconds - 0.01, 1), (seconds, 0)):
        clock = SpedUpClock()
        with Production(SMTP2GO, clock=clock) as production:
            ask = asking(production)
            for _ in range(requests):
                ask("POST", "/users/smtp/view", {})
            clock.wait(waited)
            ask("POST", "/users/smtp/view", {})
            assert production.tripped() == tripped
            assert production.most() == {"full": requests + tripped}


def test_what_is_refused_counts() -> None:
    """Claim: no request is free. Situation: the allowance spent on refusals, then requests during the whole block.

    Expectation: the limit trips; and who asks all through the block, more than is allowed, is blocked again at its end.
    """
    clock, requests = SpedUpClock(), SMTP2GO.rate.requests
    with Production(SMTP2GO, clock=clock) as production:
        ask = asking(production)
        refused = [ask("POST", "/users/smtp/remove", {}).status_code for _ in range(requests)]
        assert set(refused) == {400}
        assert ask("POST", "/users/smtp/view", {}).status_code == 429
        clock.wait(BLOCK - 1)
        assert {ask("POST", "/users/smtp/view", {}).status_code for _ in range(requests)} == {429}
        clock.wait(1)
        assert ask("POST", "/users/smtp/view", {}).status_code == 429
        assert production.tripped() == 2


def test_a_limit_may_be_only_counted() -> None:
    """Claim: runs that know no limit can be watched. Situation: one request too many. Expectation: it is counted, and answered."""
    with Production(SMTP2GO, limited=False) as production:
        ask = asking(production)
        answers = [ask("POST", "/users/smtp/view", {}).status_code for _ in range(SMTP2GO.rate.requests + 1)]
        assert set(answers) == {200}
        assert production.tripped() == 1


# -- in a process of its own


def test_it_runs_in_a_process_of_its_own() -> None:
    """Claim: a run that is killed can be watched from outside. Situation: the command, asked over HTTP; then closed and healed.

    Expectation: the same accessors with the same values, and a port that comes back as it was.
    """
    with ProductionProcess("jetemail", "--also", "of-somebody") as production:
        key = JETEMAIL.credentials[0].test
        with httpx.Client(
            base_url=production.base, headers={"Authorization": f"Bearer {key}"}, trust_env=False
        ) as client:
            assert client.post(SMARTHOST, json={"username": OURS}).status_code == 200
            assert client.request("DELETE", SMARTHOST, json={"username": "of-somebody"}).status_code == 200
            production.close_ports()
            with pytest.raises(httpx.ConnectError):
                client.get(SMARTHOST)
            production.heal()
            production.cut("bad-gateway")
            assert [client.get(SMARTHOST).status_code for _ in range(2)] == [502, 200]
        assert [shown["name"] for shown in production.left()] == [OURS]
        assert [touch["why"] for touch in production.touched()] == ["foreign", "changed"]
        assert [entry["status"] for entry in production.log] == [200, 200, 502, 200]
        assert production.tripped() == 0


def test_its_command_tells_addresses_of_all_surfaces(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Claim: a run finds every surface. Situation: a vendor that speaks gRPC. Expectation: an address for it, and no output else."""
    del tmp_path
    with ProductionProcess("zitadel") as production:
        assert production.grpc.startswith("127.0.0.1:")
        assert production.grpc not in (production.base, production.control)
    assert capfd.readouterr() == ("", "")
