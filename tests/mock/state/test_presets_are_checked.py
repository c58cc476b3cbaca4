"""A preset becomes the state of a vendor, and one that breaks the contract is refused in one line that changes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.preset import load_preset, read_preset_file
from contract_watch.mock.vendor import MockVendor
from tests.contracts.resource.test_forms_of_apis_agree_with_their_mock import FORMS
from tests.support.depot import SLUG as DEPOT
from tests.support.depot import copy_depot
from tests.support.resource_contracts import MadeApi

USER = "user-one"
CONFIG = {"senderAddress": "a@example.com", "senderName": "A", "host": "smtp.example.com:587"}
ACTIVE = {"state": "SMTP_CONFIG_ACTIVE"}


def _build_vendor(slug: str) -> MockVendor:
    return MockVendor(Contract(slug), {})


def _list_objects(vendor: MockVendor, account: int = 0) -> list[dict[str, Any]]:
    """Return what the vendor's list shows an account."""
    contract = vendor.contract
    assert contract.list_config is not None
    operation = contract.operations[contract.list_config.operation]
    location = contract.credential_locations[0]
    headers = {location.key: location.build_value(vendor.accounts[account].key)}
    status, body = vendor.handle_request(operation, operation.path, headers, {})
    assert status == 200
    for part in contract.list_config.rows.strip("/").split("/"):
        body = body.get(part, []) if isinstance(body, dict) else body
    rows: list[dict[str, Any]] = body
    return rows


def _preset(slug: str, *objects: Any) -> MockVendor:
    vendor = _build_vendor(slug)
    load_preset({slug: vendor}, {slug: list(objects)}, "preset.yaml")
    return vendor


def test_preset_objects_are_listed() -> None:
    """A list shows what a preset says of an object, and for the rest what a create would give."""
    [row] = _list_objects(_preset("jetemail", {"username": "a", "status": "quota-locked", "usage": 9, "quota": 5}))
    assert (row["username"], row["status"], row["usage"], row["quota"]) == ("a", "quota-locked", 9, 5)
    assert (row["allowAnyDomain"], row["approvedDomains"]) == (0, "[]")


@pytest.mark.parametrize("written", ["2025-11-30T00:00:00Z", "2025-11-30", "1764460800000"])
def test_times_have_any_form(written: str) -> None:
    """A time may be ISO 8601 or what the vendor shows; an object that was not changed since has it twice."""
    [row] = _list_objects(_preset("jetemail", {"username": "a", "created_date": written}))
    assert (row["created_date"], row["last_modified"]) == ("1764460800000", 1764460800)


def test_no_millisecond_is_lost() -> None:
    """A time that a float cannot hold exactly is listed as it was written."""
    [row] = _list_objects(_preset("jetemail", {"username": "a", "created_date": "269459969247"}))
    assert row["created_date"] == "269459969247"


def test_values_may_be_spelled_as_responses_do() -> None:
    """A value may have the form of a response: a number for a flag, a string with JSON, another name, null."""
    preset = _preset("jetemail", {"username": "a", "allowAllDomains": 1, "ipRestrictions": '["192.0.2.1"]'})
    assert [(row["allowAllDomains"], row["ipRestrictions"]) for row in _list_objects(preset)] == [(1, '["192.0.2.1"]')]
    preset = _preset("smtp2go", {"username": USER, "ippool": 7, "description": None, "sending_allowed": False})
    [row] = _list_objects(preset)
    assert (row["ippool"], row["description"], row["sending_allowed"]) == (7, "", False)


def test_secrets_are_kept_or_generated() -> None:
    """A preset's password is shown as given; one that is absent or masked is a new one for each object."""
    given = "Correct-Horse-99-Staple"
    users = [{"username": f"{USER}-{n}"} for n in range(2)]
    vendor = _preset("smtp2go", {"username": USER, "email_password": given}, *users,
                     {"username": "user-masked", "email_password": "[redacted, 24 characters]"})  # fmt: skip
    shown = [row["email_password"] for row in _list_objects(vendor)]
    assert shown[0] == given
    assert len(set(shown)) == 4
    assert all(len(one) >= 16 for one in shown)


def test_configurations_have_their_history() -> None:
    """A configuration has the id, state, dates and sequence of the preset; others get the next ones."""
    dates = {"creationDate": "2025-01-01T00:00:00Z", "changeDate": "2025-02-01T00:00:00Z"}
    first = {**CONFIG, **ACTIVE, "id": "317512345678901234", "details": {**dates, "sequence": "7"}}
    vendor = _preset("zitadel", first, CONFIG)
    one, other = _list_objects(vendor)
    assert (one["id"], one["state"], one["details"]["sequence"]) == (first["id"], "SMTP_CONFIG_ACTIVE", "7")
    assert one["details"]["creationDate"].startswith("2025-01-01T00:00:00")
    assert one["details"]["changeDate"].startswith("2025-02-01T00:00:00")
    assert (other["state"], other["details"]["sequence"]) == ("SMTP_CONFIG_INACTIVE", "8")
    assert other["id"].isdigit()


def test_preset_objects_can_be_changed() -> None:
    """A user of a preset is an object like any other: its name is taken, and it can be removed."""
    vendor = _preset("jetemail", {"username": "a"})
    headers = {"authorization": f"Bearer {vendor.accounts[0].key}"}
    operations = vendor.contract.operations
    create, remove = operations["createSmtpUser"], operations["deleteSmtpUser"]
    assert vendor.handle_request(create, create.path, headers, {"username": "a"})[0] == 409
    assert vendor.handle_request(remove, remove.path, headers, {"username": "a"})[0] == 200
    assert _list_objects(vendor) == []


REFUSALS: list[tuple[str, Any, str]] = [
    ("jetemail", 5, "[1] must be an object, got 5"),
    ("jetemail", {}, "[1].username is required"),
    ("jetemail", {"username": 5}, "[1].username must be a string, got 5"),
    ("jetemail", {"username": "A b"}, "[1].username must match ^[a-z0-9-]+$, got 'A b'"),
    ("jetemail", {"username": "first"}, "[1].username must be unique, got 'first' as jetemail[0] has"),
    ("jetemail", {"usernam": "a"}, "[1]: unknown property 'usernam'; did you mean 'username'?"),
    ("jetemail", {"username": "a", "\x1b[2J": 1}, "[1]: unknown property '\\x1b[2J'; choose from"),
    ("jetemail", {"username": "a", "account": "x"}, "[1].account must be one of paid, free, got 'x'"),
    ("jetemail", {"username": "a", "status": "x"}, "[1].status must be one of disabled, inactive, active, suspended,"),
    ("jetemail", {"username": "a", "quota": -1}, "[1].quota must be at least 0, got -1"),
    ("jetemail", {"username": "a", "quota": "1"}, "[1].quota must be a number, got '1'"),
    ("jetemail", {"username": "a", "quota": None}, "[1].quota must be a number, got null"),
    ("jetemail", {"username": "a", "usage": "9"}, "[1].usage must be a number, got '9'"),
    ("jetemail", {"username": "a", "approvedDomains": ["x y"]}, "[1].approvedDomains[0] must match"),
    ("jetemail", {"username": "a", "password": "short"}, "[1].password must have at least 8 characters, got a secret"),
    ("jetemail", {"username": "a", "password": 12345678}, "[1].password must be a string, got a secret"),
    ("jetemail", {"username": "a", "created_date": "yesterday"}, "[1].created_date must be a time of the years 1970 to 9999"),
    ("jetemail", {"username": "a", "created_date": "-5"}, "[1].created_date must be a time of the years 1970 to 9999"),
    ("jetemail", {"username": "a", "created_date": True}, "[1].created_date must be a time of the years 1970 to 9999"),
    ("jetemail", {"username": "a", "created_date": "2025-01-01", "last_modified": 5}, "[1].last_modified must not be before created_date"),
    ("jetemail", {"username": "a", "allowAnyDomain": True, "allowAllDomains": 1}, "allowAnyDomain and allowAllDomains cannot both be enabled."),
    ("jetemail", {"username": "a", "account": "free", "allowAnyDomain": 1}, "would refuse it with 403: allowAnyDomain needs a paid plan"),
    ("smtp2go", {"username": "abc"}, "[1].username must have at least 5 characters, got 'abc'"),
    ("smtp2go", {"username": USER, "custom_ratelimit_value": 5}, "[1].custom_ratelimit_value: the vendor would store null instead of 5"),
    ("smtp2go", {"username": USER, "email_password": "aa"}, "[1]: addSmtpUser would refuse it with 400: A password has at least 64 bits"),
    ("smtp2go", {"username": USER, "account": "restricted"}, "A key without permission for an operation is rejected"),
    ("smtp2go", {"username": USER, "ippool": 1, "ip_pool": 2}, "the object has this property under another name too"),
    ("smtp2go", {"username": USER, "ippool": "x"}, "[1].ippool must be an integer, got 'x'"),
    ("zitadel", {**CONFIG, "state": "ON"}, "[1].state must be one of SMTP_CONFIG_ACTIVE, SMTP_CONFIG_INACTIVE, got 'ON'"),
    ("zitadel", {**CONFIG, **ACTIVE}, "[1].state: at most one configuration is active, and zitadel[0] is"),
    ("zitadel", {**CONFIG, "id": "1"}, "[1].id must be unique, got '1' as zitadel[0] has"),
    ("zitadel", {**CONFIG, "id": "../x"}, "[1].id must be an id such as '317512345678901234', got '../x'"),
    ("zitadel", {**CONFIG, "details": {"sequence": "0"}}, "[1].details.sequence must match ^[1-9][0-9]{0,19}$, got '0'"),
    ("zitadel", {**CONFIG, "details": {"extra": 1}}, "[1].details.extra: unknown property; choose from"),
    ("zitadel", {**CONFIG, "details": {"resourceOwner": "1"}}, "[1].details.resourceOwner must be"),
    ("zitadel", {**CONFIG, "details": {"creationDate": "2025-02-01T00:00:00Z", "changeDate": "2025-01-01T00:00:00Z"}}, "[1].details.changeDate must not be before creationDate"),
    ("zitadel", {**CONFIG, "details": {"creationDate": "1969-12-31T00:00:00Z"}}, "[1].details.creationDate must be a time"),
    ("zitadel", {"senderName": "x", "host": "a:1"}, "[1].senderAddress is required"),
    ("zitadel", {**CONFIG, "tls": "yes"}, "[1].tls must be true or false, got 'yes'"),
    ("zitadel", {**CONFIG, "host": "smtp"}, "The source rejects a host that it cannot split into host and port"),
]  # fmt: skip
FIRST = {"jetemail": {"username": "first"}, "smtp2go": {"username": "first-user"}, "zitadel": {**CONFIG, **ACTIVE, "id": "1"}}  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "bad", "problem"), REFUSALS, ids=[f"{slug} {problem}" for slug, _, problem in REFUSALS]
)
def test_bad_objects_are_refused(slug: str, bad: Any, problem: str) -> None:
    """An object that the vendor cannot have is one line that names file, object and property; the state stays."""
    vendor = _preset(slug, FIRST[slug])
    before = vendor.dump()
    with pytest.raises(UsageError) as caught:
        load_preset({slug: vendor}, {slug: [FIRST[slug], bad]}, "preset.yaml")
    message = str(caught.value)
    assert message.startswith(f"preset.yaml: {slug}[1]")
    assert problem in message
    assert message.isprintable()
    assert vendor.dump() == before


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ([], 'must be an object {"<vendor>": [<objects>]}, got []'),
        ({"jetemal": []}, "unknown vendor 'jetemal'; did you mean 'jetemail'?"),
        ({"jetemail": {}}, "jetemail must be a list of objects, got {}"),
        ({"jetemail": [{"username": "new"}], "smtp2go": [{"username": "x"}]}, "smtp2go[0].username must have"),
    ],
)
def test_a_preset_changes_all_vendors_or_none(raw: Any, problem: str) -> None:
    """A preset whose last vendor breaks its contract leaves the first one as it was."""
    vendors = {slug: _build_vendor(slug) for slug in ("jetemail", "smtp2go")}
    load_preset(vendors, {"jetemail": [{"username": "old"}]}, "preset.yaml")
    with pytest.raises(UsageError) as caught:
        load_preset(vendors, raw, "preset.yaml")
    assert problem in str(caught.value)
    assert [row["username"] for row in _list_objects(vendors["jetemail"])] == ["old"]


def test_a_list_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of more objects than the limit is refused before any is read."""
    monkeypatch.setattr("contract_watch.contracts.resource.preset.MAX_OBJECTS", 1)
    with pytest.raises(UsageError, match="must have at most 1 objects, got 2"):
        _preset("jetemail", 5, 5)


def test_interpretations_decide_about_presets() -> None:
    """An object that the chosen interpretation refuses is refused, and the default one takes it."""
    odd = {"username": USER, "audit_email": "no address"}
    assert len(_list_objects(_preset("smtp2go", odd))) == 1
    vendor = MockVendor(Contract("smtp2go"), {}, {"odd-values": "refused"})
    with pytest.raises(UsageError, match="No page documents this value of audit_email"):
        load_preset({"smtp2go": vendor}, {"smtp2go": [odd]}, "preset.yaml")


@pytest.mark.parametrize("first", [[], [{"username": "good"}]])
def test_a_name_that_the_vendor_changes_is_refused(first: list[Any]) -> None:
    """A name that the chosen interpretation sanitises is refused, also after an object that differs by its name alone."""
    vendor = MockVendor(Contract("jetemail"), {}, {"names": "sanitised"})
    with pytest.raises(UsageError, match=r"\.username: the vendor would store 'bad-name'; write that"):
        load_preset({"jetemail": vendor}, {"jetemail": [*first, {"username": "Bad Name"}]}, "preset.yaml")


def test_names_that_the_vendor_takes_for_one_are_refused() -> None:
    """Two users whose names differ by case are one where the chosen interpretation folds names."""
    names = [{"username": "user-one"}, {"username": "USER-one"}]
    assert len(_list_objects(_preset("smtp2go", *names))) == 2
    vendor = MockVendor(Contract("smtp2go"), {}, {"names": "folded"})
    with pytest.raises(UsageError, match=r"smtp2go\[1\].username must be unique"):
        load_preset({"smtp2go": vendor}, {"smtp2go": names}, "preset.yaml")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_api_takes_its_own_export(form: str, tmp_path: Path) -> None:
    """Whatever the form of an API, objects by name get the rest, and an export of them is a preset of the same."""
    vendor = MockVendor(FORMS[form].write(tmp_path), {})
    load_preset({"made": vendor}, {"made": [{"name": "thing-one"}, {"name": "thing-two"}]}, "preset")
    exported = json.loads(json.dumps(vendor.dump()))
    assert [one["name"] for one in exported] == ["thing-one", "thing-two"]
    other = MockVendor(vendor.contract, {})
    load_preset({"made": other}, {"made": exported}, "export")
    assert other.dump() == vendor.dump()


def test_what_the_list_may_not_show_is_refused(tmp_path: Path) -> None:
    """An object that a create would take, but whose row breaks the list's schema, is refused with the operation."""
    api = MadeApi(properties={"color": {"type": "string", "example": "red"}})
    api.write(tmp_path, "narrow")
    file = tmp_path / "contracts" / "narrow" / "published.json"
    document = json.loads(file.read_text(encoding="utf-8"))
    rows = document["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    rows["properties"]["things"]["items"]["properties"]["color"]["enum"] = ["red"]
    file.write_text(json.dumps(document), encoding="utf-8")
    vendor = MockVendor(Contract("narrow", tmp_path), {})
    with pytest.raises(
        UsageError, match=r"narrow\[0\].color must be one of red, got 'blue', as listThings would show it"
    ):
        load_preset({"narrow": vendor}, {"narrow": [{"name": "one", "color": "blue"}]}, "preset")


def test_a_model_of_its_own_takes_no_preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract whose model is no resource model says so in one line."""
    vendor = MockVendor(copy_depot(tmp_path, monkeypatch), {})
    with pytest.raises(UsageError, match=r"^preset: depot: the contract's own model takes no preset"):
        load_preset({DEPOT: vendor}, {DEPOT: []}, "preset")


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("p.yaml", b"['x'", "p.yaml:1: is not YAML ("),
        ("p.yaml", b"a: &x 1\nb: *x\n", "p.yaml:2: has an alias; write the value out"),
        ("p.yaml", b"a: !!python/object 1\n", "p.yaml:1: has a tag; leave it out"),
        ("p.yaml", b"a: 1\na: 2\n", "an object has the name 'a' twice; keep one"),
        ("p.yaml", b"[a]: 1\n", "p.yaml:1: has a name that is no string"),
        ("p.yaml", b"a: 1\n---\nb: 1\n", "p.yaml:3: begins a second document"),
        ("p.yaml", b"[" * 100_000, ":1: is nested deeper than 32 levels"),
        ("p.yaml", b"\xff", "p.yaml:1: is not UTF-8"),
        ("p.yaml", b"a: \x07", "p.yaml:1: is not YAML ("),
        ("p.json", b"{", "p.json:1: is not JSON (Expecting property name"),
        ("p.json", b'{"a": 1, "a": 2}', "an object has the name 'a' twice; keep one"),
        ("p.json", b'{"a": NaN}', "p.json:1: has a number that is not finite"),
        ("p.json", b"[" * 100_000, ":1: is nested deeper than 32 levels"),
        ("p.json", b"[" * 40 + b"]" * 40, ":1: is nested deeper than 32 levels"),
        ("p.json", b"9" * 5000, "p.json:1: has a number of more than 4300 digits"),
    ],
)
def test_bad_files_are_refused(name: str, content: bytes, problem: str, tmp_path: Path) -> None:
    """A file that is no preset by its form is one line with its name; nothing in it ends the process."""
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_preset_file(file)
    assert str(caught.value).startswith(f"{file}:")
    assert problem in str(caught.value)
    assert str(caught.value).isprintable()


def test_large_and_missing_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the limit, a directory and a file that is not there are one line each."""
    monkeypatch.setattr("contract_watch.mock.preset.MAX_PRESET", 10)
    (tmp_path / "p.json").write_text("[" + " " * 10 + "]", encoding="utf-8")
    for name, problem in (
        ("p.json", "is larger than 10 bytes"),
        ("no.json", "No such file"),
        ("", "cannot be read"),
        ("a\nb", r"a\\nb: cannot be read"),
    ):
        with pytest.raises(UsageError, match=problem):
            read_preset_file(tmp_path / name)


def test_yaml_says_what_it_seems_to_say(tmp_path: Path) -> None:
    """In YAML, times and words such as no are strings, and numbers and booleans are what they are in JSON."""
    file = tmp_path / "p.yaml"
    file.write_text(
        "a: 2025-11-30\nb: no\nc: [1, 1.5, true, ~, 'true', 1e3, 0x1, 017, 1_0, 1:30]\nd:\n", encoding="utf-8"
    )
    expected = {
        "a": "2025-11-30",
        "b": "no",
        "c": [1, 1.5, True, None, "true", 1000.0, 1, 17, "1_0", "1:30"],
        "d": None,
    }
    assert read_preset_file(file) == expected
