"""The guard decides from the bytes which requests may reach a real account, and blocks all others."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.protobuf import MessageCodec
from contract_watch.contracts.registry import load_contracts
from contract_watch.engine.account.guard import (
    BlockedRequestError,
    Guard,
    LiveMode,
)
from contract_watch.engine.account.object_names import NameGenerator, build_name_variants, compute_check_character
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.wire import encode_library_request

JETEMAIL, SMTP2GO, ZITADEL = (load_contracts()[slug] for slug in ("jetemail", "smtp2go", "zitadel"))


def make_names(day: dt.date, head: str) -> NameGenerator:
    """Create names of a fixed run: the collected tests are the same in every process."""
    return NameGenerator(day, head + compute_check_character(f"{day:%y%m%d}{head}"))


NAMES = make_names(dt.date(2026, 11, 21), "guard")
OURS = NAMES.create_name()
BASE = "http://127.0.0.1"
JSON = {"content-type": "application/json"}


def make_guard(contract: Any = JETEMAIL, mode: LiveMode = LiveMode.MUTATE, **more: Any) -> Guard:
    """Create a guard with the test keys."""
    keys = {credential.account: credential.test for credential in contract.credentials}
    return Guard(contract, contract.base_path, keys, NAMES, mode, **more)


def make_request(
    contract: Any, method: str, path: str, body: Any = None, *, key: str | None = "", headers: Mapping[str, str] = {}
) -> EncodedRequest:
    """Build a request with the first account's key (None: without one); a body of bytes is sent unchanged."""
    location, first = contract.credential_locations[0], contract.credentials[0]
    sent = {} if key is None else {location.header: location.form.format(key or first.test)}
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    all_headers = {**sent, **(JSON if content else {}), **headers}
    return encode_library_request(
        httpx.Request(method, BASE + contract.base_path + path, headers=all_headers, content=content)
    )


def is_blocked(outgoing: EncodedRequest, by: Guard | None = None) -> bool:
    """Return True if the guard blocks a request."""
    try:
        (by or make_guard()).check_request(outgoing)
    except BlockedRequestError:
        return True
    return False


def make_deletion(username: Any) -> EncodedRequest:
    """Build JetEmail's deletion of a user."""
    return make_request(JETEMAIL, "DELETE", "/outbound/smarthost", {"username": username})


FOREIGN = [
    "smtp-user1", "existing-user", "new-username", "", " ", "0", "*", "%", ".", "..", "ct-", "ct-261121-", NAMES.run_prefix[:-1],
    f" {OURS}", f"x{OURS}", f"{OURS},smtp-user1", f"{OURS}\nsmtp-user1", f"{OURS}\0", f"{OURS}/../smtp-user1", f"{OURS}*",
    f"{OURS}%", OURS.replace("ct-", "сt-"), make_names(dt.date(2026, 11, 21), "other").create_name(), make_names(dt.date(2026, 11, 20), "guard").create_name(),
    "ct-261121-abcdef-1-n",
]  # fmt: skip


@pytest.mark.parametrize("name", FOREIGN, ids=ascii)
def test_a_name_that_is_not_the_run_s_is_blocked(name: str) -> None:
    """No request names a foreign object on a real account.

    Foreign names include another run's and near misses: one character, upper case, a Cyrillic letter, or a suffix that
    a lenient server reads as a second name.
    """
    assert is_blocked(make_deletion(name))


@pytest.mark.parametrize("name", [OURS, NAMES.create_name(64), *build_name_variants(OURS).values()])
def test_a_name_of_the_run_s_form_passes(name: str) -> None:
    """A run's name passes in every spelling of the probes: the run's part survives lower-casing and replacement."""
    assert not is_blocked(make_deletion(name))


@pytest.mark.parametrize("value", [None, True, False, {}, [], [None], [OURS, [OURS]], {OURS: OURS}, [{}, False]])
def test_what_cannot_name_anything_passes(value: Any) -> None:
    """An absent, null, boolean or empty value names nothing.

    A list or object passes if all its strings are the run's own.
    """
    assert not is_blocked(make_deletion(value))


@pytest.mark.parametrize("value", [0, 1, -1, 1.5, 12345678, [0], [OURS, 1], ["smtp-user1"], {"a": OURS}, {OURS: 0}, [[["x"]]],
                                   {OURS: "smtp-user1"}])  # fmt: skip
def test_numbers_and_what_holds_somebody_else_s_text_are_blocked(value: Any) -> None:
    """No number passes, since a lenient server reads 0 as "0"."""
    assert is_blocked(make_deletion(value))


def test_a_rename_is_checked_at_both_ends() -> None:
    """Only a rename from one of the run's names to another passes."""

    def rename(old: Any, new: Any) -> EncodedRequest:
        return make_request(JETEMAIL, "PATCH", "/outbound/smarthost", {"currentUsername": old, "newUsername": new})

    assert is_blocked(rename(OURS, "smtp-user1"))
    assert is_blocked(rename("smtp-user1", OURS))
    assert not is_blocked(rename(OURS, NAMES.create_name()))


@pytest.mark.parametrize(
    "body",
    [
        f'{{"username": "{OURS}", "username": "smtp-user1"}}',
        f'{{"username": "smtp-user1", "username": "{OURS}"}}',
        f'{{"username": "{OURS}", "Username": "smtp-user1"}}',
        f'{{"username": "{OURS}", "user_name": "smtp-user1"}}',
        f'{{"username": "{OURS}", "ｕｓｅｒｎａｍｅ": "smtp-user1"}}',
        f'{{"username": "{OURS}", "currentUsername": "smtp-user1"}}',
        f'{{"username": "{OURS}", "all": [{{"username": "smtp-user1"}}]}}',
        f'[{{"username": "{OURS}"}}, {{"username": "smtp-user1"}}]',
        '["smtp-user1"]',
        '"smtp-user1"',
        "7",
        '{"username": "smtp-user1"',
        f'{{"username": "{OURS}"}} {{"username": "smtp-user1"}}',
        "username=smtp-user1",
    ],
)  # fmt: skip
def test_every_way_in_which_a_body_may_be_read_counts(body: str) -> None:
    """A value that some server could read as a name counts as one.

    The bodies repeat, respell or nest names, put names next to objects, or are not JSON.
    """
    assert is_blocked(make_request(JETEMAIL, "DELETE", "/outbound/smarthost", body.encode()))


def test_what_a_request_looks_like_is_what_it_is() -> None:
    """The guard blocks queries, method overrides, compressed bodies, forms, other paths and undocumented methods."""
    body = {"username": OURS}
    path = "/outbound/smarthost"
    assert not is_blocked(make_request(JETEMAIL, "DELETE", path, body))
    assert is_blocked(make_request(JETEMAIL, "DELETE", f"{path}?username=smtp-user1", body))
    assert is_blocked(make_request(JETEMAIL, "GET", path, headers={"X-HTTP-Method-Override": "DELETE"}))
    assert is_blocked(make_request(JETEMAIL, "DELETE", path, body, headers={"Content-Encoding": "gzip"}))
    assert is_blocked(
        make_request(JETEMAIL, "DELETE", path, body, headers={"content-type": "application/x-www-form-urlencoded"})
    )
    for method, other in (("DELETE", "/outbound"), ("DELETE", f"{path}/"), ("PUT", path), ("TRACE", path), ("GET", "/x"),
                          ("DELETE", f"/outbound/../outbound{path}"), ("GET", "/__mock/health")):  # fmt: skip
        assert is_blocked(make_request(JETEMAIL, method, other, body if method == "DELETE" else None)), (method, other)


def test_an_id_is_the_run_s_only_where_it_was_handed_to_it() -> None:
    """ZITADEL assigns ids. The guard checks them in paths, encoded, in bodies and in gRPC-web and gRPC messages."""
    ours = make_guard(ZITADEL, ids={"281474976710656"})

    def remove(identity: str) -> EncodedRequest:
        return make_request(ZITADEL, "DELETE", f"/admin/v1/smtp/{identity}")

    assert not is_blocked(remove("281474976710656"), ours)
    for other in ("281474976710657", "28147497671065", "%2e%2e", "281474976710656%2F..", "281474976710656%00"):
        assert is_blocked(remove(other), ours), other
    change = make_request(
        ZITADEL, "PUT", "/admin/v1/smtp/281474976710656/password", {"password": "x", "id": "281474976710657"}
    )
    assert is_blocked(change, ours)
    messages = MessageCodec(ZITADEL)
    operation = ZITADEL.operations["removeSmtpConfig"]
    for identity, wanted in (("281474976710656", False), ("281474976710657", True)):
        framed = grpc_web_frames.encode_frame(messages.encode_request(operation, {"id": identity}, {}))
        web = make_request(
            ZITADEL,
            "POST",
            messages.get_method_path(operation.id),
            framed,
            headers={"content-type": "application/grpc-web+proto"},
        )
        assert is_blocked(web, ours) is wanted
        native = EncodedRequest("POST", messages.get_method_path(operation.id), {}, framed[5:], is_grpc_message=True)
        assert is_blocked(native, ours) is wanted
    assert is_blocked(
        EncodedRequest("POST", "/zitadel.admin.v1.AdminService/RemoveOrg", {}, b"", is_grpc_message=True), ours
    )


def test_what_would_bear_no_mark_is_not_made() -> None:
    """If the server assigns ids, an object is created only with a name by which a sweep can find it."""
    plain = {"senderAddress": "a@example.com", "senderName": "a", "host": "smtp.example.com:25"}
    for description in ({}, {"description": None}, {"description": ""}, {"description": True}):
        assert is_blocked(
            make_request(ZITADEL, "POST", "/admin/v1/smtp", {**plain, **description}), make_guard(ZITADEL)
        )
    assert not is_blocked(
        make_request(ZITADEL, "POST", "/admin/v1/smtp", {**plain, "description": OURS}), make_guard(ZITADEL)
    )


def test_somebody_else_s_account_is_never_acted_for() -> None:
    """Runs never send SMTP2GO's arguments for subaccounts and address pools, so the guard blocks them."""
    for argument, value in (("subaccount_id", "abc"), ("subaccount_id", 7), ("ip_pool", 1), ("SubAccountID", "abc")):
        assert is_blocked(
            make_request(SMTP2GO, "POST", "/users/smtp/remove", {"username": OURS, argument: value}),
            make_guard(SMTP2GO),
        )
    assert not is_blocked(make_request(SMTP2GO, "POST", "/users/smtp/remove", {"username": OURS}), make_guard(SMTP2GO))
    # Reading is by POST here, and minds the same.
    assert is_blocked(make_request(SMTP2GO, "POST", "/users/smtp/view", {"username": "somebody"}), make_guard(SMTP2GO))


def test_without_consent_only_what_reads_or_must_be_refused_passes() -> None:
    """LIVE=read sends no change with a valid key, in any credential location or spelling.

    Lists pass, and so do changes with a wrong key or none.
    """
    reader = make_guard(mode=LiveMode.READ)
    body, key, path = {"username": OURS}, JETEMAIL.credentials[0].test, "/outbound/smarthost"
    assert is_blocked(make_request(JETEMAIL, "DELETE", path, body), reader)
    for form in (f"Basic {key}", key, f"Bearer  {key} ", f'Bearer "{key}"', f"Bearer x, Bearer {key}"):
        assert is_blocked(
            make_request(JETEMAIL, "DELETE", path, body, key=None, headers={"Authorization": form}), reader
        ), form
    assert is_blocked(make_request(JETEMAIL, "DELETE", path, body, key=JETEMAIL.credentials[1].test), reader)
    assert not is_blocked(make_request(JETEMAIL, "DELETE", path, body, key=None), reader)
    assert not is_blocked(make_request(JETEMAIL, "DELETE", path, body, key=f"{key}x"), reader)
    assert not is_blocked(make_request(JETEMAIL, "GET", path), reader)
    # Even without a key nobody else's object is named.
    assert is_blocked(make_request(JETEMAIL, "DELETE", path, {"username": "smtp-user1"}, key=None), reader)
    inside = {"username": OURS, "api_key": SMTP2GO.credentials[0].test}
    assert is_blocked(
        make_request(SMTP2GO, "POST", "/users/smtp/add", inside, key=None), make_guard(SMTP2GO, mode=LiveMode.READ)
    )


def test_what_changes_others_needs_consent_of_its_own() -> None:
    """An operation that deactivates a foreign object needs consent of its own, beyond LIVE=mutate.

    Without it only the one permitted id passes, for restoring.
    """
    activate = make_request(ZITADEL, "POST", f"/admin/v1/smtp/{OURS}/_activate")
    assert is_blocked(activate, make_guard(ZITADEL))
    assert not is_blocked(activate, make_guard(ZITADEL, consents=frozenset({"activateSmtpConfig"})))
    former = make_request(ZITADEL, "POST", "/admin/v1/smtp/123/_activate")
    assert is_blocked(former, make_guard(ZITADEL, consents=frozenset({"activateSmtpConfig"})))
    restoring = make_guard(ZITADEL)
    with restoring.permit_pairs({("activateSmtpConfig", "123")}):
        assert not is_blocked(former, restoring)
        assert is_blocked(make_request(ZITADEL, "POST", "/admin/v1/smtp/124/_activate"), restoring)
        assert is_blocked(make_request(ZITADEL, "DELETE", "/admin/v1/smtp/123"), restoring)
    assert is_blocked(former, restoring)


def test_what_is_blocked_is_reported_without_its_values() -> None:
    """The error contains no value from the request and no secret."""
    hostile = {"username": "smtp-user1", "password": "hunter2hunter2"}
    with pytest.raises(BlockedRequestError) as caught:
        make_guard().check_request(make_request(JETEMAIL, "POST", "/outbound/smarthost", hostile))
    assert str(caught.value) == "POST /outbound/smarthost: `username` names an object that is not the run's own"


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from([OURS, OURS.upper(), "smtp-user1"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["username", "UserName", "newUsername", "note", OURS]) | st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def _may_name_objects(value: Any) -> bool:
    """Return True if a value holds anything but the run's own strings, nulls and booleans: the naive guard."""
    if isinstance(value, dict):
        return any(_may_name_objects(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return any(map(_may_name_objects, value))
    return not (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, str) and value.lower().startswith(NAMES.run_prefix))
    )


def _names_foreign_object(value: Any) -> bool:
    if isinstance(value, dict):
        named = [inner for name, inner in value.items() if "username" in name.lower()]
        return any(map(_may_name_objects, named)) or any(map(_names_foreign_object, value.values()))
    return isinstance(value, list) and any(map(_names_foreign_object, value))


@given(body=st.dictionaries(st.sampled_from(["username", "UserName", "password", "note"]), _values, max_size=4))
@settings(max_examples=500, deadline=None)
def test_whatever_the_body_no_other_name_passes(body: dict[str, Any]) -> None:
    """No body passes in which a naive reader finds a foreign name; every other body passes."""
    outgoing = make_request(JETEMAIL, "DELETE", "/outbound/smarthost", body)
    assert is_blocked(outgoing) is _names_foreign_object(body)
