"""A state that requests made at random, exported and put into a fresh mock, gives the same lists."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_watch.contracts.registry import load_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE

Request = tuple[str, str, dict[str, Any]]
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
DOMAINS = st.lists(st.sampled_from(["example.com", "Example.org", "a.example.net"]), max_size=3)
USERS = st.fixed_dictionaries(
    {"username": st.sampled_from("abc")},
    optional={
        "quota": st.one_of(st.integers(0, 10**9), st.floats(0, 1e6)),
        "approvedDomains": DOMAINS,
        "ipRestrictions": st.lists(st.sampled_from(["192.0.2.1", "10.0.0.1"]), max_size=2),
        "allowAnyDomain": st.booleans(),
        "allowAllDomains": st.booleans(),
        "password": st.just("long-enough-1"),
    },
)
CHANGES = st.fixed_dictionaries(
    {"currentUsername": st.sampled_from("abcd")},
    optional={"newUsername": st.sampled_from("abcd"), "status": st.sampled_from(["active", "inactive"]), "quota": st.integers(0, 9)},
)  # fmt: skip
SETTINGS = st.fixed_dictionaries(
    {"username": st.sampled_from(["user-a", "User-B", "user c"])},
    optional={
        "description": TEXT,
        "email_password": st.sampled_from(["", "Correct-Horse-99-Staple"]),
        "custom_ratelimit": st.booleans(),
        "custom_ratelimit_value": st.integers(1, 1000),
        "custom_ratelimit_period": st.sampled_from(["1 day", "2 hours"]),
        "ip_pool": st.integers(1, 9),
        "feedback_enabled": st.booleans(),
        "feedback_html": TEXT,
        "open_tracking_enabled": st.booleans(),
        "audit_email": st.sampled_from(["", "a@example.com"]),
        "bounce_notifications": st.sampled_from(["from", "drop", "b@example.com"]),
        "status": st.sampled_from(["allowed", "sandbox"]),
    },
)
CONFIGS = st.fixed_dictionaries(
    {"senderAddress": TEXT.filter(len), "senderName": TEXT.filter(len), "host": st.just("smtp.example.com:587")},
    optional={"tls": st.booleans(), "user": TEXT, "password": TEXT, "replyToAddress": TEXT, "description": TEXT},
)
JETEMAIL = "/outbound/smarthost"
SMTP2GO = "/v3/users/smtp"
REQUESTS: Mapping[str, st.SearchStrategy[Request]] = {
    "jetemail": st.one_of(
        USERS.map(lambda body: ("POST", JETEMAIL, body)), CHANGES.map(lambda body: ("PATCH", JETEMAIL, body))
    ),
    "smtp2go": st.tuples(st.sampled_from(["add", "edit", "patch"]), SETTINGS).map(
        lambda one: ("POST" if one[0] != "patch" else "PATCH", one[0], one[1])
    ),
    "zitadel": st.one_of(
        CONFIGS.map(lambda body: ("create", "", body)),
        st.tuples(st.sampled_from(["_activate", "_deactivate"]), st.integers(0, 3)).map(lambda one: (one[0], str(one[1]), {})),
    ),
}  # fmt: skip


class _Served:
    """A mock of every vendor, called with the keys of its accounts."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def send(self, slug: str, method: str, path: str, body: dict[str, Any], account: int = 0) -> httpx.Response:
        contract = CONTRACTS[slug]
        location = contract.credential_locations[0]
        headers = {location.header: location.build_value(contract.credentials[account].test)}
        return self.client.request(method, contract.base_path + path, headers=headers, json=body)

    def call(self, slug: str, operation: str, body: dict[str, Any], account: int = 0, **path: str) -> httpx.Response:
        declared = CONTRACTS[slug].operations[operation]
        return self.send(slug, declared.method, declared.build_path(path), body, account)

    def list_objects(self, slug: str) -> list[Any]:
        listed = CONTRACTS[slug].list_config
        assert listed is not None
        rows: list[Any] = []
        for account in range(len(CONTRACTS[slug].credentials)):
            found = self.call(slug, listed.operation, {}, account)
            rows.append(_strip(found.json()) if found.status_code == 200 else found.status_code)
        return rows


CONTRACTS = load_contracts()
_CHANGING = ("request_id", "email_password", "viewTimestamp")
"""Properties that are new in each response, or a secret."""


def _strip(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strip(inner) for name, inner in value.items() if name not in _CHANGING}
    return [_strip(inner) for inner in value] if isinstance(value, list) else value


@pytest.fixture(name="pair", scope="module")
def _pair() -> Iterator[tuple[_Served, _Served]]:
    contracts = list(CONTRACTS.values())
    with ExitStack() as stack:
        urls = [stack.enter_context(run_in_thread(build_mock(contracts, {}))) for _ in range(2)]
        one, other = (_Served(stack.enter_context(httpx.Client(base_url=url, timeout=PATIENCE))) for url in urls)
        yield one, other


def _play(served: _Served, slug: str, request: Request, account: int) -> None:
    method, path, body = request
    if slug == "jetemail":
        served.send(slug, method, path, body, account)
    elif slug == "smtp2go":
        served.call(slug, f"{path}SmtpUser", body)
    elif method == "create":
        served.call(slug, "addSmtpConfig", body)
    else:
        ids = [one["id"] for one in served.client.get("/__mock/state/zitadel").json()]
        if ids:
            served.call(slug, f"{method[1:]}SmtpConfig", {}, id=ids[int(path) % len(ids)])


@pytest.mark.parametrize("slug", REQUESTS)
def test_an_export_gives_the_same_lists(slug: str, pair: tuple[_Served, _Served]) -> None:
    """Objects that random requests made are listed the same by a mock that got their export, but for secrets."""
    source, target = pair
    seen: set[int] = set()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(REQUESTS[slug], st.integers(0, 1)), max_size=8))
    def compare(requests: list[tuple[Request, int]]) -> None:
        source.client.delete("/__mock/state")
        target.client.delete("/__mock/state")
        for request, account in requests:
            _play(source, slug, request, account)
        exported = source.client.get(f"/__mock/state/{slug}")
        seen.add(len(exported.json()))
        answer = target.client.put(f"/__mock/state/{slug}", content=exported.content)
        assert answer.status_code == 200, answer.text
        assert answer.json() == exported.json()
        assert target.list_objects(slug) == source.list_objects(slug)

    check: Callable[[], None] = compare
    check()
    assert max(seen) > 1
