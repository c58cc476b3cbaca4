"""The list is how anybody sees what the other operations did, so the model holds it to all it knows."""

from typing import Any

import pytest

from contract_watch.contracts.matchers import Mismatch
from tests.support.model_driver import CREATE, DELETE, KEYS, LIST, NOW, UPDATE, ModelDriver

SET = {"username": "ct-a", "quota": 5, "approvedDomains": ["a.io", "b.io"], "ipRestrictions": ["1.2.3.4"]}
LATER = {"currentUsername": "ct-a", "quota": 6, "status": "suspended", "approvedDomains": []}


def _list_mismatches(play: ModelDriver, rows: list[Any], account: str = "paid") -> list[Mismatch]:
    """What the model says of a list with these rows."""
    [outcome] = play.list_outcomes(LIST, account=account)
    assert outcome.body is not None
    return list(outcome.body.find_mismatches({"success": True, "smarthosts": rows}))


def _summarize_mismatches(play: ModelDriver, rows: list[Any], account: str = "paid") -> list[tuple[str, str | None]]:
    return [(found.kind, found.clause) for found in _list_mismatches(play, rows, account)]


@pytest.fixture(name="play")
def _play(suite_play: ModelDriver) -> ModelDriver:
    suite_play.send_accepted(CREATE, SET)
    return suite_play


@pytest.fixture(name="row")
def _row(play: ModelDriver) -> dict[str, Any]:
    row: dict[str, Any] = play.list_rows()["ct-a"]
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
def test_wrong_setting_is_reported_by_its_promise(
    play: ModelDriver, row: dict[str, Any], change: Any, clause: str | None
) -> None:
    """Claim: the list shows what create set. Situation: a good row, then one setting of it changed.

    Expectation: nothing, then one mismatch that names the promise, or none where the list itself is to blame.
    """
    assert _summarize_mismatches(play, [row]) == []
    assert [told for _, told in _summarize_mismatches(play, [{**row, **change}])] == [clause]


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
def test_another_spelling_of_a_setting_passes(play: ModelDriver, row: dict[str, Any], change: Any) -> None:
    """Claim: nobody promised how values are stored. Situation: order, case, trailing dot, leading zeros, real arrays."""
    assert _summarize_mismatches(play, [{**row, **change}]) == []


def test_update_owes_what_it_set(play: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: the list shows what an update set, and leaves the rest. Situation: the row as before the update.

    Expectation: a breach of the update's promises for its three settings; create's still holds for the others.
    """
    play.send_accepted(UPDATE, LATER)
    assert {told for _, told in _summarize_mismatches(play, [row])} == {
        f"{UPDATE}/effect/{n}" for n in ("quota", "status", "approvedDomains")
    }
    good = play.list_rows()["ct-a"]
    assert _summarize_mismatches(play, [{**good, "ipRestrictions": "[]"}]) == [
        ("value", f"{CREATE}/effect/ipRestrictions")
    ]


def test_rows_that_must_and_must_not_be_there(play: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: the list is exactly the account's. Situation: a missing, a repeated, a never made, a foreign row.

    Expectation: each is told by its promise; a row that this run cannot know is somebody else's.
    """
    assert _summarize_mismatches(play, []) == [("row-missing", f"{CREATE}/effect/username")]
    assert _summarize_mismatches(play, [row, row]) == [("repeated", f"{CREATE}/effect/username")]
    assert _summarize_mismatches(play, [row, {"username": "ct-b"}]) == [
        ("unexpected", f"{CREATE}/rule/refused-changes-nothing")
    ]
    assert _summarize_mismatches(play, [row, {"username": "other"}]) == []
    assert _summarize_mismatches(play, [row], "free") == [("unexpected", f"{LIST}/rule/own-account")]


def test_renamed_and_deleted_users_are_gone(play: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: a rename moves, a delete removes. Situation: the old row still listed. Expectation: their own clauses."""
    play.send_accepted(UPDATE, {"currentUsername": "ct-a", "newUsername": "ct-b"})
    moved = play.list_rows()["ct-b"]
    assert _summarize_mismatches(play, [moved, row]) == [("unexpected", f"{UPDATE}/effect/newUsername")]
    assert _summarize_mismatches(play, [row])[-1] == ("row-missing", f"{UPDATE}/effect/newUsername")
    play.send_accepted(DELETE, {"username": "ct-b"})
    assert _summarize_mismatches(play, [moved]) == [("unexpected", f"{DELETE}/effect/removed")]


def test_name_that_the_server_made_is_learnt_from_the_list(suite_play: ModelDriver) -> None:
    """Claim: what became of an ill-formed name is seen in the list. Situation: `ct-N ew` was accepted.

    Expectation: any sanitised form passes, as asked it does not; once shown, the user has that name.
    """
    suite_play.send_accepted(CREATE, {"username": "ct-N ew", "quota": 3})
    assert suite_play.contract.model.list_owned(suite_play.state) == [("paid", "ct-n-ew")]
    mock = ModelDriver.start(suite_play.contract, "", {"names": "sanitised"})
    row = mock.create_row({"username": "ct-N ew", "quota": 3})
    assert row["username"] == "ct-n-ew"
    assert (
        _summarize_mismatches(suite_play, [row])
        == _summarize_mismatches(suite_play, [{**row, "username": "ct-new"}])
        == []
    )
    assert _summarize_mismatches(suite_play, [{**row, "username": "ct-N ew"}]) == [
        ("value", f"{CREATE}/request/username/pattern")
    ]
    assert _summarize_mismatches(suite_play, []) == [("row-missing", f"{CREATE}/effect/username")]
    suite_play.state = suite_play.list_outcomes(LIST)[0].resolve_next_state({"success": True, "smarthosts": [row]})
    assert suite_play.contract.model.list_owned(suite_play.state) == [("paid", "ct-n-ew")]
    assert suite_play.list_statuses(DELETE, {"username": "ct-n-ew"}) == {200}


def test_change_of_one_of_several_users_leaves_all_of_them_open(suite_play: ModelDriver) -> None:
    """Claim: whom an ill-formed name finds is the vendor's secret. Situation: two users that `ct-a b` may mean.

    Expectation: it may be found or not; after a success either may be gone, but not a third.
    """
    for name in ("ct-ab", "ct-a-b", "ct-c"):
        suite_play.send_accepted(CREATE, {"username": name})
    one, other, third = suite_play.list_rows().values()
    assert suite_play.list_statuses(DELETE, {"username": "ct-a b"}) == {200, 400, 404}
    suite_play.send_accepted(DELETE, {"username": "ct-a b"})
    assert _summarize_mismatches(suite_play, [one, third]) == _summarize_mismatches(suite_play, [other, third]) == []
    assert _summarize_mismatches(suite_play, [one, other]) == [("row-missing", f"{CREATE}/effect/username")]


def test_forgotten_names_are_open_again(play: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: where a target left the contract nothing is claimed. Situation: a name is forgotten.

    Expectation: listed or not, there or not, taken or not: all are allowed; other names are as known as before.
    """
    play.send_accepted(CREATE, {"username": "ct-b"})
    other = play.list_rows()["ct-b"]
    play.state = play.contract.model.forget(play.state, ["CT-A", "ct-a"])
    assert _summarize_mismatches(play, [other]) == _summarize_mismatches(play, [{**row, "quota": 99}, other]) == []
    assert play.list_statuses(CREATE, {"username": "ct-a"}) == {200, 409}
    assert play.list_statuses(DELETE, {"username": "ct-a"}) == {200, 404}
    assert play.list_statuses(DELETE, {"username": "ct-c"}) == {404}


def test_owned_and_dumped_are_what_exists(mock_play: ModelDriver) -> None:
    """Claim: a run knows what to clean up, and a dump carries no secret. Expectation: users by account, no password."""
    for account in KEYS:
        mock_play.send_request(CREATE, {"username": f"of-{account}", "password": "correct horse"}, account)
    model = mock_play.contract.model
    assert model.list_owned(mock_play.state) == [("paid", "of-paid"), ("free", "of-free")]
    assert [user["username"] for user in model.dump(mock_play.state)] == ["of-paid", "of-free"]
    assert "horse" not in repr(mock_play.state)
