"""The list is the only view of the other operations' effects, so the model compares it with all it knows."""

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
    """One changed setting of a valid row is one mismatch.

    It cites the effect of the creation, or no clause if the list itself is at fault.
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
    """The documents do not promise the stored form: order, case, trailing dots, leading zeros and real arrays vary."""
    assert _summarize_mismatches(model, [{**row, **change}]) == []


def test_update_owes_what_it_set(model: ModelDriver, row: dict[str, Any]) -> None:
    """The list still shows the row from before the update.

    Its three settings violate the update's clauses; the creation's clauses hold for the others.
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
    """Rows that are missing, repeated or never created cite their clauses.

    A row with a name that this run cannot have belongs to somebody else.
    """
    assert _summarize_mismatches(model, []) == [("row-missing", f"{CREATE}/effect/username")]
    assert _summarize_mismatches(model, [row, row]) == [("repeated", f"{CREATE}/effect/username")]
    assert _summarize_mismatches(model, [row, {"username": "ct-b"}]) == [
        ("unexpected", f"{CREATE}/rule/refused-changes-nothing")
    ]
    assert _summarize_mismatches(model, [row, {"username": "other"}]) == []
    assert _summarize_mismatches(model, [row], "free") == [("unexpected", f"{LIST}/rule/own-account")]


def test_renamed_and_deleted_users_are_gone(model: ModelDriver, row: dict[str, Any]) -> None:
    """An old row that is still listed cites the clause of the rename or of the deletion."""
    model.send_accepted(UPDATE, {"currentUsername": "ct-a", "newUsername": "ct-b"})
    moved = model.list_rows()["ct-b"]
    assert _summarize_mismatches(model, [moved, row]) == [("unexpected", f"{UPDATE}/effect/newUsername")]
    assert _summarize_mismatches(model, [row])[-1] == ("row-missing", f"{UPDATE}/effect/newUsername")
    model.send_accepted(DELETE, {"username": "ct-b"})
    assert _summarize_mismatches(model, [moved]) == [("unexpected", f"{DELETE}/effect/removed")]


def test_name_that_the_server_made_is_learnt_from_the_list(suite_model: ModelDriver) -> None:
    """The server accepted `ct-N ew`; any sanitized form of it passes, the requested one does not.

    Once listed, the user has that name.
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
    """An ill-formed name may mean either of two users; the vendor does not document which.

    It may match none. After a success either user may be gone, but no third one.
    """
    for name in ("ct-ab", "ct-a-b", "ct-c"):
        suite_model.send_accepted(CREATE, {"username": name})
    one, other, third = suite_model.list_rows().values()
    assert suite_model.list_statuses(DELETE, {"username": "ct-a b"}) == {200, 400, 404}
    suite_model.send_accepted(DELETE, {"username": "ct-a b"})
    assert _summarize_mismatches(suite_model, [one, third]) == _summarize_mismatches(suite_model, [other, third]) == []
    assert _summarize_mismatches(suite_model, [one, other]) == [("row-missing", f"{CREATE}/effect/username")]


def test_forgotten_names_are_open_again(model: ModelDriver, row: dict[str, Any]) -> None:
    """After the target left the contract, the model forgets the name.

    Any state of its user is allowed; other names are as certain as before.
    """
    model.send_accepted(CREATE, {"username": "ct-b"})
    other = model.list_rows()["ct-b"]
    model.state = model.contract.model.forget(model.state, ["CT-A", "ct-a"])
    assert _summarize_mismatches(model, [other]) == _summarize_mismatches(model, [{**row, "quota": 99}, other]) == []
    assert model.list_statuses(CREATE, {"username": "ct-a"}) == {200, 409}
    assert model.list_statuses(DELETE, {"username": "ct-a"}) == {200, 404}
    assert model.list_statuses(DELETE, {"username": "ct-c"}) == {404}


def test_owned_and_dumped_are_what_exists(mock_model: ModelDriver) -> None:
    """A run knows the users to delete by account, and a dump contains no password."""
    for account in KEYS:
        mock_model.send_request(CREATE, {"username": f"of-{account}", "password": "correct horse"}, account)
    model = mock_model.contract.model
    assert model.list_owned(mock_model.state) == [("paid", "of-paid"), ("free", "of-free")]
    assert [user["username"] for user in model.dump(mock_model.state)] == ["of-paid", "of-free"]
    assert "horse" not in repr(mock_model.state)
