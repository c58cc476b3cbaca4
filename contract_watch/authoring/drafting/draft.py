"""The draft of a contract: its files, and what a person must still decide."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from contract_watch.authoring.drafting.chosen_operations import Choice, classify, parse_operations
from contract_watch.authoring.drafting.credential_shape import find_credential
from contract_watch.authoring.drafting.document_cut import cut_document, list_operations
from contract_watch.authoring.drafting.missing_responses import add_responses, find_errors, find_invalid_statuses
from contract_watch.authoring.drafting.open_points import CONFIG, RULES, OpenPoint
from contract_watch.authoring.drafting.operation_ids import choose_ids
from contract_watch.authoring.drafting.overlay_text import Action, build_action, format_overlay
from contract_watch.authoring.drafting.page_shape import find_filters, find_paging
from contract_watch.authoring.drafting.request_examples import RequestExamples
from contract_watch.authoring.drafting.required_properties import RequiredProperties
from contract_watch.authoring.drafting.resource_shape import ResourceShape, ShapeFinder
from contract_watch.authoring.drafting.schema_search import (
    find_objects,
    find_rows,
    get_body,
    get_properties,
    get_success,
    list_parameters,
    list_types,
)
from contract_watch.authoring.drafting.settings import DraftSettings, format_settings
from contract_watch.authoring.drafting.trial import UNEXPLAINED, find_unprovoked
from contract_watch.authoring.drafting.unique_property import find_unique_property
from contract_watch.contracts.redaction import Redactor
from contract_watch.contracts.servers import parse_pinned_address
from contract_watch.diff.document.fetching import NotModified, fetch_document
from contract_watch.diff.document.loader import load_document
from contract_watch.diff.document.source import as_object
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.escaping import escape_text, format_json

_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_VERSION = re.compile(r"[0-9]+(\.[0-9]+){0,3}")
_MAX_SHOWN = 8


@dataclass(frozen=True)
class Draft:
    """The files of a contract by name, and the decisions."""

    files: Mapping[str, str]
    decisions: Sequence[OpenPoint]


def read_source(source: str) -> dict[str, Any]:
    """Return the document in the file or at the address ``source``.

    Raises:
        UsageError: it is no OpenAPI document.
        InconclusiveError: it cannot be fetched now.
    """
    if not _ADDRESS.match(source):
        return load_document(Path(source))
    fetched = fetch_document(source)
    if isinstance(fetched, NotModified):
        raise InconclusiveError(f"{escape_text(source)}: sent no document; try again later")
    return fetched.document


def draft_contract(slug: str, name: str, source: str, operations: str) -> Draft:
    """Draft the contract of ``operations`` from the document in the file or at the address ``source``.

    Raises:
        UsageError: the document or the operations cannot be used.
        InconclusiveError: the document cannot be fetched now.
    """
    document = read_source(source)
    if not operations.strip():
        known = list_operations(document)
        shown = ", ".join(escape_text(one, 80) for one in known[:_MAX_SHOWN])
        more = f" and {len(known) - _MAX_SHOWN} more" if len(known) > _MAX_SHOWN else ""
        raise UsageError(f"--operations: name the operations under contract; the document has {shown or 'none'}{more}")
    choices = classify(parse_operations(operations))
    try:
        return _Drafter(slug, name, source, document, choices).draft()
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {escape_text(str(error).splitlines()[0] if str(error) else '', 100)}"
        raise UsageError(
            f"{escape_text(source, 100)}: is not a well-formed OpenAPI document ({problem}); correct it"
        ) from error


def _differ(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    """Return True if no value fits both schemas by its type; integers are numbers."""
    one, other = ({"number" if kind == "integer" else kind for kind in list_types(schema)} for schema in (left, right))
    return bool(one and other) and one.isdisjoint(other) and "x-client-type" not in right


def _list_unexplained(provoked: Mapping[str, str]) -> list[OpenPoint]:
    """Return a decision about the documented refusals that no request causes, for no reason that is known."""
    found = [status for status, reason in provoked.items() if reason == UNEXPLAINED]
    problem = f"provoked: no request of a run causes {', '.join(found)}, and the document does not say when the vendor answers it"
    remedy = "put the status first in `invalid` of [resource], cause it with a rule, or write why nothing causes it"
    return [OpenPoint(CONFIG, problem, remedy)] if found else []


class _Drafter:
    """The parts of one draft."""

    def __init__(
        self, slug: str, name: str, source: str, document: Mapping[str, Any], choices: Sequence[Choice]
    ) -> None:
        self._slug, self._name, self._source, self._choices = slug, name, source, choices
        self._errors = find_errors(document)
        more = [self._errors.schema] if self._errors.schema is not None else []
        self._document = cut_document(document, choices, more)
        self._ids = choose_ids(self._document, choices)

    def draft(self) -> Draft:
        shape = ShapeFinder(self._document, self._choices, self._ids).find()
        credential = find_credential(self._document, self._choices, self._slug)
        corrections = list(self._correct(shape))
        actions = [one for one in corrections if not isinstance(one, OpenPoint)]
        address = self._find_address()
        resource, about_names = self._describe_names(shape)
        uncertain, about_values = self._find_uncertain(shape)
        invalid = find_invalid_statuses(self._document, self._choices)
        settings = DraftSettings(
            self._slug, self._name, self._source if self._source.lower().startswith("https:") else "", address,
            {kind: name for name, kind in [(n, c.kind) for n, c in zip(self._ids, self._choices, strict=True)][::-1]},
            shape, credential, self._find_paging(shape), {**resource, **uncertain, **self._find_filters(shape), **self._find_idempotency(), "invalid": invalid},
            self._find_public_names(shape),
        )  # fmt: skip
        files = {"contract.toml": format_settings(settings), "published.json": format_json(self._document)}
        if actions:  # an overlay without actions is none
            files["overlay.yaml"] = format_overlay(f"Corrections to {self._name}'s published document", actions)
        provoked = find_unprovoked(self._slug, files)
        if provoked:
            files["contract.toml"] = format_settings(replace(settings, provoked=provoked))
        decisions = [
            OpenPoint(CONFIG, "rate: 60 requests a minute is a guess", "write the limit that the vendor publishes"),
            *self._check_address(address), *credential.decisions, *shape.decisions, *about_names,
            *self._list_effects(), *about_values, *_list_unexplained(provoked), *(one for one in corrections if isinstance(one, OpenPoint)),
        ]  # fmt: skip
        return Draft(files, list(dict.fromkeys(decisions)))

    # -- the overlay

    def _correct(self, shape: ResourceShape) -> list[Action | OpenPoint]:
        actions: list[Action | OpenPoint] = []
        info = as_object(self._document.get("info"))
        if not _VERSION.fullmatch(str(info.get("version", ""))):
            actions.append(
                build_action((), "The client's package needs a version of numbers.", {"info": {"version": "1.0.0"}})
            )
        for choice, name in zip(self._choices, self._ids, strict=True):
            location = ("paths", choice.path, choice.method.lower())
            if self._document["paths"][choice.path][choice.method.lower()].get("operationId") != name:
                why = "Ids of letters and digits are names in the client, in clauses and in findings."
                actions.append(build_action(location, why, {"operationId": name}))
        named = [name for name, roles in shape.identities.items() if "existing" in roles.values()]
        actions += add_responses(self._document, self._choices, self._ids, named, self._errors)
        actions += RequestExamples(self._document, self._choices, self._ids, shape.identities, shape.given).derive()
        paging = self._find_paging(shape)
        pages = [tuple(str(paging[key]).split("/")[1:]) for key in ("more", "total") if key in paging]
        actions += RequiredProperties(self._document, self._choices, shape, self._ids, pages).derive()
        return actions

    # -- the settings

    def _find_address(self) -> str:
        """Return the first https address of the document's servers; empty if it has none."""
        servers = self._document.get("servers")
        for server in map(as_object, servers if isinstance(servers, list) else ()):
            url = str(server.get("url", ""))
            for name, variable in as_object(server.get("variables")).items():
                url = url.replace(f"{{{name}}}", str(as_object(variable).get("default", "")))
            url = urljoin(self._source, url) if _ADDRESS.match(self._source) else url
            try:
                return parse_pinned_address(url, Path(CONFIG), is_path=False)
            except UsageError:
                continue
        return ""

    @staticmethod
    def _check_address(address: str) -> list[OpenPoint]:
        if not address:
            return []
        return [
            OpenPoint(
                CONFIG,
                f"address: the document alone says that keys go to {address}",
                "compare it with the vendor's own page",
            )
        ]

    def _find_listed(self, shape: ResourceShape) -> Choice | None:
        return next((one for one, name in zip(self._choices, self._ids, strict=True) if name == shape.listed), None)

    def _find_paging(self, shape: ResourceShape) -> dict[str, Any]:
        listed = self._find_listed(shape)
        return find_paging(self._document, listed) if listed is not None and shape.rows is not None else {}

    def _find_filters(self, shape: ResourceShape) -> dict[str, Any]:
        listed = self._find_listed(shape)
        if listed is None or shape.rows is None:
            return {}
        schema = get_success(self._document, self._document["paths"][listed.path][listed.method.lower()])
        found = find_rows(self._document, schema, [shape.row_id or shape.row_name])
        row = get_properties(self._document, found[1]) if found is not None else {}
        filters = find_filters(self._document, listed, row)
        return {"filters": filters} if filters else {}

    def _find_uncertain(self, shape: ResourceShape) -> tuple[dict[str, Any], list[OpenPoint]]:
        """Return the properties that responses show with another type than requests send, which are not compared."""
        sent: dict[str, Mapping[str, Any]] = {}
        shown: dict[str, list[Mapping[str, Any]]] = {}
        for choice in self._choices:
            operation = self._document["paths"][choice.path][choice.method.lower()]
            sent |= get_properties(self._document, get_body(self._document, operation))
            for properties in find_objects(
                self._document, get_success(self._document, operation), shape.row_id or shape.mark
            ):
                for name, schema in properties.items():
                    shown.setdefault(name, []).append(schema)
        found = [name for name, schema in sent.items() if any(_differ(schema, one) for one in shown.get(name, ()))]
        told = [OpenPoint(CONFIG, f"resource.uncertain: {name!r} has one type in requests and another in responses, so that its value is not compared",
                         "correct the type in overlay.yaml, or write `x-client-type`") for name in found]  # fmt: skip
        return {"uncertain": found} if found else {}, told

    def _describe_names(self, shape: ResourceShape) -> tuple[dict[str, Any], list[OpenPoint]]:
        """Return the properties that are unique, and what is to be decided about them."""
        if not shape.id:
            return {}, []
        create = self._create
        operation = self._document["paths"][create.path][create.method.lower()]
        if "409" in map(str, as_object(operation.get("responses"))):
            body = get_properties(self._document, get_body(self._document, operation))
            names = [
                name for name, one in body.items() if {"string", "integer"} & set(list_types(one)) and "enum" not in one
            ]
            found, place = find_unique_property(self._document, operation, names)
            problem = (
                f"{found!r} was read from {create.name}, {place}" if found
                else f"no document says what {create.name} answers 409 to; a taken {shape.mark!r} is assumed"
            )  # fmt: skip
            remedy = "write the properties that only one object can have"
            return {"unique": [found or shape.mark]}, [OpenPoint(CONFIG, f"resource.unique: {problem}", remedy)]
        return {}, [OpenPoint(
            CONFIG, f"resource.unique: no document says if two objects can have the same {shape.mark!r}; it is assumed",
            f"else add `unique` with {shape.mark!r} to [resource]")]  # fmt: skip

    @property
    def _create(self) -> Choice:
        return next(choice for choice in self._choices if choice.kind == "create")

    def _find_idempotency(self) -> dict[str, Any]:
        """Return the header of create that makes a repeated request create no second object."""
        parameters = list_parameters(self._document, self._document["paths"][self._create.path], self._create.method)
        names = [str(one.get("name")) for one in parameters if one.get("in") == "header"]
        found = next((name for name in names if name.lower().removeprefix("x-") == "idempotency-key"), "")
        return {"idempotency": f"header:{found}"} if found else {}

    def _list_effects(self) -> list[OpenPoint]:
        return [
            OpenPoint(RULES, f"no document says what {name} changes; until an effect says it, any property of its object may change",
                     f"write the effect, such as `effects: {{done: {{of: {name}, says: It sets the status., sets: {{status: done}}}}}}`")
            for choice, name in zip(self._choices, self._ids, strict=True) if choice.kind == "action"
        ]  # fmt: skip

    def _find_public_names(self, shape: ResourceShape) -> list[str]:
        """Return the names of ids that look like a secret's: the id of a key is none."""
        redactor = Redactor(())
        names = [*shape.id, *(shape.rows or ()), shape.row_id]
        return sorted(
            {name for name in names if name and redactor.is_secret_name(name) and name.lower().endswith("id")}
        )
