"""Well-formed names, and the names that "will be sanitized" can make of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.contracts.registry import Contract
from contracts.jetemail import names

TEXTS = st.text() | st.text("aB-_ .é1")


@given(st.text("abz019-", min_size=1))
def test_well_formed_name_stays_as_it_is(name: str) -> None:
    """Claim: sanitising concerns ill-formed names only. Expectation: a well-formed one may become itself."""
    assert names.is_well_formed(name)
    assert names.sanitise_name(name, "hyphenate") == names.sanitise_name(name, "drop") == name
    assert names.may_become(name, name)


@pytest.mark.parametrize("name", ["", "A", "a b", "a_b", "é", "a\n", "ａ", "١", "a.b"])
def test_ill_formed_name_is_reported(name: str) -> None:
    """Claim: lower-case ASCII letters, digits and hyphens, nothing else. Expectation: each of these is ill-formed."""
    assert not names.is_well_formed(name)


@given(TEXTS)
def test_our_rule_is_the_published_one(jetemail: Contract, name: str) -> None:
    """Claim: well formed means what the published pattern says. Expectation: both judge every text alike."""
    body = jetemail.operations["createSmtpUser"].body
    assert body is not None
    broken = (
        {found.keyword for found in body.find_violations({"username": name})} if name.isprintable() else {"pattern"}
    )
    assert names.is_well_formed(name) == (not broken & {"pattern", "minLength"})


@given(TEXTS)
def test_every_way_of_sanitising_is_one_that_may_be(name: str) -> None:
    """Claim: the suite allows whatever the mock makes of a name. Situation: any text, every way.

    Expectation: well formed or empty, the same again, and a name that it may become.
    """
    for how in names.SANITISERS:
        made = names.sanitise_name(name, how)
        assert not made or names.is_well_formed(made)
        assert names.sanitise_name(made, how) == made
        assert not made or names.may_become(name, made)


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
    """Claim: ASCII letters and digits stay, in order; what else there is becomes hyphens, goes, or is spelled out."""
    assert names.may_become(requested, name) is may


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
    """Claim: a server may treat each kind otherwise, so what it shows of one binds that one only.

    Situation: wrong in case, in characters, in length. Expectation: the same kind where the same is wrong.
    """
    assert {names.classify_name(other) for other in like} <= {names.classify_name(name)}
    assert names.classify_name(name) not in {names.classify_name(other) for other in unlike}


@given(TEXTS, TEXTS)
def test_names_that_become_the_same_may_meet(left: str, right: str) -> None:
    """Claim: two names may be one user's. Situation: any two, each sanitised in any way.

    Expectation: where the same comes of both they may meet, whichever is asked first.
    """
    assert names.may_collide(left, right) == names.may_collide(right, left)
    for how in names.SANITISERS:
        if names.sanitise_name(left, how) == names.sanitise_name(right, how):
            assert names.may_collide(left, right)
