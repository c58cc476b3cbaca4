"""The matchers of objects in responses: one row, a list of rows, and the body around them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract_watch.contracts.matchers import (
    JSON,
    Constant,
    ExpectedRow,
    ForClause,
    ListMatcher,
    Matcher,
    Mismatch,
    ObjectMatcher,
    Satisfies,
    SingleItem,
    ValuePath,
    are_equal,
)
from contract_watch.contracts.resource import fixed_values, refused_changes
from contract_watch.contracts.resource.layout import EVERY, RowLocation
from contract_watch.contracts.resource.matchers import (
    FreshUuid,
    SecretSample,
    match_anything,
    match_time,
)
from contract_watch.contracts.resource.row_stream import RowStream, collect_rows
from contract_watch.contracts.resource.spec import ResourceSpec
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState
from contract_watch.contracts.resource.stored_values import StoredValues, format_time, parse_time, trims_strings
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import Schema, find_kind, flatten_schema

ValueMatcher = Callable[[ResourceState, str, Any, Mapping[str, Any]], Matcher | None]
"""A builder of the matcher of a stored value; see `ResourceModel.match_value`."""


@dataclass(frozen=True)
class ResourceList(ListMatcher):
    """The matcher of a list that shows no unknown object with a mark of this run.

    ``mark`` is the property with the mark; ``is_stray`` returns True for a name and a mark that no object can have,
    ``stray_clause`` is the clause that such a row breaks. ``parents`` are the values of the properties that show an object
    above the resource, ``parent_clauses`` the clauses that a row with another value breaks.
    """

    mark: str = ""
    is_stray: Callable[[str, str], bool] = lambda _name, _mark: False
    stray_clause: str = ""
    parents: Mapping[str, str | int] = field(default_factory=dict)
    parent_clauses: Mapping[str, str] = field(default_factory=dict)

    def render(self) -> JSON:
        rows = self.known_rows
        return collect_rows(rows.stream()) if isinstance(rows, LazyRows) else super().render()

    def find_mismatches(self, value: JSON, path: ValuePath = ()) -> Iterator[Mismatch]:
        yield from super().find_mismatches(value, path)
        yield from self._find_other_parents(value, path)
        if not self.mark or not isinstance(value, list):
            return
        for index, row in enumerate(value):
            mark = row.get(self.mark) if isinstance(row, dict) else None
            name = row.get(self.key) if isinstance(row, dict) else None
            if name is None or not isinstance(mark, str) or self.get_absence_clause(str(name)) is not None:
                continue
            if self.is_stray(str(name), mark):
                expected = "no object that the run did not create"
                yield Mismatch((*path, index), "unexpected", expected, self.stray_clause, str(name))

    def _find_other_parents(self, value: JSON, path: ValuePath) -> Iterator[Mismatch]:
        """Yield the first row of another parent; that of an object of the run breaks a clause of its own."""
        rows = value if isinstance(value, list) else []
        for prop, parent in self.parents.items():
            for index, row in enumerate(rows):
                shown = row.get(prop, parent) if isinstance(row, dict) else parent
                if shown != parent and str(row.get(self.key)) not in self.known_rows:
                    yield Mismatch((*path, index, prop), "unexpected", f'"{parent}"', self.parent_clauses[prop])
                    break


class LazyRows(Mapping[str, ExpectedRow]):
    """The rows of ``items`` by name, which ``build`` makes when they are read: a mock can have a hundred thousand.

    ``render`` returns what the matcher of a row renders.
    """

    def __init__(
        self, items: Mapping[str, Item], build: Callable[[Item], ExpectedRow], render: Callable[[Item], JSON]
    ) -> None:
        self._items, self._build, self._render = items, build, render

    def __getitem__(self, name: str) -> ExpectedRow:
        return self._build(self._items[name])

    def stream(self, items: Collection[Item] | None = None) -> RowStream:
        """Return all rows as a response shows them, or those of ``items``."""
        return RowStream(self._items.values() if items is None else items, self._render)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class RowBuilder:
    """A builder of matchers for the objects of one resource."""

    def __init__(self, spec: ResourceSpec, values: StoredValues, match_value: ValueMatcher) -> None:
        self._layout, self._table, self._values = spec.layout, spec.table, values
        self.key = spec.layout.key
        self._match_value = match_value
        self._document = spec.layout.document
        self._arguments = {spec.layout.get_shown_name(name): name for name in spec.tracked}
        self._samples: dict[int, Any] = {}
        self._fixed = fixed_values.list_fixed(spec)
        self._names_of_requests = frozenset(self._arguments.values())
        self._schemas: dict[int, tuple[RowLocation, list[tuple[str, dict[str, Any]]]]] = {}

    def match_item(
        self, state: ResourceState, item: Item, location: RowLocation, name: Matcher, *, is_echo: bool = False
    ) -> ObjectMatcher:
        """Build the matcher of ``item`` in a response; ``name`` matches its name.

        An ``is_echo`` is the response to the change itself, in which nothing can be suspected of an earlier one.
        """
        required: dict[str, Matcher] = {}
        optional: dict[str, Matcher] = {}
        forbidden: dict[str, str] = {}
        rendered: set[str] = set()
        for prop, schema in self.get_schemas(location):
            if prop == self._layout.key:
                required[prop] = name
                continue
            if self._table.omits and self.is_omitted_value(item, prop):
                forbidden[prop] = item.clauses.get(self.find_argument(item, prop), "")
                continue
            matcher, is_due = self.match_property(state, item, prop, schema, is_echo=is_echo)
            if prop in location.required or is_due:
                required[prop] = matcher
            else:
                optional[prop] = matcher
                rendered |= {prop} if self.is_rendered(state, item, prop) else set()
        return ObjectMatcher(required, optional, forbidden, frozenset(rendered))

    def is_omitted_value(self, item: Item, prop: str) -> bool:
        """Return True if no row has a property with the value of ``item``."""
        if not self._table.omits:
            return False
        value = item.values.get(self.find_argument(item, prop), UNKNOWN)
        return any(are_equal(value, one) for one in self._table.omits)

    def find_tracked_argument(self, prop: str) -> str:
        """Return the name of a property in requests; empty if none sets it."""
        return self._arguments.get(prop, "")

    def shows_strings_as_stored(self, argument: str) -> bool:
        """Return True if rows show every string of a property as it is stored, unless it is blank."""
        table = self._table
        changed = (*table.uncertain, *table.alike, *table.normalised, *table.forms)
        return bool(argument) and argument not in changed and not table.omits

    def may_be_absent(self, state: ResourceState, argument: str) -> bool:
        """Return True if rows may lack a property that a request set."""
        return "absent" in self._values.list_forms(state, argument)

    def is_time(self, prop: str) -> bool:
        """Return True if a property shows the time of the creation or of the last change."""
        return prop != "" and prop in (self._layout.created, self._table.changed)

    def get_moment(self, item: Item, prop: str) -> float:
        """Return the time of an object that a property shows."""
        return item.changed_at if prop == self._table.changed else item.created_at

    def find_argument(self, item: Item, prop: str) -> str:
        """Return the name of a property in an item's values; empty if it has none.

        A preset can store what no request sets, under its name in responses.
        """
        argument = self._arguments.get(prop)
        if argument is None:
            argument = prop if prop in item.values and prop not in self._names_of_requests else ""
        return argument

    def get_schemas(self, location: RowLocation) -> list[tuple[str, dict[str, Any]]]:
        """Return each property of an object with its schema, resolved once for each location."""
        key = id(location)  # the layout has one for each operation, for good
        if key not in self._schemas:
            schemas = [(prop, flatten_schema(self._document, raw)) for prop, raw in location.properties.items()]
            self._schemas[key] = (location, schemas)
        return self._schemas[key][1]

    def is_rendered(self, state: ResourceState, item: Item, prop: str) -> bool:
        """Return True if the mock shows an optional property."""
        argument = self.find_argument(item, prop)
        value = item.values.get(argument, UNKNOWN)
        if value in (None, UNKNOWN) or (value and self._values.is_blank(argument, value) and trims_strings(state)):
            return False
        return self._values.get_form(state, argument) != "absent"

    def match_property(
        self, state: ResourceState, item: Item, prop: str, schema: Mapping[str, Any], *, is_echo: bool = False
    ) -> tuple[Matcher, bool]:
        """Return the matcher of one property, and True if the object must have it."""
        if self.is_time(prop):
            moment = self.get_moment(item, prop)
            form = str(schema.get("x-client-type", ""))
            near = match_time(format_time(moment, schema), moment, lambda value: parse_time(value, form))
            if prop == self._table.changed:
                return fixed_values.match_change(item, prop, form, near), False
            return self._match_fixed(state, item, prop, form, near), False
        argument = self.find_argument(item, prop)
        value = item.values.get(argument, UNKNOWN) if argument else UNKNOWN
        matcher = self._match_value(state, argument, value, schema) if argument else None
        if matcher is None:
            sample = self._match_sample(state, prop, schema)
            is_fixed = prop in self._fixed and not argument
            return self._match_fixed(state, item, prop, None, sample) if is_fixed else sample, False
        clause = item.clauses.get(argument)
        removals = (self._layout.remove,)
        suspected = None if is_echo or state.is_complete else state.find_suspected_clause(item, argument, removals)
        if clause:
            causes = refused_changes.find_causes(state, item, argument, schema, self._match_value)
            matcher = ForClause(clause, matcher, suspected, tuple(causes))
        is_due = argument in item.sent and not self._values.is_blank(argument, value)
        return matcher, is_due and not self.may_be_absent(state, argument)

    def _match_fixed(self, state: ResourceState, item: Item, prop: str, form: str | None, inner: Matcher) -> Matcher:
        """Build the matcher of a value that never moves; one of the operations since a read is suspected if it did."""
        if not item.seen or state.is_complete:
            return inner
        return fixed_values.match_fixed(item, prop, form, item.unread_operations, inner)

    def remember(self, item: Item, row: Any, at: float) -> Item:
        """Return ``item`` with the values that later responses are compared with; ``row`` answers a request at ``at``."""
        fixed = frozenset[str]() if item.is_successor else self._fixed
        return fixed_values.remember(item, row, fixed, self._table.changed, at)

    def _match_sample(self, state: ResourceState, prop: str, schema: Mapping[str, Any]) -> Matcher:
        """Build the matcher of a property that the server makes, or whose value is unknown."""
        if schema.get("format") == "password":
            return SecretSample()
        interpretation = self._table.open.get(self._arguments.get(prop, ""), "")
        if interpretation:
            values = state.interpretations.declared[interpretation]
            return Satisfies(state.get_choice(interpretation), lambda value: value in values, " or ".join(values))
        return match_anything(self._get_sample(schema))

    def _get_sample(self, schema: Mapping[str, Any]) -> Any:
        key = id(schema)  # of `get_schemas`, which keeps it for good
        if key not in self._samples:
            self._samples[key] = build_value(self._document, schema)
        sample = self._samples[key]
        return build_value(self._document, schema) if isinstance(sample, dict | list) else sample

    def format_times(self, item: Item) -> dict[str, Any]:
        """Return the times of an object as the rows with them show them, by property."""
        moments = {self._layout.created: item.created_at, self._table.changed: item.changed_at}
        schemas = {prop: self._layout.find_shown_schema(prop) for prop in moments if prop}
        return {prop: format_time(moments[prop], schema) for prop, schema in schemas.items() if schema is not None}

    def match_name(self, name: str, schema: Mapping[str, Any]) -> Matcher:
        """Build the matcher of an object's name: a string, or the integer that it stands for."""
        if find_kind(schema) == "integer" and name.isascii() and name.lstrip("-").isdigit():
            return Constant(int(name))
        return Satisfies(name, lambda value: str(value) == name and not isinstance(value, bool), f'"{name}"')

    def wrap(self, root: Any, path: tuple[str, ...], inner: Matcher) -> Matcher:
        """Wrap ``inner``, which stands at ``path``, in the body that the schema ``root`` describes.

        Around it, the mock renders what the schema requires, and optional properties with an example.
        """
        if not path:
            return inner
        schema = flatten_schema(self._document, root)
        if path[0] == EVERY:
            return SingleItem(self.wrap(schema.get("items", {}), path[1:], inner))
        required = self._match_required(schema, besides=path[0])
        properties = schema.get("properties", {})
        required[path[0]] = self.wrap(properties.get(path[0], {}), path[1:], inner)
        optional = {
            name: self._match_server_value(raw)
            for name, raw in properties.items()
            if name not in required and "example" in flatten_schema(self._document, raw)
        }
        return ObjectMatcher(required, optional, rendered_optional=frozenset(optional))

    def is_omitted(self, root: Any, name: str) -> bool:
        """Return True if a body has no array ``name`` where that would be empty."""
        schema = flatten_schema(self._document, root)
        array = flatten_schema(self._document, schema.get("properties", {}).get(name, {}))
        return name not in schema.get("required", ()) and bool(array.get("minItems"))

    def add_at(self, root: Any, body: ObjectMatcher, pointer: str, matcher: Matcher) -> ObjectMatcher:
        """Return ``body`` with ``matcher`` at a JSON pointer; it is rendered, and required if the schema requires it."""
        name, _, rest = pointer.lstrip("/").partition("/")
        schema = flatten_schema(self._document, root)
        if rest:
            raw = schema.get("properties", {}).get(name, {})
            held = body.required.get(name, body.optional.get(name))
            nested = held if isinstance(held, ObjectMatcher) else ObjectMatcher(self._match_required(raw))
            matcher = self.add_at(raw, nested, rest, matcher)
        if name in schema.get("required", ()):
            return replace(body, required={**body.required, name: matcher})
        rendered = body.rendered_optional | {name}
        return replace(body, optional={**body.optional, name: matcher}, rendered_optional=rendered)

    def _match_required(self, raw: Any, besides: str = "") -> dict[str, Matcher]:
        schema = flatten_schema(self._document, raw)
        properties = schema.get("properties", {})
        names = [name for name in schema.get("required", ()) if name != besides]
        return {name: self._match_server_value(properties.get(name, {})) for name in names}

    def _match_server_value(self, raw: Any) -> Matcher:
        if flatten_schema(self._document, raw).get("format") == "uuid":
            return FreshUuid()
        return match_anything(build_value(self._document, raw))

    def match_body(self, root: Any, examples: Mapping[str, Any] = {}) -> Matcher | None:
        """Build the matcher of a body without an object: whatever its schema accepts; None if there is no schema.

        The mock renders ``examples``, the values of properties in another document, where the schema accepts them.
        """
        if not root:
            return None
        schema = flatten_schema(self._document, root)
        if "properties" not in schema:
            return match_anything(build_value(self._document, root))
        required = self._match_required(schema)
        for name in required.keys() & examples.keys():
            candidate = {**{one: matcher.render() for one, matcher in required.items()}, name: examples[name]}
            if Schema(self._document, root).accepts(candidate):
                required[name] = match_anything(examples[name])
        return ObjectMatcher(required)
