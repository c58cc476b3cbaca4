"""The outcomes of a list: every object of the account, or one page of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contract_watch.contracts.matchers import ExpectedRow, ForClause, ObjectMatcher, Satisfies, are_equal
from contract_watch.contracts.outcomes import Outcome
from contract_watch.contracts.resource.layout import RowLocation, get_schema, get_success
from contract_watch.contracts.resource.names import NamePolicy, fold_name
from contract_watch.contracts.resource.pages import Page, PageMatcher, Paging, get_row_path
from contract_watch.contracts.resource.refused_changes import find_refused_removal
from contract_watch.contracts.resource.row_stream import RowStream
from contract_watch.contracts.resource.rows import LazyRows, ResourceList
from contract_watch.contracts.resource.state import UNKNOWN, Item, ResourceState
from contract_watch.contracts.schema import find_kind

if TYPE_CHECKING:
    from contract_watch.contracts.openapi import Operation
    from contract_watch.contracts.outcomes import Check
    from contract_watch.contracts.resource.call import Call
    from contract_watch.contracts.resource.model import ResourceModel

_SELECTING_NOTHING = ("header:", "cookie:", "{")
"""The beginnings of arguments that select no objects."""


class ListOutcomes:
    """A builder of the outcomes of one model's list."""

    def __init__(self, model: ResourceModel) -> None:
        self._model = model

    def build(self, state: ResourceState, call: Call) -> Sequence[Outcome]:
        """Return the outcomes of a valid list request."""
        operation, arguments = call.operation, call.arguments
        model, spec = self._model, self._model.spec
        status, _ = get_success(operation)
        clause, why = (
            f"{operation.id}/response/{status}",
            "The list shows the account's objects with their last values.",
        )
        location = spec.layout.get_row(operation.id)
        if location is None:
            return [Outcome(status, clause, why, model.match_body(operation, status), state)]
        tenant = spec.get_tenant(call.account.name)
        items, is_open = self._select(state, tenant, call)
        wanted = self._find_wanted_name(arguments)
        rows = self._match_rows(state, tenant, items, call, location, wanted)
        if is_open:
            rows = replace(rows, known_rows={}, unnamed_rows=[])
        body, page = self._wrap(state, call, tenant, location, items, rows)
        if not (rows.unnamed_rows or model.learns_from_rows(state, items)):
            return [Outcome(status, clause, why, body, state)]

        def after(answer: Any) -> ResourceState:
            if wanted is not None:
                return state.mark_listed(tenant, items[0]) if items and not is_open else state
            is_whole = not is_open and not any(name in arguments for name in spec.table.filters)
            return self._record(state, tenant, call, answer, page, rows, is_whole=is_whole)

        return [Outcome(status, clause, why, body, after)]

    def check_start(self, state: ResourceState, call: Call) -> Iterator[Check]:
        """Yield the check of a cursor that no response gave: a vendor can refuse it, or start anywhere."""
        paging = self._model.spec.paging
        if paging is None or not paging.has_cursor or state.is_complete:
            return
        page = paging.read_page(call.arguments)
        tenant = self._model.spec.get_tenant(call.account.name)
        if not page.is_first and _identify_page(tenant, page, page.start) not in state.pages:
            clause = f"{call.operation.id}/request/{paging.start_argument}"
            for check in self._model.spec.get_refusal_kinds(call.operation).invalid:
                yield replace(check, clause=clause, why="No response gave the cursor.", is_undecidable=True)

    def _find_wanted_name(self, arguments: Mapping[str, Any]) -> str | None:
        """Return the name of the one object that a list request asks for; None if it asks for all."""
        argument = self._model.spec.naming_filter
        value = arguments.get(argument) if argument else None
        return value if isinstance(value, str) and value.strip() else None

    def _select(self, state: ResourceState, tenant: str, call: Call) -> tuple[list[Item], bool]:
        """Return the objects that a list request selects, and True if the documents do not say which those are."""
        model, arguments, declared = self._model, call.arguments, call.operation.get_arguments()
        items = state.list_items(tenant)
        is_open = False
        paged = model.spec.paging.list_arguments() if model.spec.paging is not None else ()
        for name, value in arguments.items():
            prop = model.spec.table.filters.get(name)
            if name == model.spec.naming_filter:
                wanted = self._find_wanted_name(arguments)
                item = model.spec.names.find_item(state, tenant, wanted) if wanted is not None else None
                items = items if wanted is None else [item] if item is not None else []
                is_open = is_open or (wanted is None and not state.is_complete)
            elif prop is not None:
                items = [item for item in items if _selects(value, self._get_value(state, call.operation, item, prop))]
            elif name in declared and name not in paged and not name.startswith(_SELECTING_NOTHING):
                is_open = is_open or not state.is_complete
        return items, is_open

    def _get_value(self, state: ResourceState, operation: Operation, item: Item, prop: str) -> Any:
        """Return the value by which a filter selects; where nothing tells it, the mock has to select what it shows."""
        if prop in item.values or not state.is_complete or item.name is None:
            return item.values.get(prop, UNKNOWN)
        shown = self._model.match_row(state, item, operation, Satisfies("", lambda _: True, item.name)).render()
        return shown.get(self._model.spec.layout.get_shown_name(prop), UNKNOWN)

    def _list_filters(self, arguments: Mapping[str, Any]) -> list[str]:
        """List the arguments that select by a property, but for the name."""
        naming = self._model.spec.naming_filter
        return [name for name in self._model.spec.table.filters if name in arguments and name != naming]

    def _find_filter_clause(self, state: ResourceState, tenant: str, arguments: Mapping[str, Any], name: str) -> str:
        """Return the clause of the filter that excludes the object ``name``; empty if none does for certain."""
        item = state.find_item(tenant, name)
        if item is None:
            return ""
        for argument in self._list_filters(arguments):
            stored, sought = item.values.get(self._model.spec.table.filters[argument], UNKNOWN), arguments[argument]
            if stored is not UNKNOWN and not _may_select(sought, stored):
                return self._model.spec.clauses.filtered(argument)
        return ""

    def _match_rows(
        self,
        state: ResourceState,
        tenant: str,
        items: list[Item],
        call: Call,
        location: RowLocation,
        wanted: str | None = None,
    ) -> ResourceList:
        """Build the matcher of the rows; ``wanted`` is the name of the one object that the request asks for."""
        model, layout, operation = self._model, self._model.spec.layout, call.operation
        schema = location.properties.get(layout.key, {})
        filtered = next((model.spec.clauses.filtered(name) for name in self._list_filters(call.arguments)), "")

        def build_row(item: Item) -> ExpectedRow:
            if item.name is None:
                name = ForClause(
                    f"{layout.create}/request/{layout.name_argument}/pattern",
                    Satisfies(
                        "",
                        lambda value: model.spec.names.policy.may_be_stored(item.requested_name, str(value)),
                        "its name",
                    ),
                )
                row = model.match_row(state, item, operation, name)
                accepts = lambda key: model.spec.names.policy.may_become(item.requested_name, key)  # noqa: E731 (one use)
                return ExpectedRow(row, model.spec.clauses.created, accepts)
            row = model.match_row(state, item, operation, model.rows.match_name(item.name, schema))
            if filtered:
                return ExpectedRow(row, filtered)
            suspected = find_refused_removal(state, item, layout.remove) or state.find_suspected_clause(
                item, "", (layout.remove,)
            )
            return ExpectedRow(row, item.clauses.get("", model.spec.clauses.created), suspected_clause=suspected)

        def find_absence_clause(name: str) -> str | None:
            policy = model.spec.names.policy
            if wanted is not None and not _may_be_found(policy, wanted, name):
                return model.spec.clauses.only_named
            if any(policy.may_become(one.requested_name, name) for one in state.find_namesakes(None)):
                return None
            namesakes = state.find_namesakes(name)
            if any(one.account != tenant for one in namesakes):
                return model.spec.clauses.own_account
            if namesakes:
                return self._find_filter_clause(state, tenant, call.arguments, name) or None
            if not state.is_known_absent(name, tenant):
                return None
            return state.removed_names.get(name, model.spec.clauses.once)

        known = {item.name: item for item in items if item.name is not None}
        rows = LazyRows(known, build_row, self._choose_renderer(state, operation, location, build_row))
        is_marked = layout.has_server_ids and not state.is_complete
        return ResourceList(
            layout.key,
            rows if state.is_complete else dict(rows),
            [build_row(item) for item in items if item.name is None and wanted is None],
            find_absence_clause,
            mark=layout.get_shown_name(layout.name_argument) if is_marked else "",
            is_stray=lambda name, mark: self._is_stray(state, name, mark),
            stray_clause=model.spec.clauses.once,
            parents=layout.shown_parents,
            parent_clauses={prop: model.spec.clauses.own_parent(prop) for prop in layout.shown_parents},
        )

    def _choose_renderer(
        self, state: ResourceState, operation: Operation, location: RowLocation, build: Callable[[Item], ExpectedRow]
    ) -> Callable[[Item], Any]:
        """Return the function that renders a row: the quick one, unless a vendor's own class builds the matchers."""
        model = self._model
        renderer = model.find_row_renderer(state, operation)
        if renderer is None:
            return lambda item: build(item).row.render()
        schema = location.properties.get(model.spec.layout.key, {})
        if find_kind(schema) != "integer":
            return lambda item: renderer.render(state, item, item.name)
        return lambda item: renderer.render(state, item, model.rows.match_name(item.name or "", schema).render())

    @staticmethod
    def _is_stray(state: ResourceState, name: str, mark: str) -> bool:
        """Return True if an object cannot exist: its mark is the run's own, and the run created none with its name."""
        mark = mark.strip()  # a vendor may trim it
        if not mark.lower().startswith(state.own_prefix) or state.find_namesakes(name):
            return False
        unknown = {one.strip() for one in state.get_unknown_names()}
        return unknown.isdisjoint((name, mark))

    def _wrap(
        self,
        state: ResourceState,
        call: Call,
        tenant: str,
        location: RowLocation,
        items: list[Item],
        rows: ResourceList,
    ) -> tuple[Any, Page | None]:
        model, paging, operation = self._model, self._model.spec.paging, call.operation
        root, path = get_schema(get_success(operation)[1]), get_row_path(location.path)
        body = model.rows.wrap(root, path, rows)
        if paging is None or not paging.is_paged:
            return body, None
        page = paging.read_page(call.arguments)
        shown = paging.select_items(items, page)
        inner = ObjectMatcher({})
        if path:
            array = Satisfies([], lambda value: isinstance(value, list), "an array")
            wrapped = model.rows.wrap(root, path, array)
            inner = wrapped if isinstance(wrapped, ObjectMatcher) else inner
            for pointer, matcher in paging.build_envelope(items, shown).items():
                inner = model.rows.add_at(root, inner, pointer, matcher)
        rendered = _stream_rows(rows.known_rows, [item for item in shown if item.name in rows.known_rows])
        seen = None if page.is_first else state.pages.get(_identify_page(tenant, page, page.start))
        clauses = {name: f"{operation.id}/effect/{name}" for name in ("limit", "offset", "complete", "next")}
        matcher = PageMatcher(
            inner.required, inner.optional, inner.forbidden, inner.rendered_optional,
            rows=rows, rendered_rows=rendered, path=path, page=page, paging=paging, seen=seen, clauses=clauses,
            is_omitted=len(path) == 1 and model.rows.is_omitted(root, path[0]),
        )  # fmt: skip
        return matcher, page

    def _record(
        self,
        state: ResourceState,
        tenant: str,
        call: Call,
        answer: Any,
        page: Page | None,
        rows: ResourceList,
        *,
        is_whole: bool,
    ) -> ResourceState:
        """Return the state after a list: the names and values that it tells, and the page that follows."""
        model, layout, operation = self._model, self._model.spec.layout, call.operation
        listed = answer
        location = layout.get_row(operation.id)
        for part in get_row_path(location.path) if location is not None else ():
            listed = listed.get(part) if isinstance(listed, dict) else None
        listed = listed if isinstance(listed, list) else []
        if page is not None and model.spec.paging is not None:
            if is_whole and page.is_first and model.spec.paging.is_last_page(answer, listed, page):
                state = state.mark_listed(tenant)
            state = self._record_page(state, tenant, model.spec.paging, answer, listed, page)
        elif is_whole:
            state = state.mark_listed(tenant)
        state = self._resolve_names(state, tenant, listed, rows)
        by_name = {str(row.get(layout.key)): row for row in listed if isinstance(row, dict)}
        mine = state.list_items(tenant)
        learned = [(item, model.learn(state, item, by_name.get(item.name or ""), operation)) for item in mine]
        if not state.is_complete:
            learned = [(old, model.rows.remember(new, by_name.get(old.name or ""), call.at)) for old, new in learned]
        return state.swap_items([(old, new) for old, new in learned if new is not old])

    def _record_page(
        self, state: ResourceState, tenant: str, paging: Paging, answer: Any, listed: list[Any], page: Page
    ) -> ResourceState:
        key = self._model.spec.layout.key
        following = paging.find_next(answer, listed, page, key)
        before = frozenset[str]() if page.is_first else state.pages.get(_identify_page(tenant, page, page.start))
        if following is None or before is None or state.is_complete:
            return state
        names = {str(row.get(key)) for row in listed if isinstance(row, dict)}
        return replace(state, pages={**state.pages, _identify_page(tenant, page, following): before | names})

    def _resolve_names(self, state: ResourceState, tenant: str, listed: list[Any], rows: ResourceList) -> ResourceState:
        """Return the state with the names that only this list tells."""
        unnamed = [item for item in state.find_namesakes(None) if item.account == tenant]
        if not unnamed or len(unnamed) != len(rows.unnamed_rows):
            return state
        for item, name in zip(unnamed, rows.resolve_keys(listed), strict=True):
            if name is not None:
                state = state.put_item(replace(item, name=name), item)
        return state


def _stream_rows(rows: Mapping[str, ExpectedRow], items: Sequence[Item]) -> RowStream:
    """Return the rows of some of the objects that ``rows`` has."""
    if isinstance(rows, LazyRows):
        return rows.stream(items)
    return RowStream(items, lambda item: rows[item.name or ""].row.render())


def _identify_page(tenant: str, page: Page, start: str) -> str:
    """Return what tells the page at ``start`` from all others: a cursor of another account or filter is another page."""
    return f"{tenant}\0{page.selection}\0{start}"


def _selects(sought: Any, stored: Any) -> bool:
    """Return True if a filter selects a value: it is what is sought, or a list that has it."""
    return are_equal(stored, sought) or (isinstance(stored, list) and any(are_equal(one, sought) for one in stored))


def _may_select(sought: Any, stored: Any) -> bool:
    """Return True if a filter can select a value: no document rules out a search by part of a text, or without case."""
    if isinstance(stored, list):
        return any(_may_select(sought, one) for one in stored)
    is_text = isinstance(sought, str) and isinstance(stored, str)
    return sought.casefold() in stored.casefold() if is_text else are_equal(stored, sought)


def _may_be_found(policy: NamePolicy, wanted: str, name: str) -> bool:
    """Return True if a list of ``wanted`` can show ``name``: no document rules out a search by part of a name."""
    return fold_name(wanted) in fold_name(name) or policy.may_collide(wanted, name)
