"""ZITADEL's model: an instance has several SMTP configurations, of which at most one is active.

The default model and ``rules.yaml`` say most of it. This class adds the gateway's protojson and order of checks, the ids of
errors, the history of objects (sequence, dates, state) and a projection that can lag. It also serves gRPC, whose requests
are converted to those of REST.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import ForClause, Matcher, ObjectMatcher
from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check, Interpretations, ModelState, Outcome
from contract_watch.contracts.request import Request
from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.contracts.resource.preset_object import PresetObject
from contract_watch.contracts.resource.state import Item
from contracts.zitadel import values
from contracts.zitadel.presets import build_config, dump_history, settle_configs
from contracts.zitadel.requests import Message, decode_request, order_refusals
from contracts.zitadel.state import Config, InstanceState
from contracts.zitadel.values import ACTIVATE, ACTIVE, ADD, AS_READ, DEACTIVATE, GET, INACTIVE, LIST, PASSWORDS

_COMPLETE = f"{LIST}/effect/complete"
_REPLY_TO = "replyToAddress"


class ZitadelModel(ResourceModel):
    """The `Model` of ZITADEL."""

    state_types = (InstanceState, Config)

    def list_interpretations(self) -> Mapping[str, tuple[str, ...]]:
        """See `ResourceModel`: the order of checks is known, and unknown fields are ignored."""
        return self.spec.rules_file.interpretations

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> InstanceState:
        """See `ResourceModel`."""
        return InstanceState({account.key: account for account in accounts}, interpretations, own_prefix)

    # -- requests

    def outcomes(self, state: ModelState, request: Request) -> Sequence[Outcome]:
        """See `ResourceModel`; the order is authorisation, decoding, validation, lookup of the configuration."""
        operation = request.operation or ""
        visible = state.see(request.timestamp) if operation in (GET, LIST) else state
        found = super().outcomes(visible, request)
        return found if visible is state else [replace(outcome, next_state=state) for outcome in found]

    def decode_request(self, request: Request, operation: Operation) -> Message:
        """See `ResourceModel`; protojson is decoded first."""
        return decode_request(request, operation)

    def authenticate(
        self, state: ModelState, request: Request, operation: Operation
    ) -> tuple[list[Account], list[Check]]:
        """See `ResourceModel`; in REST, a path that its id breaks can be a 404 for every caller."""
        accounts, denied = super().authenticate(state, request, operation)
        if not accounts:
            denied = list(order_refusals(denied, _read_message(request).refusals, operation.id))
        name = request.parameters.get("id")
        if name is not None and (name in ("", ".", "..") or "/" in name):
            unknown = self.spec.get_refusal_kinds(operation).unknown
            denied += [replace(check, is_undecidable=True) for check in unknown]
        return accounts, denied

    def list_checks(self, state: ModelState, call: Call) -> Iterator[Check]:
        """See `ResourceModel`; a certain refusal ends each stage."""
        stages: list[list[Check]] = [[], [], []]
        for check in super().list_checks(state, call):
            is_valid = check.status == 404 or "code" in self.effects.get_body(check)
            stages[0 if check.status == 403 else 2 if is_valid else 1].append(check)
        for stage, checks in enumerate(stages):
            certain = [
                one
                for one in checks
                if one.is_certain(state.interpretations) and one.clause not in call.request.exempt_clauses
            ]
            if certain and stage == 0:
                yield from order_refusals(checks, _read_message(call.request).refusals, call.operation.id)
            else:
                yield from checks
            if certain:
                return

    def check_request(self, state: ModelState, call: Call) -> Iterator[Check]:
        """See `ResourceModel`; a request is decoded first."""
        yield from _read_message(call.request).refusals
        yield from super().check_request(state, call)

    def look_up(self, state: ModelState, call: Call, name: str) -> tuple[Item | None, list[Check]]:
        """See `ResourceModel`; only a read has to say that a removed configuration is gone."""
        item, checks = super().look_up(state, call, name)
        if call.operation.id != GET:
            unknown = self.spec.get_refusal_kinds(call.operation).unknown[0]
            checks = [replace(check, clause=unknown.clause) for check in checks]
        return item, checks

    def refuse(self, state: ModelState, request: Request, operation: Operation, check: Check) -> Outcome:
        """See `ResourceModel`; an error's id stands in its message, and perhaps in its details."""
        outcome = super().refuse(state, request, operation, check)
        assert isinstance(outcome.body, ObjectMatcher)
        message = outcome.body.required["message"].render()
        if check.status == 401 and not request.headers.get("authorization"):
            message = "auth header missing"
        if "/request/{id}/" in check.clause:
            bounds = "between {minLength} and {maxLength} runes, inclusive".format(**operation.path_schemas["{id}"])
            message = f"invalid id: value length must be {bounds}"
        body = values.ErrorMatcher.build(outcome.body, message, state.interpretations)
        after: InstanceState = outcome.resolve_next_state(None).record_refusal(
            operation.id, request.parameters.get("id", "")
        )

        def narrow(answer: Any) -> InstanceState:
            return replace(after, interpretations=body.narrow(after.interpretations, answer))

        return replace(outcome, body=body, next_state=narrow)

    # -- presets

    def dump_item(self, item: Item) -> dict[str, Any]:
        """See `ResourceModel`; the history of a configuration stands in its details."""
        return {**super().dump_item(item), **dump_history(item)}

    def build_object(self, state: ModelState, preset: PresetObject) -> Config:
        """See `ResourceModel`; a preset gives the history in the details."""
        return build_config(super().build_object(state, preset), preset, _digest(preset.call))

    def settle_preset(self, state: ModelState, items: Sequence[Item], presets: Sequence[PresetObject]) -> InstanceState:
        """See `ResourceModel`; every configuration has a sequence, and one at most is active."""
        settled: InstanceState = replace(state, items=tuple(items))
        return settle_configs(settled, presets)

    # -- responses

    def succeed(self, state: ModelState, call: Call) -> Sequence[Outcome]:
        """See `ResourceModel`; every change has a sequence, every response tells about the history of an object."""
        [outcome] = super().succeed(state, call)
        operation, name = call.operation.id, str(call.arguments.get("{id}", ""))
        config, password = state.find_config(name), _digest(call)

        def after(answer: Any) -> InstanceState:
            now: InstanceState = outcome.resolve_next_state(answer)
            if operation == LIST:
                rows = values.get_value(answer, "result")
                named = [(values.get_value(row, "id"), row) for row in (rows if isinstance(rows, list) else ())]
                return now.record_rows(
                    {name: row for name, row in named if isinstance(name, str)}, call.at, is_list=True
                )
            if operation == GET:
                return now.record_rows({name: values.get_value(answer, "smtpConfig")}, call.at, is_list=False)
            return now.record_change(state, call, answer, password)

        if operation == LIST:
            outcome = replace(outcome, body=self._match_page(state, call, outcome.body))
        elif operation == GET and config is not None:
            outcome = replace(outcome, clause=self._find_suspect(state, config, outcome.clause, is_listed=False))
        elif operation not in (ADD, GET):
            details = self._match_change(state, call, config, is_unchanged=password == (config and config.password))
            outcome = replace(outcome, body=ObjectMatcher({"details": details}))
        base = outcome
        if operation == LIST and not callable(base.next_state):  # rows tell the mock nothing
            return [base]
        return [replace(base, next_state=after)]

    @staticmethod
    def _find_suspect(state: InstanceState, config: Config, clause: str, *, is_listed: bool) -> str:
        """Return the clause to suspect if a configuration is not there; until a read succeeds, the read can be broken."""
        if not config.was_read:
            return f"{ADD}/effect/created" if state.has_read else clause
        is_suspect = config.last_operation and (state.has_listed or not is_listed)
        return f"{config.last_operation}/effect/untouched" if is_suspect else _COMPLETE if is_listed else clause

    def match_row(
        self, state: ModelState, item: Item, operation: Operation, name: Matcher, *, is_echo: bool = False
    ) -> ObjectMatcher:
        """See `ResourceModel`; the list can omit more than a read."""
        row = super().match_row(state, item, operation, name, is_echo=is_echo)
        if operation.id == ADD:
            sequence = ForClause(f"{ADD}/effect/sequence", values.match_sequence(state.next_sequence, 1))
            details = values.match_details(
                sequence, item.created_at, item.created_at, state.get_choice("change-dates"), "change"
            )
            return ObjectMatcher({"id": name, "details": details})
        assert isinstance(item, Config)
        least, most = max(item.sequence, 1), item.sequence if item.is_exact else None
        sequence = ForClause(
            item.clauses.get("sequence", f"{ADD}/effect/sequence"),
            values.match_sequence(item.sequence, least, most),
            state.find_suspected_clause(item, "sequence", ()),
        )
        details = values.match_history(
            values.match_details(sequence, item.created_at, item.changed_at, "both", "change"),
            item,
        )
        required, optional, shown = {**row.required, "details": details}, dict(row.optional), row.rendered_optional
        if operation.id == LIST:
            if _REPLY_TO in required:
                optional[_REPLY_TO] = required.pop(_REPLY_TO)
            shown = shown | {_REPLY_TO} if state.get_choice("listed-reply-to") == "shown" else shown - {_REPLY_TO}
            # An operation that no read has followed is suspected first.
            last = item.last_operation if item.unread_operations else ""
            suspected = f"{last}/effect/untouched" if last else AS_READ
            required = {prop: values.suspect(matcher, suspected) for prop, matcher in required.items()}
            optional = {prop: values.suspect(matcher, suspected) for prop, matcher in optional.items()}
        return ObjectMatcher(required, optional, row.forbidden, shown & optional.keys())

    def _match_change(
        self, state: InstanceState, call: Call, config: Config | None, *, is_unchanged: bool
    ) -> values.DetailsMatcher:
        """Build the matcher of the details after a change of ``config`` (None: unknown).

        A password that equals the previous one need not count as a change, nor a deactivation of an inactive one.
        """
        operation, last, sample = call.operation.id, config.sequence if config else 0, state.next_sequence
        last -= is_unchanged and operation in PASSWORDS
        if operation == DEACTIVATE and config is not None and config.state != ACTIVE:
            last, sample = last - 1, config.sequence if config.state == INACTIVE else sample
        sequence = ForClause(f"{operation}/effect/sequence", values.match_sequence(sample, max(last, 0) + 1))
        # The source sets the creationDate in the response of an activation to the time of the activation.
        if operation in (ACTIVATE, DEACTIVATE):
            return values.match_details(sequence, call.at, call.at, state.get_choice("activation-dates"))
        created_at = config.created_at if config else call.at
        return values.match_details(sequence, created_at, call.at, state.get_choice("change-dates"), "change")

    def _match_page(self, state: InstanceState, call: Call, page: Any) -> values.InstancePage:
        """Build the matcher of a page; a missing row is the list's own fault, or that of the last change."""
        rows = {
            name: replace(
                row,
                clause=self._find_suspect(state, config, f"{LIST}/response/200", is_listed=True),
                suspected_clause=_COMPLETE,
            )
            for name, row in page.rows.known_rows.items()
            if (config := state.find_config(name)) is not None
        }
        details = values.match_list_details(len(rows), state.sequence, call.at)
        active = next((config.name for config in state.configs if config.state == ACTIVE), None)
        parts = {
            "rows": replace(page.rows, known_rows=rows),
            "required": {**page.required, "details": details},
            "active_id": active,
        }
        return values.InstancePage(**{**vars(page), **parts})


def _read_message(request: Request) -> Message:
    assert isinstance(request, Message)
    return request


def _digest(call: Call) -> str:
    """Return the digest of the password that a request sends, which is empty if absent."""
    password = str(call.arguments.get("password", ""))
    return hashlib.sha256(password.encode("utf-8", "surrogatepass")).hexdigest()


Model = ZitadelModel
