"""The list is how anybody sees what the other operations did, so the model holds it to all it knows."""

from typing import Any

import pytest

from contract_watch.contracts.matchers import Mismatch
from tests.support.model_driver import CREATE, DELETE, KEYS, LIST, NOW, UPDATE, ModelDriver

SET = {"username": "ct-a", "quota": 5, "approvedDomains": ["a.io", "b.io"], "ipRestrictions": ["1.2.3.4"]}
LATER = {"currentUsername": "ct-a", "quota": 6, "status": "suspended", "approvedDomains": []}


def _list_mismatches(model: ModelDriver, rows: list[Any], account: str = "paid") -> list[Mismatch]:
    """Return the model's mismatches for a list with these rows."""
    [outcome] = model.list_outcomes(LIST, account=account)
    assert outcome.body is not None
    return list(outcome.body.find_mismatches({"success": True, "smarthosts": rows}))


def _summarize_mismatches(model: ModelDriver, rows: list[Any], account: str = "paid") -> list[tuple[str, str | None]]:
    return [(found.kind, found.clause) for found in _list_mismatches(model, rows, account)]


@pytest.fixture(name="model")
def _model(suite_model: ModelDriver) -> ModelDriver:
    suite_model.send_accepted(CREATE, SET)
    return suite_model


@pytest.fixture(name="row")
def _row(model: ModelDriver) -> dict[str, Any]:
    row: dict[str, Any] = model.list_rows()["ct-a"]
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
    model: ModelDriver, row: dict[str, Any], change: Any, clause: str | None
) -> None:
    """Claim: the list shows what create set. Situation: a good row, then one setting of it changed.

    Expectation: nothing, then one mismatch that names the promise, or none where the list itself is to blame.
    """
    assert _summarize_mismatches(model, [row]) == []
    assert [found for _, found in _summarize_mismatches(model, [{**row, **change}])] == [clause]


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
def test_another_spelling_of_a_setting_passes(model: ModelDriver, row: dict[str, Any], change: Any) -> None:
    """Claim: nobody promised how values are stored. Situation: order, case, trailing dot, leading zeros, real arrays."""
    assert _summarize_mismatches(model, [{**row, **change}]) == []


def test_update_owes_what_it_set(model: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: the list shows what an update set, and leaves the rest. Situation: the row as before the update.

    Expectation: a breach of the update's promises for its three settings; create's still holds for the others.
    """
    model.send_accepted(UPDATE, LATER)
    assert {found for _, found in _summarize_mismatches(model, [row])} == {
        f"{UPDATE}/effect/{n}" for n in ("quota", "status", "approvedDomains")
    }
    good = model.list_rows()["ct-a"]
    assert _summarize_mismatches(model, [{**good, "ipRestrictions": "[]"}]) == [
        ("value", f"{CREATE}/effect/ipRestrictions")
    ]


def test_rows_that_must_and_must_not_be_there(model: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: the list is exactly the account's. Situation: a missing, a repeated, a never made, a foreign row.

    Expectation: each is told by its promise; a row that this run cannot know is somebody else's.
    """
    assert _summarize_mismatches(model, []) == [("row-missing", f"{CREATE}/effect/username")]
    assert _summarize_mismatches(model, [row, row]) == [("repeated", f"{CREATE}/effect/username")]
    assert _summarize_mismatches(model, [row, {"username": "ct-b"}]) == [
        ("unexpected", f"{CREATE}/rule/refused-changes-nothing")
    ]
    assert _summarize_mismatches(model, [row, {"username": "other"}]) == []
    assert _summarize_mismatches(model, [row], "free") == [("unexpected", f"{LIST}/rule/own-account")]


def test_renamed_and_deleted_users_are_gone(model: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: a rename moves, a delete removes. Situation: the old row still listed. Expectation: their own clauses."""
    model.send_accepted(UPDATE, {"currentUsername": "ct-a", "newUsername": "ct-b"})
    moved = model.list_rows()["ct-b"]
    assert _summarize_mismatches(model, [moved, row]) == [("unexpected", f"{UPDATE}/effect/newUsername")]
    assert _summarize_mismatches(model, [row])[-1] == ("row-missing", f"{UPDATE}/effect/newUsername")
    model.send_accepted(DELETE, {"username": "ct-b"})
    assert _summarize_mismatches(model, [moved]) == [("unexpected", f"{DELETE}/effect/removed")]


def test_name_that_the_server_made_is_learnt_from_the_list(suite_model: ModelDriver) -> None:
    """Claim: what became of an ill-formed name is seen in the list. Situation: `ct-N ew` was accepted.

    Expectation: any sanitised form passes, as asked it does not; once shown, the user has that name.
    """
    suite_model.send_accepted(CREATE, {"username": "ct-N ew", "quota": 3})
    assert suite_model.contract.model.list_owned(suite_model.state) == [("paid", "ct-n-ew")]
    mock = ModelDriver.start(suite_model.contract, "", {"names": "sanitised"})
    row = mock.create_row({"username": "ct-N ew", "quota": 3})
    assert row["username"] == "ct-n-ew"
    assert (
        _summarize_mismatches(suite_model, [row])
        == _summarize_mismatches(suite_model, [{**row, "username": "ct-new"}])
        == []
    )
    assert _summarize_mismatches(suite_model, [{**row, "username": "ct-N ew"}]) == [
        ("value", f"{CREATE}/request/username/pattern")
    ]
    assert _summarize_mismatches(suite_model, []) == [("row-missing", f"{CREATE}/effect/username")]
    suite_model.state = suite_model.list_outcomes(LIST)[0].resolve_next_state({"success": True, "smarthosts": [row]})
    assert suite_model.contract.model.list_owned(suite_model.state) == [("paid", "ct-n-ew")]
    assert suite_model.list_statuses(DELETE, {"username": "ct-n-ew"}) == {200}


def test_change_of_one_of_several_users_leaves_all_of_them_open(suite_model: ModelDriver) -> None:
    """Claim: whom an ill-formed name finds is the vendor's secret. Situation: two users that `ct-a b` may mean.

    Expectation: it may be found or not; after a success either may be gone, but not a third.
    """
    for name in ("ct-ab", "ct-a-b", "ct-c"):
        suite_model.send_accepted(CREATE, {"username": name})
    one, other, third = suite_model.list_rows().values()
    assert suite_model.list_statuses(DELETE, {"username": "ct-a b"}) == {200, 400, 404}
    suite_model.send_accepted(DELETE, {"username": "ct-a b"})
    assert _summarize_mismatches(suite_model, [one, third]) == _summarize_mismatches(suite_model, [other, third]) == []
    assert _summarize_mismatches(suite_model, [one, other]) == [("row-missing", f"{CREATE}/effect/username")]


def test_forgotten_names_are_open_again(model: ModelDriver, row: dict[str, Any]) -> None:
    """Claim: where a target left the contract nothing is claimed. Situation: a name is forgotten.

    Expectation: listed or not, there or not, taken or not: all are allowed; other names are as known as before.
    """
    model.send_accepted(CREATE, {"username": "ct-b"})
    other = model.list_rows()["ct-b"]
    model.state = model.contract.model.forget(model.state, ["CT-A", "ct-a"])
    assert _summarize_mismatches(model, [other]) == _summarize_mismatches(model, [{**row, "quota": 99}, other]) == []
    assert model.list_statuses(CREATE, {"username": "ct-a"}) == {200, 409}
    assert model.list_statuses(DELETE, {"username": "ct-a"}) == {200, 404}
    assert model.list_statuses(DELETE, {"username": "ct-c"}) == {404}


def test_owned_and_dumped_are_what_exists(mock_model: ModelDriver) -> None:
    """Claim: a run knows what to clean up, and a dump carries no secret. Expectation: users by account, no password."""
    for account in KEYS:
        mock_model.send_request(CREATE, {"username": f"of-{account}", "password": "correct horse"}, account)
    model = mock_model.contract.model
    assert model.list_owned(mock_model.state) == [("paid", "of-paid"), ("free", "of-free")]
    assert [user["username"] for user in model.dump(mock_model.state)] == ["of-paid", "of-free"]
    assert "horse" not in repr(mock_model.state)
