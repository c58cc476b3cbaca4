"""SMTP2GO's model, from the reference pages of its five operations on SMTP users and its table of statuses.

``contract.toml`` and ``rules.yaml`` hold the data. This class has the values that depend on others, the rows that each
response shows, and the choices that the pages leave open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from contract_watch.contracts.matchers import Matcher, ObjectMatcher, Satisfies
from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.outcomes import Check, Outcome, keep_one_interpretation
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.contracts.resource.preset_object import PresetObject
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState
from contract_watch.contracts.resource.stored_values import StoredSecret
from contracts.smtp2go.refusals import match_refusal
from contracts.smtp2go.values import GeneratedPassword, Validity, classify_value, match_period

ADD, EDIT, PATCH = "addSmtpUser", "editSmtpUser", "patchSmtpUser"
REMOVE, VIEW = "removeSmtpUser", "viewSmtpUsers"
PASSWORD, PERIOD = "email_password", "custom_ratelimit_period"
CLICKS = "click_tracking_enabled"
RATELIMIT = ("custom_ratelimit_value", PERIOD)
FEEDBACK = ("feedback_domain", "feedback_html", "feedback_text")
_NEVER_REQUIRED = {PASSWORD, CLICKS}
"""Settings that no response must contain: a deprecated one, and one that only the page of patch has in responses."""
_DERIVED = {"key-order", "bearer-case", "head", "options"}
"""The interpretations of the default model that the pages leave open too."""


class Model(ResourceModel):
    """The model of SMTP2GO."""

    state_types = (GeneratedPassword,)

    def list_interpretations(self) -> Mapping[str, tuple[str, ...]]:
        names = _DERIVED | self.spec.rules_file.interpretations.keys()
        return {name: values for name, values in super().list_interpretations().items() if name in names}

    # -- refusals

    def match_refusal(self, operation: Operation, check: Check) -> Matcher:
        response = operation.responses.get(check.status)
        return match_refusal(check, response.description if response is not None else "")

    def list_checks(self, state: ResourceState, call: Call) -> Iterator[Check]:
        """Yield the failed checks; a key without permission learns nothing about users."""
        checks = [one for check in super().list_checks(state, call) for one in self._spread(state, call, check)]
        denied = [check for check in checks if check.clause.endswith("/rule/permission")]
        checks = [*denied, *self.check_request(state, call)] if denied else checks
        checks = [check for check in checks if check.clause not in call.request.exempt_clauses]
        yield from checks if state.is_complete else keep_one_interpretation(checks, state.interpretations)

    def _spread(self, state: ResourceState, call: Call, check: Check) -> Iterator[Check]:
        """Yield ``check`` with each status that the interpretation of a taken or unknown name has."""
        operation, name = call.operation.id, str(call.arguments.get("username"))
        rule, scope = check.clause.removeprefix(f"{operation}/"), ""
        interpretation = "name-taken"
        if rule in ("rule/name-unknown", "request"):
            interpretation = "unknown-removal" if operation == REMOVE else "unknown-user"
            is_plain = self.spec.names.policy.is_well_formed(name)
            scope = f"{operation}/{'removed' if name in state.removed_names else 'plain' if is_plain else 'odd'}"
        elif rule != "rule/name-taken":
            yield check
            return
        for value in self.interpretations[interpretation]:
            if value.isdigit() and value != "200":
                one = replace(check, status=int(value), clause=check.clause.replace("/request", "/rule/name-unknown"))
                is_open = check.is_undecidable or check.interpretation
                yield (
                    one
                    if is_open
                    else replace(one, interpretation=interpretation, refusing_values=(value,), scope=scope)
                )

    def check_request(self, state: ResourceState, call: Call) -> Iterator[Check]:
        operation, body = call.operation.id, call.request.body
        for check in super().check_request(state, call):
            name, _, keyword = check.clause.partition("/request/")[2].partition("/")
            value = call.arguments.get(name)
            if name == "body" and operation == VIEW and body is MissingBody.ABSENT:
                yield replace(check, interpretation="absent-body", refusing_values=("refused",))
            elif keyword in ("minimum", "maximum") and operation != EDIT:  # only the page of full edit gives the bounds
                scope = f"{operation}/{keyword}"
                yield replace(check, interpretation="ratelimit-bounds", refusing_values=("everywhere",), scope=scope)
            elif keyword in ("minLength", "maxLength") and not (state.is_complete or _has_definite_length(str(value))):
                yield replace(check, is_undecidable=True)
            elif keyword != "minProperties" and not _may_be_accepted(operation, name, value):
                yield check  # `nothing-to-patch` and `odd-values` have the rest
        for name in self.spec.layout.get_settable(operation):
            if isinstance(call.arguments.get(name), str):
                yield from self._check_text(state, operation, name, call.arguments[name])

    def _check_text(self, state: ResourceState, operation: str, name: str, value: str) -> Iterator[Check]:
        validity = classify_value(operation, name, value)
        if validity is Validity.INVALID and name == PASSWORD:
            clause = f"{operation}/rule/password-entropy"
            yield Check(400, clause, self.rules[clause])
        elif validity is Validity.UNSPECIFIED:
            check = Check(400, f"{operation}/response/400", f"No page documents this value of {name}.")
            refused = replace(check, interpretation="odd-values", refusing_values=("refused",))
            yield refused if state.is_complete else replace(check, is_undecidable=True)

    # -- stored values

    def read_sent(self, state: ResourceState, call: Call) -> dict[str, Any]:
        sent = super().read_sent(state, call)
        return {name: self._predict(state, call, name, value) for name, value in sent.items()}

    def _predict(self, state: ResourceState, call: Call, name: str, value: Any) -> Any:
        """Return the value that is stored for one of a request: None if it is empty, `UNKNOWN` if no page tells."""
        sent = call.arguments[name]
        if state.is_complete:
            return self.store.get_default(name) if sent == "" else value
        if name == "custom_ratelimit_value" and not 0 < sent < 2**31:
            return UNKNOWN
        if isinstance(sent, str):
            is_valid = classify_value(call.operation.id, name, sent) is Validity.VALID
            return (StoredSecret(sent) if name == PASSWORD else sent or None) if is_valid else UNKNOWN
        return value

    def settle(self, state: ResourceState, call: Call, item: Item, old: Item | None) -> Item:
        operation, sent = call.operation.id, call.arguments
        values, clauses = dict(item.values), item.clauses
        if operation == EDIT and "status" not in sent:  # add's default is published, full edit's is not
            if not state.is_complete:
                values["status"] = UNKNOWN
            elif old is not None and state.get_choice("omitted-status") == "kept":
                values["status"] = old.values["status"]
        if operation == PATCH and "feedback_domain" in sent:  # not on the page of patch
            values["feedback_domain"] = (sent["feedback_domain"] or None) if state.is_complete else UNKNOWN
        values |= self._settle_limit(state, values)
        if not state.is_complete and values.get("feedback_enabled") is not True:
            values |= dict.fromkeys(FEEDBACK, UNKNOWN)
        values[PASSWORD] = self._settle_password(state, call, values, old)
        if isinstance(values[PASSWORD], GeneratedPassword):
            clauses = {**clauses, PASSWORD: f"{operation}/effect/password-generated"}
        changes = frozenset(sent) if state.is_complete else item.unlisted_changes
        known = {name: value for name, value in values.items() if value is not UNKNOWN}
        return replace(item, values=known, clauses=clauses, unlisted_changes=changes)

    @staticmethod
    def _settle_limit(state: ResourceState, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return value and period of a rate limit as they are stored: only while it is on."""
        is_on = values.get("custom_ratelimit")
        if is_on is False or state.is_complete:
            return {} if is_on is True else dict.fromkeys(RATELIMIT)
        return {name: UNKNOWN for name in RATELIMIT if is_on is not True or values.get(name) is None}

    @staticmethod
    def _settle_password(state: ResourceState, call: Call, values: Mapping[str, Any], old: Item | None) -> Any:
        before = old.values.get(PASSWORD, UNKNOWN) if old is not None else UNKNOWN
        generated = GeneratedPassword(before if isinstance(before, str) else "")
        if PASSWORD in call.arguments:
            return values.get(PASSWORD, UNKNOWN) if call.arguments[PASSWORD] else generated
        if call.operation.id != EDIT or before is UNKNOWN:
            return generated if old is None else before
        return {"kept": before, "generated": generated, "emptied": None}[state.get_choice("omitted-password")]

    def learn(self, state: ResourceState, item: Item, row: Any, operation: Operation) -> Item:
        """Return ``item`` with the generated password that ``row`` shows; no page promises to show anything else."""
        del state
        if not isinstance(item.values.get(PASSWORD), GeneratedPassword):
            return item
        shown = row.get(PASSWORD) if isinstance(row, dict) else None
        values = {name: value for name, value in item.values.items() if name != PASSWORD}
        if isinstance(shown, str) and shown:
            values[PASSWORD] = StoredSecret(shown)
        return replace(item, values=values, clauses={**item.clauses, PASSWORD: f"{operation.id}/effect/{PASSWORD}"})

    def learns_from_rows(self, state: ResourceState, items: Sequence[Item]) -> bool:
        """Return True if a password is still to be learned."""
        return not state.is_complete or any(isinstance(one.values.get(PASSWORD), GeneratedPassword) for one in items)

    def build_object(self, state: ResourceState, preset: PresetObject) -> Item:
        """Return the user of a preset; a password that it leaves blank is generated."""
        item = super().build_object(state, preset)
        password = item.values.get(PASSWORD)
        if not isinstance(password, GeneratedPassword):
            return item
        return replace(item, values={**item.values, PASSWORD: StoredSecret(password.build_matcher().render())})

    # -- responses

    def match_value(self, state: ResourceState, name: str, value: Any, schema: Mapping[str, Any]) -> Matcher | None:
        if isinstance(value, GeneratedPassword):
            return value.build_matcher()
        if value is None:
            return self._match_empty(state, name)
        if name == PERIOD and isinstance(value, str):
            return match_period(value, as_clock=state.is_complete and state.get_choice("shown-periods") == "clock")
        return super().match_value(state, name, value, schema)

    @staticmethod
    def _match_empty(state: ResourceState, name: str) -> Matcher:
        """Build the matcher of an empty setting; an absent rate limit is null and `0:00:00`, empty strings are open."""
        if name in ("custom_ratelimit_value", "ip_pool"):
            return Satisfies(None, lambda value: value is None or (value == 0 and value is not False), "null")
        other = {PERIOD: "0:00:00", "feedback_domain": "default"}.get(name, "")
        sample = None if name == "audit_email" else other
        if state.is_complete and state.get_choice("omitted-text") == "null" and name not in (PERIOD, PASSWORD):
            sample = None
        return Satisfies(sample, lambda value: value in (None, "", other), "an empty value")

    def match_row(
        self, state: ResourceState, item: Item, operation: Operation, name: Matcher, *, is_echo: bool = False
    ) -> ObjectMatcher:
        """Build the matcher of a user's row: settings that a request sent are due, others can be absent or empty.

        Only the name is due in a response of patch, as in the page's example.
        """
        never_viewed = item.unlisted_changes | {CLICKS}  # so no view clears the request that set it
        changed = replace(item, unlisted_changes=never_viewed)
        row = super().match_row(state, changed, operation, name, is_echo=is_echo)
        matchers = {**row.optional, **row.required}
        shown_name = self.spec.layout.get_shown_name
        sent = {shown_name(one) for one in item.sent - _NEVER_REQUIRED if item.values.get(one) is not None}
        due = {"username"} if operation.id == PATCH else row.required.keys() - _NEVER_REQUIRED | sent
        rendered = set[str]()
        if state.is_complete:
            rendered = {shown_name(one) for one in item.values if self._is_shown(state, item, one, operation.id)}
            rendered.add("sending_allowed")
        if operation.id == PATCH:
            matchers["custom_rate_limit"] = matchers["custom_ratelimit"]  # the page's name in responses
            if state.is_complete and state.get_choice("patched-rows") == "sent":
                rendered = {shown_name(one) for one in item.unlisted_changes}
        optional = {prop: one for prop, one in matchers.items() if prop not in due}
        required = {prop: one for prop, one in matchers.items() if prop in due}
        return ObjectMatcher(required, optional, rendered_optional=frozenset(rendered & optional.keys()))

    @staticmethod
    def _is_shown(state: ResourceState, item: Item, name: str, operation: str) -> bool:
        """Return True if the mock shows a setting that no page requires."""
        if name == PASSWORD:
            return state.get_choice("shown-passwords") == "shown"
        if name == CLICKS:
            return state.get_choice("shown-clicks") in ("always", *(("patched",) if operation == PATCH else ()))
        is_empty = item.values[name] is None
        return not is_empty or (
            name != "ip_pool" and (name in RATELIMIT or state.get_choice("omitted-text") != "absent")
        )

    # -- successes

    def succeed(self, state: ResourceState, call: Call) -> Sequence[Outcome]:
        operation, name = call.operation.id, str(call.arguments.get("username"))
        if operation == VIEW:
            return super().succeed(state, call)
        if "subaccount_id" in call.arguments and not state.is_complete:
            return self.items.concern_unknown(state, call, name)
        if operation == ADD:
            return self._add(state, call, name)
        item, missing = self.look_up(state, call, name)
        if operation == REMOVE and item is None and not any(check.is_undecidable for check in missing):
            clause = f"{REMOVE}/rule/name-unknown"
            [outcome] = self.items.concern_unknown(state, call, name)
            return [replace(outcome, clause=clause, why=self.rules[clause], next_state=state)]
        if operation == EDIT and item is not None and PASSWORD in item.values and PASSWORD not in call.arguments:
            choices = self._list_choices(state, "omitted-password", ("kept", "generated", "emptied"))
            return [outcome for _, one in choices for outcome in self.items.change(one, call, item)]
        return super().succeed(state, call)

    def _add(self, state: ResourceState, call: Call, name: str) -> Sequence[Outcome]:
        """Add a user; a name that is taken replaces or keeps the user, as the interpretation ``name-taken`` says."""
        names, account = self.spec.names, self.spec.get_tenant(call.account.name)
        holder = names.find_item(state, account, names.predict_stored_name(state, name) or name)
        if holder is None:
            outcomes = list(super().succeed(state, call))
            is_absent = state.is_known_absent(name, account) and not names.find_candidates(state, account, name)
            if not (state.is_complete or is_absent):
                outcomes += self.items.concern_unknown(state, call, name)
            return outcomes
        outcomes = []
        call = replace(call, arguments={**call.arguments, "username": holder.name})
        for choice, narrowed in self._list_choices(state, "name-taken", ("replaced", "kept")):
            if choice == "kept":
                outcomes += self.items.read(narrowed, call, holder)
            else:
                outcomes += self.items.create(narrowed.remove_item(holder), call)
        return outcomes

    @staticmethod
    def _list_choices(
        state: ResourceState, interpretation: str, values: tuple[str, ...]
    ) -> Iterator[tuple[str, ResourceState]]:
        """Yield each of ``values`` that is possible, the first one if none is, with the state narrowed to it."""
        choices = [one for one in state.interpretations.get_choices(interpretation) if one in values]
        for choice in choices or values[:1]:
            yield choice, replace(state, interpretations=state.interpretations.narrow(interpretation, [choice]))


def _has_definite_length(name: str) -> bool:
    """Return True if every way of counting gives the same length: ASCII without outer white space."""
    return name.isascii() and name == name.strip()


def _may_be_accepted(operation: str, name: str, value: Any) -> bool:
    """Return True if a vendor can accept ``value``, although it is outside the schema."""
    if not isinstance(value, str) or name not in ("bounce_notifications", "status"):
        return False
    return not value.strip() if name == "status" else classify_value(operation, name, value) is not Validity.INVALID
