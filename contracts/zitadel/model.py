"""ZITADEL's SMTP configurations: an instance has several, of which at most one is active.

The rules stand on the vendor's reference, and where that is silent on the vendor's published source; where both leave
something open there is a reading (see `rules`). The same model serves gRPC: its requests come in the shape of REST.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.checks import judge
from contract_watch.contracts.interpretations import Readings
from contract_watch.contracts.model import Account, Outcome
from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.request import Request
from contracts.zitadel import pages, responses
from contracts.zitadel.configs import Config, State
from contracts.zitadel.refusals import ADMIN, NOT_FOUND, PRECONDITION, Refusal, refusing, unauthorised
from contracts.zitadel.rules import (
    ACTIVATE,
    ADD,
    DEACTIVATE,
    GET,
    LIST,
    NAMING,
    PASSWORDS,
    READINGS,
    REMOVE,
    RULES,
    TEXTS,
)
from contracts.zitadel.validation import Message, decoded, invalidities, plain

_ERRORS: Mapping[str, str] = {
    GET: "QUERY-fwofw",
    ACTIVATE: "COMMAND-E9K20hxOS9",
    DEACTIVATE: "COMMAND-k39PJ",
    REMOVE: "COMMAND-09CXlTDL6w",
    **dict.fromkeys(PASSWORDS, "COMMAND-rDHzqjGuKQ"),
}
"""The error ids under which the vendor's source finds no configuration."""


def build(effective: OpenApi, _published: OpenApi) -> "Zitadel":
    """The model over its effective document."""
    return Zitadel(effective)


class Zitadel:
    """See `contract_watch.contracts.model.Model`."""

    readings = READINGS
    rules = RULES

    def __init__(self, effective: OpenApi) -> None:
        self._operations = effective.operations

    def start(self, accounts: Sequence[Account], readings: Readings, fresh: str) -> State:
        """See `Model.start`."""
        return State({account.key: account for account in accounts}, readings, fresh)

    def forget(self, state: State, names: Iterable[str]) -> State:
        """See `Model.forget`."""
        return state.forgotten(names)

    def owned(self, state: State) -> Sequence[tuple[str, str]]:
        """See `Model.owned`."""
        return [(ADMIN, config.id) for config in state.configs]

    def dump(self, state: State) -> Any:
        """See `Model.dump`."""
        return [
            {"id": config.id, "active": config.active, "sequence": str(config.sequence), **config.settings}
            for config in state.configs
        ]

    def outcomes(self, state: State, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`. Authorisation comes before validation, and that before any configuration is looked up."""
        operation = self._operations[request.operation or ""]
        message, undecodable = decoded(request, operation.id)
        refuse = refusing(state, operation.id, message.id)

        def authorised(shown: Readings) -> Sequence[Outcome]:
            return stage(undecodable, shown, valid)

        def valid(shown: Readings) -> Sequence[Outcome]:
            return stage(list(invalidities(operation, message)), shown, possible)

        def possible(shown: Readings) -> Sequence[Outcome]:
            return stage(list(_obstacles(state.read(shown), operation.id, message.id, request.at)), shown, done)

        def done(shown: Readings) -> Sequence[Outcome]:
            return [_success(state.read(shown), operation.id, message, request.at)]

        def stage(checks: Sequence[Refusal], shown: Readings, then: Any) -> Sequence[Outcome]:
            return judge(checks, shown, refuse, then, (401, 403, 400, 404), request.excused)

        first = [*_before(unauthorised(state, request, operation.id), undecodable, operation.id)]
        if operation.id in NAMING and (message.id in ("", ".", "..") or "/" in message.id):
            # In REST such a path may lead nowhere, whoever asks.
            first.append(replace(_missing(operation.id), maybe=True))
        return stage(first, state.readings, authorised)


def _before(denied: Sequence[Refusal], undecodable: Sequence[Refusal], operation: str) -> Iterator[Refusal]:
    """Who may not ask is told so before validation; whether the body is decoded before that is a reading."""
    if not denied:
        return
    disputed = not all(one.reading for one in denied) and not all(one.reading or one.maybe for one in undecodable)
    for refusals, value in ((denied, "after-authorisation"), (undecodable, "before-authorisation")):
        for refusal in refusals:
            told = disputed and not (refusal.reading or refusal.maybe)
            yield replace(refusal, reading="decoding", refusing=(value,), scope=operation) if told else refusal


def _missing(operation: str) -> Refusal:
    clause = f"{operation}/rule/id-unknown"
    return Refusal(404, clause, RULES[clause], code=NOT_FOUND,
                   text="SMTP configuration not found", error=_ERRORS[operation])  # fmt: skip


def _obstacles(state: State, operation: str, name: str, at: float) -> Iterator[Refusal]:
    """What the present state of the instance has against a valid request."""
    if operation not in NAMING:
        return
    missing = _missing(operation)
    config = state.shown(name, at) if operation == GET else state.find(name)
    if config is None:
        if operation == GET and name in state.gone:
            missing = replace(missing, clause=f"{REMOVE}/effect/removed")
        yield replace(missing, maybe=not state.known_absent(name))
    elif operation in PASSWORDS and config.active is not True:
        why = "Only an active configuration takes a password: 404, code 5."
        inactive = replace(missing, clause=f"{operation}/response/404", why=why)
        yield _open(inactive, "inactive-password", "404", operation, config)
    elif operation == ACTIVATE and config.active is not False:
        clause = f"{ACTIVATE}/rule/already-active"
        yield replace(_precondition(clause, RULES[clause], "Errors.SMTPConfig.AlreadyActive", "COMMAND-vUHBSmBzaw"),
                      maybe=config.active is None)  # fmt: skip
    elif operation == DEACTIVATE and config.active is not True:
        why = "The configuration is inactive already."
        refusal = _precondition(f"{DEACTIVATE}/response/400", why, "SMTP configuration already deactivated",
                                "COMMAND-km8g3")  # fmt: skip
        yield _open(refusal, "deactivate-inactive", "400", "", config)
        yield _open(replace(missing, clause=f"{DEACTIVATE}/response/404", why=why), "deactivate-inactive", "404", "",
                    config)  # fmt: skip
    elif operation == REMOVE and config.active is not False:
        why = "Whether the active configuration may be removed is not said."
        refusal = _precondition(f"{REMOVE}/response/400", why, "the configuration is active", "")
        yield _open(refusal, "remove-active", "400", "", config)


def _precondition(clause: str, why: str, text: str, error: str) -> Refusal:
    return Refusal(400, clause, why, code=PRECONDITION, text=text, error=error)


def _open(refusal: Refusal, reading: str, value: str, scope: str, config: Config) -> Refusal:
    """The refusal as a reading has it; where it is not known whether the configuration is active, it shows nothing."""
    if config.active is None:
        return replace(refusal, maybe=True)
    return replace(refusal, reading=reading, refusing=(value,), scope=scope)


def _success(state: State, operation: str, message: Message, at: float) -> Outcome:
    if operation == ADD:
        return _added(state, message, at)
    if operation == GET:
        return _found(state, message.id, at)
    if operation == LIST:
        return _listed(state, message, at)
    config = state.find(message.id)
    unchanged = operation in PASSWORDS and config is not None and config.secret == message.secret

    def after(shown: Any) -> State:
        return state.changed(operation, message.id, at, responses.sequence_in(shown), message.secret)

    body = responses.changed(state.readings, operation, config, state.next, at, unchanged=unchanged)
    return Outcome(200, f"{operation}/response/200", "A valid change of what is there is 200.", body, after)


def _added(state: State, message: Message, at: float) -> Outcome:
    texts = {name: message.fields.get(name, "") for name in TEXTS}
    settings = {name: text if plain(text) else None for name, text in texts.items()}
    settings["tls"] = message.fields.get("tls", False)

    def after(shown: Any) -> State:
        name, sequence = responses.value_in(shown, "id"), responses.sequence_in(shown)
        if state.knows_all and name is None:
            name, sequence = responses.NewId(taken).render(), state.next
        if not isinstance(name, str) or not name:  # it is there, but only the answer could have told as what
            return state.unnamed(texts["description"])
        return state.added(
            Config(name, settings, False, sequence or 0, sequence is not None, at, at, secret=message.secret)
        )

    taken = frozenset({config.id for config in state.configs} | state.gone)
    body = responses.added(state.readings, taken, state.next, at)
    return Outcome(200, f"{ADD}/response/200", "A valid configuration is added.", body, after)


def _found(state: State, name: str, at: float) -> Outcome:
    config = state.shown(name, at)
    clause, why = f"{GET}/response/200", "A configuration is shown as it was last set."
    if config is not None and not config.seen:  # reading may be what fails, until it has shown something
        clause = clause if not state.reads else f"{ADD}/effect/created"
    elif config is not None and config.since:
        clause = f"{config.since}/effect/untouched"

    def after(shown: Any) -> State:
        found = responses.value_in(shown, "smtpConfig")
        return state.learned(name, responses.sequence_in(found), active=responses.active_in(found))

    return Outcome(200, clause, why, responses.found(state.readings, name, config, at), after)


def _listed(state: State, message: Message, at: float) -> Outcome:
    def after(shown: Any) -> State:
        rows = pages.rows_of(shown)
        return state.listed(
            {name: (responses.sequence_in(row), responses.active_in(row)) for name, row in rows.items()}
        )

    why = "The list shows what there is, as it was last set."
    return Outcome(200, f"{LIST}/response/200", why, pages.page(state, message.query, at), after)
