"""Of several operations that may have caused a mismatch, those seen to be innocent are not blamed."""

from contract_watch.contracts.matchers import Mismatch
from contract_watch.engine.judging.candidates import settle_candidates

BOTH = ("update/effect/untouched", "activate/effect/untouched")
MISMATCH = Mismatch(("rows", 0, "owner"), "value", '"one"', BOTH[-1], candidates=BOTH)


def _settle(*satisfied: str) -> list[str | None]:
    return [one.clause for one in settle_candidates([MISMATCH], satisfied)]


def test_one_suspect_is_blamed() -> None:
    """The other operation was seen to leave this property alone."""
    assert _settle("activate/effect/untouched/owner") == ["update/effect/untouched"]


def test_two_suspects_blame_nobody() -> None:
    """A later response, after one of them alone, tells which it is; what is known of another property says nothing."""
    assert _settle() == []
    assert _settle("activate/effect/untouched/created") == []


def test_drift_that_comes_later_is_blamed_on_the_last() -> None:
    """Both were innocent once: the mismatch is reported all the same."""
    assert _settle(*(f"{one}/owner" for one in BOTH)) == [BOTH[-1]]


def test_other_mismatches_stay() -> None:
    """A mismatch without candidates keeps its clause."""
    other = Mismatch(("a",), "value", "1", "update/effect/a")
    assert list(settle_candidates([other], ())) == [other]
