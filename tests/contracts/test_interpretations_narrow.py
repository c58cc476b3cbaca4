"""Interpretations stay open until a choice or a response narrows them; later outcomes agree with it."""

import pytest

from contract_watch.contracts.outcomes import Interpretations
from contract_watch.errors import UsageError

OPEN = Interpretations({"size": ("small", "medium", "large"), "hue": ("red", "blue")})


def test_all_values_are_open_at_first() -> None:
    """Claim: nothing is decided beforehand. Expectation: every value, the mock's first, in every scope."""
    assert OPEN.get_choices("size") == OPEN.get_choices("size", "anywhere") == ("small", "medium", "large")


def test_narrowing_leaves_the_original_as_it_was() -> None:
    """Claim: readings are immutable. Expectation: the narrowed ones are new, in their old order, others untouched."""
    narrowed = OPEN.narrow("size", {"large", "small"})
    assert narrowed.get_choices("size") == ("small", "large")
    assert narrowed.get_choices("hue") == ("red", "blue")
    assert OPEN.get_choices("size") == ("small", "medium", "large")


def test_narrowing_adds_up() -> None:
    """Claim: what was excluded stays so. Situation: narrowed twice. Expectation: what both leave."""
    assert OPEN.narrow("size", {"small", "large"}).narrow("size", {"medium", "large"}).get_choices("size") == ("large",)


def test_narrowing_to_all_changes_nothing() -> None:
    """Claim: a model can tell that nothing was learnt. Expectation: the very same readings."""
    assert OPEN.narrow("hue", ("blue", "red", "green")) is OPEN
    assert OPEN.narrow("hue", ("blue", "red"), "here") is OPEN


def test_scopes_are_apart() -> None:
    """Claim: a vendor need not treat all alike. Situation: narrowed in one scope. Expectation: open in all others."""
    narrowed = OPEN.narrow("size", {"large"}, "here")
    assert narrowed.get_choices("size", "here") == ("large",)
    assert narrowed.get_choices("size", "there") == narrowed.get_choices("size") == ("small", "medium", "large")


@pytest.mark.parametrize("scoped_first", [True, False])
def test_what_holds_everywhere_holds_in_a_scope(scoped_first: bool) -> None:
    """Claim: everywhere means everywhere. Situation: narrowed in a scope and at large, in either order.

    Expectation: in the scope what both leave, elsewhere what is left at large.
    """
    steps = [({"small", "large"}, "here"), ({"medium", "large"}, "")]
    readings = OPEN
    for values, scope in steps if scoped_first else steps[::-1]:
        readings = readings.narrow("size", values, scope)
    assert readings.get_choices("size", "here") == ("large",)
    assert readings.get_choices("size") == ("medium", "large")


def test_chosen_interpretations_are_decided() -> None:
    """Claim: the mock can be told. Expectation: one value is left, the rest stays open; the original does too."""
    chosen = OPEN.decide({"size": "medium"})
    assert chosen.get_choices("size") == ("medium",)
    assert chosen.get_choices("size", "here") == ("medium",)
    assert chosen.get_choices("hue") == ("red", "blue")
    assert OPEN.get_choices("size") == ("small", "medium", "large")
    assert chosen.decide({"size": "large"}).get_choices("size") == ("large",)


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ({"weight": "1"}, "unknown interpretation 'weight'; choose from hue, size"),
        ({"hue": "green"}, "interpretation 'hue' must be one of red, blue, got 'green'"),
        ({"size": "small", "hue": ["red"]}, "interpretation 'hue' must be one of red, blue, got ['red']"),
    ],
)
def test_unknown_interpretation_is_refused(chosen: dict[str, str], line: str) -> None:
    """Claim: a wrong name or value is a usage error. Expectation: one line that says what there is to choose from."""
    with pytest.raises(UsageError) as refusal:
        OPEN.decide(chosen)
    assert str(refusal.value) == line


def test_unknown_name_is_no_interpretation() -> None:
    """Claim: a model that asks for a reading it never named is wrong. Expectation: a KeyError, no silent choice."""
    with pytest.raises(KeyError):
        OPEN.get_choices("weight")
