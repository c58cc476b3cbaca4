"""A guess of a draft follows the document's prose where it can, and the line about it says so."""

from pathlib import Path

import pytest

from contract_watch.authoring.drafting import draft as drafting
from tests.support.drafts import copy_boxes, draft


@pytest.fixture(name="no_trial")
def _no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the run against the mock, which tells only what no request provokes."""
    monkeypatch.setattr(drafting, "find_unprovoked", lambda *_: {})


def _find_lines(made: drafting.Draft, words: str) -> list[str]:
    return [line for one in made.decisions if words in (line := one.format("contracts/attic"))]


@pytest.mark.usefixtures("no_trial")
@pytest.mark.parametrize(("shared", "told"), [("enum", 0), ("object", 1), ("list", 1)])
def test_only_what_has_properties_lacks_required(shared: str, told: int, tmp_path: Path) -> None:
    """A string that is sent and answered has nothing to require; an object has, in a list too."""
    document, size = copy_boxes(), {"type": "object", "properties": {"width": {"type": "integer"}}}
    schemas = document["components"]["schemas"]
    schemas["Shared"] = {"enum": {"type": "string", "enum": ["a", "b"]}, "object": size,
                         "list": {"type": "array", "items": size}}[shared]  # fmt: skip
    for name in ("NewBox", "Box"):
        schemas[name]["properties"]["shared"] = {"$ref": "#/components/schemas/Shared"}
    assert len(_find_lines(draft(tmp_path, document), "Shared is sent and answered")) == told
