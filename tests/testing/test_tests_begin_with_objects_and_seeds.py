"""Presets, seeds, the clock and recorded sessions through `play`: each test begins as it says, and a reset brings it back."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.errors import UsageError
from contract_watch.testing import PlayedVendor, play
from tests.support.credential_forms import FORMS
from tests.support.patience import PATIENCE

PATH = "/outbound/smarthost"
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def _create(vendor: PlayedVendor, name: str) -> httpx.Response:
    return httpx.post(vendor.url + PATH, headers=vendor.headers, json={"username": name}, timeout=PATIENCE)


def _list_names(vendor: PlayedVendor) -> list[str]:
    return [row["username"] for row in vendor.state]


def _list_statuses(vendor: PlayedVendor) -> list[str]:
    rows = httpx.get(vendor.url + PATH, headers=vendor.headers, timeout=PATIENCE).json()["smarthosts"]
    return [row["status"] for row in rows]


@pytest.fixture(name="vendor", scope="module")
def _vendor() -> Iterator[PlayedVendor]:
    with play("jetemail", preset=[{"username": "alice", "status": "quota-locked"}], seed=7) as vendor:
        yield vendor


@pytest.fixture(autouse=True)
def _reset(request: pytest.FixtureRequest) -> None:
    if "vendor" in request.fixturenames:
        request.getfixturevalue("vendor").reset()


def test_a_preset_is_a_list_a_mapping_or_a_file(tmp_path: Path) -> None:
    """All forms give the same objects; several vendors share one, and objects of vendors that are not played are left out."""
    objects = {"jetemail": [{"username": "a"}], "smtp2go": [{"username": "second"}]}
    for name, text in (
        ("p.yaml", "jetemail:\n- {username: a}\nsmtp2go: [{username: second}]\n"),
        ("p.json", json.dumps(objects)),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    for preset in (objects, tmp_path / "p.yaml", str(tmp_path / "p.json")):
        with play("jetemail", "smtp2go", preset=preset) as vendors:
            assert (_list_names(vendors.jetemail), _list_names(vendors.smtp2go)) == (["a"], ["second"])
    for one in (objects["jetemail"], tuple(objects["jetemail"]), objects):
        with play("jetemail", preset=one) as vendor:
            assert _list_names(vendor) == ["a"]
            assert _create(vendor, "a").status_code == 409


def test_objects_that_a_test_changes_later_stay(vendor: PlayedVendor) -> None:
    """The vendor has a copy of the list."""
    objects: list[dict[str, Any]] = [{"username": "bob", "approvedDomains": ["a.example"]}]
    vendor.preset(objects)
    objects[0]["approvedDomains"].append("b.example")
    objects.append({"username": "carol"})
    assert [(row["username"], row["approvedDomains"]) for row in vendor.state] == [("bob", ["a.example"])]


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        ([{"username": "x"}, {"usernam": "y"}], "preset: jetemail[1]: unknown property 'usernam'"),
        ({"jetmail": []}, "preset: unknown vendor 'jetmail'; did you mean 'jetemail'?"),
        ("missing.yaml", "missing.yaml: cannot be read"),
        (5, "preset: jetemail must be a list of objects, got 5"),
    ],
)
def test_a_wrong_preset_changes_nothing(vendor: PlayedVendor, preset: Any, words: str) -> None:
    """The error is one line that names the object; the state stays."""
    with pytest.raises(UsageError) as refused:
        vendor.preset(preset)
    assert str(refused.value).startswith(words)
    assert "\n" not in str(refused.value)
    assert _list_names(vendor) == ["alice"]
    with pytest.raises(UsageError), play("jetemail", preset=preset):
        pass


def test_a_seed_repeats_ids_and_times_after_a_reset_and_in_another_mock(vendor: PlayedVendor) -> None:
    """Created objects are equal, whatever was created before the reset; looking at the headers changes nothing."""

    def create_two(one: PlayedVendor) -> tuple[list[str], list[dict[str, Any]]]:
        return [_create(one, name).text for name in ("bob", "carol")], one.state

    first = create_two(vendor)
    _create(vendor, "dave")
    vendor.reset()
    assert create_two(vendor) == first
    with play("jetemail", preset=[{"username": "alice", "status": "quota-locked"}], seed=7) as same:
        assert create_two(same) == first
    with play("jetemail", preset=[{"username": "alice", "status": "quota-locked"}], seed=8) as other:
        assert create_two(other)[0] != first[0]


@pytest.mark.parametrize("slug", ["madetoken", "madebody"])
def test_looking_at_headers_moves_no_seed(tmp_path: Path, slug: str) -> None:
    """A vendor with access tokens accepts the headers and gives the same ids, however often the test looked at them."""
    contract = FORMS[slug].write(tmp_path, slug)
    create = next(one for one in contract.operations.values() if one.method == "POST")

    def create_objects(looks: int) -> list[str]:
        with play(slug, contracts=contract.directory.parent, seed=3) as vendor:
            headers = [vendor.headers for _ in range(looks)]
            assert headers.count(headers[0]) == looks
            url = vendor.url + create.path
            answers = [httpx.post(url, headers=headers[0], json={"name": n}, timeout=PATIENCE) for n in ("one", "two")]
            assert {answer.status_code for answer in answers} <= {200, 201}, answers[0].text
            return [answer.text for answer in answers]

    assert create_objects(1) == create_objects(4)


def test_a_reset_brings_back_everything(vendor: PlayedVendor) -> None:
    """Preset, ids, clock, faults and calls are those of the beginning, whatever the test has put in their place."""
    first = _create(vendor, "bob").text
    vendor.preset([{"username": "zoe"}])
    vendor.interpret(new_status="inactive")
    vendor.clock.freeze("2030-01-01")
    assert vendor.clock.is_frozen
    vendor.clock.run()
    assert not vendor.clock.is_frozen
    vendor.clock.freeze()
    vendor.fault("createSmtpUser", status=503)
    vendor.reset()
    assert (_list_names(vendor), vendor.calls(), vendor.list_unplayed()) == (["alice"], [], [])
    assert (vendor.clock.now, vendor.clock.is_frozen) == (START, False)
    assert (_create(vendor, "bob").text, _list_statuses(vendor)) == (first, ["quota-locked", "active"])


def test_a_snapshot_goes_on_with_the_same_ids(vendor: PlayedVendor) -> None:
    """It has objects, interpretations and what the seed decides next; another vendor's is refused."""
    vendor.interpret(new_status="inactive")
    before = vendor.snapshot()
    created = _create(vendor, "bob").text
    vendor.interpret(new_status="quota-locked")
    vendor.restore(before)
    assert (_create(vendor, "bob").text, _list_statuses(vendor)) == (created, ["inactive"])
    with play("smtp2go") as other, pytest.raises(UsageError, match="the snapshot is one of jetemail"):
        other.restore(before)


def test_the_clock_is_set_advanced_and_frozen() -> None:
    """Objects get its time in each form of a moment; without a seed it runs, and a reset returns to the real time."""
    with play("jetemail") as vendor:
        for moment in (START, START.replace(tzinfo=None), "2026-01-01T00:00:00Z", START.timestamp()):
            vendor.clock.freeze(moment)
            assert (vendor.clock.now, vendor.clock.is_frozen) == (START, True)
        vendor.clock.advance(dt.timedelta(hours=1))
        vendor.clock.advance(30)
        _create(vendor, "bob")
        assert vendor.state[0]["created_date"] == str(int((START.timestamp() + 3630) * 1000))
        vendor.clock.run()
        assert START < vendor.clock.now < START + dt.timedelta(days=1)
        assert not vendor.clock.is_frozen
        vendor.clock.reset()
        assert abs(vendor.clock.now - dt.datetime.now(dt.UTC)) < dt.timedelta(hours=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda clock: clock.set("yesterday"),
        lambda clock: clock.set(-1),
        lambda clock: clock.set(True),
        lambda clock: clock.set(dt.datetime(1969, 12, 31, tzinfo=dt.UTC)),
        lambda clock: clock.freeze(float("nan")),
        lambda clock: clock.advance(-1),
        lambda clock: clock.advance(dt.timedelta(days=-1)),
        lambda clock: clock.advance("1"),
        lambda clock: clock.advance(253_000_000_000),
    ],
)
def test_a_wrong_time_is_refused(vendor: PlayedVendor, change: Callable[[Any], None]) -> None:
    """The clock stays where it is, and runs."""
    with pytest.raises(UsageError):
        change(vendor.clock)
    assert (vendor.clock.now, vendor.clock.is_frozen) == (START, False)


@pytest.mark.parametrize(
    ("fault", "names", "status"),
    [
        ({"close": True}, ["alice"], 200),
        ({"cut": 5}, ["alice"], 200),
        ({"lost": True}, ["alice"], 200),
        ({"refused": True}, [], 0),
    ],
)
def test_broken_connections_are_played_in_process(fault: dict[str, Any], names: list[str], status: int) -> None:
    """Without a socket the client gets httpx's error for it; the vendor has carried out all but a refused request."""

    async def run() -> None:
        async with play("jetemail", serve=False) as vendor:
            transport = httpx.ASGITransport(app=vendor.asgi)
            async with httpx.AsyncClient(transport=transport, base_url=vendor.url, headers=vendor.headers) as client:
                scripted = vendor.fault("createSmtpUser", **fault)
                with pytest.raises(httpx.RemoteProtocolError):
                    await client.post(PATH, json={"username": "alice"})
                assert (_list_names(vendor), scripted.played) == (names, 1)
                (call,) = vendor.calls("createSmtpUser")
                assert (call.status, call.fault) == (status, "fault-1")
                assert "fault-1" in str(call)
                retried = await client.post(PATH, json={"username": "alice"})
                assert retried.status_code == (409 if names else 200)

    asyncio.run(run())


def test_a_session_is_recorded_and_replayed(tmp_path: Path) -> None:
    """Replayed requests are calls of their operations; a reset returns to the first response, an unknown one says why."""
    file = tmp_path / "session.yaml"
    with play("jetemail", record=file) as vendor:
        assert [_create(vendor, "alice").status_code for _ in range(2)] == [200, 409]
    with play("jetemail", replay=str(file)) as vendor:
        for _ in range(2):
            assert [_create(vendor, "alice").status_code for _ in range(3)] == [200, 409, 409]
            vendor.assert_called("createSmtpUser", username="alice")
            vendor.reset()
        assert _create(vendor, "bob").status_code == 501
        assert 'body.username: recorded "alice", sent "bob"' in str(vendor.assert_called_once("createSmtpUser"))
    with pytest.raises(UsageError, match=r"^record .*: exists"), play("jetemail", record=file):
        pass
    with pytest.raises(UsageError, match=r"^replay: a recorded session"), play("jetemail", replay=file, seed=0):
        pass
    with pytest.raises(UsageError, match=r"is no session|cannot be read"), play("jetemail", replay=tmp_path / "none"):
        pass


def _write_two_accounts(directory: Path) -> Path:
    """Write a contract with access tokens and two accounts; return the directory of contracts."""
    contract = FORMS["madetoken"].write(directory, "madetoken")
    file = contract.directory / "contract.toml"
    second = (
        '[[credentials]]\nvariable = "SECOND_KEY"\naccount = "second"\ntest = "second-client:second_secret_0123456789"\n'
        'required = true\nabout = "another account"\n'
    )
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{second}", encoding="utf-8")
    return contract.directory.parent


@pytest.mark.parametrize("seed", [None, 3])
def test_each_account_has_a_token_of_its_own(tmp_path: Path, seed: int | None) -> None:
    """With a seed too; a reset forgets the tokens, and repeats them with a seed."""
    with play("madetoken", contracts=_write_two_accounts(tmp_path), seed=seed, serve=False) as vendor:

        def issue() -> list[str]:
            return [str(vendor.get_headers(account)) for account in vendor.keys]

        position = vendor.run(lambda backstage: backstage.vendor.save())
        first = issue()
        assert len(set(first)) == 2
        assert vendor.run(lambda backstage: backstage.vendor.save()) == position
        token = vendor.headers
        identify = vendor.run(lambda backstage: backstage.vendor.identify)
        lowered = {name.lower(): value for name, value in token.items()}
        assert identify(lowered) != lowered
        vendor.reset()
        assert vendor.api_key not in str(identify(lowered))
        assert (issue() == first) is (seed is not None)


def test_a_new_test_has_no_snapshot(vendor: PlayedVendor) -> None:
    """A snapshot that one test took over HTTP is gone in the next."""
    httpx.post(f"{vendor.origin}/__mock/snapshots/clean", timeout=PATIENCE).raise_for_status()
    vendor.begin(preset=[{"username": "alice", "status": "quota-locked"}])
    assert httpx.get(f"{vendor.origin}/__mock/snapshots", timeout=PATIENCE).json() == []
