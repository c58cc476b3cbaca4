"""A mock with a seed answers the same requests with the same bytes, in every process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.mock.clock import MockClock, VendorClock
from contract_watch.mock.server import build_mock, run_in_thread
from tests.mock.test_command_prints_addresses import ENVIRONMENT
from tests.support.credential_forms import FORMS
from tests.support.patience import PATIENCE

CONTRACTS = load_contracts()
BODIES = {
    "jetemail": ("createSmtpUser", {"username": "user-one"}),
    "smtp2go": ("addSmtpUser", {"username": "user-one"}),
    "zitadel": ("addSmtpConfig", {"senderAddress": "a@example.com", "senderName": "A", "host": "a.example.com:25"}),
}


@contextmanager
def _serve(*options: str, hash_seed: str = "0") -> Iterator[httpx.Client]:
    """Run the command and give a client of it."""
    with subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "contract_watch.mock", "--port", "0", *options],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**ENVIRONMENT, "PYTHONHASHSEED": hash_seed},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            address = next(line.split()[1] for line in process.stdout if line.startswith("rest "))
            with httpx.Client(base_url=f"http://{address}", timeout=PATIENCE) as client:
                yield client
        finally:
            process.kill()


def _call(client: httpx.Client, slug: str, operation: str, body: object) -> bytes:
    contract = CONTRACTS[slug]
    declared, location = contract.operations[operation], contract.credential_locations[0]
    headers = {location.header: location.build_value(contract.credentials[0].test)}
    return client.request(declared.method, contract.base_path + declared.path, json=body, headers=headers).content


def _play(client: httpx.Client, *slugs: str) -> dict[str, list[bytes]]:
    """Create an object twice, which the vendor may refuse, and list; for each vendor in turn."""
    answers: dict[str, list[bytes]] = {slug: [] for slug in slugs}
    for step in ("create", "again", "list"):
        for slug in slugs:
            listed = CONTRACTS[slug].list_config
            assert listed is not None
            operation, body = BODIES[slug] if step != "list" else (listed.operation, {})
            answers[slug].append(_call(client, slug, operation, body))
    return answers


def test_a_seed_gives_the_same_bytes() -> None:
    """Two processes with different hash seeds answer byte by byte alike, a third with another seed does not."""
    with _serve("--seed", "7", hash_seed="1") as one, _serve("--seed", "7", hash_seed="2") as other:
        first = _play(one, *BODIES)
        assert first == _play(other, *BODIES)
        one.delete("/__mock/state")
        assert _play(one, *reversed(BODIES)) == first  # a reset starts it anew, and no vendor disturbs another
        one.delete("/__mock/state/smtp2go")
        assert _play(one, "smtp2go")["smtp2go"] == first["smtp2go"]
    with _serve("--seed", "8") as different:
        second = _play(different, *BODIES)
    assert all(second[slug][0] != first[slug][0] for slug in first)
    assert b'"created_date":"1767225600000"' in first["jetemail"][2]


def test_a_snapshot_repeats_what_follows() -> None:
    """With a seed, a restored snapshot is followed by the same ids and times as the first time."""
    with run_in_thread(build_mock(list(CONTRACTS.values()), {}, seed=3)) as url, httpx.Client(base_url=url) as client:
        client.post("/__mock/snapshots/start").raise_for_status()
        first = _play(client, *BODIES)
        client.post("/__mock/snapshots/start/restore").raise_for_status()
        assert _play(client, *BODIES) == first


def test_a_refused_preset_leaves_the_stream() -> None:
    """A preset that is refused draws nothing: what follows is what follows without it."""
    answers = []
    for objects in ([], [{"username": "user-two"}, {"username": "x"}]):
        with run_in_thread(build_mock([CONTRACTS["smtp2go"]], {}, seed=3)) as url, httpx.Client(base_url=url) as client:
            if objects:
                assert client.put("/__mock/state/smtp2go", json=objects).status_code == 400
            answers.append(_play(client, "smtp2go"))
    assert answers[0] == answers[1]


def test_tokens_repeat(tmp_path: Path) -> None:
    """A seed decides access tokens too."""
    contract: Contract = FORMS["madetoken"].write(tmp_path, "madetoken")
    assert contract.token is not None
    user, _, password = contract.credentials[0].test.partition(":")
    found = []
    for seed in (1, 1, 2):
        with run_in_thread(build_mock([contract], {}, seed=seed)) as url:
            answer = httpx.post(
                url + contract.token.path, auth=(user, password), data={"grant_type": "client_credentials"}
            )
            found.append(answer.json()["access_token"])
    assert found[0] == found[1] != found[2]


def test_a_preset_begins_a_mock(tmp_path: Path) -> None:
    """The command begins with the objects of a file, at the time of --clock, and the snapshot brings them back."""
    file = tmp_path / "preset.yaml"
    file.write_text("jetemail: [{username: a}]\n", encoding="utf-8")
    with _serve("jetemail", "--preset", str(file), "--clock", "2027-01-01", "--seed", "1") as client:
        shown = client.get("/__mock/state/jetemail").json()
        assert [(one["username"], one["created_date"]) for one in shown] == [("a", "1798761600000")]
        client.delete("/__mock/state")
        client.post("/__mock/snapshots/preset/restore").raise_for_status()
        assert client.get("/__mock/state/jetemail").json() == shown
    with _serve("jetemail", "--clock", "2027-01-01") as client:
        assert client.get("/__mock/clock").json()["now"].startswith("2027-01-01T00:")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--seed", "x"), "--seed must be"),
        (("--clock", "soon"), "--clock must be an ISO 8601 time of the years 1970 to 9999, got 'soon'"),
        (
            ("--preset", "/no/such/file.yaml"),
            "/no/such/file.yaml: cannot be read (No such file or directory); give a file",
        ),
    ],
)
def test_bad_options_are_refused(arguments: tuple[str, ...], problem: str) -> None:
    """A seed, time or file that cannot be used is one line and exit status 3."""
    command = [sys.executable, "-m", "contract_watch.mock", "--port", "0", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=ENVIRONMENT, check=False)  # noqa: S603 (our own)
    assert ended.returncode == 3
    assert problem in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_seeded_clock_counts_requests() -> None:
    """Each vendor's clock moves with its own requests, not while frozen, and a set time is the next request's."""
    shared = MockClock(start=100.0, step=1.0)
    one, other = VendorClock(shared), VendorClock(shared)
    assert [one.take(), one.take(), other.take(), one.read()] == [100.0, 101.0, 100.0, 102.0]
    one.advance(10)
    assert [one.take(), other.take()] == [112.0, 111.0]
    one.freeze()
    assert [one.take(), one.take(), other.is_frozen] == [113.0, 113.0, True]
    one.run()
    assert [one.take(), one.take()] == [113.0, 114.0]
    other.set(500.0)
    assert [one.take(), one.take(), other.take()] == [500.0, 501.0, 500.0]
    one.reset()
    assert [one.take(), other.take()] == [100.0, 100.0]
