"""The generated client, driven as its users drive it, over the run's own connection.

Each operation is called through ``connect`` and ``aconnect``. The client must parse every documented response into the
type that its signature names, lose nothing and invent nothing; a drift is told as the error that its users get.
"""

import asyncio
import importlib
import inspect
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from types import ModuleType
from typing import Any, get_args, get_origin
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from contract_watch.contracts.credential_locations import join_query_keys
from contract_watch.contracts.openapi import ResponseSpec, split_arguments
from contract_watch.contracts.registry import Contract
from contract_watch.engine.judging.disagreement import ADDITIVE, BREAKING, Disagreement
from contract_watch.engine.planning.arguments import ArgumentBuilder
from contract_watch.engine.planning.near_keys import build_near_key, choose_kind, has_secret_part
from contract_watch.engine.planning.probe import OwnName, fill_placeholders
from contract_watch.engine.planning.simulation import Simulation
from contract_watch.engine.protocols.exchange import Exchange
from contract_watch.engine.protocols.httpx_transport import AsyncHttpxTransport, HttpxTransport
from contract_watch.engine.protocols.wire import Response, TransportError
from contract_watch.engine.running.session import Session
from contract_watch.errors import UsageError

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True)
class ParsedResponse:
    """The client's result for one response.

    ``value`` is the parsed body of a success or of a documented refusal, ``error`` any other error that users get.
    """

    value: Any = None
    error: BaseException | None = None


class ClientModules:
    """The generated client of one contract, as Python modules by operation id."""

    @staticmethod
    def add_to_path(contract: Contract) -> None:
        """Put the generated package on the path."""
        folder = str(contract.output_directory / "client")
        if folder not in sys.path:
            sys.path.insert(0, folder)

    def __init__(self, contract: Contract) -> None:
        self.stopped_by: Exception | None = None
        """The reason that the run itself, not the target, ended a call."""
        self.add_to_path(contract)
        name = f"{contract.slug}_client"
        try:
            self.package = importlib.import_module(name)
            api = importlib.import_module(f"{name}.api")
            self._errors = importlib.import_module(f"{name}.errors")
            self._reading, self._messages = (
                importlib.import_module(f"{name}.{part}") for part in ("_reading", "_messages")
            )
        except ImportError as error:
            raise UsageError(
                f"generated/{contract.slug}/client cannot be imported ({error}): run `make generate`"
            ) from error
        self.modules: dict[str, ModuleType] = {}
        # The generator splits a name at digits and acronyms as well, so that only the letters are certain.
        found = {module.split(".")[-1].replace("_", ""): module for module in _list_modules(api)}
        for operation in contract.operations:
            if operation.lower() not in found:
                raise UsageError(f"generated/{contract.slug}/client has no module of {operation}: run `make generate`")
            self.modules[operation] = importlib.import_module(found[operation.lower()])

    def build_session_client(self, session: Session, key: str) -> Any:
        """Build the client that the generator's own functions take, with ``key`` and the run's connection."""
        location = session.contract.credential_locations[0]
        if location.query:
            # Below httpx, which logs the addresses that it requests.
            def send(request: httpx.Request) -> Response:
                url, headers = join_query_keys(str(request.url), {**request.headers, location.key: key})
                return session.send_http_request(
                    httpx.Request(request.method, url, headers=headers, content=request.read())
                )

            return self.package.Client(
                base_url=session.base, httpx_args={"transport": HttpxTransport(send), "trust_env": False}
            )
        arguments = {"transport": HttpxTransport(session.send_http_request), "trust_env": False}
        credential = {"prefix": location.scheme, "auth_header_name": location.header}
        return self.package.AuthenticatedClient(base_url=session.base, token=key, httpx_args=arguments, **credential)

    def build_api(self, session: Session, key: str, *, asynchronous: bool) -> Any:
        """Return what ``connect`` gives with ``key`` and the run's connection; the run repeats requests itself."""
        self.stopped_by = None

        def send(request: httpx.Request) -> Response:
            try:
                return session.send_http_request(request)
            except TransportError:
                raise
            except Exception as error:  # the client makes an error of its own of it
                self.stopped_by = error
                raise

        open_connection = self.package.aconnect if asynchronous else self.package.connect
        return open_connection(
            key,
            base_url=session.base,
            max_retries=0,
            allow_http_to=[urlsplit(session.base).hostname or ""],
            transport=AsyncHttpxTransport(send) if asynchronous else HttpxTransport(send),
        )

    def get_method(self, connected: Any, operation: str) -> Callable[..., Any]:
        """Return the method of ``connected`` that calls ``operation`` and returns the whole response."""
        method: Callable[..., Any] = getattr(connected.raw, self.modules[operation].__name__.rpartition(".")[2])
        return method

    def build_keywords(self, operation: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Build the arguments of the method for ``operation`` that carry ``raw``, the operation's arguments."""
        given = self.build_arguments(operation, raw)
        body = given.pop("body", None)
        if body is None:
            return given
        fields = {one.name: getattr(body, one.name) for one in type(body).__attrs_attrs__}
        extra = fields.pop("additional_properties", {})
        for name, value in fields.items():
            if type(value).__name__ != "Unset" and name != "raw_values":
                given[f"{name}_" if name in given else name] = value
        return {**given, "extra_body": extra} if extra else given

    def build_arguments(self, operation: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Build the keyword arguments that carry ``raw``, the operation's arguments."""
        declared = inspect.signature(self.modules[operation].sync_detailed).parameters
        parameters, body = split_arguments(dict(raw))
        spelled = {_normalize_name(name): name for name in declared}
        arguments: dict[str, Any] = {}
        for key, value in parameters.items():
            location, _, name = key.rpartition(":")
            # Of two parameters with one name the generator adds the location to the second.
            word = spelled.get(_normalize_name(f"{name}{location}")) or spelled[_normalize_name(name)]
            arguments[word] = value if not location else _convert_value(declared[word].annotation, value)
        if "body" not in declared:
            return arguments
        kind = declared["body"].annotation
        model = next(one for one in (kind, *get_args(kind)) if hasattr(one, "from_dict"))
        return {**arguments, "body": model.from_dict(body)}

    def parse_response(self, operation: str, response: Response) -> ParsedResponse:
        """Let the client parse a recorded response."""
        parser = self.modules[operation]._parse_response  # noqa: SLF001 (the parser itself)
        received = self._messages.Received(response.status, {}, response.body)
        outcome = self._reading.Outcome(self._messages.Prepared("GET", "", {}, None, operation), received)
        return self.capture_result(lambda: self._reading.read_success(outcome, parser))

    def capture_result(self, call: Callable[[], Any]) -> ParsedResponse:
        """Return what ``call``, a call of the client, gives its users."""
        try:
            return ParsedResponse(value=call().parsed)
        except self._errors.APIStatusError as error:
            return ParsedResponse(value=error.parsed)
        except Exception as error:  # noqa: BLE001 (any other error of the client is its result)
            return ParsedResponse(error=error)


def _convert_value(annotation: Any, value: Any) -> Any:
    """Convert a JSON value to the type that the client's function takes: an enumeration, a time, a model."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(value, list) and get_origin(kind) is list:
            return [_convert_value(get_args(kind)[0], one) for one in value]
        if isinstance(value, str) and isinstance(kind, type) and issubclass(kind, date):
            return kind.fromisoformat(value)
        if isinstance(value, str) and kind is UUID:
            return UUID(value)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(value)
        if isinstance(value, dict) and hasattr(kind, "from_dict"):
            return kind.from_dict(value)
    return value


def _normalize_name(name: str) -> str:
    """Normalize a parameter's name: the generator spells the document's names as Python's."""
    return name.replace("_", "").replace("-", "").lower()


def _list_modules(package: ModuleType) -> Iterator[str]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield found.name


def drive_client(session: Session, client: ClientModules) -> Iterator[tuple[Exchange, ParsedResponse]]:
    """Drive the client through the life of an object; yield each parsed response.

    Create it, change, list, remove, list with a wrong key; then, asynchronously, the successful requests once more.
    The probes have seen other errors already: `parse_recorded_responses` gives them to the client.
    """
    contract = session.contract
    key = session.keys[contract.credentials[0].account]
    read = contract.operations[contract.lifecycle.read]
    for asynchronous in (False, True):
        good = client.build_api(session, key, asynchronous=asynchronous)
        yield from _drive_lifecycle(session, client, good, asynchronous)
        if asynchronous:
            return
        # The kind whose turn it is after the probes: one for each operation.
        kind = choose_kind(len(contract.operations))
        wrong = build_near_key(kind, key, is_pair=has_secret_part(contract))
        bad = client.build_api(session, wrong, asynchronous=asynchronous)
        nobody = Simulation(contract).build_arguments(read, session.names.create_name())
        yield _call_operation(session, client, bad, read.id, nobody, asynchronous=asynchronous)


def _drive_lifecycle(
    session: Session, client: ClientModules, connected: Any, asynchronous: bool
) -> Iterator[tuple[Exchange, ParsedResponse]]:
    """Create an object, do everything that can be done with it, read it, remove it."""
    contract, simulation, bodies = session.contract, Simulation(session.contract), ArgumentBuilder(session.contract)
    account, life, name = contract.credentials[0].account, contract.lifecycle, session.names.create_name()

    def call(operation: str, arguments: Any) -> tuple[Exchange, ParsedResponse]:
        return _call_operation(session, client, connected, operation, arguments, asynchronous=asynchronous)

    def fill(value: Any) -> Any:
        return fill_placeholders(value, OwnName(session.target.get_identity(name)))

    yield call(life.create, fill(bodies.build_baseline(contract.operations[life.create])))
    for operation, declared in contract.operations.items():
        if operation not in (life.create, life.remove) and "existing" in contract.get_roles(operation).values():
            preparation = simulation.find_preparation(
                session.target.possible_states, declared, session.target.get_identity(name), session.keys[account]
            )
            if not all(session.may_perform(step) for step in (operation, *(preparation or ()))):
                continue
            for step in preparation or ():
                yield call(step, fill(bodies.build_baseline(contract.operations[step])))
            if operation != life.read:
                yield call(operation, fill(bodies.build_baseline(declared)))
    yield call(life.read, fill(bodies.build_baseline(contract.operations[life.read])))
    yield call(life.remove, fill(bodies.build_baseline(contract.operations[life.remove])))


def _call_operation(
    session: Session, client: ClientModules, connected: Any, operation: str, arguments: Any, *, asynchronous: bool
) -> tuple[Exchange, ParsedResponse]:
    method, keywords = client.get_method(connected, operation), client.build_keywords(operation, arguments)
    if asynchronous:

        def call() -> Any:
            # Not asyncio.run: it keeps an interruption to itself where nothing is awaited.
            loop = asyncio.new_event_loop()
            try:
                return loop.run_until_complete(method(**keywords))
            finally:
                loop.close()
    else:

        def call() -> Any:
            return method(**keywords)

    before = len(session.attempt.exchanges)
    parsed = client.capture_result(call)
    if client.stopped_by is not None:
        raise client.stopped_by
    if len(session.attempt.exchanges) == before and parsed.error is not None:
        raise parsed.error  # nothing was sent: a defect of ours or the client's, not a response
    return session.attempt.exchanges[-1], parsed


def find_disagreements(
    contract: Contract, operation: str, response: Response, parsed: ParsedResponse
) -> Iterator[Disagreement]:
    """Find differences between a documented response and the client's parsed value."""
    declared = contract.operations[operation]
    spec = declared.find_response(response.status)
    if spec is None:
        return
    prefix, clause = (
        f"{operation}/{response.status}/client",
        f"{operation}/response/{declared.get_response_key(response.status)}",
    )
    label = f"The generated client, given {declared.name}'s {response.status},"
    why = "Teams that installed the client see this on every such answer."
    if parsed.error is not None:
        reason = str(parsed.error).rpartition("the response is not as documented: ")[2]
        title = f"{label} raises {type(parsed.error).__name__}: {reason}"
        yield Disagreement(f"{prefix}/raises", BREAKING, clause, title, why, operation)
        return
    if spec.media and parsed.value is None:
        title = f"{label} raises an error whose `parsed` is None: the body is not the documented model"
        yield Disagreement(f"{prefix}/unparsed", BREAKING, clause, title, why, operation)
        return
    if parsed.value is None:
        return
    body = json.loads(response.body)
    if extra := sorted(name for name in _find_unknown_properties(parsed.value) if not _is_free_form(spec, name, body)):
        title = f"{label} does not know {', '.join(extra)}"
        yield Disagreement(f"{prefix}/leftover", ADDITIVE, clause, title, why, operation)
    if not _is_same_value(_convert_to_json(parsed.value), body):
        yield Disagreement(f"{prefix}/altered", BREAKING, clause, f"{label} gives back other values", why, operation)


def _convert_to_json(value: Any) -> Any:
    """Return the JSON value of a parsed body: of a model, of an array of models, or of a plain value."""
    if isinstance(value, list):
        return [_convert_to_json(item) for item in value]
    return value.to_dict() if hasattr(value, "to_dict") else value


def _is_free_form(spec: ResponseSpec, name: str, body: Any) -> bool:
    """Return True if a property that the client does not know stands in an object that may hold anything."""
    schema = next((schema for schema in spec.media.values() if schema is not None), None)
    return schema is not None and name not in schema.property_names and not any(
        path[-1] == name for path in schema.find_undocumented(body)
    )  # fmt: skip


def _is_same_value(parsed: Any, received: Any) -> bool:
    """Return True if the client returns the values of the response.

    A time may be spelled otherwise, to the microsecond, and a UUID in another case: clients parse both.
    """
    if isinstance(parsed, dict) and isinstance(received, dict):
        return parsed.keys() == received.keys() and all(_is_same_value(parsed[name], received[name]) for name in parsed)
    if isinstance(parsed, list) and isinstance(received, list):
        return len(parsed) == len(received) and all(map(_is_same_value, parsed, received))
    if isinstance(parsed, str) and isinstance(received, str) and parsed != received:
        if _UUID.fullmatch(received):
            return parsed.lower() == received.lower()
        return _TIMESTAMP.match(received) is not None and _parse_timestamp(parsed) == _parse_timestamp(received)
    return bool(parsed == received)


def _parse_timestamp(text: str) -> datetime | None:
    """Parse an RFC 3339 time to the microsecond; return None for any other string."""
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return None


def _find_unknown_properties(value: Any) -> Iterator[str]:
    """Collect the names of properties in ``additional_properties``, at any depth."""
    if isinstance(value, list):
        for inner in value:
            yield from _find_unknown_properties(inner)
    elif hasattr(value, "additional_properties"):
        yield from value.additional_properties
        for name in getattr(type(value), "__attrs_attrs__", ()):
            if name.name != "additional_properties":
                yield from _find_unknown_properties(getattr(value, name.name))
