"""A read that lags behind a change is retried, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.app import Mock
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.protocol_sessions import make_session
from tests.support.suite_process import start_suite

ZITADEL = Contract("zitadel")


@pytest.fixture(name="lagging", scope="module")
def _lagging() -> Iterator[tuple[Mock, str]]:
    mock = build_mock([ZITADEL], {}, {ZITADEL.slug: {"projection": "lagging"}})
    with run_in_thread(mock) as base:
        yield mock, base


@pytest.mark.parametrize("surface", list(ZITADEL.protocols))
def test_a_run_on_a_lagging_vendor_finds_nothing(lagging: tuple[Mock, str], surface: str, tmp_path: Path) -> None:
    """Lag is no drift: reads show the state of a third of a second ago."""
    options = ("--vendor", ZITADEL.slug, "--target", lagging[1], "--surface", surface, "--explore", "0")
    result = start_suite(tmp_path, *options).wait_for_exit()
    assert (result.status, result.report["verdict"]) == (0, "none"), result


@pytest.mark.parametrize(("patience", "found"), [(5.0, False), (0.0, True)])
def test_without_patience_lag_is_seen(lagging: tuple[Mock, str], patience: float, found: bool) -> None:
    """A creation that is read at once gives a finding without retries and none with them.

    Only the last response counts as part of the attempt.
    """
    spoken = make_session(ZITADEL, lagging[1], None, lag=patience)
    name = spoken.names.create_name()
    settings = {"senderAddress": "mails@example.com", "senderName": "Mails", "host": "smtp.example.com:25"}
    try:
        with spoken.record_attempt() as attempt:
            spoken.send_operation("addSmtpConfig", {"description": name, **settings})
            spoken.send_operation("getSmtpConfigById", {"{id}": spoken.target.get_identity(name)})
        assert bool(attempt.disagreements) is found
        assert len(attempt.exchanges) == 2
        assert (sum(spoken.record.requests.values()) > 2) is not found
    finally:
        spoken.close()


def test_a_read_that_stays_wrong_is_a_finding_in_bounded_time(lagging: tuple[Mock, str]) -> None:
    """Somebody else removed the object. Few retries are sent before the finding."""
    mock, base = lagging
    spoken = make_session(ZITADEL, base, None, lag=0.5)
    name = spoken.names.create_name()
    settings = {"senderAddress": "mails@example.com", "senderName": "Mails", "host": "smtp.example.com:25"}
    try:
        spoken.send_operation("addSmtpConfig", {"description": name, **settings})
        mock.vendors[ZITADEL.slug].reset()
        with spoken.record_attempt() as attempt:
            spoken.send_operation("getSmtpConfigById", {"{id}": spoken.target.get_identity(name)})
        assert attempt.disagreements
        assert sum(spoken.record.requests.values()) < 10
    finally:
        spoken.close()
