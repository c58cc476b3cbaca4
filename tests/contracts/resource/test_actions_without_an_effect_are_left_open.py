"""An action that no rule describes may change any property of its object; one with an effect changes no other."""

from pathlib import Path

import pytest

from tests.support.quill_model import NEW, QuillDriver, write_quill


def _pause(tmp_path: Path, *, has_effect: bool) -> tuple[QuillDriver, dict[str, object]]:
    contract = write_quill(tmp_path)
    if not has_effect:
        file = contract.directory / "rules.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text[: text.index("  paused:")], encoding="utf-8")
    suite = QuillDriver.start(contract, "ct-")
    sender = suite.send("createSender", NEW)[1]["sender"]
    return suite, {**sender, "state": "paused", "footer": "Changed"}


@pytest.mark.parametrize(("has_effect", "mismatches"), [(False, []), (True, ["sender/footer"])])
def test_action_may_change_what_no_rule_fixes(tmp_path: Path, has_effect: bool, mismatches: list[str]) -> None:
    """Its own response and later ones may show it; with an effect, all other properties stay."""
    suite, shown = _pause(tmp_path, has_effect=has_effect)
    found = suite.find_mismatches({"sender": shown}, "pauseSender", id=str(shown["id"]))
    assert ["/".join(map(str, one.path)) for one in found] == mismatches


def test_changed_value_must_stay(tmp_path: Path) -> None:
    """A response tells what the action did, and the next one must agree."""
    suite, shown = _pause(tmp_path, has_effect=False)
    [outcome] = suite.ask("pauseSender", id=str(shown["id"]))
    suite.state = outcome.resolve_next_state({"sender": shown})
    assert suite.find_mismatches({"sender": shown}, "getSender", id=str(shown["id"])) == []
    assert suite.find_mismatches({"sender": {**shown, "footer": None}}, "getSender", id=str(shown["id"])) != []
    assert suite.find_mismatches({"sender": {**shown, "name": "x"}}, "getSender", id=str(shown["id"])) != []
