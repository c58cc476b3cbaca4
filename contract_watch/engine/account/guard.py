"""The guard: decides from the bytes about to leave which requests may reach a real account.

A mutating request passes only if every value that could name an object is the run's own, or cannot name anything.
Arguments are recognised by the identities in ``contract.toml``, of any operation, in any spelling and at any depth of
a body. An argument of `[given]` must have the given value, or a name of the run, also in a request that only reads.
Everything else is blocked before it is sent; a blocked request is a defect of the suite.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from contract_watch.contracts import grpc_web_frames
from contract_watch.contracts.bodies import JSON_TYPE, is_form_type, strip_media_type
from contract_watch.contracts.credential_locations import list_sent_keys, split_query_keys
from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.parameters import is_parameter_key, strip_location
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import MissingBody
from contract_watch.engine.account.object_names import NameGenerator
from contract_watch.engine.account.sent_parameters import ParameterReader, nest_pairs, normalize_name
from contract_watch.engine.protocols.encoded_request import EncodedRequest
from contract_watch.engine.protocols.token_requests import read_token_request

if TYPE_CHECKING:
    from contract_watch.contracts.protobuf import MessageCodec

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_MASKING_HEADERS = ("content-encoding", "x-http-method-override", "x-http-method", "x-method-override")
"""Headers that make a server treat a request as another one."""
_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ ")
"""Characters in names of a run's form. Servers give others a meaning: lists, wildcards, paths."""


class LiveMode(Enum):
    """Permissions of a live run."""

    READ = "read"
    MUTATE = "mutate"


class BlockedRequestError(Exception):
    """A request that must not be sent. The message names the operation and the argument, never a value."""


@dataclass(frozen=True)
class Decision:
    """The guard's analysis of a permitted request: operation, whether it may mutate, and the names in it.

    ``holder`` is the account whose key it carries, or empty.
    """

    operation: Operation
    is_mutating: bool
    holder: str
    new_names: frozenset[str] = frozenset()
    existing_names: frozenset[str] = frozenset()


@dataclass
class Guard:
    """Decides for one run. ``keys`` are the accounts' keys by name, ``consents`` the operations consented to.

    ``ids`` are those that the server assigned to this run. ``permitted_pairs`` are further exact pairs of operation and
    identity, for a sweep and for restoring. ``refusal_reason`` says why an operation stays blocked despite consent.
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
        given = self.contract.given.values
        roles |= set(given)
        self._given_values = {normalize_name(name): value for name, value in given.items()}
        self._identity_arguments = {normalize_name(strip_location(name.strip("{}"))) for name in roles}
        self._parameters = ParameterReader(roles)
        self._messages = _create_codec(self.contract)

    def withdraw_consents(self, reason: str) -> None:
        """Block from now on what the user consented to; ``reason`` explains it in the report."""
        self.refusal_reason = reason
        self.consents = frozenset()

    @contextmanager
    def permit_pairs(self, pairs: Collection[tuple[str, str]]) -> Iterator[None]:
        """Also permit these exact pairs of operation and identity inside the block."""
        before = set(self.permitted_pairs)
        self.permitted_pairs |= set(pairs)
        try:
            yield
        finally:
            self.permitted_pairs = before

    def check_request(self, encoded: EncodedRequest) -> Decision:
        """Return the decision for a permitted request, or raise `BlockedRequestError`."""
        if (asked := self._find_token_request(encoded)) is not None:
            return asked
        outgoing = _unframe_message(encoded)
        operation, parameters, body = self._parse_request(outgoing)
        reads = self.contract.is_read_only(operation.id)
        holder = self._find_holder(outgoing, body)
        decision = Decision(operation, not reads, holder, *self._find_names(operation, parameters, body))
        self._check_given_arguments(operation, parameters, reads=reads)
        if outgoing.method in _SAFE_METHODS and not outgoing.is_grpc_message:
            return decision
        # An absent field of a message decodes as empty.
        named = {name: value for name, value in parameters.items() if value or not outgoing.is_grpc_message}
        in_path = {name: value for name, value in named.items() if not is_parameter_key(name)}
        wrong = next(
            (name for name, value in in_path.items() if not self._is_harmless(value, operation.id, f"{{{name}}}")), None
        )
        wrong = wrong or self._find_foreign_parameter(operation, named)
        wrong = wrong or self._find_foreign_argument(body, operation.id)
        if wrong is not None:
            raise BlockedRequestError(f"{operation.name}: `{wrong}` names an object that is not the run's own")
        life = self.contract.lifecycle
        if operation.id == life.create and life.id and holder and not any(map(self.owns, decision.new_names)):
            raise BlockedRequestError(f"{operation.name}: the new object would carry no name of the run to find it by")
        if reads or not holder:
            return decision
        if self.mode is LiveMode.READ:
            raise BlockedRequestError(f"{operation.name}: it changes objects, which needs LIVE=mutate")
        if operation.id in self.contract.lifecycle.affects_others and not self._has_consent(operation.id, decision):
            raise BlockedRequestError(
                f"{operation.name}: it changes objects that are not the run's own, which needs consent"
            )
        return decision

    def _check_given_arguments(self, operation: Operation, parameters: Mapping[str, Any], *, reads: bool) -> None:
        """Raise `BlockedRequestError` for a request below another object than the given one, or one that changes that.

        Ids do not count as the run's own here: another object may have the same one.
        """
        given = self.contract.given.get_values(operation)
        for name, value in given.items():
            sent = parameters.get(name[1:-1])
            if sent != value and not (isinstance(sent, str) and self._is_own_name(sent)):
                raise BlockedRequestError(f"{operation.name}: `{name}` names another object than the given one")
        is_about = (
            operation.id == self.contract.lifecycle.create
            or "existing" in self.contract.get_roles(operation.id).values()
        )
        if given and not reads and not is_about:
            raise BlockedRequestError(f"{operation.name}: it changes an object that the run did not create")

    def _find_token_request(self, encoded: EncodedRequest) -> Decision | None:
        """Return the decision for a request that asks for an access token and for nothing else."""
        token = self.contract.token
        key = read_token_request(token, encoded) if token is not None else None
        if token is None or key is None:
            return None
        asking = Operation(
            "", "POST", token.path, None, body_required=False, media_type=None, parameters=(), responses={}
        )
        return Decision(asking, False, next((a for a, one in self.keys.items() if one == key), ""))

    def _has_consent(self, operation: str, decision: Decision) -> bool:
        pairs = {(operation, name) for name in decision.existing_names}
        return operation in self.consents or (bool(pairs) and pairs <= self.permitted_pairs)

    # -- parsing

    def _parse_request(self, outgoing: EncodedRequest) -> tuple[Operation, dict[str, Any], Any]:
        """Return operation, parameters and body of a request; parameters outside the path are lists of texts by key."""
        names = {name.lower(): value for name, value in outgoing.headers.items()}
        if masking_header := next((name for name in _MASKING_HEADERS if name in names), None):
            raise BlockedRequestError(
                f"the request has the header {masking_header}, which can turn it into another request"
            )
        if outgoing.is_grpc_message:
            return self._parse_message(outgoing)
        path, _, full_query = outgoing.path.partition("?")
        query, _ = split_query_keys(self.contract.credential_locations, full_query)
        operation, parameters = None, dict[str, str]()
        if path.startswith(f"{self.base_path}/"):
            operation, parameters = self.contract.effective.match_request(
                path.removeprefix(self.base_path), outgoing.method
            )
        if operation is None:
            raise BlockedRequestError(f"{outgoing.method}: the contract declares no such method and path")
        if query and outgoing.method not in _SAFE_METHODS and not self._parameters.is_declared(operation, query):
            raise BlockedRequestError(f"{operation.name}: its query could name an object")
        arguments: dict[str, Any] = {**parameters, **self._parameters.read(operation, query, names)}
        if not outgoing.content:
            return operation, arguments, MissingBody.ABSENT
        return operation, arguments, self._parse_body(operation, names.get("content-type", ""), outgoing.content)

    @staticmethod
    def _parse_body(operation: Operation, content_type: str, content: bytes) -> Any:
        plain = strip_media_type(content_type)
        if plain != JSON_TYPE and plain != strip_media_type(operation.codec.media_type or JSON_TYPE):
            raise BlockedRequestError(
                f"{operation.name}: its content type is not {operation.codec.media_type or JSON_TYPE}"
            )
        try:
            if is_form_type(plain):
                return _PairList(nest_pairs(content))
            return json.loads(content, object_pairs_hook=_PairList)
        except (ValueError, RecursionError) as error:
            raise BlockedRequestError(f"{operation.name}: its body is not valid") from error

    def _parse_message(self, outgoing: EncodedRequest) -> tuple[Operation, dict[str, str], Any]:
        from contract_watch.contracts.protobuf import MessageCodecError  # noqa: PLC0415 (loads slowly)

        messages = self._messages
        operation = None if messages is None else next(
            (o for o in self.contract.operations.values() if messages.get_method_path(o.id) == outgoing.path), None
        )  # fmt: skip
        if operation is None or messages is None:
            raise BlockedRequestError("the contract declares no such gRPC method")
        try:
            parameters, body = messages.decode_request(operation, outgoing.content)
        except MessageCodecError as error:
            raise BlockedRequestError(f"{operation.name}: its message cannot be decoded") from error
        return operation, parameters, _to_pairs(body)

    def _find_holder(self, outgoing: EncodedRequest, body: Any) -> str:
        """Return the account whose key is in a request, alone or between separators; else an empty string."""
        _, in_query = split_query_keys(self.contract.credential_locations, outgoing.path.partition("?")[2])
        values = [*outgoing.headers.values(), *in_query.values(), *_iterate_strings(body)]
        parts = {
            part for value in values for part in value.replace(",", " ").replace(";", " ").replace('"', " ").split()
        }
        carried = parts | set(values)
        return next((a for a, key in self.keys.items() if carried & list_sent_keys(self.contract, key)), "")

    # -- names

    def _find_names(
        self, operation: Operation, parameters: Mapping[str, Any], body: Any
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Return the strings in arguments that name new objects, and those that name existing ones."""
        arguments = join_arguments(parameters, dict(body.pairs) if isinstance(body, _PairList) else {})
        found: dict[str, set[str]] = {"new": set(), "existing": set(), "foreign": set()}
        for name, role in self.contract.get_roles(operation.id).items():
            found[role] |= set(_iterate_strings(arguments.get(name)))
        return frozenset(found["new"]), frozenset(found["existing"])

    def _find_foreign_parameter(self, operation: Operation, parameters: Mapping[str, Any]) -> str | None:
        """Return the first parameter outside the path that may name a foreign object; None if there is none."""
        for key, texts in parameters.items():
            if (
                is_parameter_key(key)
                and self._parameters.names_object(key)
                and not self._is_harmless(texts, operation.id)
            ):
                return key
        return None

    def _find_foreign_argument(self, value: Any, operation: str, *, outermost: bool = True) -> str | None:
        """Return the first argument in a body that may name a foreign object; None if there is none.

        An ``outermost`` value belongs to no argument: a body that is a string or a list of strings.
        """
        if isinstance(value, _PairList):
            for name, inner in value.pairs:
                if normalize_name(name) in self._identity_arguments:
                    if not self._is_harmless(inner, operation, name):
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

    def _is_harmless(self, value: Any, operation: str, argument: str = "") -> bool:
        """Return True if a value is the run's own or cannot name an object, or is the given one of ``argument``.

        A number always may name an object.
        """
        if value is None or isinstance(value, bool):
            return True
        if isinstance(value, str):
            is_given = argument not in ("", *self.contract.get_roles(operation)) and (
                value == self._given_values.get(normalize_name(argument))
            )
            return is_given or self.owns(value) or (operation, value) in self.permitted_pairs
        if isinstance(value, _PairList):
            return all(self._is_harmless(part, operation) for pair in value.pairs for part in pair)
        return isinstance(value, list) and all(self._is_harmless(inner, operation) for inner in value)

    def allows_operation(self, operation: str) -> bool:
        """Return True if an operation may be performed on the run's own objects; some need consent."""
        return operation not in self.contract.lifecycle.affects_others or operation in self.consents

    def owns(self, name: str) -> bool:
        """Return True if a string is a name of this run's form, or an id assigned to this run."""
        return name in self.ids or self._is_own_name(name)

    def _is_own_name(self, name: str) -> bool:
        return self.names.owns(name) and _NAME_CHARACTERS.issuperset(self.names.strip_suffix(name))


class _PairList:
    """JSON object with all its pairs: of a repeated name, some servers read the first value, some the last."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _to_pairs(value: Any) -> Any:
    """Convert the objects in JSON to pairs."""
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


def _unframe_message(encoded: EncodedRequest) -> EncodedRequest:
    """Return a gRPC-web request with the message that it frames as its content; any other request as it is."""
    media = {name.lower(): value for name, value in encoded.headers.items()}.get("content-type", "")
    if encoded.is_grpc_message or not grpc_web_frames.is_grpc_web(media):
        return encoded
    content = encoded.content
    try:
        framed = list(
            grpc_web_frames.decode_frames(
                grpc_web_frames.decode_text(content) if grpc_web_frames.is_text(media) else content
            )
        )
    except grpc_web_frames.FrameError as error:
        raise BlockedRequestError("a gRPC-web request cannot be decoded") from error
    if encoded.method != "POST" or len(framed) != 1 or framed[0][0]:
        raise BlockedRequestError("a gRPC-web request must be one POST of one message")
    return replace(encoded, content=framed[0][1], is_grpc_message=True)


def _create_codec(contract: Contract) -> "MessageCodec | None":
    """Return the messages of a contract that has gRPC."""
    if contract.grpc is None:
        return None
    from contract_watch.contracts.protobuf import MessageCodec  # noqa: PLC0415 (loads slowly)

    return MessageCodec(contract)
