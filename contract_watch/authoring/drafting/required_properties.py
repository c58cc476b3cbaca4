"""`required` of responses, as the examples of a document show them: without it an empty object conforms."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract_watch.authoring.drafting.chosen_operations import Choice
from contract_watch.authoring.drafting.document_cut import list_references
from contract_watch.authoring.drafting.open_points import OVERLAY, OpenPoint
from contract_watch.authoring.drafting.overlay_text import Action, build_action
from contract_watch.authoring.drafting.resource_shape import ResourceShape
from contract_watch.authoring.drafting.schema_search import (
    Location,
    PropertyPath,
    follow,
    has_objects,
    list_members,
    list_types,
)
from contract_watch.contracts.bodies import is_json_type
from contract_watch.diff.document.source import SourceDocument, as_object, decode_token

_MAX_DEPTH = 12
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}
_NONE = object()


class RequiredProperties:
    """A walk through the responses of a document that collects what each object should require."""

    def __init__(
        self,
        document: Mapping[str, Any],
        choices: Sequence[Choice],
        shape: ResourceShape,
        ids: Sequence[str],
        pages: Sequence[PropertyPath] = (),
    ) -> None:
        self._pages = pages
        self._document, self._source = document, SourceDocument(document)
        self._choices, self._ids, self._shape = choices, ids, shape
        self._found: dict[Location, tuple[list[str], list[str]]] = {}
        self._sent = self._list_sent_references()
        self._shared: dict[str, None] = {}
        self._types: dict[Location, tuple[str, str]] = {}

    def derive(self) -> Iterator[Action | OpenPoint]:
        """Yield an action for each object whose properties are not required, and a decision for those that requests share."""
        for choice, name in zip(self._choices, self._ids, strict=True):
            operation = self._document["paths"][choice.path][choice.method.lower()]
            base = ("paths", choice.path, choice.method.lower(), "responses")
            for status, raw in as_object(operation.get("responses")).items():
                self._visit_response((*base, str(status)), raw, name if str(status).startswith("2") else "")
        for location, (shown, needed) in self._found.items():
            why = "Every example shows these." if shown else "The suite finds its objects by these."
            names = list(dict.fromkeys([*shown, *needed]))
            yield build_action(
                location, f"{why} Without `required` an object without them conforms.", {"required": names}
            )
        for location, (documented, sent) in self._types.items():
            yield build_action(location, "The example is of another type than the schema.", {"type": sent})
            yield OpenPoint(OVERLAY, f"{location[-1]!r} is {documented} by its type and {sent} by its example; {sent} was written",
                           "keep the one that the vendor sends")  # fmt: skip
        for name in self._shared:
            yield OpenPoint(OVERLAY, f"{name} is sent and answered, so that nothing of it is required in a response",
                           "give responses a schema of their own, with `required`")  # fmt: skip

    def _list_sent_references(self) -> set[str]:
        waiting: list[Any] = [
            self._document["paths"][one.path][one.method.lower()].get("requestBody") for one in self._choices
        ]
        known: set[str] = set()
        while waiting:
            for reference in list_references(waiting.pop()):
                if reference not in known:
                    known.add(reference)
                    waiting.append(self._source.resolve(reference))
        return known

    def _visit_response(self, location: Location, raw: Any, operation: str) -> None:
        location, response = self._follow(location, raw)
        for media_type, media in as_object(response.get("content")).items():
            if is_json_type(media_type) and isinstance(media, dict):
                examples = [media["example"]] if "example" in media else []
                examples += [as_object(one).get("value", _NONE) for one in as_object(media.get("examples")).values()]
                where = (*location, "content", media_type, "schema")
                self._visit(where, media.get("schema"), [one for one in examples if one is not _NONE], operation, (), 0)

    def _follow(self, location: Location, raw: Any) -> tuple[Location, Mapping[str, Any]]:
        """Return the real location of a node, and the node; empty if requests have the same one.

        One that holds objects is noted: a string has no property to require.
        """
        location, node, references = follow(self._source, location, raw)
        shared = [one for one in references if one in self._sent]
        if shared and has_objects(self._document, node):
            self._shared |= {decode_token(one.rpartition("/")[2]): None for one in shared}
        return ((), {}) if shared else (location, node)

    def _visit(
        self, location: Location, raw: Any, examples: list[Any], operation: str, path: PropertyPath, depth: int
    ) -> None:
        location, schema = self._follow(location, raw)
        if not location or depth > _MAX_DEPTH:
            return
        examples = [*examples, *([schema["example"]] if "example" in schema else [])]
        examples += [one for one in schema.get("examples", ()) if isinstance(schema.get("examples"), list)]
        kind = _TYPES.get(type(schema.get("example")))
        documented = list_types(schema)
        if kind and documented and kind not in documented and not (kind == "integer" and "number" in documented):
            self._types[location] = documented[0], kind
        for where, member in list_members(location, schema):
            self._visit(where, member, examples, operation, path, depth + 1)
        if isinstance(schema.get("items"), dict):
            inner = [item for one in examples if isinstance(one, list) for item in one]
            self._visit((*location, "items"), schema["items"], inner, operation, (*path, "*"), depth + 1)
        properties = as_object(schema.get("properties"))
        if properties:
            self._note(location, schema, properties, examples, operation, path)
        for name, one in properties.items():
            inner = [example[name] for example in examples if isinstance(example, dict) and name in example]
            self._visit((*location, "properties", name), one, inner, operation, (*path, name), depth + 1)

    def _note(
        self, location: Location, schema: Mapping[str, Any], properties: Mapping[str, Any], examples: list[Any],
        operation: str, path: PropertyPath,
    ) -> None:  # fmt: skip
        declared = schema.get("required")
        shown: list[str] = []
        if not declared:
            objects = [one for one in examples if isinstance(one, dict)]
            if objects:
                shown = [name for name in properties if all(name in one for one in objects)]
            else:
                shown = [name for name, one in properties.items() if self._has_example(one)]
        needed = [name for name in self._list_needed(operation, path) if name in properties]
        needed = [name for name in needed if name not in (declared or ())]
        before = self._found.get(location, ([], []))
        merged = ([*before[0], *shown], [*before[1], *needed])
        if shown or needed:
            self._found[location] = (list(dict.fromkeys(merged[0])), list(dict.fromkeys(merged[1])))

    def _has_example(self, raw: Any) -> bool:
        schema = self._source.follow(raw)
        return "example" in schema or bool(schema.get("examples"))

    def _list_needed(self, operation: str, path: PropertyPath) -> list[str]:
        """Return the properties of an object at ``path`` that `contract.toml` points to."""
        shape = self._shape
        kind = next((one.kind for one, name in zip(self._choices, self._ids, strict=True) if name == operation), "")
        needed = []
        if kind == "create" and shape.id and path == shape.id[: len(path)]:
            needed.append(shape.id[len(path)])
        if operation == shape.listed and shape.rows is not None:
            if path == shape.rows[: len(path)] and len(path) < len(shape.rows):
                needed.append(shape.rows[len(path)])
            needed += [one[-1] for one in self._pages if one[:-1] == path]
            if path == (*shape.rows, "*"):
                needed += [name for name in (shape.row_id, shape.row_name) if name]
        return needed
