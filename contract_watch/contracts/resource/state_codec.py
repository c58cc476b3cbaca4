"""States as JSON text, without loss: for a file that outlives the process.

Values that JSON has are written as they are. All others are objects with the property `$`, which names their kind: one of
the kinds here, or a class of the model's `state_types`. Nothing in the text chooses code to run.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.outcomes import Interpretations
from contract_watch.contracts.resource.item_list import LEAST, ItemList
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.contracts.resource.rules_file import FILE as RULES_FILE
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState, Unknown
from contract_watch.contracts.resource.stored_values import StoredSecret
from contract_watch.errors import UsageError

FORMAT = 1
"""The version of the text's format."""
_KIND = "$"
_CONTENT = "v"
_PROSE = ("description", "summary", "example", "examples", "title", "externalDocs", "info", "servers")
"""Parts of a document that decide nothing about states."""


class StateCodecError(Exception):
    """A text that is no state of this model, or a value that no state can have; the message says why."""


class StateCodec:
    """The codec of the states of one model.

    A state is split: `encode_item` writes one object, `encode_rest` everything else. Keys of accounts are not written;
    `decode` takes the accounts that there are.
    """

    def __init__(self, model: ResourceModel) -> None:
        self._model = model
        self._classes = {one.__name__: one for one in (ResourceState, Item, *model.state_types)}
        self._fields = {one: [field.name for field in fields(one)] for one in self._classes.values()}

    @property
    def digest(self) -> str:
        """The digest of what decides if a state can be used: the contract without its prose, and the classes of states."""
        contract = self._model.contract
        rules = contract.directory / RULES_FILE
        parts = [
            json.dumps(_drop_prose(contract.effective.raw), sort_keys=True, default=str),
            json.dumps(contract.settings, sort_keys=True, default=str),
            rules.read_text(encoding="utf-8") if rules.is_file() else "",
            json.dumps({one.__name__: names for one, names in self._fields.items()}, sort_keys=True),
            json.dumps(self._model.interpretations, sort_keys=True, default=list),
        ]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "backslashreplace")).hexdigest()

    # -- writing

    def encode_item(self, item: Item) -> str:
        """Return the text of one object."""
        return _write(self._encode(item))

    def encode_rest(self, state: ResourceState) -> str:
        """Return the text of everything but objects and accounts."""
        names = [name for name in self._get_fields(state) if name not in ("items", "accounts")]
        content = {name: self._encode(getattr(state, name)) for name in names}
        return _write({_KIND: type(state).__name__, **content})

    def has_same_rest(self, old: ResourceState, new: ResourceState) -> bool:
        """Return True if two states differ in their objects at most."""
        return type(old) is type(new) and all(
            getattr(old, name) is getattr(new, name) or getattr(old, name) == getattr(new, name)
            for name in self._get_fields(new)
            if name not in ("items", "accounts")
        )

    def _get_fields(self, value: Any) -> list[str]:
        found = self._fields.get(type(value))
        if found is None:
            raise StateCodecError(
                f"a state has a {type(value).__name__}, which cannot be written; list the class in `state_types` of the model"
            )
        return found

    def _encode(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, float, str):
            return value
        if type(value) is list:
            return [self._encode(one) for one in value]
        if isinstance(value, Mapping) and _KIND not in value and all(type(name) is str for name in value):
            return {name: self._encode(one) for name, one in value.items()}
        kind, content = self._describe(value)
        return {_KIND: kind, _CONTENT: content}

    def _describe(self, value: Any) -> tuple[str, Any]:
        """Return kind and content of a value that JSON has not."""
        kind: str
        content: Any = None
        if isinstance(value, Unknown):
            kind = "unknown"
        elif isinstance(value, Mapping):
            kind, content = "map", [[self._encode(name), self._encode(one)] for name, one in value.items()]
        elif type(value) is StoredSecret:
            kind, content = "secret", str(value)
        elif type(value) in (tuple, ItemList):
            kind, content = "tuple", [self._encode(one) for one in value]
        elif type(value) in (set, frozenset):
            kind, content = "set", sorted((self._encode(one) for one in value), key=_write)
        elif isinstance(value, Interpretations):  # the contract declares them
            kind, content = "interpretations", self._encode(dict(value.narrowed))
        else:
            names = self._get_fields(value)
            kind, content = type(value).__name__, {name: self._encode(getattr(value, name)) for name in names}
        return kind, content

    # -- reading

    def decode(self, rest: str, items: Iterable[str], accounts: Sequence[Account]) -> ResourceState:
        """Return the state that `encode_rest` and `encode_item` have written, with ``accounts``.

        Raises:
            StateCodecError: a text is malformed.
        """
        try:
            content = json.loads(rest)
            state_class = self._classes[content.pop(_KIND)]
            found = {name: self._decode(one) for name, one in content.items()}
            decoded = [self._decode(json.loads(text)) for text in items]
            _check_classes(state_class, decoded)
            many: Sequence[Item] = tuple(decoded) if len(decoded) < LEAST else ItemList.build(decoded)
            state: ResourceState = state_class(accounts={one.key: one for one in accounts}, items=many, **found)
            state.interpretations.decide({name: values[0] for name, values in _list_narrowed(state.interpretations)})
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, UsageError) as error:
            raise StateCodecError(f"a row cannot be read ({type(error).__name__})") from error
        return state

    def _decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._decode(one) for one in value]
        if not isinstance(value, dict):
            return value
        kind = value.get(_KIND)
        if kind is None:
            return {name: self._decode(one) for name, one in value.items()}
        if kind in _READERS:
            return _READERS[kind](value.get(_CONTENT), self._decode)
        if kind == "interpretations":
            return Interpretations(self._model.interpretations, self._decode(value[_CONTENT]))
        content = {name: self._decode(one) for name, one in value[_CONTENT].items()}
        return self._classes[kind](**content)


_Decode = Callable[[Any], Any]
_READERS: Mapping[str, Callable[[Any, _Decode], Any]] = {
    "unknown": lambda _content, _decode: UNKNOWN,
    "secret": lambda content, _decode: StoredSecret(_check_string(content)),
    "tuple": lambda content, decode: tuple(decode(content)),
    "set": lambda content, decode: frozenset(decode(content)),
    "map": lambda content, decode: {decode(name): decode(one) for name, one in content},
}


def _check_classes(state_class: type, items: list[Any]) -> None:
    if not issubclass(state_class, ResourceState) or not all(isinstance(one, Item) for one in items):
        raise TypeError("an object is of another kind")


def _check_string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a secret is a string")
    return value


def _list_narrowed(interpretations: Interpretations) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Return the narrowed values of each interpretation by its name without scope."""
    return ((name.partition("@")[0], values) for name, values in interpretations.narrowed.items())


def _write(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), check_circular=False)


def _drop_prose(node: Any, *, is_map: bool = False) -> Any:
    """Return a document without its prose; the names of an object ``is_map`` are the vendor's, not keywords."""
    if isinstance(node, list):
        return [_drop_prose(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        name: _drop_prose(one, is_map=name == "properties" and not is_map)
        for name, one in node.items()
        if is_map or name not in _PROSE
    }
