"""The mock's token endpoint answers as RFC 6749 says, and its API accepts current tokens only."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from contract_watch.contracts.parameters import MAX_PAIRS
from contract_watch.contracts.registry import Contract
from contract_watch.errors import UsageError
from contract_watch.mock.app import Mock
from contract_watch.mock.tokens import LIFETIME
from contract_watch.mock.vendor import MockVendor, check_overlaps
from tests.support.credential_forms import CLIENT, FORMS

GRANT = {"grant_type": "client_credentials"}
PAIR = httpx.BasicAuth(*CLIENT.split(":"))
IN_BODY = dict(zip(("client_id", "client_secret"), CLIENT.split(":"), strict=True))


class _Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class _Api:
    """A mock of one form, called without a server."""

    def __init__(self, contract: Contract) -> None:
        self.vendor = MockVendor(contract, {})
        self.clock = _Clock()
        assert self.vendor.issuer is not None
        self.vendor.issuer._clock = self.clock  # noqa: SLF001 (its clock is the test's)
        self.mock = Mock([self.vendor], {})
        assert contract.token is not None
        self.path = contract.token.path

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send one request."""

        async def call() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.mock)) as client:
                return await client.request(method, f"http://127.0.0.1{path}", **more)

        return asyncio.run(call())

    def ask(self, form: Mapping[str, Any] = GRANT, auth: httpx.BasicAuth | None = PAIR) -> httpx.Response:
        """Ask for a token."""
        return self.send("POST", self.path, data=dict(form), auth=auth)

    def list_things(self, credential: str) -> int:
        """List the things; return the status."""
        return self.send("GET", "/v1/things", headers={"authorization": credential}).status_code


@pytest.fixture(name="api")
def _api(tmp_path: Path) -> _Api:
    return _Api(FORMS["madetoken"].write(tmp_path, "madetoken"))


@pytest.fixture(name="in_body")
def _in_body(tmp_path: Path) -> _Api:
    return _Api(FORMS["madebody"].write(tmp_path, "madebody"))


def test_a_token_is_accepted_until_it_ends(api: _Api) -> None:
    """Several tokens are current at once; after its lifetime each is refused."""
    first = api.ask().json()
    assert first["token_type"] == "Bearer"  # noqa: S105 (a word of the standard)
    assert first["expires_in"] == LIFETIME
    api.clock.seconds = LIFETIME - 1
    second = api.ask().json()
    assert [api.list_things(f"Bearer {one['access_token']}") for one in (first, second)] == [200, 200]
    api.clock.seconds = LIFETIME
    assert [api.list_things(f"Bearer {one['access_token']}") for one in (first, second)] == [401, 200]


def test_tokens_end_with_a_reset(api: _Api) -> None:
    """A test that begins anew finds no token of the test before; a snapshot brings no token back."""
    token = api.ask().json()["access_token"]
    assert api.list_things(f"Bearer {token}") == 200
    api.send("POST", "/__mock/snapshots/one")
    api.send("DELETE", "/__mock/state")
    assert api.list_things(f"Bearer {token}") == 401
    api.send("POST", "/__mock/snapshots/one/restore")
    assert api.list_things(f"Bearer {token}") == 401


def test_tokens_that_ended_take_no_room(api: _Api) -> None:
    """The next token that is issued removes those that have ended."""
    assert api.vendor.issuer is not None
    for _ in range(5):
        api.ask()
        api.clock.seconds += LIFETIME / 2
    assert len(api.vendor.issuer._tokens) == 2  # noqa: SLF001 (nothing shows it)


def test_nothing_else_is_accepted(api: _Api) -> None:
    """The key itself, a token with more behind it, one without its scheme, and none."""
    token = api.ask().json()["access_token"]
    wrong = [f"Bearer {CLIENT}", f"Bearer {token}x", token, f"Basic {token}", "Bearer other", "Bearer", ""]
    assert [api.list_things(one) for one in wrong] == [401] * len(wrong)


@pytest.mark.parametrize(
    ("form", "auth", "status", "code"),
    [
        (GRANT, httpx.BasicAuth("made-client", "wrong"), 401, "invalid_client"),
        (GRANT, None, 401, "invalid_client"),
        ({**GRANT, **IN_BODY}, None, 401, "invalid_client"),
        ({"grant_type": "password"}, PAIR, 400, "unsupported_grant_type"),
        ({}, PAIR, 400, "invalid_request"),
        ({"grant_type": ["client_credentials"] * 2}, PAIR, 400, "invalid_request"),
        ({**GRANT, "scope": "unknown"}, PAIR, 400, "invalid_scope"),
    ],
)
def test_a_refusal_has_the_error_of_the_standard(
    api: _Api, form: dict[str, Any], auth: httpx.BasicAuth | None, status: int, code: str
) -> None:
    """RFC 6749, section 5.2; a 401 names the scheme."""
    answer = api.send(
        "POST", api.path, data=form, auth=auth, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert (answer.status_code, answer.json()) == (status, {"error": code})
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert answer.headers["cache-control"] == "no-store"


def test_a_client_may_stand_in_the_body(in_body: _Api) -> None:
    """With `auth = "body"` the client is in the form, and only there; scopes are those of the contract."""
    assert in_body.ask({**GRANT, **IN_BODY, "scope": "things.read"}, None).status_code == 200
    assert in_body.ask(GRANT, PAIR).json() == {"error": "invalid_client"}
    assert in_body.ask({**GRANT, **IN_BODY, "scope": "things.all"}, None).json() == {"error": "invalid_scope"}


def test_other_requests_are_refused(api: _Api) -> None:
    """JSON is no form, and GET asks for nothing."""
    assert api.send("POST", api.path, json=GRANT, auth=PAIR).json() == {"error": "invalid_request"}
    assert api.send("GET", api.path, auth=PAIR).status_code == 405


def test_the_journal_has_the_request_and_no_secret(in_body: _Api) -> None:
    """Client secret and token are masked."""
    token = in_body.ask({**GRANT, **IN_BODY}, None).json()["access_token"]
    calls = in_body.send("GET", "/__mock/calls").text
    assert in_body.path in calls
    assert CLIENT.partition(":")[2] not in calls
    assert token not in calls


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", ""])
def test_a_request_of_another_type_shows_no_secret(in_body: _Api, media_type: str) -> None:
    """A JSON request is no form: its secret must not become the name of a field."""
    content = json.dumps({**GRANT, **IN_BODY, "client_secret": "of-the-Real-Client-9"})
    answer = in_body.send("POST", in_body.path, content=content, headers={"content-type": media_type})
    assert answer.json() == {"error": "invalid_request"}
    [call] = in_body.mock.journal.list_calls()
    assert "of-the-Real-Client-9" not in json.dumps(call)
    expected = "[redacted, 20 characters]" if media_type == "application/json" else None
    assert (call["body"]["client_secret"] if expected else call["body"]) == (expected or "malformed")


def test_a_form_of_many_fields_is_refused(api: _Api) -> None:
    """A form has a most number of fields, so that none takes long to read."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = api.send("POST", api.path, content=b"a&" * MAX_PAIRS, headers=headers, auth=PAIR)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})
    assert api.mock.journal.list_calls()[0]["body"] == "malformed"


def test_every_token_request_is_recorded_with_its_context(api: _Api) -> None:
    """Vendor, query, reason and duration are in the journal, of a request that a fault refuses too."""
    api.send("POST", "/__mock/faults", json={"path": api.path, "refused": True, "where": {"query": {"tenant": "a"}}})
    with pytest.raises(httpx.RemoteProtocolError):
        api.send("POST", f"{api.path}?tenant=a", data=GRANT)
    answer = api.send("GET", f"{api.path}?tenant=b")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    calls = [
        {name: one.get(name) for name in ("vendor", "query", "status", "reason", "fault")}
        | {"took": one["duration"] > 0}
        for one in api.mock.journal.list_calls()
    ]
    known = {"vendor": "madetoken", "took": True}
    assert calls == [
        {**known, "query": "tenant=a", "status": 0, "reason": "a scripted fault", "fault": "fault-1"},
        {**known, "query": "tenant=b", "status": 405, "reason": "invalid_request", "fault": None},
    ]


def test_a_fault_replaces_the_answer(api: _Api) -> None:
    """Once, on the path of the endpoint."""
    api.send("POST", "/__mock/faults", json={"path": api.path, "status": 503, "body": {"error": "x"}, "times": 1})
    assert [api.ask().status_code for _ in range(2)] == [503, 200]


def test_two_vendors_cannot_share_an_endpoint(tmp_path: Path) -> None:
    """Their tokens would be one another's."""
    made = [MockVendor(FORMS["madetoken"].write(tmp_path / slug, slug), {}) for slug in ("one", "two")]
    with pytest.raises(UsageError, match="both declare /oauth/token"):
        check_overlaps(made)
