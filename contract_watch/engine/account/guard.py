"""What may be sent to a real account: decided from the bytes about to leave, whoever made them and whatever they were meant for.

A request with a mutating method passes only if everything in it that could name an object is the run's own, or cannot name
anything. Names are looked for by the arguments that ``contract.toml`` calls identities, of whichever operation, however
they are spelled and at whatever depth of a body. All else is held back before anything leaves; that the suite tried is a
defect of the suite.
"""

import json
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from contract_watch.contracts import grpc_web
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.protobuf import MessageCodec, MessageCodecError
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.protocols.encoded_request import EncodedRequest

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_MASKING_HEADERS = ("content-encoding", "x-http-method-override", "x-http-method", "x-method-override")
"""Headers by which a request is not what it looks like."""
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ ")
"""What stands in names of a run's form. Other signs mean things to servers: lists, wildcards, paths."""


class LiveMode(Enum):
    """How far a run on a real account may go."""

    READ = "read"
    MUTATE = "mutate"


class BlockedRequestError(Exception):
    """A request that must not be sent. Its text names the operation and the argument, never a value."""


@dataclass(frozen=True)
class Decision:
    """What the guard saw in a request that it let through: the operation, whether it may change anything, and the names in it.

    ``holder`` is the account whose key it carries; empty where it carries none.
    """

    operation: Operation
    is_mutating: bool
    holder: str
    new_names: frozenset[str] = frozenset()
    existing_names: frozenset[str] = frozenset()


@dataclass
class Guard:
    """Decides for one run. ``keys`` are the accounts' keys by name, ``consents`` the operations that were consented to.

    ``ids`` are what the server handed out to this run, ``permitted`` further exact pairs of operation and identity: what a
    sweep removes, what is restored. ``refused`` says why what was consented to is not done all the same.
    """

    contract: Contract
    base_path: str
    keys: Mapping[str, str]
    names: NameGenerator
    mode: LiveMode
    consents: frozenset[str] = frozenset()
    ids: set[str] = field(default_factory=set)
    permitted_pairs: set[tuple[str, str]] = field(default_factory=set)
    refusal_reason: str = ""

    def __post_init__(self) -> None:
        roles = {name for operation in self.contract.operations for name in self.contract.get_roles(operation)}
        self._identity_arguments = {_normalize_argument(name.strip("{}")) for name in roles}
        self._messages = MessageCodec(self.contract) if self.contract.grpc is not None else None

    @contextmanager
    def permit_pairs(self, pairs: Collection[tuple[str, str]]) -> Iterator[None]:
        """Let these operations about these identities through as well, each pair exactly, while the block lasts."""
        before = set(self.permitted_pairs)
        self.permitted_pairs |= set(pairs)
        try:
            yield
        finally:
            self.permitted_pairs = before

    def check_request(self, encoded: EncodedRequest) -> Decision:
        """Let a request through, or raise `BlockedRequestError`."""
        outgoing = _unframe_message(encoded)
        operation, parameters, body = self._parse_request(outgoing)
        reads = self.contract.is_read_only(operation.id)
        holder = self._find_holder(outgoing, body)
        passage = Decision(operation, not reads, holder, *self._find_names(operation, parameters, body))
        if outgoing.method in _SAFE_METHODS and not outgoing.is_grpc_message:
            return passage
        where = operation.name
        # What a message does not say is read as empty.
        named = {name: value for name, value in parameters.items() if value or not outgoing.is_grpc_message}
        wrong = next((name for name, value in named.items() if not self._is_harmless(value, operation.id)), None)
        wrong = wrong or self._find_foreign_argument(body, operation.id)
        if wrong is not None:
            raise BlockedRequestError(f"{where}: its {wrong} is not the run's own")
        life = self.contract.lifecycle
        if operation.id == life.create and life.id and holder and not any(map(self.owns, passage.new_names)):
            raise BlockedRequestError(f"{where}: what it makes would bear no mark to find it by")
        if reads or not holder:
            return passage
        if self.mode is LiveMode.READ:
            raise BlockedRequestError(f"{where}: it changes something, and LIVE=mutate was not given")
        if operation.id in self.contract.lifecycle.affects_others and not self._has_consent(operation.id, passage):
            raise BlockedRequestError(f"{where}: it changes objects that are not the run's, and was not consented to")
        return passage

    def _has_consent(self, operation: str, decision: Decision) -> bool:
        pairs = {(operation, name) for name in decision.existing_names}
        return operation in self.consents or (bool(pairs) and pairs <= self.permitted_pairs)

    # -- reading what is about to leave

    def _parse_request(self, outgoing: EncodedRequest) -> tuple[Operation, dict[str, str], Any]:
        """The operation that a request is to, its path parameters, and its JSON body."""
        names = {name.lower(): value for name, value in outgoing.headers.items()}
        if disguise := next((name for name in _MASKING_HEADERS if name in names), None):
            raise BlockedRequestError(f"a request with the header {disguise} may be another than it looks like")
        if outgoing.is_grpc_message:
            return self._parse_message(outgoing)
        path, _, query = outgoing.path.partition("?")
        operation, parameters = None, dict[str, str]()
        if path.startswith(f"{self.base_path}/"):
            operation, parameters = self.contract.effective.match_request(
                path.removeprefix(self.base_path), outgoing.method
            )
        if operation is None:
            raise BlockedRequestError(f"{outgoing.method}: no contract declares this method and path")
        if query and outgoing.method not in _SAFE_METHODS:
            raise BlockedRequestError(f"{operation.name}: it has a query, which might name something")
        if not outgoing.content:
            return operation, parameters, MissingBody.ABSENT
        if names.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise BlockedRequestError(f"{operation.name}: its body is not declared as JSON")
        try:
            return operation, parameters, json.loads(outgoing.content, object_pairs_hook=_PairList)
        except (ValueError, RecursionError) as error:
            raise BlockedRequestError(f"{operation.name}: its body cannot be read") from error

    def _parse_message(self, outgoing: EncodedRequest) -> tuple[Operation, dict[str, str], Any]:
        messages = self._messages
        operation = None if messages is None else next(
            (o for o in self.contract.operations.values() if messages.get_method_path(o.id) == outgoing.path), None
        )  # fmt: skip
        if operation is None or messages is None:
            raise BlockedRequestError("no contract declares this gRPC method")
        try:
            parameters, body = messages.decode_request(operation, outgoing.content)
        except MessageCodecError as error:
            raise BlockedRequestError(f"{operation.name}: its message cannot be read") from error
        return operation, parameters, _to_pairs(body)

    def _find_holder(self, outgoing: EncodedRequest, body: Any) -> str:
        """The account whose key stands anywhere in a request, alone or beside white space and the like; else empty."""
        said = [*outgoing.headers.values(), *_iterate_strings(body)]
        words = {word for text in said for word in text.replace(",", " ").replace(";", " ").replace('"', " ").split()}
        return next((account for account, key in self.keys.items() if key in words or key in said), "")

    # -- names

    def _find_names(
        self, operation: Operation, parameters: Mapping[str, str], body: Any
    ) -> tuple[frozenset[str], frozenset[str]]:
        """The texts in the arguments that name what is to be, and what is."""
        arguments: dict[str, Any] = {f"{{{name}}}": value for name, value in parameters.items()}
        arguments |= dict(body.pairs) if isinstance(body, _PairList) else {}
        found: dict[str, set[str]] = {"new": set(), "existing": set(), "foreign": set()}
        for name, role in self.contract.get_roles(operation.id).items():
            found[role] |= set(_iterate_strings(arguments.get(name)))
        return frozenset(found["new"]), frozenset(found["existing"])

    def _find_foreign_argument(self, value: Any, operation: str, *, outermost: bool = True) -> str | None:
        """The first argument in a body that may name something that is not the run's; None where there is none.

        What is ``outermost`` stands under no argument's name: a body that is a text, or a list of texts.
        """
        if isinstance(value, _PairList):
            for name, inner in value.pairs:
                if _normalize_argument(name) in self._identity_arguments:
                    if not self._is_harmless(inner, operation):
                        return name if name in self.contract.get_roles(operation) else "body"
                elif (found := self._find_foreign_argument(inner, operation, outermost=False)) is not None:
                    return found
        elif isinstance(value, list):
            for inner in value:
                if (found := self._find_foreign_argument(inner, operation, outermost=outermost)) is not None:
                    return found
        elif outermost and not isinstance(value, MissingBody) and not self._is_harmless(value, operation):
            return "body"
        return None

    def _is_harmless(self, value: Any, operation: str) -> bool:
        """Whether a value in the place of a name is the run's own, or cannot name anything; a number always can."""
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, str):
            return self.owns(value) or (operation, value) in self.permitted_pairs
        if isinstance(value, _PairList):
            return all(self._is_harmless(part, operation) for pair in value.pairs for part in pair)
        return isinstance(value, list) and all(self._is_harmless(inner, operation) for inner in value)

    def allows_operation(self, operation: str) -> bool:
        """Whether an operation may be done to objects of the run's own: those that change others need consent."""
        return operation not in self.contract.lifecycle.affects_others or operation in self.consents

    def owns(self, text: str) -> bool:
        """Whether a text is a name of this run's form, or an id that this run was given."""
        return text in self.ids or (self.names.owns(text) and _NAME_CHARACTERS.issuperset(text))


class _PairList:
    """A JSON object with every pair in it: a name that stands twice is read by some servers one way, by some the other."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _to_pairs(value: Any) -> Any:
    """JSON with its objects as pairs."""
    if isinstance(value, dict):
        return _PairList([(name, _to_pairs(inner)) for name, inner in value.items()])
    return [_to_pairs(inner) for inner in value] if isinstance(value, list) else value


def _iterate_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, _PairList):
        for pair in value.pairs:
            yield from _iterate_strings(list(pair))
    elif isinstance(value, list):
        for inner in value:
            yield from _iterate_strings(inner)


def _normalize_argument(name: str) -> str:
    """An argument's name as the most lenient server reads it: whatever its case, its dashes and its form in Unicode."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


def _unframe_message(encoded: EncodedRequest) -> EncodedRequest:
    """Return a gRPC-web request with the message that it frames as its content; any other request as it is."""
    media = {name.lower(): value for name, value in encoded.headers.items()}.get("content-type", "")
    if encoded.is_grpc_message or not grpc_web.is_grpc_web(media):
        return encoded
    content = encoded.content
    try:
        framed = list(grpc_web.decode_frames(grpc_web.decode_text(content) if grpc_web.is_text(media) else content))
    except grpc_web.FrameError as error:
        raise BlockedRequestError("a gRPC-web request cannot be read") from error
    if encoded.method != "POST" or len(framed) != 1 or framed[0][0]:
        raise BlockedRequestError("a gRPC-web request is one POST of one message")
    return replace(encoded, content=framed[0][1], is_grpc_message=True)
