"""A reproduction contains the changes that led to its objects, and no others."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from contract_watch.contracts.config import Lifecycle
from contract_watch.contracts.request import Request
from contract_watch.engine.judging.reproduction import select_exchanges
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.wire import Response, RestProtocol, Wire

PROTOCOL = RestProtocol("http://127.0.0.1:9", Wire("http://127.0.0.1:9"), {})
LIFECYCLE = Lifecycle("create", "remove", "read", affects_others=["activate"])


def _make_exchange(operation: str, *names: str) -> Exchange:
    request = Request(operation, "POST", "/")
    encoded, response = PROTOCOL.encode(request), Response(200, {}, b"{}")
    return Exchange(request, encoded, response, PROTOCOL, names=frozenset(names))


def _list_steps(exchanges: str, about: str | None = None, suspected: str = "") -> list[str]:
    """List the steps, as ``operation:names``, that reproduce the last of the ``exchanges``."""
    made = []
    for word in exchanges.split():
        operation, _, names = word.partition(":")
        made.append(_make_exchange(operation, *(name for name in names.split("+") if name)))
    words = {id(one): word for one, word in zip(made, exchanges.split(), strict=True)}
    found: Sequence[Exchange] = select_exchanges(made[:-1], made[-1], about, LIFECYCLE, suspected=suspected)
    return [words[id(one)] for one in found]


@pytest.mark.parametrize(("exchanges", "wanted"), [
    ("create:a create:b change:a read:a", "create:a change:a read:a"),
    ("create:a rename:a+b change:b remove:b", "create:a rename:a+b change:b remove:b"),
    ("create:a create:b read", "create:b read"),
    ("create:a create:b activate:a activate:b read:a", "create:a create:b activate:a activate:b read:a"),
    ("create:a activate:a create:b read:b", "create:b read:b"),
    ("create:a create:b activate:c change:b", "create:b activate:c change:b"),
])  # fmt: skip
def test_what_made_the_object_is_there_and_nothing_else(exchanges: str, wanted: str) -> None:
    """Some changes of one object affect another one.

    The reproduction has the changes of the object, of its former name, and those that affected it since its creation.
    """
    assert _list_steps(exchanges) == wanted.split()


def test_many_changes_are_cut_to_the_latest_with_what_made_their_objects() -> None:
    """Of a hundred changes to two objects the latest remain, with both creations, so that the lines fit on a page."""
    exchanges = "create:a create:b " + "change:a activate:b " * 50 + "read:a"
    found = _list_steps(exchanges)
    assert found[:2] == ["create:a", "create:b"]
    assert found[-1] == "read:a"
    assert len(found) <= 12


@pytest.mark.parametrize(("exchanges", "wanted"), [
    ("create:c remove:c create:b create:a remove:b read", "create:b create:a remove:b read"),
    ("create:a create:b change:b remove:b create:c read", "create:a create:b change:b remove:b read"),
    ("create:a create:b remove:b " + "change:a " * 20 + "read", "create:a create:b remove:b " + "change:a " * 7 + "read"),
])  # fmt: skip
def test_request_that_is_blamed_is_there(exchanges: str, wanted: str) -> None:
    """An object is gone after the removal of another: the last removal belongs to it, with what made its object."""
    assert _list_steps(exchanges, about="a", suspected="remove") == wanted.split()


def test_changes_after_the_response_are_no_part_of_it() -> None:
    """The reproduction of a creation has this creation once, though its record knows the id, and no later change."""
    creation = replace(_make_exchange("create", "a"), request=Request("create", "POST", "/", timestamp=5.0))
    recorded = replace(creation, names=frozenset({"a", "id-1"}))
    later = replace(_make_exchange("change", "a"), request=Request("change", "POST", "/", timestamp=6.0))
    assert select_exchanges([recorded, later], creation, None, LIFECYCLE) == [creation]
    read = replace(_make_exchange("read", "a"), request=Request("read", "GET", "/", timestamp=5.5))
    assert select_exchanges([recorded, later], read, None, LIFECYCLE) == [recorded, read]
