"""Interpretations stay open until a choice or a response narrows them; later outcomes agree with it."""

import pytest

from contract_watch.contracts.outcomes import Interpretations
from contract_watch.errors import UsageError

OPEN = Interpretations({"size": ("small", "medium", "large"), "hue": ("red", "blue")})


def test_all_values_are_open_at_first() -> None:
    """Every scope starts with every value; the mock's own value comes first."""
    assert OPEN.get_choices("size") == OPEN.get_choices("size", "anywhere") == ("small", "medium", "large")


def test_narrowing_leaves_the_original_as_it_was() -> None:
    """Interpretations are immutable. The narrowed copy preserves the order of values and leaves other names open."""
    narrowed = OPEN.narrow("size", {"large", "small"})
    assert narrowed.get_choices("size") == ("small", "large")
    assert narrowed.get_choices("hue") == ("red", "blue")
    assert OPEN.get_choices("size") == ("small", "medium", "large")


def test_narrowing_adds_up() -> None:
    """A second narrowing never restores an excluded value."""
    assert OPEN.narrow("size", {"small", "large"}).narrow("size", {"medium", "large"}).get_choices("size") == ("large",)


def test_narrowing_to_all_changes_nothing() -> None:
    """Narrowing to all values returns the same object, so a model can see that it learned nothing."""
    assert OPEN.narrow("hue", ("blue", "red", "green")) is OPEN
    assert OPEN.narrow("hue", ("blue", "red"), "here") is OPEN


def test_scopes_are_apart() -> None:
    """A vendor may treat operations differently, so narrowing one scope leaves all others open."""
    narrowed = OPEN.narrow("size", {"large"}, "here")
    assert narrowed.get_choices("size", "here") == ("large",)
    assert narrowed.get_choices("size", "there") == narrowed.get_choices("size") == ("small", "medium", "large")


@pytest.mark.parametrize("scoped_first", [True, False])
def test_what_holds_everywhere_holds_in_a_scope(scoped_first: bool) -> None:
    """A global narrowing also applies in each scope, whether it came first or last."""
    steps = [({"small", "large"}, "here"), ({"medium", "large"}, "")]
    readings = OPEN
    for values, scope in steps if scoped_first else steps[::-1]:
        readings = readings.narrow("size", values, scope)
    assert readings.get_choices("size", "here") == ("large",)
    assert readings.get_choices("size") == ("medium", "large")


def test_chosen_interpretations_are_decided() -> None:
    """A choice leaves one value of the name it decides, in every scope. Other names and the original stay open."""
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
    """A wrong name or value is a usage error that lists the valid ones."""
    with pytest.raises(UsageError) as refusal:
        OPEN.decide(chosen)
    assert str(refusal.value) == line


def test_unknown_name_is_no_interpretation() -> None:
    """A model that asks for an undeclared interpretation gets a KeyError instead of a silent default."""
    with pytest.raises(KeyError):
        OPEN.get_choices("weight")
