"""The objects of an API as its document shows them: ids, marks, rows, and the arguments that name an object."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.authoring.drafting.name_template import choose_template
from contract_watch.authoring.drafting.open_points import CONFIG, OVERLAY, OpenPoint
from contract_watch.authoring.drafting.request_examples import find_text
from contract_watch.authoring.drafting.schema_search import (
    PropertyPath,
    find_property,
    find_rows,
    get_body,
    get_properties,
    get_success,
    list_parameters,
    list_types,
)
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import flatten_schema
from contract_watch.diff.document.source import as_object
from contract_watch.errors import UsageError

_MARKS = (
    "name", "title", "label", "username", "user_name", "slug", "display_name", "displayName", "email", "email_address",
    "emailAddress", "address", "domain", "domain_name", "hostname", "host", "reference", "key", "description", "subject",
)  # fmt: skip
"""Usual names of the property by which people know an object, the likeliest first."""
_IDS = ("id", "uuid", "guid", "uid", "_id")
_CREATED = ("created_at", "created", "createdAt", "created_date", "createdDate", "created_on", "createdOn", "created_time",
            "createdTime", "creation_date", "creationDate", "date_created", "dateCreated", "inserted_at")  # fmt: skip
_CHANGED = ("updated_at", "updated", "updatedAt", "modified_at", "modified", "modifiedAt", "last_modified", "lastModified",
            "changed_at", "updated_on", "updatedOn", "updated_date", "last_updated", "lastUpdated", "date_modified")  # fmt: skip
_NO_MARK_FORMATS = ("date-time", "date", "time", "uuid", "password", "ipv4", "ipv6", "binary", "byte")
_SCALARS = ("string", "integer")


@dataclass(frozen=True)
class ResourceShape:
    """The shape of the objects.

    ``identities`` maps operation ids to arguments and their roles, as in ``contract.toml``. ``mark`` is the argument of
    create with the name or the mark of a new object, ``template`` the form of such names if it is not a plain one.
    ``id`` is the path of the id in the response of create, empty if requests name objects by the name that create was
    sent. ``given`` maps the arguments that name objects of another kind to a value. The others are paths in the response of
    the list, and in one of its rows.
    """

    mark: str
    template: str
    id: PropertyPath
    identities: Mapping[str, Mapping[str, str]]
    listed: str = ""
    rows: PropertyPath | None = None
    row_name: str = ""
    row_id: str = ""
    created: str = ""
    changed: str = ""
    given: Mapping[str, str] = field(default_factory=dict)
    decisions: Sequence[OpenPoint] = field(default_factory=list)


class ShapeFinder:
    """A finder of the shape; ``choices`` are the operations and ``ids`` their ids."""

    def __init__(self, document: Mapping[str, Any], choices: Sequence[Choice], ids: Sequence[str]) -> None:
        self._document = document
        self._ids = dict(zip(ids, choices, strict=True))
        self._raw = {name: document["paths"][one.path][one.method.lower()] for name, one in self._ids.items()}
        self._create = self._find_first("create")
        self._arguments = self._list_arguments(self._create)
        self._decisions: list[OpenPoint] = []
        self._given: dict[str, str] = {}

    def find(self) -> ResourceShape:
        """Return the shape.

        Raises:
            UsageError: create takes no string that a run could know its objects by.
        """
        listed = self._find_first("list")
        item = self._find_item_parameter()
        id_path = self._find_id(item)
        found = self._find_rows(listed, item, id_path)
        row = get_properties(self._document, found[1]) if found is not None else {}
        mark = self._choose_mark(item if not id_path else "", self._list_shown(row))
        template = choose_template(self._document, mark, self._arguments[mark])
        if template is None:
            template = ""
            self._decisions.append(OpenPoint(
                CONFIG, f"{self._create} accepts no {mark!r} of a run's form, such as ct-260101-abc12x-1-n",
                "name another argument `new` in [identities], or correct its pattern or length in overlay.yaml"))  # fmt: skip
        key = id_path[-1] if id_path else mark
        return ResourceShape(
            mark, template, id_path, dict(self._list_identities(mark, key)),
            listed, *self._describe_rows(found, row, mark, key), given=self._given, decisions=self._decisions,
        )  # fmt: skip

    def _find_first(self, kind: str) -> str:
        return next((name for name, one in self._ids.items() if one.kind == kind), "")

    def _list_arguments(self, operation: str) -> dict[str, dict[str, Any]]:
        body = get_body(self._document, self._raw[operation])
        return {name: one for name, one in get_properties(self._document, body).items() if not one.get("readOnly")}

    # -- ids and marks

    def _find_item_parameter(self) -> str:
        """Return the path parameter that names an object; empty if none does."""
        for kind in ("get", "delete", "update"):
            for one in self._ids.values():
                if one.kind == kind and one.ends_with_parameter:
                    return one.parameters[-1]
        return ""

    def _list_id_names(self, item: str) -> list[str]:
        noun = re.sub(r"^(create|add|new)", "", self._create)
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", noun).lower()
        names = [item, *_IDS, f"{snake}_id", f"{noun[:1].lower()}{noun[1:]}Id"]
        return [name for name in dict.fromkeys(names) if name]

    def _find_id(self, item: str) -> PropertyPath:
        """Return the path of the id that the server assigns; empty if the caller chooses the names."""
        if item in self._arguments:
            return ()
        schema = get_success(self._document, self._raw[self._create])
        names = [name for name in self._list_id_names(item) if name not in self._arguments]
        found = find_property(self._document, schema, names, _SCALARS)
        return found if found and (item or self._names_by_id(found[-1])) else ()

    def _names_by_id(self, name: str) -> bool:
        """Return True if a request without path parameters names its object by the id ``name``."""
        delete = self._find_first("delete")
        return name in self._list_arguments(delete) or f"query:{name}" in self._list_query(delete)

    def _choose_mark(self, item: str, shown: set[str]) -> str:
        required = get_body(self._document, self._raw[self._create]).get("required", ())
        suited = [
            name
            for name, schema in self._arguments.items()
            if "string" in list_types(schema) and "enum" not in schema and "const" not in schema
            and schema.get("format") not in _NO_MARK_FORMATS
        ]  # fmt: skip
        if item in suited:
            return item

        def rank(name: str) -> tuple[bool, int, bool]:
            usual = _MARKS.index(name) if name in _MARKS else len(_MARKS) + ("name" not in name.lower())
            return name not in shown and bool(shown), usual, name not in required

        if not suited:
            raise UsageError(
                f"--operations: {self._ids[self._create].name} takes no string that a run could know its own objects by; "
                "choose an operation whose body has a name or a description"
            )
        return min(suited, key=rank)

    def _list_shown(self, row: Mapping[str, Any]) -> set[str]:
        if row:
            return set(row)
        read = self._find_first("get")
        found = (
            find_property(self._document, get_success(self._document, self._raw[read]), _MARKS, ("string",))
            if read
            else ()
        )
        return {found[-1]} if found else set()

    # -- rows

    def _find_rows(self, listed: str, item: str, id_path: PropertyPath) -> tuple[PropertyPath, Any] | None:
        if not listed:
            self._decisions.append(OpenPoint(
                CONFIG, "no operation lists the objects, so that nothing finds what a killed run left, and LIVE=mutate is refused",
                "add the list, and a table [listing]"))  # fmt: skip
            return None
        names = [*id_path[-1:], *([item] if not id_path else []), *_MARKS, *_IDS]
        found = find_rows(self._document, get_success(self._document, self._raw[listed]), names)
        if found is None:
            self._decisions.append(OpenPoint(
                OVERLAY, f"the response of {listed} has no array of objects", "correct its schema, and add [listing] to contract.toml"))  # fmt: skip
        return found

    def _describe_rows(
        self, found: tuple[PropertyPath, Any] | None, row: Mapping[str, Any], mark: str, key: str
    ) -> tuple[PropertyPath | None, str, str, str, str]:
        changed = _find_time(row, _CHANGED)
        if found is None or mark not in row or key not in row:
            if found is not None:
                missing = mark if mark not in row else key
                self._decisions.append(OpenPoint(
                    CONFIG, f"the rows of the list show no {missing!r}, so that nothing finds what a killed run left",
                    "add it to the schema in overlay.yaml if the vendor shows it, and a table [listing]"))  # fmt: skip
            return None, "", "", "", changed
        return found[0], mark, key if key != mark else "", _find_time(row, _CREATED), changed

    # -- identities

    def _list_query(self, operation: str) -> list[str]:
        choice = self._ids[operation]
        parameters = list_parameters(self._document, self._document["paths"][choice.path], choice.method)
        return [f"query:{one.get('name')}" for one in parameters if one.get("in") == "query"]

    def _list_identities(self, mark: str, key: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        for name, choice in self._ids.items():
            roles: dict[str, str] = {}
            naming = self._find_naming(name, choice, mark, key)
            for parameter in choice.parameters:
                argument = f"{{{parameter}}}"
                if argument == naming:
                    roles[argument] = "existing"
                elif argument not in self._given:
                    self._given[argument] = self._choose_value(choice, parameter)
                    self._decisions.append(OpenPoint(
                        CONFIG, f"given.{argument}: {choice.name} names an object of another kind, of which no request makes one",
                        "set its variable to one that exists on the account; add `shown` if the rows show it"))  # fmt: skip
            if naming and naming not in roles:
                roles[naming if ":" in naming else f"/{naming}"] = "existing"
            if choice.kind in ("create", "update"):
                renaming = self._find_renaming(name, mark, naming)
                roles |= {f"/{renaming}": "new"} if renaming else {}
            yield name, roles

    def _choose_value(self, choice: Choice, name: str) -> str:
        """Return a value of a path parameter: its example, or one made from its schema."""
        parameters = list_parameters(self._document, self._document["paths"][choice.path], choice.method)
        found = next((one for one in parameters if (one.get("in"), one.get("name")) == ("path", name)), {})
        if "example" in found:
            return str(found["example"])
        schema = flatten_schema(self._document, found.get("schema", {}))
        named = [as_object(one).get("value") for one in as_object(found.get("examples")).values()]
        known = [one for one in (*named, schema.get("example"), schema.get("default"), *schema.get("enum", ())) if one]
        if list_types(schema) in ([], ["string"]):
            return find_text(self._document, schema, name, known) or f"test-{name}"
        return str(known[0] if known else build_value(self._document, schema))

    def _find_naming(self, name: str, choice: Choice, mark: str, key: str) -> str:
        """Return the argument that names the object of a request; empty if it names none."""
        if choice.kind in ("create", "list"):
            return ""
        if choice.parameters:
            item = self._find_item_parameter()
            known = [one for one in choice.parameters if one == item] or choice.parameters[-1:]
            return f"{{{known[0]}}}"
        arguments = self._list_arguments(name)
        current = [
            f"current{mark[:1].upper()}{mark[1:]}",
            f"current_{mark}",
            f"old_{mark}",
            f"old{mark[:1].upper()}{mark[1:]}",
        ]
        wanted = [key, *current, mark, *_IDS]
        if found := next((one for one in wanted if one in arguments), ""):
            return found
        query = self._list_query(name)
        return next((f"query:{one}" for one in wanted if f"query:{one}" in query), "")

    def _find_renaming(self, name: str, mark: str, naming: str) -> str:
        arguments = self._list_arguments(name)
        title = f"{mark[:1].upper()}{mark[1:]}"
        names = (f"new{title}", f"new_{mark}", mark) if name != self._create else (mark,)
        return next((one for one in names if one in arguments and one != naming), "")


def _find_time(row: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str:
    kinds = {"string", "integer", "number"}
    return next((name for name in names if name in row and kinds & set(list_types(row[name]))), "")
