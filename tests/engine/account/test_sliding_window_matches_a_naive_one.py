"""The sliding window agrees with a naive one, and waiting for a slot is bounded."""

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contract_watch.engine.account.rate_limiter import Slot, WaitTooLongError, acquire_slot
from contract_watch.engine.account.sliding_window import LEASE, MARGIN, MAX_BLOCK, RateLimit, SlidingWindow
from contract_watch.engine.protocols.wire import TOTAL_TIMEOUT
from tests.support.rate_limits.limiter_processes import count_worst_span

RULE = RateLimit(requests=3, seconds=8, lease=5)
# Quarters of a second are exact as floating point numbers, and these meet the bounds themselves and both sides of them.
STEPS = st.sampled_from([0.0, 0.25, 1.0, 2.75, 3.0, 5.0, 7.75, 8.0, 8.25, 13.0, 13.25])
ACTS = st.one_of(
    st.tuples(st.just("wait"), STEPS),
    st.tuples(st.just("take"), st.just(0.0)),
    st.tuples(st.just("release"), st.integers(min_value=0, max_value=30).map(float)),
    st.tuples(st.just("block"), STEPS),
)


@dataclass
class _NaiveWindow:
    """Window that searches its whole history at each question."""

    takes: dict[str, float] = field(default_factory=dict)
    releases: dict[str, float] = field(default_factory=dict)
    blocks: list[float] = field(default_factory=list)

    def find_slot_end(self, place: str) -> float:
        return self.releases.get(place, self.takes[place] + RULE.lease)

    def admits(self, now: float) -> bool:
        counting = [place for place in self.takes if self.find_slot_end(place) + RULE.seconds >= now]
        return len(counting) < RULE.requests and all(until < now for until in self.blocks)


# The very ends of a lease with its window, of a window after a release, and of a block.
@example([*[("take", 0.0)] * 3, ("wait", 13.0), ("take", 0.0), ("wait", 0.25), ("take", 0.0)])
@example([*[("take", 0.0)] * 3, ("release", 0.0), ("wait", 8.0), ("take", 0.0), ("wait", 0.25), ("take", 0.0)])
@example([("block", 5.0), ("block", 2.75), ("wait", 3.0), ("take", 0.0), ("wait", 2.0), ("take", 0.0)])
@given(st.lists(ACTS, max_size=60))
def test_the_sliding_window_decides_as_a_naive_one(acts: list[tuple[str, float]]) -> None:
    """A slot is granted exactly if the whole history of acquisitions, releases, blocks and waits allows it.

    No span exceeds the allowance. Each requested wait is above 0, and nothing is granted before it has passed unless a
    slot is released meanwhile.
    """
    book, naive, now, not_before = SlidingWindow(), _NaiveWindow(), 100.0, 0.0
    for number, (act, value) in enumerate(acts):
        if act == "wait":
            now += value
        book.discard_expired(RULE, now)
        if act == "take":
            allowed = naive.admits(now)
            wait = book.acquire(RULE, str(number), now)
            assert (wait == 0) is allowed
            if allowed:
                assert now >= not_before
                naive.takes[str(number)] = now
            else:
                assert wait >= MARGIN
                not_before = max(not_before, now + wait - MARGIN)
        elif act == "release" and naive.takes:
            place = list(naive.takes)[int(value) % len(naive.takes)]
            if place not in naive.releases and now <= naive.find_slot_end(place):
                naive.releases[place] = now
                book.release(place, now)
        elif act == "block" and value:
            naive.blocks.append(now + value)
            book.block(value, now)
    assert (
        count_worst_span([(taken, naive.find_slot_end(place)) for place, taken in naive.takes.items()], RULE.seconds)
        <= RULE.requests
    )
    assert len(book.slots) <= RULE.requests


@given(st.lists(STEPS, max_size=10), STEPS, STEPS)
def test_a_clock_that_begins_again_is_no_way_out(lasts: list[float], block: float, later: float) -> None:
    """A restart of the machine sets the clock near 0; that neither frees a slot nor blocks forever.

    All slots and blocks count as if they were new, and expire after a lease, a window and the block.
    """
    book = SlidingWindow({str(number): 500 + last for number, last in enumerate(lasts)})
    book.block(block, 500.0)
    book.discard_expired(RULE, 1.0)
    assert len(book.slots) == len(lasts)
    assert book.block_period[1] <= 1.0 + block
    assert (book.acquire(RULE, "new", 1.0) == 0) is (len(lasts) < RULE.requests and not block)
    book.discard_expired(RULE, 1.0 + RULE.lease + RULE.seconds + block + later + 0.25)
    assert book.acquire(RULE, "newer", 1.0 + RULE.lease + RULE.seconds + block + later + 0.25) == 0


def test_a_lease_is_longer_than_a_request() -> None:
    """No slot expires while its request may still be sent."""
    assert LEASE > TOTAL_TIMEOUT


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan")])
def test_a_block_of_nothing_is_none(seconds: float) -> None:
    """A duration of 0, below 0 or NaN does not block; infinity blocks for a day."""
    book = SlidingWindow()
    book.block(seconds, 100.0)
    assert book.acquire(RULE, "a", 100.0) == 0
    book.block(float("inf"), 100.0)
    assert book.block_period[1] == 100.0 + MAX_BLOCK


@pytest.mark.parametrize(("requests", "seconds"), [(0, 60.0), (-1, 60.0), (5, 0.0), (5, -1.0), (5, float("nan"))])
def test_an_invalid_rule_is_an_error(requests: int, seconds: float) -> None:
    """The error comes at once, instead of a window that admits everything or nothing."""
    with pytest.raises(ValueError, match="is no limit"):
        RateLimit(requests, seconds)


class _RecordingClock:
    """Clock that advances by waiting; ``waits`` records each wait."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> float:
        return sum(self.waits)

    def wall(self) -> float:
        return 0.0

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


class _ScriptedLimiter:
    """Limiter that returns given results in order."""

    def __init__(self, *answers: Slot | float) -> None:
        self.answers = list(answers)

    def acquire(self) -> Slot | float:
        return self.answers.pop(0)

    def release(self, place: Slot) -> None:
        raise AssertionError(place)

    def block(self, seconds: float) -> None:
        raise AssertionError(seconds)

    def close(self) -> None:
        raise AssertionError


def _never_give_up() -> None:
    """Let the run go on."""


def test_a_slot_is_waited_for_in_slices() -> None:
    """A wait of 1.2 seconds and one of 0.3 are split into slices of at most half a second."""
    clock, asked = _RecordingClock(), []
    place = acquire_slot(_ScriptedLimiter(1.2, 0.3, Slot("x")), clock, lambda: asked.append(len(clock.waits)), 1.5)
    assert place == Slot("x")
    assert clock.waits == pytest.approx([0.5, 0.5, 0.2, 0.3])
    assert asked == [0, 1, 2, 3]


def test_a_free_slot_is_not_waited_for() -> None:
    """The run neither waits nor checks for an interruption."""
    clock = _RecordingClock()

    def never() -> None:
        raise AssertionError

    assert acquire_slot(_ScriptedLimiter(Slot("x")), clock, never, 0.0) == Slot("x")
    assert clock.waits == []


def test_a_run_that_ends_waits_no_longer() -> None:
    """An interruption during the second slice is raised, and the limiter is not called again."""
    clock, window = _RecordingClock(), _ScriptedLimiter(30.0, Slot("x"))

    def give_up() -> None:
        if clock.waits:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        acquire_slot(window, clock, give_up, 100.0)
    assert clock.waits == [0.5]
    assert window.answers == [Slot("x")]


def test_too_long_a_wait_is_not_begun() -> None:
    """After 40 of 60 seconds the limiter asks for 30 more: a one-line error is raised at once."""
    clock = _RecordingClock()
    with pytest.raises(WaitTooLongError, match=r"in 30 seconds, after 40 of at most 60") as caught:
        acquire_slot(_ScriptedLimiter(40.0, 30.0), clock, _never_give_up, 60.0)
    assert clock.now() == pytest.approx(40)
    assert "\n" not in str(caught.value)


def test_a_window_that_asks_for_nothing_is_not_asked_for_ever() -> None:
    """The loop is bounded, even for a limiter that grants no slot and asks for no wait."""
    with pytest.raises(WaitTooLongError):
        acquire_slot(_ScriptedLimiter(*[0.0] * 5000), _RecordingClock(), _never_give_up, 2.0)
