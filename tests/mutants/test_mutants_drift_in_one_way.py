"""Each mutation drifts in the one way that its mutant describes, and the faithful vendor does not drift."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import run_in_thread
from contract_watch.mutants.mutant import Mutant, Mutation
from contract_watch.mutants.mutant_mock import MutantApp, MutantServer
from tests.support.mutant_lists import list_mutants
from tests.support.patience import PATIENCE

PATH = "/outbound/smarthost"
PAID, FREE = "api_test_paid_0123456789abcdef", "api_test_free_0123456789abcdef"
SECRET = secrets.token_urlsafe(12)


class MutantClient:
    """Server whose mutant can be switched, and requests to it."""

    def __init__(self, contract: Contract, house: MutantServer, client: httpx.Client) -> None:
        self._contract, self._house, self._client = contract, house, client
        self._mutants = {mutant.id: mutant for mutant in list_mutants(contract.slug)}
        self.mutation = Mutation()

    def switch_mutant(self, name: str) -> Mutant:
        """Play a mutant from now on, with an empty state."""
        mutant = self._mutants[name]
        self.mutation = mutant.create_mutation()
        self._house.app = MutantApp(self._contract, self.mutation)
        return mutant

    def send_request(self, method: str, body: Any = None, key: str | None = PAID, **headers: str) -> httpx.Response:
        """Send one request; ``key`` None sends no credential."""
        given = {**({"Authorization": f"Bearer {key}"} if key else {}), **headers}
        return self._client.request(method, PATH, json=body, headers=given)

    def send_for_status(self, method: str, body: Any = None, **more: Any) -> int:
        """Send one request and return its status."""
        return self.send_request(method, body, **more).status_code

    def list_rows(self, key: str = PAID) -> dict[str, Any]:
        """Return the listed rows by name."""
        return {row["username"]: row for row in self.send_request("GET", key=key).json()["smarthosts"]}


@pytest.fixture(name="served", scope="module")
def _served(jetemail: Contract) -> Iterator[MutantClient]:
    house = MutantServer()
    with run_in_thread(house) as base, httpx.Client(base_url=base, timeout=PATIENCE) as client:
        yield MutantClient(jetemail, house, client)


def test_a_lost_effect_answers_success_and_changes_nothing(served: MutantClient) -> None:
    """A creation that loses everything leaves no row; one that loses the quota leaves a row without it."""
    served.switch_mutant("state/createSmtpUser/lost")
    assert served.send_for_status("POST", {"username": "a"}) == 200
    assert served.list_rows() == {}
    served.switch_mutant("state/createSmtpUser/lost/quota")
    assert served.send_for_status("POST", {"username": "a", "quota": 5, "ipRestrictions": ["1.2.3.4"]}) == 200
    assert (served.list_rows()["a"]["quota"], served.list_rows()["a"]["ipRestrictions"]) == (0, '["1.2.3.4"]')


def test_a_late_effect_is_seen_by_the_second_call(served: MutantClient) -> None:
    """The first call after a creation misses it, the second sees it."""
    served.switch_mutant("state/createSmtpUser/late")
    served.send_request("POST", {"username": "a"})
    assert (list(served.list_rows()), list(served.list_rows())) == ([], ["a"])


def test_an_effect_again_comes_back_after_the_next_change(served: MutantClient) -> None:
    """A deletion that is delivered twice also deletes the object that was created in between."""
    served.switch_mutant("state/deleteSmtpUser/again")
    served.send_request("POST", {"username": "a"})
    served.send_request("DELETE", {"username": "a"})
    assert served.send_for_status("POST", {"username": "a"}) == 200
    assert served.list_rows() == {}


def test_a_doubled_creation_makes_two(served: MutantClient) -> None:
    """A second user appears in addition to the requested one."""
    served.switch_mutant("state/createSmtpUser/doubled")
    served.send_request("POST", {"username": "a"})
    assert set(served.list_rows()) == {"a", "a-2"}


def test_a_misplaced_change_hits_another(served: MutantClient) -> None:
    """The deletion of one user removes the other."""
    served.switch_mutant("state/deleteSmtpUser/misplaced")
    served.send_request("POST", {"username": "a"})
    served.send_request("POST", {"username": "b"})
    assert served.send_for_status("DELETE", {"username": "b"}) == 200
    assert set(served.list_rows()) == {"b"}


def test_a_reset_empties_what_was_not_sent(served: MutantClient) -> None:
    """An update of something else empties the quota; an update of the quota does not."""
    served.switch_mutant("state/updateSmtpUser/reset/quota")
    served.send_request("POST", {"username": "a", "quota": 5, "ipRestrictions": ["10.0.0.1"]})
    assert served.send_for_status("PATCH", {"currentUsername": "a", "quota": 6}) == 200
    assert served.list_rows()["a"]["quota"] == 6
    assert served.send_for_status("PATCH", {"currentUsername": "a", "password": SECRET}) == 200
    assert (served.list_rows()["a"]["quota"], served.list_rows()["a"]["ipRestrictions"]) == (0, '["10.0.0.1"]')


def test_what_cannot_be_emptied_can_be_changed(served: MutantClient) -> None:
    """An update with a quota of zero is ignored as a whole; another quota is applied."""
    served.switch_mutant("state/updateSmtpUser/unemptied/quota")
    served.send_request("POST", {"username": "a", "quota": 5})
    assert served.send_for_status("PATCH", {"currentUsername": "a", "quota": 0, "ipRestrictions": ["10.0.0.1"]}) == 200
    assert (served.list_rows()["a"]["quota"], served.list_rows()["a"]["ipRestrictions"]) == (5, '["10.0.0.1"]')
    assert served.send_for_status("PATCH", {"currentUsername": "a", "quota": 6}) == 200
    assert served.list_rows()["a"]["quota"] == 6


def test_a_replaced_conflict_overwrites(served: MutantClient) -> None:
    """Creating a name that is taken succeeds and discards the first user's settings."""
    served.switch_mutant("state/createSmtpUser/replaced")
    served.send_request("POST", {"username": "a", "quota": 5})
    assert served.send_for_status("POST", {"username": "a"}) == 200
    assert served.list_rows()["a"]["quota"] == 0


def test_a_name_never_freed_stays_taken(served: MutantClient) -> None:
    """A deleted name stays 409 forever, another one does not."""
    served.switch_mutant("state/deleteSmtpUser/never-freed")
    served.send_request("POST", {"username": "a"})
    served.send_request("DELETE", {"username": "a"})
    assert [served.send_for_status("POST", {"username": name}) for name in ("a", "b")] == [409, 200]


def test_a_refusal_that_is_done_takes_effect(served: MutantClient) -> None:
    """The free plan lacks the feature: the response is 403, and the user exists all the same."""
    served.switch_mutant("state/createSmtpUser/done/403")
    assert served.send_for_status("POST", {"username": "a", "allowAnyDomain": True}, key=FREE) == 403
    assert served.list_rows(FREE)["a"]["allowAnyDomain"] == 1


@pytest.mark.parametrize(
    ("rule", "body", "status"),
    [
        ("flags-exclusive", {"username": "b", "allowAnyDomain": True, "allowAllDomains": True}, 200),
        ("name-taken", {"username": "a"}, 200),
    ],
)
def test_a_rule_off_is_granted(served: MutantClient, rule: str, body: Any, status: int) -> None:
    """Requests that the rule refuses succeed; requests that other rules refuse do not."""
    served.switch_mutant(f"state/createSmtpUser/off/{rule}")
    served.send_request("POST", {"username": "a"})
    assert served.send_for_status("POST", body) == status
    assert served.send_for_status("POST", {"username": "c", "quota": -1}) == 400


def test_a_promise_off_is_broken_in_the_answer(served: MutantClient) -> None:
    """A password is returned although it was sent, and omitted although it was generated."""
    served.switch_mutant("state/createSmtpUser/off/password-not-returned")
    assert served.send_request("POST", {"username": "a", "password": SECRET}).json()["password"] == SECRET
    served.switch_mutant("state/createSmtpUser/off/password-generated")
    assert "password" not in served.send_request("POST", {"username": "a"}).json()


def test_an_own_account_off_lists_others(served: MutantClient) -> None:
    """The free account's list contains the paid account's user, too."""
    served.switch_mutant("state/listSmtpUsers/off/own-account")
    served.send_request("POST", {"username": "a"})
    served.send_request("POST", {"username": "b"}, key=FREE)
    assert set(served.list_rows(FREE)) == {"a", "b"}


@pytest.mark.parametrize(
    ("case", "authorization", "taken"),
    [
        ("not-needed", None, True),
        ("not-needed", "Bearer nonsense", False),
        ("any-value", "Bearer nonsense", True),
        ("any-value", None, False),
        ("any-scheme", f"Token {PAID}", True),
        ("any-scheme", "Token nonsense", False),
        ("no-scheme", PAID, True),
    ],
)
def test_a_missing_credential_check_is_one_way(
    served: MutantClient, case: str, authorization: str | None, taken: bool
) -> None:
    """Only the mutated operation accepts the credential, and it accepts no other one."""
    headers = {} if authorization is None else {"Authorization": authorization}
    served.switch_mutant(f"credentials/listSmtpUsers/{case}")
    assert (served.send_for_status("GET", key=None, **headers) == 200) == taken
    assert served.send_for_status("DELETE", {"username": "a"}, key=None, **headers) == 401


@pytest.mark.parametrize(
    ("case", "authorization", "taken"),
    [
        ("beginning", f"Bearer {PAID}and-more", True),
        ("beginning", "Bearer api_test", False),
        ("last-left-out", f"Bearer {PAID[:-1]}", True),
        ("last-left-out", f"Bearer {PAID[:-2]}", False),
        ("any-case", f"Bearer {PAID.upper()}", True),
        ("any-case", f"Bearer {PAID.upper()}x", False),
    ],
)
def test_a_lax_comparison_of_keys_is_one_way(served: MutantClient, case: str, authorization: str, taken: bool) -> None:
    """Every operation takes the nearly right key, and no other one."""
    served.switch_mutant(f"credentials/all/{case}")
    status = served.send_for_status("GET", key=None, Authorization=authorization)
    assert (status == 200) == taken
    assert served.send_for_status("DELETE", {"username": "a"}, key=None, Authorization="Bearer nonsense") == 401


def test_another_account_s_objects_come_into_reach(served: MutantClient) -> None:
    """The free account can change the paid account's user, by that operation alone."""
    served.switch_mutant("credentials/updateSmtpUser/other-account")
    served.send_request("POST", {"username": "a"})
    assert served.send_for_status("PATCH", {"currentUsername": "a", "quota": 9}, key=FREE) == 200
    assert served.list_rows()["a"]["quota"] == 9
    assert served.send_for_status("DELETE", {"username": "a"}, key=FREE) == 404


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("username/maxLength-looser", {"username": "a" * 65}, 200),
        ("username/maxLength-looser", {"username": "a" * 66}, 400),
        ("username/maxLength-tighter", {"username": "a" * 64}, 400),
        ("username/maxLength-tighter", {"username": "a" * 63}, 200),
        ("username/maxLength-crash", {"username": "a" * 64}, 500),
        ("quota/minimum-looser", {"username": "a", "quota": -1}, 200),
        ("quota/minimum-looser", {"username": "a", "quota": -2}, 400),
        ("quota/coerced-string", {"username": "a", "quota": "10"}, 200),
        ("quota/coerced-string", {"username": "a", "quota": "ten"}, 400),
        ("quota/integer", {"username": "a", "quota": 1.5}, 400),
        ("quota/required", {"username": "a"}, 400),
        ("quota/refused", {"username": "a", "quota": 1}, 400),
        ("username/optional", {"quota": 1}, 200),
        ("body/nulls", {"username": "a", "quota": None}, 200),
        ("body/array", [{"username": "a"}], 200),
        ("ipRestrictions/pattern-looser-no-end/items", {"username": "a", "ipRestrictions": ["1.2.3.4/8"]}, 200),
        ("ipRestrictions/pattern-looser-no-end/items", {"username": "a", "ipRestrictions": ["x1.2.3.4"]}, 400),
        ("ipRestrictions/coerced-number/items", {"username": "a", "ipRestrictions": [10]}, 200),
        ("approvedDomains/coerced-string", {"username": "a", "approvedDomains": "example.com"}, 200),
    ],
)
def test_a_constraint_moves_by_one_step(served: MutantClient, name: str, body: Any, status: int) -> None:
    """The mutant changes the result for the value one step inside or outside, and not for the next one."""
    served.switch_mutant(f"requests/createSmtpUser/{name}")
    assert served.send_for_status("POST", body) == status


def test_a_renamed_property_is_read_under_its_new_name(served: MutantClient) -> None:
    """The documented name is ignored, the new one is applied."""
    served.switch_mutant("requests/createSmtpUser/ipRestrictions/renamed")
    served.send_request("POST", {"username": "a", "ipRestrictions": ["1.2.3.4"]})
    served.send_request("POST", {"username": "b", "ip_restrictions": ["1.2.3.4"]})
    assert [served.list_rows()[name]["ipRestrictions"] for name in ("a", "b")] == ["[]", '["1.2.3.4"]']


def test_only_the_mutant_s_answers_drift(served: MutantClient) -> None:
    """Only the creation's 409 is a page, and the mutant counts its activations."""
    served.switch_mutant("media/createSmtpUser/409/html")
    first, again = (served.send_request("POST", {"username": "a"}) for _ in range(2))
    assert [answer.headers["content-type"].split(";")[0] for answer in (first, again)] == [
        "application/json",
        "text/html",
    ]
    assert served.mutation.activations == 1


def test_every_mutant_says_what_it_does() -> None:
    """A reader of the survivors' list needs a sentence for each mutant, unique within its family."""
    found = list_mutants("jetemail")
    assert [mutant.id for mutant in found if not mutant.description.endswith(".")] == []
    assert len({(mutant.family, mutant.description) for mutant in found}) == len(found)
