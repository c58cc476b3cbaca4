"""The default model of a vendor: the outcomes that document, ``contract.toml`` and ``rules.yaml`` allow.

A vendor whose behaviour is more than data derives a class called ``Model`` from `ResourceModel` in ``model.py``, and
overrides the methods below "To override". Each has one job and can call its own default.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from typing import Any

from contract_watch.contracts.matchers import Constant, Matcher, ObjectMatcher, are_equal, is_match
from contract_watch.contracts.model import Account
from contract_watch.contracts.openapi import Operation, join_arguments
from contract_watch.contracts.outcomes import Check, Interpretations, Outcome, build_outcomes, is_definite
from contract_watch.contracts.registry import Contract
from contract_watch.contracts.request import Request
from contract_watch.contracts.resource import credentials, refused_changes, stored_values
from contract_watch.contracts.resource.call import Call
from contract_watch.contracts.resource.effects import RuleEffects
from contract_watch.contracts.resource.error_texts import ErrorTexts
from contract_watch.contracts.resource.idempotency import excuse_checks, find_repeated
from contract_watch.contracts.resource.interpretations import ORDER, derive_interpretations
from contract_watch.contracts.resource.items import NO_ITEM, ItemOutcomes
from contract_watch.contracts.resource.layout import get_schema
from contract_watch.contracts.resource.lists import ListOutcomes
from contract_watch.contracts.resource.matchers import list_leaves, match_anything, match_location
from contract_watch.contracts.resource.names import SANITISERS
from contract_watch.contracts.resource.new_values import check_new_values
from contract_watch.contracts.resource.parents import check_parents, is_elsewhere
from contract_watch.contracts.resource.preset import PresetBuilder
from contract_watch.contracts.resource.preset_object import PresetObject
from contract_watch.contracts.resource.row_values import RowRenderer, RowRenderers
from contract_watch.contracts.resource.rows import RowBuilder
from contract_watch.contracts.resource.rule import RuleCheck, Situation
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState
from contract_watch.contracts.resource.stored_values import StoredValues
from contract_watch.contracts.resource.storing import ValueStore
from contract_watch.contracts.resource.unserved import UnservedBodies
from contract_watch.contracts.samples import collect_examples
from contract_watch.contracts.schema import find_kind, resolve_reference


class ResourceModel:
    """The default `Model`; see `contract_watch.contracts.model.Model` for its protocol.

    ``state_types`` are the dataclasses of a vendor's own that its states contain, so that a file can hold them.
    """

    state_types: tuple[type[Any], ...] = ()

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.spec = ResourceSpec(contract)
        self.values = StoredValues(self.spec.table, str(contract.config_file))
        self.store = ValueStore(self.spec.layout, self.spec.table, self.values)
        self.rows = RowBuilder(self.spec, self.values, self.match_value)
        self._renderers = RowRenderers(self.rows)
        self.effects = RuleEffects(self.spec.rules_file, self.spec.layout, self.store)
        self._texts = ErrorTexts(contract)
        self._unserved = UnservedBodies(contract, self.rows, self._texts)
        self._refused = refused_changes.RefusalRecorder(self.spec, self.store)
        self.items, self.lists = ItemOutcomes(self), ListOutcomes(self)
        self.rules: Mapping[str, str] = {**self.spec.rules, **self.list_rules()}
        self.interpretations: Mapping[str, tuple[str, ...]] = self.list_interpretations()
        # Such a vendor can report a bad body first.
        self._reads_body_for_key = any(location.field for location in contract.credential_locations)
        self._bodies: dict[tuple[str, int], Matcher | None] = {}
        self._refusals: dict[tuple[str, int, str], Matcher | None] = {}

    # -- the protocol

    def start(self, accounts: Sequence[Account], interpretations: Interpretations, own_prefix: str) -> ResourceState:
        """See `Model.start`."""
        return ResourceState({account.key: account for account in accounts}, interpretations, own_prefix)

    def forget(self, state: ResourceState, names: Iterable[str]) -> ResourceState:
        """See `Model.forget`."""
        return state.forget_names(names)

    def list_owned(self, state: ResourceState) -> Sequence[tuple[str, str]]:
        """See `Model.list_owned`."""
        sanitise = self.spec.names.policy.sanitise
        return [(item.account, item.name or sanitise(item.requested_name, SANITISERS[0])) for item in state.items]

    def dump(self, state: ResourceState) -> Any:
        """See `Model.dump`."""
        return [self.dump_item(item) for item in state.items]

    def preset_state(self, state: ResourceState, objects: Any, at: float, label: str) -> ResourceState:
        """See `model.preset_state`."""
        return PresetBuilder(self).build(state, objects, at, label)

    def outcomes(self, state: ResourceState, request: Request) -> Sequence[Outcome]:
        """See `Model.outcomes`; authentication comes first, the order of all other checks is open."""
        operation = self.contract.operations[request.operation or ""]
        request = self.decode_request(request, operation)

        def narrow(narrowed: Interpretations) -> ResourceState:
            return state if narrowed is state.interpretations else state.evolve(interpretations=narrowed)

        def refuse(check: Check, narrowed: Interpretations) -> Outcome:
            return self.refuse(narrow(narrowed), request, operation, check)

        accounts, denied = self.authenticate(state, request, operation)
        arguments = join_arguments(request.parameters, request.body)
        if not accounts:
            if self._reads_body_for_key:
                call = Call(Account("", ""), operation, arguments, request)
                denied = [*denied, *(one for one in self.check_request(state, call) if is_definite(one))]
            return build_outcomes(denied, state.interpretations, refuse, lambda _: ())
        outcomes: list[Outcome] = []
        for account in accounts:
            call = Call(account, operation, arguments, request)
            checks = list(self.list_checks(state, call))
            if (repeated := find_repeated(self.spec, state, call)) is not None:
                checks = excuse_checks(repeated, checks)
            checks = [*denied, *checks]
            if not checks:  # most requests of a mock
                outcomes += self.succeed(state, call)
                continue
            order = [*self.spec.denied[operation.id], *self._get_order(state)]

            def succeed(narrowed: Interpretations, call: Call = call) -> Sequence[Outcome]:
                return self.succeed(narrow(narrowed), call)

            outcomes += build_outcomes(checks, state.interpretations, refuse, succeed, order, request.exempt_clauses)
        return outcomes

    def _get_order(self, state: ResourceState) -> list[int]:
        return _parse_order(state.get_choice(ORDER)) if ORDER in self.interpretations else []

    # -- To override

    def dump_item(self, item: Item) -> dict[str, Any]:
        """Return an object without secrets, as a preset takes it."""
        secrets = {*self.spec.table.secrets}
        return {
            "account": item.account,
            self.spec.layout.key: item.name or item.requested_name,
            **{name: value for name, value in item.values.items() if name not in secrets},
            **self.rows.format_times(item),
        }

    def build_object(self, state: ResourceState, preset: PresetObject) -> Item:
        """Return the object of a preset: what a create makes of it, and the values that only responses show.

        An object that the server has to name has the name of ``preset``, or none yet.
        """
        item = self.items.build_item(state, preset.call)
        name = preset.name if self.spec.layout.has_server_ids else item.name
        values = {**item.values, **preset.shown}
        return replace(item, name=name, values=values, created_at=preset.created_at, changed_at=preset.changed_at)

    def settle_preset(
        self, state: ResourceState, items: Sequence[Item], presets: Sequence[PresetObject]
    ) -> ResourceState:
        """Return ``state`` with the objects of a preset; a vendor can check what one object says of another.

        Raises:
            UsageError: the objects do not go together.
        """
        del presets
        return state.evolve(items=tuple(items))

    def decode_request(self, request: Request, operation: Operation) -> Request:
        """Return a request as the vendor decodes it before any check."""
        del operation
        return request

    def list_rules(self) -> Mapping[str, str]:
        """Return the sentences of clauses that only this class enforces, by clause id."""
        return {}

    def list_interpretations(self) -> Mapping[str, tuple[str, ...]]:
        """Return the values of each interpretation by name, the likeliest first."""
        return derive_interpretations(self.contract, self.spec.table, self.spec.layout, self.spec.rules_file)

    def authenticate(
        self, state: ResourceState, request: Request, operation: Operation
    ) -> tuple[list[Account], list[Check]]:
        """Return the accounts that the request's keys can belong to (none: no valid key) and the failed checks."""
        locations, refusals = self.contract.credential_locations, self.spec.denied[operation.id]
        return credentials.authenticate(state, request, operation.id, locations, refusals)

    def list_checks(self, state: ResourceState, call: Call) -> Iterator[Check]:
        """Yield the failed checks of a request with a valid key."""
        below = list(check_parents(self.spec, state, call))
        yield from below
        yield from self.check_request(state, call)
        if any(map(is_definite, below)):  # nothing that exists is there
            return
        item: Item | None = NO_ITEM
        missing: list[Check] = []
        naming = self.spec.layout.get_naming(call.operation.id)
        if naming:
            item = None
            name = call.arguments.get(naming)
            is_number = isinstance(name, int) and find_kind(call.operation.get_arguments()[naming]) == "integer"
            if isinstance(name, str) or is_number:
                item, missing = self._find_named(state, call, str(name))
                yield from missing
        yield from self.check_objects(state, call, item)
        if self.effects.refuses(call.operation.id):
            is_absent = item is None and not any(check.is_undecidable for check in missing)
            situation = self.describe(state, call, NO_ITEM if is_absent else item)
            yield from self.effects.check(state, call.operation, situation)

    def check_request(self, state: ResourceState, call: Call) -> Iterator[Check]:
        """Yield the failed checks of parameters and body by their schemas, and of a page that no response named."""
        yield from self.spec.requests.check(call.operation, call.request)
        if call.operation.id == self.spec.layout.list:
            yield from self.lists.check_start(state, call)

    def look_up(self, state: ResourceState, call: Call, name: str) -> tuple[Item | None, list[Check]]:
        """Return the object that ``name`` finds, None if none or an unknown one, and the failed checks."""
        account, kinds = self.spec.get_tenant(call.account.name), self.spec.get_refusal_kinds(call.operation)
        if not self.spec.layout.has_server_ids:
            return self.spec.names.look_up(state, account, name, kinds)
        item = state.find_item(account, name)
        if item is not None:
            return item, []
        checks = list(kinds.unknown)
        if name in state.removed_names and call.operation.id != self.spec.layout.remove:
            checks = [replace(check, clause=self.spec.clauses.removed) for check in checks]
        is_unknown = not state.is_known_absent(name, account)
        return None, [replace(check, is_undecidable=True) if is_unknown else check for check in checks]

    def check_objects(self, state: ResourceState, call: Call, item: Item | None) -> Iterator[Check]:
        """Yield the failed checks that depend on the objects that exist; ``item`` is the one that the request names.

        ``item`` is `NO_ITEM` if the request names none, and None if the object is unknown.
        """
        yield from check_new_values(self.spec, state, call, None if item is NO_ITEM else item)

    def describe(self, state: ResourceState, call: Call, item: Item | None) -> Situation:
        """Return the situation that the predicates of rules are asked about."""
        if item is None or item is NO_ITEM:
            return Situation(call.arguments, None if item is None else {}, call.account.name)
        values = item.values if state.is_complete else {**dict.fromkeys(self.spec.tracked, UNKNOWN), **item.values}
        return Situation(call.arguments, values, call.account.name)

    def read_sent(self, state: ResourceState, call: Call) -> dict[str, Any]:
        """Return the values that a request sets, `UNKNOWN` where the vendor may store another."""
        return self.store.read_sent(state, call.operation, call.arguments)

    def refuse(self, state: ResourceState, request: Request, operation: Operation, check: Check) -> Outcome:
        """Return the outcome of a failed check; a refusal changes no object of ``state``."""
        after = self._refused.record(state, request, operation)
        return Outcome(check.status, check.clause, check.why, self.match_refusal(operation, check), after)

    def settle(self, state: ResourceState, call: Call, item: Item, old: Item | None) -> Item:
        """Return ``item`` as it is after a valid request, where one value depends on others; a new one has no ``old``."""
        del state, call, old
        return item

    def match_value(self, state: ResourceState, name: str, value: Any, schema: Mapping[str, Any]) -> Matcher | None:
        """Build the matcher of a stored value where a response shows it by ``schema``; None if any value is allowed."""
        return self.values.match(state, name, value, schema)

    def match_refusal(self, operation: Operation, check: Check) -> Matcher | None:
        """Build the matcher of a refusal's body: whatever the document accepts, with the error code of the table or rule.

        The mock shows the properties that these name, and the document's example.
        """
        key = (operation.id, check.status, check.rule if isinstance(check, RuleCheck) else "")
        if key not in self._refusals:
            self._refusals[key] = self._build_refusal(operation, check)
        return self._refusals[key]

    def match_row(
        self, state: ResourceState, item: Item, operation: Operation, name: Matcher, *, is_echo: bool = False
    ) -> ObjectMatcher:
        """Build the matcher of ``item`` in a response of ``operation``; ``name`` matches its name.

        An ``is_echo`` is the response to the change itself.
        """
        location = self.spec.layout.get_row(operation.id)
        assert location is not None
        if is_echo and operation.id != self.spec.layout.create and not state.is_complete:
            # An update or action that shows another value than before, of a property that it does not set, changed it.
            state, is_echo = state.evolve(unlisted_operations=((operation.id, item.name),)), False
        return self.rows.match_item(state, item, location, name, is_echo=is_echo)

    def find_row_renderer(self, state: ResourceState, operation: Operation) -> RowRenderer | None:
        """Return the renderer of what `match_row` matches; None if a class of its own builds or fills the matchers."""
        location, own = self.spec.layout.get_row(operation.id), type(self)
        is_default = own.match_row is ResourceModel.match_row and own.match_value is ResourceModel.match_value
        return self._renderers.find(state, location) if is_default and location is not None else None

    def succeed(self, state: ResourceState, call: Call) -> Sequence[Outcome]:
        """Return the outcomes of a request that nothing refuses."""
        layout, operation = self.spec.layout, call.operation
        if is_elsewhere(self.spec, call) and not state.is_complete:
            return self.items.concern_elsewhere(state, call)
        if operation.id == layout.create:
            return self.items.create(state, call)
        naming = layout.get_naming(operation.id)
        if not naming:
            return self.lists.build(state, call)
        name = str(call.arguments.get(naming, ""))
        item, _ = self._find_named(state, call, name)
        if item is None:
            return self.items.concern_unknown(state, call, name)
        if operation.id == layout.remove:
            return self.items.remove(state, call, item)
        is_read = self.contract.is_read_only(operation.id)
        return self.items.read(state, call, item) if is_read else self.items.change(state, call, item)

    def match_headers(self, operation: str, status: int, body: Any) -> Mapping[str, Matcher]:
        """Return the matchers of headers that follow from a response's body: Location names the new object."""
        declared = self.contract.operations[operation]
        if operation != self.spec.layout.create or not 200 <= status < 300:
            return {}
        row = self.items.find_row(declared, body)
        name = row.get(self.spec.layout.key) if isinstance(row, dict) else None
        path = self.spec.layout.find_object_path(str(name)) if isinstance(name, str | int) else ""
        return {"location": match_location(self.contract.base_path + path)} if path else {}

    def match_unserved(self, operation: Operation | None, status: int) -> Matcher | None:
        """Build the matcher of a refusal that no operation documents; ``operation`` is the nearest one."""
        table, key = self.spec.table, str(status)
        shown = table.unserved.get(key) or (table.refusals.get(key) if status == HTTPStatus.BAD_REQUEST else None)
        return self._unserved.match(operation, status, shown)

    # -- for the builders of outcomes

    def _find_named(self, state: ResourceState, call: Call, name: str) -> tuple[Item | None, list[Check]]:
        """See `look_up`, which a request asks once for its state."""
        if call.found is None or call.found[0] is not state:
            call.found = (state, self.look_up(state, call, name))
        return call.found[1]

    def match_body(self, operation: Operation, status: int) -> Matcher | None:
        """Build the matcher of a body without an object; the mock shows the published document's example."""
        key = (operation.id, status)
        if key not in self._bodies:
            published = self.contract.published.find_operation(operation.path, operation.method)
            root = get_schema(published.responses.get(status)) if published is not None else {}
            example = collect_examples(self.contract.published.raw, root)
            schema = get_schema(operation.find_response(status))
            self._bodies[key] = self._texts.fill(operation, status, schema, self.rows.match_body(schema, example))
        return self._bodies[key]

    def _build_refusal(self, operation: Operation, check: Check) -> Matcher | None:
        body, table = self.match_body(operation, check.status), self.spec.table
        shown = [table.refusals.get(key, {}) for key in (str(check.status), f"{operation.id}/{check.status}")]
        root = get_schema(operation.find_response(check.status))
        for pointer, value in [leaf for part in (*shown, self.effects.get_body(check)) for leaf in list_leaves(part)]:
            if isinstance(body, ObjectMatcher):
                matcher = Constant(value) if pointer == table.error_code else match_anything(value)
                body = self.rows.add_at(root, body, pointer, matcher)
        return body

    def learn(self, state: ResourceState, item: Item, row: Any, operation: Operation) -> Item:
        """Return ``item`` with the values that ``row`` of a response tells, where no request determined them.

        A determined value that the row contradicts is unknown from now on: the response is judged for it, and later ones
        that show the same are not. The mock learns nothing: it knows what it stores, and a mutant's response must not
        change that.
        """
        location = self.spec.layout.get_row(operation.id)
        if state.is_complete or not isinstance(row, dict) or location is None:
            return item
        learned: dict[str, Any] = {}
        for name in self.spec.tracked:
            if (shown := self.spec.layout.get_shown_name(name)) in row:
                schema = resolve_reference(self.spec.layout.document, location.properties.get(shown, {}))
                learned |= self._learn_value(state, item, name, row[shown], schema)
        if not learned:
            return item
        clauses = {name: f"{self.spec.layout.create}/effect/{name}" for name in learned}
        return replace(item, values={**item.values, **learned}, clauses={**clauses, **item.clauses})

    def learns_from_rows(self, state: ResourceState, items: Sequence[Item]) -> bool:  # noqa: ARG002 (for subclasses)
        """Return True if the rows of a list can tell the model something about ``items``; see `learn`."""
        return not state.is_complete or type(self).learn is not ResourceModel.learn

    def _learn_value(
        self, state: ResourceState, item: Item, name: str, shown: Any, schema: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the value of the property ``name`` after a response has shown ``shown``; nothing if it is as before."""
        table, value = self.spec.table, stored_values.decode(shown, schema)
        if name not in item.values:
            is_secret = name in table.secrets and isinstance(value, str)
            learned = stored_values.StoredSecret(value) if is_secret else value
            return {} if name in (*table.volatile, *table.open, *table.uncertain) else {name: learned}
        known = item.values[name]
        if known is UNKNOWN or are_equal(known, value):
            return {}
        matcher = self.match_value(state, name, known, schema)
        return {} if matcher is None or is_match(matcher, shown) else {name: UNKNOWN}


@cache
def _parse_order(choice: str) -> list[int]:
    """Return the statuses that a value of `ORDER` names, such as ``400-404``."""
    return [int(status) for status in choice.split("-")]
