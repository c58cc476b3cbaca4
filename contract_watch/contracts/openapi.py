"""An OpenAPI document as operations with bodies, parameters and responses; readers of JSON and TOML files."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from contract_watch.contracts.headers import HeaderSpec, parse_header_specs
from contract_watch.contracts.schema import Schema, resolve_reference
from contract_watch.errors import UsageError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PLACEHOLDER = re.compile(r"\{([^{}/]+)\}")
"""A parameter in a path template."""


@dataclass(frozen=True)
class ResponseSpec:
    """A documented response.

    ``media`` maps each media type to its schema, None if any body conforms; ``headers`` maps lower-case names to headers.
    """

    status: int
    description: str
    media: Mapping[str, Schema | None]
    headers: Mapping[str, HeaderSpec] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One operation of a document.

    ``body`` is the schema of the request body (of its first media type), None if none is documented. ``parameters`` are
    the raw parameter objects with references resolved. ``responses`` maps statuses to documented responses;
    ``default_response`` documents every other status.

    The *arguments* of an operation are the top-level properties of its body, by name, and its path parameters, as
    ``{name}``. Query, header and cookie parameters are none.
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
        """Method and path, such as ``POST /things``."""
        return f"{self.method} {self.path}"

    @property
    def is_read_only(self) -> bool:
        """True if the method is safe: it changes nothing."""
        return self.method in ("GET", "HEAD", "OPTIONS")

    def find_response(self, status: int) -> ResponseSpec | None:
        """Return the documented response for ``status``, else the default one, else None."""
        return self.responses.get(status, self.default_response)

    def get_response_key(self, status: int) -> str:
        """Return the key of the documented response for ``status`` in clause ids: the status, or ``default``."""
        return str(status) if status in self.responses or self.default_response is None else "default"

    def get_arguments(self) -> dict[str, dict[str, Any]]:
        """Return the schema of each argument, path parameters first."""
        return dict(self._arguments)

    @cached_property
    def _arguments(self) -> dict[str, dict[str, Any]]:
        path = {f"{{{p['name']}}}": p.get("schema", {}) for p in self.parameters if p.get("in") == "path"}
        document = self.body.document if self.body is not None else {}
        properties = (
            resolve_reference(document, self.body.schema).get("properties", {}) if self.body is not None else {}
        )
        return {**path, **{name: resolve_reference(document, raw) for name, raw in properties.items()}}

    def get_required_arguments(self) -> list[str]:
        """Return the names of the required arguments, path parameters first."""
        body = (
            resolve_reference(self.body.document, self.body.schema).get("required", []) if self.body is not None else []
        )
        return [*(name for name in self._arguments if name.startswith("{")), *body]

    def build_path(self, parameters: Mapping[str, Any]) -> str:
        """Return the path with ``parameters`` inserted, percent-encoded."""
        return build_path(self.path, parameters)

    def match_path(self, path: str) -> dict[str, str] | None:
        """Return the path parameters in ``path``, None if it is not a path of this operation.

        ``path`` is percent-encoded and without the server's base path.
        """
        if "{" not in self.path:
            return {} if path == self.path else None
        template, segments = self.path.split("/"), path.split("/")
        if len(template) != len(segments):
            return None
        parameters: dict[str, str] = {}
        for expected, segment in zip(template, segments, strict=True):
            placeholder = _PLACEHOLDER.fullmatch(expected)
            if placeholder is not None and segment:
                parameters[placeholder[1]] = unquote(segment)
            elif expected != segment:
                return None
        return parameters


class OpenApi:
    """An OpenAPI 3 document.

    ``raw`` is the parsed JSON, which is never modified; ``source`` names the document in errors.
    """

    def __init__(self, raw: Mapping[str, Any], source: str = "the document") -> None:
        self.raw = raw
        self._source = source

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Every operation by id (``METHOD path`` if it has none), in the document's order.

        Raises:
            UsageError: The document is malformed, or two operations share an id.
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
            raise UsageError(
                f"{self._source}: is not a well-formed OpenAPI document ({problem}); correct it"
            ) from error
        by_id = {operation.id: operation for operation in operations}
        if len(by_id) < len(operations):
            repeated = next(o.id for o in operations if by_id[o.id] is not o)
            raise UsageError(f"{self._source}: two operations have the id {repeated!r}; rename one of them")
        return by_id

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
        return ResponseSpec(status, raw.get("description", ""), media, parse_header_specs(self.raw, raw))

    def find_operation(self, path: str, method: str) -> Operation | None:
        """Return the operation declared for the path template ``path`` and ``method``, if any."""
        return next((o for o in self.operations.values() if o.path == path and o.method == method.upper()), None)

    def match_request(self, path: str, method: str) -> tuple[Operation | None, dict[str, str]]:
        """Return the operation that serves a request, and its path parameters; (None, {}) if none is declared.

        ``path`` is percent-encoded and without the server's base path. Of several templates that match, the one with
        the fewest parameters wins.
        """
        for operation in sorted(self.operations.values(), key=lambda one: one.path.count("{")):
            if operation.method == method.upper() and (parameters := operation.match_path(path)) is not None:
                return operation, parameters
        return None, {}

    def find_path_template(self, path: str) -> str | None:
        """Return the path template that ``path`` matches, for any method; see `match_request`."""
        paths = sorted(self.operations.values(), key=lambda one: one.path.count("{"))
        return next((operation.path for operation in paths if operation.match_path(path) is not None), None)


def build_path(path: str, parameters: Mapping[str, Any]) -> str:
    """Return the path template ``path`` with ``parameters`` inserted, percent-encoded."""
    return _PLACEHOLDER.sub(lambda match: _encode_segment(parameters.get(match[1], match[0])), path)


def split_arguments(arguments: Any) -> tuple[dict[str, Any], Any]:
    """Split ``arguments`` into path parameters by name and the body; a value other than an object is the body."""
    if not isinstance(arguments, dict):
        return {}, arguments
    parameters = {name[1:-1]: value for name, value in arguments.items() if name.startswith("{")}
    return parameters, {name: value for name, value in arguments.items() if not name.startswith("{")}


def join_arguments(parameters: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """Merge path parameters and body into arguments; a body other than an object adds none."""
    return {**{f"{{{name}}}": value for name, value in parameters.items()}, **(body if isinstance(body, dict) else {})}


def _encode_segment(value: Any) -> str:
    """Percent-encode ``value`` as one path segment, also ``.`` and ``..``, which would change the path."""
    segment = quote(str(value), safe="", errors="surrogatepass")
    return segment.replace(".", "%2E") if segment in (".", "..") else segment


def read_json(path: Path) -> Any:
    """Return the parsed JSON of the file ``path``; a `UsageError` names the file and the line."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}:{error.lineno}: is not JSON ({error.msg}); correct it") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Return the parsed TOML of the file ``path``; a `UsageError` names the file."""
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: is not a file")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is one; Python refuses very long numbers by another
        raise UsageError(f"{path}: is not TOML ({error}); correct it") from error
