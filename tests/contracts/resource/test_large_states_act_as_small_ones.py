"""A state with an index acts as one without: the same objects in the same order, and the same look-ups."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.registry import load_contracts
from contract_watch.contracts.resource import item_list, state
from contract_watch.contracts.resource.item_list import LEAST, ItemList, find_changes
from contract_watch.contracts.resource.persistent import PersistentVector, discard_entry, insert_entry
from contract_watch.contracts.resource.state import Item, ResourceState
from contract_watch.mock.vendor import MockVendor
from tests.support.random_calls import send_random_request

NAMES = ("a", "A", "b", " b", "c", "d", None)
_ITEMS = st.builds(
    Item, account=st.sampled_from(("paid", "free")), name=st.sampled_from(NAMES), requested_name=st.sampled_from("abc"),
    values=st.fixed_dictionaries({"host": st.sampled_from(("x", "y", 5, None))}),
)  # fmt: skip


def _search(known: ResourceState) -> list[Any]:
    """Return the results of every look-up."""
    found: list[Any] = [list(known.items), len(known.items), known.list_items("paid")]
    for name in ("a", "A", "b", " b", "c", "z"):
        found += [known.find_item("paid", name), known.find_namesakes(name), known.find_folded("free", name),
                  known.is_used("paid", "", name, None), name in known.used_names]  # fmt: skip
    found.append(known.find_namesakes(None))
    found += [known.is_used("free", "host", value, None) for value in ("x", "y", "z")]
    return [*found, sorted(known.used_names)]


@settings(max_examples=60)
@given(data=st.data(), items=st.lists(_ITEMS, max_size=12))
def test_every_change_and_look_up_agrees(data: st.DataObject, items: list[Item]) -> None:
    """After any additions, replacements and removals, an indexed list equals the tuple that had the same changes."""
    plain = ResourceState({}, Interpretations({}), "", tuple(items))
    indexed = replace(plain, items=ItemList.build(items))
    for _ in range(data.draw(st.integers(0, 12), "changes")):
        kind = data.draw(st.sampled_from(("add", "swap", "remove", "search")), "kind")
        if kind == "search":
            assert _search(indexed) == _search(plain)
        elif kind == "add" or not plain.items:
            new = data.draw(_ITEMS, "new")
            plain, indexed = plain.put_item(new), indexed.put_item(new)
        else:
            at = data.draw(st.integers(0, len(plain.items) - 1), "at")
            left, right = plain.items[at], indexed.items[at]
            new = data.draw(_ITEMS, "new")
            plain = plain.put_item(new, left) if kind == "swap" else plain.remove_item(left)
            indexed = indexed.put_item(new, right) if kind == "swap" else indexed.remove_item(right)
    assert isinstance(indexed.items, ItemList)
    assert _search(indexed) == _search(plain)
    assert indexed.items == plain.items
    assert plain.items == indexed.items


@pytest.mark.parametrize("slug", load_contracts())
@settings(max_examples=15)
@given(data=st.data())
def test_the_mock_answers_alike(slug: str, data: st.DataObject) -> None:
    """A mock whose states are indexed from the first object on answers every request as one whose states are not."""
    contract = load_contracts()[slug]
    vendor = MockVendor(contract, {})
    with pytest.MonkeyPatch.context() as patch:
        for _ in range(data.draw(st.integers(2, 8), "requests")):
            before = vendor.state
            drawn: list[Any] = []
            _keep_draws(patch, vendor, drawn)
            send_random_request(vendor, data)
            [(arguments, first)] = drawn
            after = vendor.state
            patch.undo()
            patch.setattr(state, "LEAST", 0)
            vendor.state = replace(before, items=ItemList.build(before.items))
            second = vendor.handle_request(*arguments)
            patch.undo()
            assert first[0] == second[0]
            assert len(vendor.state.items) == len(after.items)
            vendor.state = after


def _keep_draws(patch: pytest.MonkeyPatch, vendor: MockVendor, drawn: list[Any]) -> None:
    handle = vendor.handle_request

    def handle_and_keep(*arguments: Any) -> tuple[int, Any]:
        result = handle(*arguments)
        drawn.append((arguments, result))
        return result

    patch.setattr(vendor, "handle_request", handle_and_keep)


def test_many_removals_leave_no_holes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list from which most objects were removed moves the others up, in order."""
    monkeypatch.setattr(item_list, "_MIN_HOLES", 8)
    items = [Item("paid", f"u{number}", "", {}) for number in range(100)]
    known = ItemList.build(items)
    for item in items[:90]:
        known = known.remove(item)
        assert known.vector.length <= max(2 * len(known), len(known) + 8)
    assert [item.name for item in known] == [f"u{number}" for number in range(90, 100)]
    assert known[3] is items[93]


def test_the_mock_indexes_many_objects(jetemail: Any) -> None:
    """The mock's state has an index once it has many objects; the suite's states, which know less, have none."""
    vendor = MockVendor(jetemail, {})
    known: ResourceState = vendor.state
    unknown = replace(known, own_prefix="run-")
    for number in range(LEAST + 1):
        item = Item("paid", f"u{number}", f"u{number}", {})
        known, unknown = known.put_item(item), unknown.put_item(item)
    assert isinstance(known.items, ItemList)
    assert isinstance(unknown.items, tuple)


def test_equal_parts_are_one_object(jetemail: Any) -> None:
    """Objects that the same requests made share their clauses and their sets of names."""
    vendor = MockVendor(jetemail, {})
    operation = jetemail.operations["createSmtpUser"]
    headers = {"authorization": f"Bearer {vendor.accounts[0].key}"}
    for name in ("a", "b"):
        vendor.handle_request(operation, operation.path, headers, {"username": name, "quota": 5})
    first, second = vendor.state.items
    assert first.clauses is second.clauses
    assert first.sent is second.sent


@settings(max_examples=60)
@given(st.lists(st.integers(0, 5000), max_size=80), st.lists(st.integers(0, 70), max_size=20))
def test_vectors_act_as_lists(values: list[int], changed: list[int]) -> None:
    """A vector has the values of a list after the same changes, its original stays, and changes are found by identity."""
    values = values * 20
    vector, copy = PersistentVector.build(list(values)), list(values)
    now = vector
    for value in changed:
        at = min(value * 20, len(copy))
        now = now.set(at, (value,))
        copy[at : at + 1] = [(value,)]  # type: ignore[list-item]
    assert list(now) == copy
    assert list(vector) == values
    assert [now.get(at) for at in range(now.length)] == copy
    found = dict(now.find_changes(vector))
    assert found == {at: one for at, one in enumerate(copy) if isinstance(one, tuple)}


def test_changes_of_a_list_skip_what_is_shared() -> None:
    """The changes from a tuple or list to another name positions, objects, and what is gone."""
    items = [Item("paid", f"u{number}", "", {}) for number in range(70)]
    old = ItemList.build(items)
    new = old.remove(items[3]).append(items[3])
    assert list(find_changes(old, new)) == [(3, None), (70, items[3])]
    assert list(find_changes(tuple(items), ())) == [(number, None) for number in range(70)]
    assert list(find_changes((), tuple(items[:2]))) == [(0, items[0]), (1, items[1])]


def test_mappings_stay_what_they_were() -> None:
    """A changed copy of a small or a large mapping leaves the original alone."""
    known: Any = {}
    for number in range(100):
        before, known = known, insert_entry(known, number, str(number))
        assert number not in before
    assert discard_entry(known, "none") is known
    less = discard_entry(known, 50)
    assert (50 in less, 50 in known, len(less)) == (False, True, 99)
