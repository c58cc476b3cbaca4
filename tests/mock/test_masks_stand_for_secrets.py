"""A mask in a recorded session stands for any secret of its form."""

from typing import Any

import pytest

from contract_watch.mock.recording.masking import is_match


@pytest.mark.parametrize(
    ("recorded", "sent", "is_same"),
    [
        ("[secret 1, 5 characters]", "anything", True),
        ("[secret 1, 5 characters]", 5, False),
        ("[redacted]", 5, True),
        ("[redacted]", [5], False),
        ("key=[redacted, 4 characters];x", "key=abc;x", True),
        ("key=[redacted, 4 characters];x", "key=abc;y", False),
        ("a[redacted, 4 characters]a", "a", False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": True}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_masks_match_any_value_of_their_type(recorded: Any, sent: Any, is_same: bool) -> None:
    """A mask matches any string, also inside a text; everything else has to be equal as JSON."""
    assert is_match(recorded, sent) is is_same
