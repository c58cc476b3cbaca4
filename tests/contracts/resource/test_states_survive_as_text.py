"""The text of a state gives back the same state, and no text chooses code to run."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState
from contract_watch.contracts.resource.state_codec import StateCodec, StateCodecError
from contract_watch.contracts.resource.stored_values import StoredSecret
from contract_watch.mock.vendor import MockVendor
from tests.support.random_calls import send_random_request

CONTRACTS = load_contracts()
JETEMAIL = MockVendor(CONTRACTS["jetemail"], {})


def _build_codec(contract: Contract) -> StateCodec:
    assert isinstance(contract.model, ResourceModel)
    return StateCodec(contract.model)


def _read_back(vendor: MockVendor, state: ResourceState) -> ResourceState:
    codec = _build_codec(vendor.contract)
    return codec.decode(codec.encode_rest(state), map(codec.encode_item, state.items), vendor.accounts)


@pytest.mark.parametrize("slug", CONTRACTS)
@settings(max_examples=25)
@given(data=st.data())
def test_states_of_random_requests_survive(slug: str, data: st.DataObject) -> None:
    """After any requests, the state that was read back equals the present one, in values and in types."""
    vendor = MockVendor(CONTRACTS[slug], {})
    for _ in range(data.draw(st.integers(1, 8), "requests")):
        send_random_request(vendor, data)
    codec = _build_codec(vendor.contract)
    back = _read_back(vendor, vendor.state)
    assert back == vendor.state
    assert codec.encode_rest(back) == codec.encode_rest(vendor.state)  # the text has the types
    assert [codec.encode_item(one) for one in back.items] == [codec.encode_item(one) for one in vendor.state.items]


class _OtherValue(str):
    """A value that no codec knows."""

    __slots__ = ()


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=[])) | st.builds(StoredSecret, st.text()) | st.just(UNKNOWN),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.just("$"), inner)
    | st.frozensets(st.text()),
)  # fmt: skip


@settings(max_examples=50)
@given(
    values=st.dictionaries(st.text() | st.just("$"), _VALUES),
    replies=st.dictionaries(st.tuples(st.text(), st.text()), st.tuples(st.text(), st.text())),
)
def test_values_keep_their_types(values: dict[str, Any], replies: dict[Any, Any]) -> None:
    """Secrets, unknown values, tuples, sets, and mappings with any keys come back as they were."""
    item = Item("paid", "a", "a", values, sent=frozenset(values))
    state = replace(JETEMAIL.state, items=(item,), replies=replies, pages={"p": frozenset({"a"})})
    back = _read_back(JETEMAIL, state)
    assert back == state
    codec = _build_codec(JETEMAIL.contract)
    assert codec.encode_item(back.items[0]) == codec.encode_item(item)  # True is not 1
    assert all(type(back.items[0].values[name]) is type(value) for name, value in values.items())


def test_keys_of_accounts_are_not_written() -> None:
    """The text holds no key: a file that is shared gives no access."""
    codec = _build_codec(CONTRACTS["jetemail"])
    text = codec.encode_rest(JETEMAIL.state)
    assert all(account.key not in text for account in JETEMAIL.accounts)


def test_a_class_that_no_model_lists_is_refused() -> None:
    """A value of an unknown class is refused with its name, instead of being written as something else."""
    codec = _build_codec(CONTRACTS["jetemail"])
    with pytest.raises(StateCodecError, match="_OtherValue"):
        codec.encode_item(Item("paid", "a", "a", {"quota": _OtherValue("x")}))


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"$":"os"}', '{"$":"Item","v":{}}', '{"$":"Item","v":{"account":"paid"}}', '{"$":"Item"}',
        '{"$":["Item"],"v":{}}', '{"$":"StateCodec","v":{}}', "[" * 100_000, '{"$":"secret","v":1}',
    ],
)  # fmt: skip
def test_malformed_texts_are_refused(text: str) -> None:
    """A text that no codec wrote is one kind of error, whatever it holds."""
    codec = _build_codec(CONTRACTS["jetemail"])
    rest = codec.encode_rest(JETEMAIL.state)
    with pytest.raises(StateCodecError):
        codec.decode(rest, [text], JETEMAIL.accounts)
    with pytest.raises(StateCodecError):
        codec.decode(text, [], JETEMAIL.accounts)


def test_interpretations_have_to_be_the_contracts() -> None:
    """A state under an interpretation that the contract does not know is refused."""
    codec = _build_codec(CONTRACTS["jetemail"])
    rest = json.loads(codec.encode_rest(JETEMAIL.state))
    rest["interpretations"]["v"] = {"names": {"$": "tuple", "v": ["nonsense"]}}
    with pytest.raises(StateCodecError):
        codec.decode(json.dumps(rest), [], JETEMAIL.accounts)


def test_the_digest_follows_what_decides() -> None:
    """Other words in a document keep states usable; another property, or another class of states, does not."""
    contract = CONTRACTS["jetemail"]
    before = _build_codec(contract).digest
    document: Any = contract.effective.raw
    kept = json.loads(json.dumps(document))
    try:
        document["info"]["description"] = "other words"
        assert _build_codec(contract).digest == before
        next(iter(document["paths"].values()))["x-other"] = True
        assert _build_codec(contract).digest != before
    finally:
        document.clear()
        document.update(kept)
    assert _build_codec(contract).digest == before
    assert _build_codec(CONTRACTS["zitadel"]).digest != before
