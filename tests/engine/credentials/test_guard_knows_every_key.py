"""The guard sees whose key a request carries in every form, and lets a request for a token pass that asks for nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.account.guard import BlockedRequestError, Guard, LiveMode
from contract_watch.engine.planning.probe import build_credential_headers, make_operation_request
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.token_requests import build_token_request
from contract_watch.engine.protocols.wire import encode_as_rest
from tests.engine.account.test_guard_blocks_foreign_requests import NAMES, OURS
from tests.support.credential_forms import FORMS

ORIGIN = "https://api.made.example"


def _make(tmp_path: Path, form: str, mode: LiveMode) -> tuple[Contract, Guard]:
    contract = FORMS[form].write(tmp_path, form)
    keys = {credential.account: credential.test for credential in contract.credentials}
    return contract, Guard(contract, contract.base_path, keys, NAMES, mode)


def _encode(contract: Contract, operation: str, arguments: dict[str, object], key: str) -> EncodedRequest:
    headers = build_credential_headers(contract, key)
    request = make_operation_request(contract, contract.operations[operation], arguments, "", headers)
    return encode_as_rest(ORIGIN + contract.base_path, request, contract.operations)


@pytest.mark.parametrize("form", FORMS)
def test_a_change_with_a_key_needs_permission(tmp_path: Path, form: str) -> None:
    """With LIVE=read a change is blocked if it carries the account's key; with LIVE=mutate it may name own objects only."""
    contract, guard = _make(tmp_path, form, LiveMode.READ)
    key = contract.credentials[0].test
    own = _encode(contract, "createThing", {"name": OURS}, key)
    with pytest.raises(BlockedRequestError, match="LIVE=mutate"):
        guard.check_request(own)
    assert guard.check_request(_encode(contract, "listThings", {}, key)).holder == "main"
    changing = replace(guard, mode=LiveMode.MUTATE)
    assert changing.check_request(own).holder == "main"
    with pytest.raises(BlockedRequestError, match="not the run's own"):
        changing.check_request(_encode(contract, "createThing", {"name": "theirs"}, key))


def test_a_query_holds_the_key_and_nothing_else(tmp_path: Path) -> None:
    """A change whose query has anything beside the key could name an object."""
    contract, guard = _make(tmp_path, "madequery", LiveMode.MUTATE)
    own = _encode(contract, "createThing", {"name": OURS}, contract.credentials[0].test)
    assert guard.check_request(own).is_mutating
    for more in ("&id=theirs", ";id=theirs", "&API_KEY=x"):
        with pytest.raises(BlockedRequestError):
            guard.check_request(replace(own, url=own.url + more))


@pytest.mark.parametrize("form", ["madetoken", "madebody"])
def test_a_request_for_a_token_asks_for_nothing_else(tmp_path: Path, form: str) -> None:
    """The exact request passes in either mode; with another path, method, grant, scope, pair or header it does not."""
    contract, guard = _make(tmp_path, form, LiveMode.READ)
    token = contract.token
    assert token is not None
    asked = build_token_request(token, ORIGIN, contract.credentials[0].test)
    assert guard.check_request(asked).holder == "main"
    assert not guard.check_request(asked).is_mutating
    assert guard.check_request(build_token_request(token, ORIGIN, "any:other")).holder == ""
    content = asked.content.decode()
    for other in (
        replace(asked, url=asked.url + "/more"),
        replace(asked, url=asked.url + "?id=theirs"),
        replace(asked, method="PUT"),
        replace(asked, content=content.replace("client_credentials", "password").encode()),
        replace(asked, content=f"{content}&id=theirs".encode()),
        replace(asked, content=f"{content};id=theirs".encode()),
        replace(asked, content=f"{content}&grant_type=client_credentials".encode()),
        replace(asked, headers={**asked.headers, "x-http-method-override": "DELETE"}),
        replace(asked, headers={**asked.headers, "content-type": "application/json"}),
        replace(asked, headers={**asked.headers, "authorization": "Bearer other"}),
    ):
        with pytest.raises(BlockedRequestError):
            guard.check_request(other)
