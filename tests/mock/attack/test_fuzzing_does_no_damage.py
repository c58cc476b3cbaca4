"""`make fuzz-mock`: mutated raw bytes do the mock no damage, and damage to a broken mock is found and shown again."""

import json
import random
import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.errors import UsageError
from scripts import fuzz_mock
from scripts.fuzz import campaign
from scripts.fuzz.mutator import MAX_LENGTH, mutate
from scripts.fuzz.seeds import build_grpc_seeds, build_http_seeds
from scripts.fuzz.target import FuzzTarget, start_target
from tests.support.command_process import start_command
from tests.support.patience import PATIENCE
from tests.support.raw_http import exchange
from tests.support.sampling import effort
from tests.support.shared_directories import make_once

CONTRACTS = list(load_contracts().values())
SECONDS = effort(60, 300)
"""The length of the campaign, which is a minute in CI."""


def _run_campaign(directory: Path) -> None:
    """Write the command's exit status and output, and below ``inputs`` what it leaves."""
    options = ("--seconds", str(SECONDS), "--seed", "20", "--out", str(directory / "inputs"))
    with start_command("scripts.fuzz_mock", *options) as process:
        out, err = process.communicate(timeout=SECONDS + PATIENCE)
    ended = {"status": process.returncode, "out": out, "err": err}
    (directory / "ended.json").write_text(json.dumps(ended), encoding="utf-8")


@pytest.fixture(name="campaign", scope="module", autouse=True)
def _campaign(request: pytest.FixtureRequest, shared_directory: Path) -> Iterator["Future[Path]"]:
    """Start the campaign, one for all test processes; the other tests run while it waits for its time to pass."""

    def make() -> Path:
        make_once(shared_directory / "fuzzing", {"campaign": _run_campaign})
        return shared_directory / "fuzzing" / "campaign"

    is_wanted = any(item.name == test_a_campaign_does_no_damage.__name__ for item in request.session.items)
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(make) if is_wanted else Future()


def test_each_seed_is_a_request_that_the_mock_knows() -> None:
    """Campaigns start from requests of every operation and control; unmutated, none is malformed or unknown."""
    with start_target() as target:
        seeds = build_http_seeds(CONTRACTS)
        for seed in seeds:
            received = exchange(
                f"http://{target.rest}", seed, b"GET /__mock/health HTTP/1.1\r\nConnection: close\r\n\r\n"
            )
            statuses = received.statuses
            assert statuses[-1] == 200
            assert b"Invalid HTTP request" not in received.content
            assert 405 not in statuses
            assert all(status < 500 for status in statuses)
            assert seed in seeds[-2:] or b"/__mock/" not in seed or max(statuses) < 400, (seed, statuses)


def test_a_seed_repeats_a_campaign() -> None:
    """The same seed makes the same inputs, and another one others; all are bounded."""
    seeds = [*build_http_seeds(CONTRACTS), *build_grpc_seeds(CONTRACTS)]
    first, again, other = (
        [mutate(randomness, seeds) for _ in range(200)] for randomness in map(random.Random, (1, 1, 2))
    )
    assert first == again != other
    assert max(map(len, first + other)) <= MAX_LENGTH


def test_damage_is_reduced_written_and_shown_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mock that cannot bear a word is found out; the file holds the one input that does it, and replays it."""
    find = FuzzTarget.send

    def send(self: FuzzTarget, address: str, batch: list[bytes]) -> str:
        crashed = next((number for number, content in enumerate(batch) if b"DELETE" in content), None)
        return find(self, address, batch[:1]) if crashed is None else f"input {crashed} of the batch was answered 500"

    monkeypatch.setattr(FuzzTarget, "send", send)
    assert fuzz_mock.main(["--vendor", "jetemail", "--seconds", "100", "--seed", "7", "--out", str(tmp_path)]) == 1
    output = capsys.readouterr().out.splitlines()
    assert output[0] == "seed 7"
    assert "was answered 500" in output[1]
    file = tmp_path / "fuzz-7.json"
    assert output[2].endswith(f"--replay={file}")
    assert fuzz_mock.main(["--replay", str(file)]) == 1
    monkeypatch.setattr(FuzzTarget, "send", find)
    assert fuzz_mock.main(["--replay", str(file)]) == 0
    assert "no damage (1 inputs)" in capsys.readouterr().out


def test_a_mock_that_ends_is_damage() -> None:
    """A process that is gone is reported with its status."""
    with start_target(["jetemail"]) as target:
        assert target.find_damage() == ""
        target._process.kill()  # noqa: SLF001 (as a crash would)
        target._process.wait()  # noqa: SLF001
        assert "it ended with status -9" in target.find_damage()


def test_a_mock_that_loses_objects_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that is created and does not appear in the state is reported with its vendor."""
    with start_target(["jetemail"]) as target:
        send = httpx.Client.request

        def lose(client: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:
            response = send(client, method, url, **more)
            if method == "POST":
                send(client, "DELETE", "/__mock/state")
            return response

        monkeypatch.setattr(httpx.Client, "request", lose)
        assert target.find_damage() == "jetemail: the object that was created is not in the state"


def test_a_request_that_comes_late_is_no_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy mock may carry out the rest of a batch after the reset: the state is looked at again."""
    with start_target(["jetemail"]) as target:
        send, late = httpx.Client.request, ["DELETE"]

        def send_late(client: httpx.Client, method: str, url: str, **more: Any) -> httpx.Response:
            response = send(client, method, url, **more)
            if method == "POST" and late:
                send(client, late.pop(), "/__mock/state")
            return response

        monkeypatch.setattr(httpx.Client, "request", send_late)
        assert target.find_damage() == ""
        assert late == []


def test_an_interrupted_campaign_leaves_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch that was being sent is in the file, and can be replayed."""

    def interrupt(_target: FuzzTarget, _batch: list[bytes], *, is_grpc: bool) -> str:
        raise KeyboardInterrupt(is_grpc)

    monkeypatch.setattr(campaign, "send_batch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        campaign.run_campaign(CONTRACTS[:1], 60, 7, tmp_path)
    monkeypatch.undo()
    assert campaign.replay_file(tmp_path / "fuzz-7.json").damage == ""


@pytest.mark.parametrize("content", ["", "{}", '{"inputs": ["zz"], "vendors": [], "grpc": false}', "[1]"])
def test_a_file_of_something_else_is_wrong_usage(content: str, tmp_path: Path) -> None:
    """A file that no campaign wrote is one line."""
    file = tmp_path / "fuzz.json"
    file.write_text(content, encoding="ascii")
    with pytest.raises(UsageError, match=r"^--replay .*: not a file that make fuzz-mock wrote$"):
        campaign.replay_file(file)
    with pytest.raises(UsageError, match="No such file"):
        campaign.replay_file(tmp_path / "none")


def test_a_campaign_does_no_damage(campaign: "Future[Path]") -> None:
    """For a minute, and in the nightly for five: no crash, no 500, no hang, no lost state, no memory that grows."""
    directory = campaign.result(SECONDS + 2 * PATIENCE)
    ended = json.loads((directory / "ended.json").read_text(encoding="utf-8"))
    assert (ended["status"], ended["err"], list((directory / "inputs").iterdir())) == (0, "", []), ended
    inputs = re.fullmatch(r"seed 20\nno damage \((\d+) inputs\)\n", ended["out"])
    assert inputs is not None, ended
    assert int(inputs[1]) > 0
