"""An edited expression accepts a subset or a superset of the original's strings."""

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_watch.mutants.regex_edits import loosen_pattern, tighten_pattern

PATTERNS = [
    "^[a-z0-9-]+$",
    r"^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,3}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,}$",
    r"^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$",
    "^x{2}y{1,3}z*$",
    "a?b+",
]
TEXTS = st.one_of(
    st.text("aAzZ09-._x", max_size=8),
    st.lists(st.sampled_from(["0", "9", "19", "99", "249", "250", "255", "256", "01"]), max_size=5).map(".".join),
    st.text("xyz", max_size=6),
)


def _matches(pattern: str, text: str) -> bool:
    """Search for ``pattern`` in linear time, as the suite does."""
    judge = jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=jsonschema_rs.RegexOptions())
    return bool(judge.is_valid(text))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_edit_goes_one_way(pattern: str) -> None:
    """The pattern accepts all strings that a tighter one accepts, and a looser one all that the pattern accepts.

    The strings are drawn at random near the patterns.
    """
    narrow, wide = dict(tighten_pattern(pattern)), dict(loosen_pattern(pattern))
    assert wide

    @given(TEXTS)
    def check(text: str) -> None:
        taken = _matches(pattern, text)
        assert [edit for edit in narrow.values() if _matches(edit, text) and not taken] == []
        assert [edit for edit in wide.values() if taken and not _matches(edit, text)] == []

    check()


@pytest.mark.parametrize(
    ("pattern", "word", "edit", "text", "tight"),
    [
        ("^[a-z0-9-]+$", "without-0-9-1", "^[a-z-]+$", "a1", True),
        ("^[a-z0-9-]+$", "without-hyphen-1", "^[a-z0-9]+$", "a-b", True),
        ("^[a-z0-9-]+$", "shorter-a-z-1", "^[a-y0-9-]+$", "z", True),
        ("^[a-z0-9-]+$", "no-start", "[a-z0-9-]+$", "!a", False),
        ("^[a-z0-9-]+$", "no-end", "^[a-z0-9-]+", "a!", False),
        ("^[a-z0-9-]+$", "any-case", "(?i)^[a-z0-9-]+$", "A", False),
        ("^[a-z0-9-]+$", "underscore", "^[a-z0-9-_]+$", "_", False),
        ("^x{2}y{1,3}z*$", "most-4", "^x{2}y{1,4}z*$", "xxyyyy", False),
        ("^x{2}y{1,3}z*$", "least-4", "^x{2}y{2,3}z*$", "xxy", True),
        ("^x{2}y{1,3}z*$", "least-2", "^x{1,2}y{1,3}z*$", "xy", False),
    ],
)
def test_an_edit_is_one_step(pattern: str, word: str, edit: str, text: str, tight: bool) -> None:
    """Each edit has a stable name and changes one thing, which ``text`` shows."""
    assert dict(tighten_pattern(pattern) if tight else loosen_pattern(pattern))[word] == edit
    assert (_matches(pattern, text), _matches(edit, text)) == (tight, not tight)


def test_what_a_pattern_says_twice_is_edited_twice() -> None:
    """A pattern that repeats a part is edited as a whole; here an octet occurs twice."""
    edits = dict(loosen_pattern(r"^[0-9]?\.[0-9]?$"))
    assert r"^[0-9]{0,2}\.[0-9]{0,2}$" in edits.values()
