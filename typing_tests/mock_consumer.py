"""Tests of a team that plays vendors: type checkers must accept them, and report exactly the marked lines."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

from contract_watch.testing import Play, PlayedCall, PlayedSnapshot, PlayedVendor, PlayedVendors, ScriptedFault, play


def play_vendors() -> None:
    """Play one vendor, and several."""
    assert_type(play("jetemail"), Play[PlayedVendor])
    with play("jetemail", mutant="state/createSmtpUser/lost", seed=7, record=Path("session.yaml")) as vendor:
        assert_type(vendor, PlayedVendor)
    with play("jetemail", "smtp2go", preset={"jetemail": [{"username": "alice"}]}) as vendors:
        assert_type(vendors, PlayedVendors)
        assert_type(vendors.jetemail, PlayedVendor)
        assert_type(vendors["smtp2go"].url, str)


async def play_without_server() -> None:
    """Play a vendor in the process."""
    async with play("jetemail", serve=False, contracts="vendors") as vendor:
        assert_type(vendor, PlayedVendor)


def use_fixture(mock_jetemail: PlayedVendor) -> None:
    """Use every part of the handle."""
    assert_type(mock_jetemail.url, str)
    assert_type(mock_jetemail.headers, dict[str, str])
    assert_type(mock_jetemail.keys, dict[str, str])
    assert_type(mock_jetemail.state, list[dict[str, Any]])
    assert_type(mock_jetemail.snapshot(), PlayedSnapshot)
    assert_type(mock_jetemail.fault("createSmtpUser", status=503, times=2), ScriptedFault)
    assert_type(mock_jetemail.calls("createSmtpUser", status=200), list[PlayedCall])
    assert_type(mock_jetemail.clock.now, dt.datetime)
    mock_jetemail.clock.advance(dt.timedelta(days=1))
    mock_jetemail.interpret(new_status="inactive")
    call = mock_jetemail.assert_called_once("createSmtpUser", username="alice", quota=5)
    assert_type(call.arguments, Mapping[str, Any])
    assert_type(call.status, int)


def mistake_arguments(mock_jetemail: PlayedVendor) -> None:
    """Make the mistakes that a type checker must find."""
    play()  # expect-error: a vendor is missing
    play(["jetemail"])  # expect-error: a list
    play("jetemail", seed="7")  # expect-error: words
    play("jetemail", serv=False)  # expect-error: a misspelt name
    play("jetemail", mutant=None)  # expect-error: nothing
    play("jetemail", preset=7)  # expect-error: a number
    play("jetemail", "smtp2go", mutant="state/createSmtpUser/lost")  # expect-error: a mutant is of one vendor
    with play("jetemail", "smtp2go") as vendors:
        vendors.jetemail.address  # expect-error: no such property
    mock_jetemail.base_url  # expect-error: no such property
    mock_jetemail.url()  # expect-error: no method
    mock_jetemail.calls(status="200")  # expect-error: words
    mock_jetemail.assert_called()  # expect-error: the operation is missing
    mock_jetemail.assert_not_called("createSmtpUser", username="alice")  # expect-error: no arguments
    mock_jetemail.fault("createSmtpUser", status=503).plays  # expect-error: no such property
    mock_jetemail.clock.advance("a day")  # expect-error: words
    mock_jetemail.calls()[0].status = 200  # expect-error: it is read-only
