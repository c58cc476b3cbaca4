"""An interruption ends long work, even where Python prints the exception and goes on."""

import signal

import pytest

from contract_watch.cli import catch_signals


class _Deaf:
    """An object in whose end a signal arrives: Python reports an exception there and goes on."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number

    def __del__(self) -> None:
        signal.raise_signal(self._number)


def _search(number: signal.Signals, sent: list[str], *, is_last: bool) -> None:
    """Send two requests, or one if ``is_last``; during the first, Python swallows a signal."""
    with catch_signals(raises_at_once=True) as interruption:
        interruption.raise_if_requested()
        _Deaf(number)
        sent.append("first")
        if not is_last:
            interruption.raise_if_requested()
            sent.append("second")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_last", [False, True])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_swallowed_signal_ends_a_search(number: signal.Signals, *, is_last: bool) -> None:
    """It is raised before the next request, and at the end if there is none."""
    sent: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        _search(number, sent, is_last=is_last)
    assert sent == ["first"]


def test_a_signal_interrupts_a_wait_at_once() -> None:
    """A response that never comes keeps nobody waiting."""
    sent: list[str] = []

    def wait() -> None:
        with catch_signals(raises_at_once=True):
            signal.raise_signal(signal.SIGTERM)
            sent.append("the work went on")

    with pytest.raises(KeyboardInterrupt):
        wait()
    assert sent == []


def test_a_signal_waits_for_work_that_chooses_the_moment() -> None:
    """Long explorations end between two searches; the handlers of before are put back."""
    before = signal.getsignal(signal.SIGTERM)
    with catch_signals() as interruption:
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            interruption.raise_if_requested()
    assert signal.getsignal(signal.SIGTERM) == before
