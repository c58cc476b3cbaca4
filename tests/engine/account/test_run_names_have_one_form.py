"""Generated names have one form, and passwords have the requested length."""

import datetime as dt
import string

import pytest

from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.planning.passwords import generate_password


@pytest.mark.parametrize("length", [1, 8, 11, 12, 20, 64, 65, 72, 200])
def test_a_password_has_the_length_asked_for(length: int) -> None:
    """All characters are printable ASCII, and repeated calls differ."""
    texts = {generate_password(length) for _ in range(20)}
    assert {len(text) for text in texts} == {length}
    assert all(text.isascii() and text.isprintable() for text in texts)
    assert len(texts) > 1


def test_the_shortest_and_the_longest_are_unlike_what_people_choose() -> None:
    """A vendor may demand more of passwords than it documents.

    To notice that, short passwords have only lower-case letters and long ones every kind of character.
    """
    assert set(generate_password(8)) <= set(string.ascii_lowercase)
    assert set(generate_password(72)) >= {*string.punctuation, " "}
    assert all(generate_password(72)[end].isalnum() for end in (0, -1))
    assert generate_password().isalnum()


def test_a_longer_name_begins_with_the_name() -> None:
    """A name of a given length is unique and belongs to the run."""
    names = NameGenerator(dt.date(2026, 11, 21), "abcdef")
    first, second = names.create_name(), names.create_name(64)
    assert first == "ct-261121-abcdef-1-n"
    assert second.startswith("ct-261121-abcdef-2-n")
    assert len(second) == 64
    assert names.owns(second)
