"""The list is how anybody sees what the other operations did, so the model holds it to all it knows."""

from typing import Any

import pytest

from contract_watch.contracts.matchers import Mismatch
from tests.play import CREATE, DELETE, KEYS, LIST, NOW, UPDATE, Play

SET = {"username": "ct-a", "quota": 5, "approvedDomains": ["a.io", "b.io"], "ipRestrictions": ["1.2.3.4"]}
LATER = {"currentUsername": "ct-a", "quota": 6, "status": "suspended", "approvedDomains": []}


def _mismatches(play: Play, rows: list[Any], account: str = "paid") -> list[Mismatch]:
    """What the model says of a list with these rows."""
    [outcome] = play.ask(LIST, account=account)
    assert outcome.body is not None
    return list(outcome.body.find_mismatches({"success": True, "smarthosts": rows}))


def _told(play: Play, rows: list[Any], account: str = "paid") -> list[tuple[str, str | None]]:
    return [(found.kind, found.clause) for found in _mismatches(play, rows, account)]


@pytest.fixture(name="play")
def _play(suite_play: Play) -> Play:
    suite_play.succeed(CREATE, SET)
    return suite_play


@pytest.fixture(name="row")
def _row(play: Play) -> dict[str, Any]:
    row: dict[str, Any] = play.rows()["ct-a"]
    return row


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"quota": 4}, f"{CREATE}/effect/quota"),
        ({"approvedDomains": '["a.io"]'}, f"{CREATE}/effect/approvedDomains"),
        ({"ipRestrictions": "[]"}, f"{CREATE}/effect/ipRestrictions"),
        ({"ipRestrictions": []}, f"{CREATE}/effect/ipRestrictions"),
        ({"allowAnyDomain": 1}, f"{CREATE}/effect/allowAnyDomain"),
        ({"allowAllDomains": True}, f"{CREATE}/effect/allowAllDomains"),
        ({"status": "asleep"}, None),
        ({"created_date": str(int(NOW))}, None),
        ({"last_modified": int(NOW * 1000)}, None),
        ({"created_date": "soon"}, None),
        ({"last_modified": None}, None),
        ({"approvedDomains": "a.io"}, None),
    ],
)
def test_wrong_setting_is_told_by_its_promise(play: Play, row: dict[str, Any], change: Any, clause: str | None) -> None:
    """Claim: the list shows what create set. Situation: a good row, then one setting of it changed.

    Expectation: nothing, then one mismatch that names the promise, or none where the list itself is to blame.
    """
    assert _told(play, [row]) == []
    assert [told for _, told in _told(play, [{**row, **change}])] == [clause]


@pytest.mark.parametrize(
    "change",
    [
        {"quota": 5.0},
        {"approvedDomains": ["B.IO", "a.io"]},
        {"approvedDomains": '["b.io.", "a.io"]'},
        {"ipRestrictions": ["001.2.3.4"]},
        {"usage": 12},
        {"status": "disabled"},
        {"allowAllDomains": 0},
        {"allowAllDomains": False},
    ],
)
def test_another_spelling_of_a_setting_passes(play: Play, row: dict[str, Any], change: Any) -> None:
    """Claim: nobody promised how values are stored. Situation: order, case, trailing dot, leading zeros, real arrays."""
    assert _told(play, [{**row, **change}]) == []


def test_update_owes_what_it_set(play: Play, row: dict[str, Any]) -> None:
    """Claim: the list shows what an update set, and leaves the rest. Situation: the row as before the update.

    Expectation: a breach of the update's promises for its three settings; create's still holds for the others.
    """
    play.succeed(UPDATE, LATER)
    assert {told for _, told in _told(play, [row])} == {
        f"{UPDATE}/effect/{n}" for n in ("quota", "status", "approvedDomains")
    }
    good = play.rows()["ct-a"]
    assert _told(play, [{**good, "ipRestrictions": "[]"}]) == [("value", f"{CREATE}/effect/ipRestrictions")]


def test_rows_that_must_and_must_not_be_there(play: Play, row: dict[str, Any]) -> None:
    """Claim: the list is exactly the account's. Situation: a missing, a repeated, a never made, a foreign row.

    Expectation: each is told by its promise; a row that this run cannot know is somebody else's.
    """
    assert _told(play, []) == [("row-missing", f"{CREATE}/effect/username")]
    assert _told(play, [row, row]) == [("repeated", f"{CREATE}/effect/username")]
    assert _told(play, [row, {"username": "ct-b"}]) == [("unexpected", f"{CREATE}/rule/refused-changes-nothing")]
    assert _told(play, [row, {"username": "other"}]) == []
    assert _told(play, [row], "free") == [("unexpected", f"{LIST}/rule/own-account")]


def test_renamed_and_deleted_users_are_gone(play: Play, row: dict[str, Any]) -> None:
    """Claim: a rename moves, a delete removes. Situation: the old row still listed. Expectation: their own clauses."""
    play.succeed(UPDATE, {"currentUsername": "ct-a", "newUsername": "ct-b"})
    moved = play.rows()["ct-b"]
    assert _told(play, [moved, row]) == [("unexpected", f"{UPDATE}/effect/newUsername")]
    assert _told(play, [row])[-1] == ("row-missing", f"{UPDATE}/effect/newUsername")
    play.succeed(DELETE, {"username": "ct-b"})
    assert _told(play, [moved]) == [("unexpected", f"{DELETE}/effect/removed")]


def test_name_that_the_server_made_is_learnt_from_the_list(suite_play: Play) -> None:
    """Claim: what became of an ill-formed name is seen in the list. Situation: `ct-N ew` was accepted.

    Expectation: any sanitised form passes, as asked it does not; once shown, the user has that name.
    """
    suite_play.succeed(CREATE, {"username": "ct-N ew", "quota": 3})
    assert suite_play.contract.model.list_owned(suite_play.state) == [("paid", "ct-n-ew")]
    mock = Play.start(suite_play.contract, "", {"names": "sanitised"})
    row = mock.mock_row({"username": "ct-N ew", "quota": 3})
    assert row["username"] == "ct-n-ew"
    assert _told(suite_play, [row]) == _told(suite_play, [{**row, "username": "ct-new"}]) == []
    assert _told(suite_play, [{**row, "username": "ct-N ew"}]) == [("value", f"{CREATE}/request/username/pattern")]
    assert _told(suite_play, []) == [("row-missing", f"{CREATE}/effect/username")]
    suite_play.state = suite_play.ask(LIST)[0].resolve_next_state({"success": True, "smarthosts": [row]})
    assert suite_play.contract.model.list_owned(suite_play.state) == [("paid", "ct-n-ew")]
    assert suite_play.statuses(DELETE, {"username": "ct-n-ew"}) == {200}


def test_change_of_one_of_several_users_leaves_all_of_them_open(suite_play: Play) -> None:
    """Claim: whom an ill-formed name finds is the vendor's secret. Situation: two users that `ct-a b` may mean.

    Expectation: it may be found or not; after a success either may be gone, but not a third.
    """
    for name in ("ct-ab", "ct-a-b", "ct-c"):
        suite_play.succeed(CREATE, {"username": name})
    one, other, third = suite_play.rows().values()
    assert suite_play.statuses(DELETE, {"username": "ct-a b"}) == {200, 400, 404}
    suite_play.succeed(DELETE, {"username": "ct-a b"})
    assert _told(suite_play, [one, third]) == _told(suite_play, [other, third]) == []
    assert _told(suite_play, [one, other]) == [("row-missing", f"{CREATE}/effect/username")]


def test_forgotten_names_are_open_again(play: Play, row: dict[str, Any]) -> None:
    """Claim: where a target left the contract nothing is claimed. Situation: a name is forgotten.

    Expectation: listed or not, there or not, taken or not: all are allowed; other names are as known as before.
    """
    play.succeed(CREATE, {"username": "ct-b"})
    other = play.rows()["ct-b"]
    play.state = play.contract.model.forget(play.state, ["CT-A", "ct-a"])
    assert _told(play, [other]) == _told(play, [{**row, "quota": 99}, other]) == []
    assert play.statuses(CREATE, {"username": "ct-a"}) == {200, 409}
    assert play.statuses(DELETE, {"username": "ct-a"}) == {200, 404}
    assert play.statuses(DELETE, {"username": "ct-c"}) == {404}


def test_owned_and_dumped_are_what_exists(mock_play: Play) -> None:
    """Claim: a run knows what to clean up, and a dump carries no secret. Expectation: users by account, no password."""
    for account in KEYS:
        mock_play.send(CREATE, {"username": f"of-{account}", "password": "correct horse"}, account)
    model = mock_play.contract.model
    assert model.list_owned(mock_play.state) == [("paid", "of-paid"), ("free", "of-free")]
    assert [user["username"] for user in model.dump(mock_play.state)] == ["of-paid", "of-free"]
    assert "horse" not in repr(mock_play.state)
