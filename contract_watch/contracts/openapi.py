"""An OpenAPI document read for what this project asks of it: operations, their bodies, parameters and answers."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from contract_watch.contracts.schema import Schema, resolve_reference
from contract_watch.errors import UsageError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PLACEHOLDER = re.compile(r"\{([^{}/]+)\}")
"""Where a parameter stands in a path."""


@dataclass(frozen=True)
class ResponseSpec:
    """What an operation documents for one status: ``media`` maps a media type to its schema (None: any body)."""

    status: int
    description: str
    media: Mapping[str, Schema | None]


@dataclass(frozen=True)
class Operation:
    """One operation. ``body`` is None where none is documented; ``parameters`` are the raw, resolved objects.

    ``answers`` are the documented answers by status; ``otherwise`` is the one for every status that has none of its own
    (``default``), if there is one.

    Its *arguments* are what a caller gives: the body's properties under their names, path parameters as ``{name}``.
    """

    id: str
    method: str
    path: str
    body: Schema | None
    body_required: bool
    media_type: str | None
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[int, ResponseSpec]
    deprecated: bool = False
    default_response: ResponseSpec | None = None

    @property
    def name(self) -> str:
        """The operation as people write it: ``POST /things``."""
        return f"{self.method} {self.path}"

    @property
    def is_read_only(self) -> bool:
        """Whether its method promises to change nothing."""
        return self.method in ("GET", "HEAD", "OPTIONS")

    def find_response(self, status: int) -> ResponseSpec | None:
        """What is documented for ``status``: its own answer, else the one for all others."""
        return self.responses.get(status, self.default_response)

    def get_response_key(self, status: int) -> str:
        """How clauses name the documented answer for ``status``."""
        return str(status) if status in self.responses or self.default_response is None else "default"

    def get_arguments(self) -> dict[str, dict[str, Any]]:
        """The schema of every argument, path parameters first."""
        path = {f"{{{p['name']}}}": p.get("schema", {}) for p in self.parameters if p.get("in") == "path"}
        document = self.body.document if self.body is not None else {}
        properties = (
            resolve_reference(document, self.body.schema).get("properties", {}) if self.body is not None else {}
        )
        return {**path, **{name: resolve_reference(document, raw) for name, raw in properties.items()}}

    def get_required_arguments(self) -> list[str]:
        """The names of the arguments that every request needs."""
        body = (
            resolve_reference(self.body.document, self.body.schema).get("required", []) if self.body is not None else []
        )
        return [*(name for name in self.get_arguments() if name.startswith("{")), *body]

    def build_path(self, parameters: Mapping[str, Any]) -> str:
        """The path with ``parameters`` in their places, percent-encoded."""
        return build_path(self.path, parameters)

    def match_path(self, path: str) -> dict[str, str] | None:
        """The parameters that ``path`` (percent-encoded, below the server's) gives, where it is one of this operation's."""
        if "{" not in self.path:
            return {} if path == self.path else None
        ours, theirs = self.path.split("/"), path.split("/")
        if len(ours) != len(theirs):
            return None
        found: dict[str, str] = {}
        for mine, their in zip(ours, theirs, strict=True):
            place = _PLACEHOLDER.fullmatch(mine)
            if place is not None and their:
                found[place[1]] = unquote(their)
            elif mine != their:
                return None
        return found


class OpenApi:
    """An OpenAPI 3 document. ``raw`` is the parsed JSON and is never changed; ``source`` names it in errors."""

    def __init__(self, raw: Mapping[str, Any], source: str = "the document") -> None:
        self.raw = raw
        self._source = source

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Every operation by its id (``METHOD path`` where it has none), in the document's order.

        Raises:
            UsageError: the document is not well formed, or two operations have one id.
        """
        try:
            operations = [
                self._parse_operation(path, method, item)
                for path, item in self.raw.get("paths", {}).items()
                for method in METHODS
                if method in item
            ]
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            problem = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise UsageError(f"{self._source}: is not a well-formed OpenAPI document ({problem})") from error
        found = {operation.id: operation for operation in operations}
        if len(found) < len(operations):
            twice = next(o.id for o in operations if found[o.id] is not o)
            raise UsageError(f"{self._source}: two operations have the id {twice!r}")
        return found

    def _parse_operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        raw = item[method]
        body = resolve_reference(self.raw, raw.get("requestBody", {}))
        content: dict[str, Any] = body["content"] if body else {}
        media_type, schema = next(iter(content.items()), (None, dict[str, Any]()))
        return Operation(
            id=raw.get("operationId", f"{method.upper()} {path}"),
            method=method.upper(),
            path=path,
            body=Schema(self.raw, schema.get("schema", {})) if media_type else None,
            body_required=bool(body.get("required")),
            media_type=media_type,
            parameters=tuple(
                resolve_reference(self.raw, p) for p in (*item.get("parameters", ()), *raw.get("parameters", ()))
            ),
            responses={
                int(status): self._parse_response(int(status), resolve_reference(self.raw, answer))
                for status, answer in raw.get("responses", {}).items()
                if status.isdigit()
            },
            deprecated=bool(raw.get("deprecated")),
            default_response=self._parse_response(0, resolve_reference(self.raw, raw["responses"]["default"]))
            if "default" in raw.get("responses", {})
            else None,
        )

    def _parse_response(self, status: int, raw: Mapping[str, Any]) -> ResponseSpec:
        media = {
            name: Schema(self.raw, content["schema"]) if "schema" in content else None
            for name, content in raw.get("content", {}).items()
        }
        return ResponseSpec(status, raw.get("description", ""), media)

    def find_operation(self, path: str, method: str) -> Operation | None:
        """The operation declared for ``method`` and document path ``path``, if any."""
        return next((o for o in self.operations.values() if o.path == path and o.method == method.upper()), None)

    def match_request(self, path: str, method: str) -> tuple[Operation | None, dict[str, str]]:
        """The operation that a request for ``path`` (percent-encoded, below the server's) is to, and its path parameters."""
        for operation in sorted(self.operations.values(), key=lambda one: one.path.count("{")):
            if operation.method == method.upper() and (found := operation.match_path(path)) is not None:
                return operation, found
        return None, {}

    def find_path_template(self, path: str) -> str | None:
        """The document path that ``path`` (percent-encoded, below the server's) belongs to, whatever the method."""
        paths = sorted(self.operations.values(), key=lambda one: one.path.count("{"))
        return next((operation.path for operation in paths if operation.match_path(path) is not None), None)


def build_path(path: str, parameters: Mapping[str, Any]) -> str:
    """A document's ``path`` with ``parameters`` in their places, percent-encoded."""
    return _PLACEHOLDER.sub(lambda found: _encode_segment(parameters.get(found[1], found[0])), path)


def split_arguments(arguments: Any) -> tuple[dict[str, Any], Any]:
    """Path parameters by name, and the body, of a request's ``arguments``; what is no object is all body."""
    if not isinstance(arguments, dict):
        return {}, arguments
    parameters = {name[1:-1]: value for name, value in arguments.items() if name.startswith("{")}
    return parameters, {name: value for name, value in arguments.items() if not name.startswith("{")}


def join_arguments(parameters: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """The arguments of a request with these path parameters and this body; a body that is no object has none."""
    return {**{f"{{{name}}}": value for name, value in parameters.items()}, **(body if isinstance(body, dict) else {})}


def _encode_segment(value: Any) -> str:
    """``value`` as one segment of a path; ``.`` and ``..`` would lead elsewhere if they were not encoded."""
    text = quote(str(value), safe="", errors="surrogatepass")
    return text.replace(".", "%2E") if text in (".", "..") else text


def read_json(path: Path) -> Any:
    """The JSON in ``path``; a `UsageError` that names the file and the line where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: is not JSON ({error.msg})") from error


def read_toml(path: Path) -> dict[str, Any]:
    """The TOML in ``path``; a `UsageError` that names the file where it is none."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: is not TOML: {error}") from error
