"""Failed checks become exactly the outcomes that some order and some interpretation allow."""

from collections.abc import Sequence

import pytest

from contract_watch.contracts.outcomes import (
    Check,
    Interpretations,
    Outcome,
    build_outcomes,
    keep_one_interpretation,
)

INTERPRETATIONS = Interpretations({"size": ("small", "medium", "large"), "hue": ("red", "blue")})

BAD = Check(400, "bad", "It is bad.")
TAKEN = Check(409, "taken", "It is taken.")
GONE = Check(404, "gone", "It is gone.")
LARGE = Check(413, "large", "It may be large.", "size", ("large",))
"""Refused under the last interpretation, so the mock accepts it."""
SMALL = Check(422, "small", "It may be small.", "size", ("small",))
"""Refused under the first interpretation, so the mock refuses it."""
MAYBE = Check(409, "maybe", "It may be taken.", is_undecidable=True)


def _list_outcomes(
    *checks: Check, interpretations: Interpretations = INTERPRETATIONS, order: Sequence[int] = ()
) -> list[Outcome]:
    """Build the outcomes; each state is the narrowed interpretations."""

    def refuse(check: Check, response: Interpretations) -> Outcome:
        return Outcome(check.status, check.clause, check.why, None, response)

    def succeed(response: Interpretations) -> Sequence[Outcome]:
        return [Outcome(200, "good", "It is good.", None, response)]

    return build_outcomes(checks, interpretations, refuse, succeed, order)


@pytest.mark.parametrize(
    ("checks", "clauses"),
    [
        ([], ["good"]),
        ([BAD], ["bad"]),
        ([BAD, TAKEN], ["bad", "taken"]),
        ([MAYBE], ["good", "maybe"]),
        ([MAYBE, BAD], ["bad", "maybe"]),
        ([LARGE], ["good", "large"]),
        ([SMALL], ["small", "good"]),
        ([LARGE, SMALL], ["small", "good", "large"]),
        ([LARGE, TAKEN], ["taken", "large"]),
        ([SMALL, TAKEN], ["small", "taken"]),
    ],
)
def test_outcomes_are_those_that_some_interpretation_allows(checks: list[Check], clauses: list[str]) -> None:
    """Every possible refusal is allowed, and success unless a check certainly fails. The mock's outcome comes first."""
    assert [outcome.clause for outcome in _list_outcomes(*checks)] == clauses


def test_refusals_come_in_order_of_their_statuses() -> None:
    """A chosen order of statuses decides the order of refusals; statuses that it omits come last."""
    for order in ([400, 404, 409], [409, 400, 404], [404, 409]):
        found = [outcome.status for outcome in _list_outcomes(TAKEN, BAD, GONE, order=order)]
        assert found[: len(order)] == order
        assert sorted(found) == [400, 404, 409]


def test_refusal_shows_its_interpretation() -> None:
    """A response narrows the interpretations: a refusal leaves the values that refuse, a success leaves the others."""
    refused, good = _list_outcomes(SMALL)
    assert refused.resolve_next_state(None).get_choices("size") == ("small",)
    assert good.resolve_next_state(None).get_choices("size") == ("medium", "large")
    assert good.resolve_next_state(None).get_choices("hue") == ("red", "blue")


def test_success_shows_every_interpretation_that_did_not_refuse() -> None:
    """A success means that all checks passed, so only values that pass each of two optional checks remain."""
    good = next(outcome for outcome in _list_outcomes(SMALL, LARGE) if outcome.status == 200)
    assert good.resolve_next_state(None).get_choices("size") == ("medium",)


def test_certain_check_shows_nothing() -> None:
    """A refusal that was certain beforehand narrows nothing."""
    assert _list_outcomes(BAD)[0].resolve_next_state(None) is INTERPRETATIONS


def test_shown_interpretation_decides_from_then_on() -> None:
    """Later responses must agree with earlier ones: only the refusal, or only the success, remains allowed."""
    refused, good = _list_outcomes(SMALL)
    assert [outcome.status for outcome in _list_outcomes(SMALL, interpretations=refused.resolve_next_state(None))] == [
        422
    ]
    assert [outcome.status for outcome in _list_outcomes(SMALL, interpretations=good.resolve_next_state(None))] == [200]


def test_scope_keeps_what_is_shown_to_itself() -> None:
    """A response in one scope leaves the other scope as open as before."""
    here = Check(422, "small", "why", "size", ("small",), "here")
    there = Check(422, "small", "why", "size", ("small",), "there")
    response = _list_outcomes(here)[0].resolve_next_state(None)
    assert [outcome.status for outcome in _list_outcomes(here, interpretations=response)] == [422]
    assert [outcome.status for outcome in _list_outcomes(there, interpretations=response)] == [422, 200]


def test_success_is_not_asked_for_where_a_check_is_certain() -> None:
    """A model need not know the effect of a refused request, so `succeed` is not called."""

    def succeed(_shown: Interpretations) -> Sequence[Outcome]:
        raise AssertionError("asked")

    build_outcomes([BAD, SMALL], INTERPRETATIONS, lambda check, _: Outcome(check.status, "", "", None, None), succeed)


def test_checks_that_cover_every_interpretation_leave_no_success() -> None:
    """Success needs an interpretation that no check refuses; here one check refuses red and the other blue."""
    covering = [Check(400, "red", "why", "hue", ("red",)), Check(404, "blue", "why", "hue", ("blue",))]
    assert [outcome.status for outcome in _list_outcomes(*covering)] == [400, 404]


HUED = Check(400, "hued", "It may be red.", "hue", ("red",))


@pytest.mark.parametrize(
    ("checks", "narrowable"),
    [
        ([SMALL], ["small"]),
        ([SMALL, MAYBE], ["small"]),
        ([SMALL, HUED], []),
        ([SMALL, BAD], []),
        ([SMALL, HUED, Check(404, "blue", "why", "hue", ("blue",))], ["hued", "blue"]),
    ],
)
def test_response_narrows_one_interpretation_at_most(checks: list[Check], narrowable: list[str]) -> None:
    """Checks of other interpretations become undecidable, so that states do not multiply."""
    found = keep_one_interpretation(checks, INTERPRETATIONS)
    assert [check.clause for check in found] == [check.clause for check in checks]
    assert [check.clause for check in found if check.interpretation] == narrowable
    assert {o.status for o in _list_outcomes(*found)} == {o.status for o in _list_outcomes(*checks)}
