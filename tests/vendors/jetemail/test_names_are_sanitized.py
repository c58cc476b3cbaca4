"""Well-formed names, and the names into which "will be sanitized" can turn others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.registry import Contract
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.contracts.resource.names import SANITISERS

NAMES = ResourceModel(Contract("jetemail")).spec.names.policy
TEXTS = st.text() | st.text("aB-_ .é1")


@given(st.text("abz019-", min_size=1))
def test_well_formed_name_stays_as_it_is(name: str) -> None:
    """Sanitizing changes only ill-formed NAMES."""
    assert NAMES.is_well_formed(name)
    assert NAMES.sanitise(name, "hyphenate") == NAMES.sanitise(name, "drop") == name
    assert NAMES.may_become(name, name)


@pytest.mark.parametrize("name", ["", "A", "a b", "a_b", "é", "a\n", "ａ", "١", "a.b"])
def test_ill_formed_name_is_reported(name: str) -> None:
    """A well-formed name has only lower-case ASCII letters, digits and hyphens, and at least one of them."""
    assert not NAMES.is_well_formed(name)


@given(TEXTS)
def test_our_rule_is_the_published_one(jetemail: Contract, name: str) -> None:
    """The rule and the published pattern agree on every string."""
    body = jetemail.operations["createSmtpUser"].body
    assert body is not None
    broken = (
        {found.keyword for found in body.find_violations({"username": name})} if name.isprintable() else {"pattern"}
    )
    assert NAMES.is_well_formed(name) == (not broken & {"pattern", "minLength"})


@given(TEXTS)
def test_every_way_of_sanitising_is_one_that_may_be(name: str) -> None:
    """The suite allows every name that the mock makes of another.

    Such a name is well-formed or empty, and sanitizing it again changes nothing.
    """
    for how in SANITISERS:
        made = NAMES.sanitise(name, how)
        assert not made or NAMES.is_well_formed(made)
        assert NAMES.sanitise(made, how) == made
        assert not made or NAMES.may_become(name, made)


@pytest.mark.parametrize(
    ("requested", "name", "may"),
    [
        ("Foo Bar", "foo-bar", True),
        ("Foo Bar", "foobar", True),
        ("Foo Bar", "-foo--bar-", True),
        ("Foo Bar", "foo", False),
        ("Foo Bar", "foo-baz", False),
        ("Foo Bar", "foo-bar1", False),
        ("Foo Bar", "Foo-Bar", False),
        ("Foo Bar", "", False),
        ("Jürgen", "jurgen", True),
        ("Jürgen", "juergen", True),
        ("Jürgen", "jrgen", True),
        ("Jürgen", "j-rgen", True),
        ("Jürgen", "rgenj", False),
    ],
)
def test_what_a_name_may_become(requested: str, name: str, may: bool) -> None:
    """ASCII letters and digits stay, in order. Other characters become hyphens, disappear, or are transliterated."""
    assert NAMES.may_become(requested, name) is may


@pytest.mark.parametrize(
    ("name", "like", "unlike"),
    [
        ("FOO", ["Foo-1", "fOO"], ["foo bar", "", "a" * 65, "é"]),
        ("Foo Bar", ["a b", " "], ["FOO", "foo_bar", "", "a b_"]),
        ("a" * 65, ["b" * 99], ["A" * 65, ""]),
        ("é", ["É", "éa"], ["e", "ü", " "]),
        ("", [], ["-", "a", "A"]),
    ],
)
def test_kind_of_ill_formedness(name: str, like: list[str], unlike: list[str]) -> None:
    """A server may treat each kind differently, so a response about one kind narrows only that one.

    Names are of one kind if the same is wrong: case, characters or length.
    """
    assert {NAMES.classify(other) for other in like} <= {NAMES.classify(name)}
    assert NAMES.classify(name) not in {NAMES.classify(other) for other in unlike}


@given(TEXTS, TEXTS)
def test_names_that_become_the_same_may_meet(left: str, right: str) -> None:
    """If both names have a sanitized form in common they may collide, in either order."""
    assert NAMES.may_collide(left, right) == NAMES.may_collide(right, left)
    for how in SANITISERS:
        if NAMES.sanitise(left, how) == NAMES.sanitise(right, how):
            assert NAMES.may_collide(left, right)
