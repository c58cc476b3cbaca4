"""Contracts of data alone, made for a test: one small API in the many forms that vendors give it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract_watch.contracts.registry import Contract

_TOML = """
name = "Made"
published = "contracts/{slug}/published.json"
upstream = "https://made.example/openapi.json"
address = "https://api.made.example/v1"
[rate]
requests = 240
seconds = 60
{places}
[[credentials]]
account = "main"
variable = "MADE_KEY"
test = "{key}"
required = true
about = "an account"
[identities]
{identities}
[lifecycle]
{lifecycle}
{listing}
[resource]
{resource}
"""
_BEARER = '[[places]]\nname = "bearer"\nheader = "Authorization"\nform = "Bearer {}"'


@dataclass
class MadeApi:
    """The options of an API of things.

    ``id_schema`` is the schema of the ids that the server assigns; None: the caller chooses the name. ``update`` is the
    method of an update, ``media_type`` that of bodies. ``invalid`` is the status of a bad request, ``created`` and ``removed``
    are those of successes. ``wrapper`` is the property around an object in responses, empty for none; ``rows`` that around
    a list's array. ``paging`` are lines of `[listing]`, ``query`` the list's query parameters. ``properties`` are further
    properties of requests and responses; ``hidden`` those of requests alone, ``shown`` those of responses. ``refusals`` are
    further statuses of a bad request.
    """

    id_schema: dict[str, Any] | None = field(default_factory=lambda: {"type": "string", "example": "th_0001abcd"})
    update: str = "patch"
    media_type: str = "application/json"
    invalid: int = 400
    created: int = 201
    removed: int = 204
    updated: int = 200
    wrapper: str = ""
    rows: str = "things"
    paging: str = ""
    query: dict[str, Any] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()
    resource: str = ""
    places: str = _BEARER
    has_read: bool = True
    base: str = "/things"
    rules: str = ""
    extra: str = ""
    flows: str = ""
    key: str = "made_test_main_0123456789"
    security: dict[str, Any] = field(default_factory=dict)

    @property
    def _property_schemas(self) -> dict[str, Any]:
        return {
            "name": {"type": "string", "minLength": 3, "maxLength": 60, "example": "first"},
            "size": {"type": "integer", "minimum": 0, "maximum": 900, "default": 7, "example": 12},
            **self.properties,
        }

    @property
    def _thing(self) -> dict[str, Any]:
        shown = {name: {k: v for k, v in raw.items() if k != "default"} for name, raw in self._property_schemas.items()}
        ids = {"id": self.id_schema} if self.id_schema is not None else {}
        required = [*ids, "name", "size", *self.properties, *self.shown]
        return {"type": "object", "required": required, "properties": {**ids, **shown, **self.shown}}

    def _respond(self, status: int, schema: dict[str, Any] | None) -> dict[str, Any]:
        content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
        return {str(status): {"description": "Success.", **content}}

    def build_document(self) -> dict[str, Any]:
        """Build the OpenAPI document."""
        problem = {
            "type": "object",
            "required": ["message"],
            "properties": {"message": {"type": "string", "example": "No."}},
        }
        refusals = {
            str(status): {"description": "Refused.", "content": {"application/json": {"schema": problem}}}
            for status in (self.invalid, *self.refusals, 401)
        }
        unknown = {"404": refusals["401"]}
        thing = self._thing
        single = (
            {"type": "object", "required": [self.wrapper], "properties": {self.wrapper: thing}}
            if self.wrapper
            else thing
        )
        array = {"type": "array", "items": thing}
        required = [self.rows, *self.envelope]
        page = (
            {"type": "object", "required": required, "properties": {self.rows: array, **self.envelope}}
            if self.rows
            else array
        )
        settable = {**self._property_schemas, **self.hidden}
        changed = settable if self.id_schema is not None else {k: v for k, v in settable.items() if k != "name"}
        changed = {name: {k: v for k, v in raw.items() if k != "default"} for name, raw in changed.items()}
        key = "id" if self.id_schema is not None else "name"
        kind = {k: v for k, v in (self.id_schema or {"type": "string"}).items() if k == "type"}
        item: dict[str, Any] = {
            "parameters": [{"name": key, "in": "path", "required": True, "schema": kind}],
            self.update: {
                "operationId": "changeThing",
                "requestBody": self._build_body({"type": "object", "minProperties": 1, "properties": changed}),
                "responses": {**self._respond(self.updated, single), **refusals, **unknown},
            },
            "delete": {
                "operationId": "removeThing",
                "responses": {**self._respond(self.removed, None), "401": refusals["401"], **unknown},
            },
        }
        if self.has_read:
            item["get"] = {
                "operationId": "getThing",
                "responses": {**self._respond(200, single), "401": refusals["401"], **unknown},
            }
        parameters = [
            {"name": name, "in": "query", "required": False, "schema": raw} for name, raw in self.query.items()
        ]
        taken = {} if self.id_schema is not None else {"409": refusals["401"]}
        collection = {
            "post": {
                "operationId": "createThing",
                "requestBody": self._build_body({"type": "object", "required": ["name"], "properties": settable}),
                "responses": {**self._respond(self.created, single), **refusals, **taken},
            },
            "get": {
                "operationId": "listThings",
                "parameters": parameters,
                "responses": {**self._respond(200, page), **(refusals if self.query else {"401": refusals["401"]})},
            },
        }
        return {
            "openapi": "3.1.0",
            "info": {"title": "Made", "version": "1.0.0"},
            "servers": [{"url": "https://api.made.example/v1"}],
            "paths": {self.base: collection, f"{self.base}/{{{key}}}": item},
            **(
                {"security": [{"key": []}], "components": {"securitySchemes": {"key": self.security}}}
                if self.security
                else {}
            ),
        }

    def _build_body(self, schema: dict[str, Any]) -> dict[str, Any]:
        media_type = self.media_type
        return {"required": True, "content": {media_type: {"schema": schema}}}

    def write(self, root: Path, slug: str = "made") -> Contract:
        """Write the contract below ``root`` and return it."""
        directory = root / "contracts" / slug
        directory.mkdir(parents=True)
        key = "id" if self.id_schema is not None else "name"
        existing = f'{{"{{{key}}}" = "existing"}}'
        change = '{"{id}" = "existing", "/name" = "new"}' if self.id_schema is not None else existing
        identities = [
            'createThing = {"/name" = "new"}',
            "listThings = {}",
            f"changeThing = {change}",
            f"removeThing = {existing}",
        ]
        identities += [f"getThing = {existing}"] if self.has_read else []
        pointer = f"/{self.wrapper}/id" if self.wrapper else "/id"
        lifecycle = [
            'create = "createThing"',
            'remove = "removeThing"',
            f'read = "{"getThing" if self.has_read else "listThings"}"',
        ]
        lifecycle += [f'id = "{pointer}"'] if self.id_schema is not None else []
        listing = ["[listing]", 'operation = "listThings"', f'rows = "/{self.rows}"', 'name = "/name"']
        listing += ['id = "/id"'] if self.id_schema is not None else []
        text = _TOML.format(
            slug=slug, key=self.key, places=self.places, identities="\n".join(identities), lifecycle="\n".join(lifecycle),
            listing="\n".join([*listing, self.paging]), resource=self.resource,
        )  # fmt: skip
        (directory / "contract.toml").write_text(text + self.extra, encoding="utf-8")
        (directory / "published.json").write_text(json.dumps(self.build_document()), encoding="utf-8")
        if self.rules:
            (directory / "rules.yaml").write_text(self.rules, encoding="utf-8")
        if self.flows:
            (directory / "scenarios.yaml").write_text(self.flows, encoding="utf-8")
        return Contract(slug, root)
