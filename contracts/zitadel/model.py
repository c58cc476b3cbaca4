"""ZITADEL's model: an instance has several SMTP configurations, of which at most one is active.

The rules come from the vendor's reference and, where it is silent, from the vendor's published source. Where both leave
something open, `rules` has an interpretation. The model also serves gRPC, whose requests are converted to those of REST.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.outcomes import Interpretations, Outcome, build_outcomes
from contract_watch.contracts.request import Request
from contracts.zitadel import pages, responses
from contracts.zitadel.configs import SmtpConfig, ZitadelState
from contracts.zitadel.refusals import ADMIN, NOT_FOUND, PRECONDITION, Refusal, check_authorisation, make_refuse
from contracts.zitadel.rules import (
    ACTIVATE,
    ADD,
    DEACTIVATE,
    GET,
    ID_OPERATIONS,
    INTERPRETATIONS,
    LIST,
    PASSWORDS,
    REMOVE,
    RULES,
    STRING_FIELDS,
)
from contracts.zitadel.validation import RequestMessage, decode_request, is_plain, validate_message

_NOT_FOUND_ERROR_IDS: Mapping[str, str] = {
    GET: "QUERY-fwofw",
    ACTIVATE: "COMMAND-E9K20hxOS9",
    DEACTIVATE: "COMMAND-k39PJ",
    REMOVE: "COMMAND-09CXlTDL6w",
    **dict.fromkeys(PASSWORDS, "COMMAND-rDHzqjGuKQ"),
}
"""The error ids of the vendor's source for an unknown configuration."""


def build(effective: OpenApi, _published: OpenApi) -> "ZitadelModel":
    """Build the model from the effective document."""
    return ZitadelModel(effective)


class ZitadelModel:
    """The `Model` of ZITADEL; see `contract_watch.contracts.model.Model` for its methods."""

    interpretations = INTERPRETATIONS
    rules = RULES

    def __init__(self, effective: OpenApi) -> None:
        self._operations = effective.operations

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> ZitadelState:
        """See `Model.start`."""
        return ZitadelState({account.key: account for account in accounts}, interpretations, own_prefix)

    def forget(self, state: ZitadelState, names: Iterable[str]) -> ZitadelState:
        """See `Model.forget`."""
        return state.forget_configs(names)

    def list_owned(self, state: ZitadelState) -> Sequence[tuple[str, str]]:
        """See `Model.list_owned`."""
        return [(ADMIN, config.id) for config in state.configs]

    def dump(self, state: ZitadelState) -> Any:
        """See `Model.dump`."""
        return [
            {"id": config.id, "active": config.is_active, "sequence": str(config.sequence), **config.settings}
            for config in state.configs
        ]

    def outcomes(self, state: ZitadelState, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`; the order is authorisation, decoding, validation, lookup of the configuration."""
        operation = self._operations[request.operation or ""]
        message, undecodable = decode_request(request, operation.id)
        refuse = make_refuse(state, operation.id, message.id)

        def decode(narrowed: Interpretations) -> Sequence[Outcome]:
            return run_stage(undecodable, narrowed, validate)

        def validate(narrowed: Interpretations) -> Sequence[Outcome]:
            return run_stage(list(validate_message(operation, message)), narrowed, look_up)

        def look_up(narrowed: Interpretations) -> Sequence[Outcome]:
            current = replace(state, interpretations=narrowed)
            return run_stage(
                list(_check_state(current, operation.id, message.id, request.timestamp)), narrowed, succeed
            )

        def succeed(narrowed: Interpretations) -> Sequence[Outcome]:
            current = replace(state, interpretations=narrowed)
            return [_build_success_outcome(current, operation.id, message, request.timestamp)]

        def run_stage(checks: Sequence[Refusal], narrowed: Interpretations, next_stage: Any) -> Sequence[Outcome]:
            return build_outcomes(checks, narrowed, refuse, next_stage, (401, 403, 400, 404), request.exempt_clauses)

        checks = [*_order_refusals(check_authorisation(state, request, operation.id), undecodable, operation.id)]
        if operation.id in ID_OPERATIONS and (message.id in ("", ".", "..") or "/" in message.id):
            # In REST, such a path can be a 404 for every caller.
            checks.append(replace(_build_not_found(operation.id), is_undecidable=True))
        return run_stage(checks, state.interpretations, decode)


def _order_refusals(denied: Sequence[Refusal], undecodable: Sequence[Refusal], operation: str) -> Iterator[Refusal]:
    """Yield the refusals before validation; the order of authorisation and decoding is an interpretation."""
    if not denied:
        return
    disputed = not all(one.interpretation for one in denied) and not all(
        one.interpretation or one.is_undecidable for one in undecodable
    )
    for refusals, value in ((denied, "after-authorisation"), (undecodable, "before-authorisation")):
        for refusal in refusals:
            if disputed and not (refusal.interpretation or refusal.is_undecidable):
                yield replace(refusal, interpretation="decoding", refusing_values=(value,), scope=operation)
            else:
                yield refusal


def _build_not_found(operation: str) -> Refusal:
    clause = f"{operation}/rule/id-unknown"
    return Refusal(404, clause, RULES[clause], code=NOT_FOUND,
                   message="SMTP configuration not found", error_id=_NOT_FOUND_ERROR_IDS[operation])  # fmt: skip


def _check_state(state: ZitadelState, operation: str, name: str, at: float) -> Iterator[Refusal]:
    """Yield the refusals of a valid request that depend on the state of the instance."""
    if operation not in ID_OPERATIONS:
        return
    missing = _build_not_found(operation)
    config = state.find_visible_config(name, at) if operation == GET else state.find_config(name)
    if config is None:
        if operation == GET and name in state.removed_ids:
            missing = replace(missing, clause=f"{REMOVE}/effect/removed")
        yield replace(missing, is_undecidable=not state.is_known_absent(name))
    elif operation in PASSWORDS and config.is_active is not True:
        why = "Setting the password of an inactive configuration is 404, code 5."
        inactive = replace(missing, clause=f"{operation}/response/404", why=why)
        yield _make_uncertain(inactive, "inactive-password", "404", operation, config)
    elif operation == ACTIVATE and config.is_active is not False:
        clause = f"{ACTIVATE}/rule/already-active"
        yield replace(_build_precondition_refusal(clause, RULES[clause], "Errors.SMTPConfig.AlreadyActive", "COMMAND-vUHBSmBzaw"),
                      is_undecidable=config.is_active is None)  # fmt: skip
    elif operation == DEACTIVATE and config.is_active is not True:
        why = "The configuration is already inactive."
        refusal = _build_precondition_refusal(f"{DEACTIVATE}/response/400", why, "SMTP configuration already deactivated",
                                "COMMAND-km8g3")  # fmt: skip
        yield _make_uncertain(refusal, "deactivate-inactive", "400", "", config)
        yield _make_uncertain(replace(missing, clause=f"{DEACTIVATE}/response/404", why=why), "deactivate-inactive", "404", "",
                    config)  # fmt: skip
    elif operation == REMOVE and config.is_active is not False:
        why = "No document says if the active configuration can be removed."
        refusal = _build_precondition_refusal(f"{REMOVE}/response/400", why, "the configuration is active", "")
        yield _make_uncertain(refusal, "remove-active", "400", "", config)


def _build_precondition_refusal(clause: str, why: str, text: str, error: str) -> Refusal:
    return Refusal(400, clause, why, code=PRECONDITION, message=text, error_id=error)


def _make_uncertain(refusal: Refusal, interpretation: str, value: str, scope: str, config: SmtpConfig) -> Refusal:
    """Make ``refusal`` depend on an interpretation, or undecidable if it is unknown if the configuration is active."""
    if config.is_active is None:
        return replace(refusal, is_undecidable=True)
    return replace(refusal, interpretation=interpretation, refusing_values=(value,), scope=scope)


def _build_success_outcome(state: ZitadelState, operation: str, message: RequestMessage, at: float) -> Outcome:
    if operation == ADD:
        return _build_addition_outcome(state, message, at)
    if operation == GET:
        return _build_read_outcome(state, message.id, at)
    if operation == LIST:
        return _build_list_outcome(state, message, at)
    config = state.find_config(message.id)
    unchanged = operation in PASSWORDS and config is not None and config.password_digest == message.password_digest

    def after(answer: Any) -> ZitadelState:
        return state.apply_change(operation, message.id, at, responses.get_sequence(answer), message.password_digest)

    body = responses.match_change(
        state.interpretations, operation, config, state.next_sequence, at, is_unchanged=unchanged
    )
    return Outcome(200, f"{operation}/response/200", "A valid change of an existing configuration is 200.", body, after)


def _build_addition_outcome(state: ZitadelState, message: RequestMessage, at: float) -> Outcome:
    strings = {name: message.fields.get(name, "") for name in STRING_FIELDS}
    settings = {name: value if is_plain(value) else None for name, value in strings.items()}
    settings["tls"] = message.fields.get("tls", False)

    def after(answer: Any) -> ZitadelState:
        name, sequence = responses.get_value(answer, "id"), responses.get_sequence(answer)
        if state.is_complete and name is None:
            name, sequence = responses.NewConfigId(used_ids).render(), state.next_sequence
        if not isinstance(name, str) or not name:  # it exists, but only the response could tell its id
            return state.record_unnamed_config(strings["description"])
        return state.add_config(
            SmtpConfig(
                name,
                settings,
                False,
                sequence or 0,
                sequence is not None,
                at,
                at,
                password_digest=message.password_digest,
            )
        )

    used_ids = frozenset({config.id for config in state.configs} | state.removed_ids)
    body = responses.match_addition(state.interpretations, used_ids, state.next_sequence, at)
    return Outcome(200, f"{ADD}/response/200", "A valid configuration is added.", body, after)


def _build_read_outcome(state: ZitadelState, name: str, at: float) -> Outcome:
    config = state.find_visible_config(name, at)
    clause, why = f"{GET}/response/200", "A read returns the last settings of a configuration."
    if config is not None and not config.was_read:  # until a read succeeds, the read itself can be broken
        clause = clause if not state.has_read else f"{ADD}/effect/created"
    elif config is not None and config.last_operation:
        clause = f"{config.last_operation}/effect/untouched"

    def after(answer: Any) -> ZitadelState:
        row = responses.get_value(answer, "smtpConfig")
        return state.record_read(name, responses.get_sequence(row), is_active=responses.get_active(row))

    return Outcome(200, clause, why, responses.match_config_response(state.interpretations, name, config, at), after)


def _build_list_outcome(state: ZitadelState, message: RequestMessage, at: float) -> Outcome:
    def after(answer: Any) -> ZitadelState:
        rows = pages.get_rows_by_id(answer)
        return state.record_list(
            {name: (responses.get_sequence(row), responses.get_active(row)) for name, row in rows.items()}
        )

    why = "The list contains the configurations with their last settings."
    return Outcome(200, f"{LIST}/response/200", why, pages.match_page(state, message.query, at), after)
