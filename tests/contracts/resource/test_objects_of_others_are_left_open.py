"""Objects that the suite did not create: removals, strays, and paths that no id can have."""

from pathlib import Path

from tests.support.quill_model import NEW, QuillDriver, write_quill


def test_removed_object_of_others_is_gone(tmp_path: Path) -> None:
    """Anything may follow until an unknown object is removed; then it is gone, as any other."""
    suite = QuillDriver.start(write_quill(tmp_path), "ct-")
    assert {outcome.status for outcome in suite.ask("getSender", id="snd_1")} == {200, 404}
    removal = next(one for one in suite.ask("deleteSender", id="snd_1") if one.status < 300)
    suite.state = removal.resolve_next_state(None)
    [outcome] = suite.ask("getSender", id="snd_1")
    assert (outcome.status, outcome.clause) == (404, "deleteSender/effect/removed")


def test_second_object_with_a_mark_is_a_stray(tmp_path: Path) -> None:
    """A mark of the run under an unknown id breaks a promise, even if the vendor trims it; an unknown mark does not."""
    suite = QuillDriver.start(write_quill(tmp_path), "ct-")
    sender = suite.send("createSender", NEW)[1]["sender"]
    for mark, clauses in (
        (" ct-a", ["createSender/effect/once"]),
        ("ct-b", ["createSender/effect/once"]),
        ("other", []),
    ):
        body = {"senders": [sender, {**sender, "id": "snd_2", "name": mark}], "next_cursor": None}
        assert [one.clause for one in suite.find_mismatches(body, "listSenders")] == clauses
    suite.state = suite.contract.model.forget(suite.state, ["ct-b "])
    body = {"senders": [sender, {**sender, "id": "snd_2", "name": "ct-b"}], "next_cursor": None}
    assert suite.find_mismatches(body, "listSenders") == []


def test_mock_knows_what_an_unknown_request_leaves(tmp_path: Path) -> None:
    """A mutant that accepts a request for an unknown object changes nothing."""
    contract = write_quill(tmp_path)
    mock = QuillDriver.start(contract)
    before = mock.state
    assert mock.send("pauseSender", None, "pauseSender/rule/id-unknown", id="snd_none")[0] == 200
    assert mock.state == before
    assert [one.status for one in mock.ask("getSender", id="snd_none")] == [404]


def test_mock_forgets_nothing(tmp_path: Path) -> None:
    """An effect that the documents leave open leaves the mock's value as it is; the suite allows any."""
    effects = "  renamed:\n    of: updateSender\n    says: A change may pause a sender.\n    forgets: [state]\n"
    contract = write_quill(tmp_path, effects=effects)
    mock, suite = QuillDriver.start(contract), QuillDriver.start(contract, "ct-")
    sender = mock.send("createSender", NEW)[1]["sender"]
    suite.state = suite.ask("createSender", NEW)[0].resolve_next_state({"sender": sender})
    for model in (mock, suite):
        model.send("pauseSender", id=sender["id"])
    shown = mock.send("updateSender", {"daily_limit": 3}, id=sender["id"])[1]["sender"]
    assert shown["state"] == "paused"
    for state in ("paused", "active"):
        answer = {"sender": {**shown, "state": state}}
        assert suite.find_mismatches(answer, "updateSender", {"daily_limit": 3}, id=sender["id"]) == []


def test_too_long_an_id_violates_its_schema(tmp_path: Path) -> None:
    """Validation and lookup are both possible; no document orders them."""
    suite = QuillDriver.start(write_quill(tmp_path), "ct-")
    found = {outcome.clause for outcome in suite.ask("getSender", id="ct-" + "x" * 60)}
    assert found == {"getSender/request/{id}/maxLength", "getSender/rule/id-unknown"}
