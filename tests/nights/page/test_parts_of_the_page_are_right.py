"""The strip has a cell for each night, and differences are marked without changing the texts."""

from hypothesis import given
from hypothesis import strategies as st

from contract_watch.nights.page.difference import mark_difference
from contract_watch.nights.page.strip import build_strip


@given(st.text(max_size=80), st.text(max_size=80))
def test_marked_parts_make_the_texts_again(before: str, after: str) -> None:
    left, right = mark_difference(before, after)
    assert ("".join(part.text for part in left), "".join(part.text for part in right)) == (before, after)
    equal = ["".join(part.text for part in side if not part.is_changed) for side in (left, right)]
    assert equal[0] == equal[1]


def test_long_texts_take_bounded_time() -> None:
    left, right = mark_difference("a b " * 50_000, "b a " * 50_000)
    assert "".join(part.text for part in left) == "a b " * 50_000
    assert not right[-1].is_changed


def test_the_strip_shows_nights_without_a_run() -> None:
    nights = [{"night": day, "verdict": "none", "seconds": 1.0, "requests": 9} for day in ("2026-11-26", "2026-11-29")]
    strip = build_strip(nights, "2026-11-29")
    assert strip is not None
    assert [cell.verdict for cell in strip.cells] == ["none", "", "", "none"]
    assert strip.text == "4 nights until 2026-11-29: 2 none, 2 no run"
    assert build_strip([], "2026-11-29") is None


def test_the_strip_ends_after_90_nights() -> None:
    nights = [
        {"night": f"2026-{month:02}-{day:02}", "verdict": "none", "seconds": 1, "requests": 1}
        for month in range(1, 10)
        for day in range(1, 29)
    ]
    strip = build_strip(nights, "2026-09-28")
    assert strip is not None
    assert len(strip.cells) == 90


def test_the_strip_shows_a_check_that_began_after_midnight() -> None:
    nights = [{"night": f"2026-11-{day}", "verdict": "none", "seconds": 1.0, "requests": 1} for day in (28, 29)]
    nights.append({"night": "2026-11-30", "verdict": "breaking", "seconds": 1.0, "requests": 1})
    strip = build_strip(nights, "2026-11-29")
    assert strip is not None
    assert (strip.cells[-1].night, strip.cells[-1].verdict) == ("2026-11-30", "breaking")
    assert strip.text == "3 nights until 2026-11-30: 2 none, 1 breaking"
