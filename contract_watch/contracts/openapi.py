"""An OpenAPI document as operations with bodies, parameters and responses; readers of JSON and TOML files."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from contract_watch.contracts.bodies import BodyCodec, choose_media_type
from contract_watch.contracts.headers import HeaderSpec, parse_header_specs
from contract_watch.contracts.null_unions import fold_null_unions
from contract_watch.contracts.parameters import (
    ParameterSpec,
    find_violations,
    is_parameter_key,
    parse_parameters,
    read_parameter_schema,
)
from contract_watch.contracts.path_templates import PLACEHOLDER, decode_path, match_template, parse_template
from contract_watch.contracts.schema import Document, Schema, Violation, flatten_schema, resolve_reference
from contract_watch.contracts.text_values import NotEncodableError, decode_text, list_types
from contract_watch.errors import UsageError

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class ResponseSpec:
    """A documented response.

    ``media`` maps each media type to its schema, None if any body conforms; ``headers`` maps lower-case names to headers.
    """

    status: int
    description: str
    media: Mapping[str, Schema | None]
    headers: Mapping[str, HeaderSpec] = field(default_factory=dict)

    @cached_property
    def schema(self) -> Mapping[str, Any]:
        """The schema of the first media type that has one; empty if none has."""
        return next((one.schema for one in self.media.values() if one is not None), {})


@dataclass(frozen=True)
class Operation:
    """One operation of a document.

    ``body`` is the schema of the request body (of ``media_type``, the first documented one that can be sent), None if
    none is documented. ``parameters`` are the raw parameter objects with references resolved, ``specs`` the query,
    header and cookie parameters by key, ``security`` the requirements, any of which will do. ``responses`` maps statuses to documented responses; ``default_response``
    documents every other status.

    The *arguments* of an operation are its path parameters, as ``{name}``; its query, header and cookie parameters, as
    ``query:name``, ``header:name`` and ``cookie:name``; and the top-level properties of its body, by name.
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
    specs: Mapping[str, ParameterSpec] = field(default_factory=dict)
    codec: BodyCodec = field(default_factory=lambda: BodyCodec(None, {}))
    document: Document = field(default_factory=dict, repr=False)
    security: tuple[Mapping[str, Any], ...] = ()

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

    @cached_property
    def lowest_success(self) -> tuple[int, ResponseSpec | None]:
        """The lowest documented success; 200 and None if there is none."""
        status = min((status for status in self.responses if 200 <= status < 300), default=200)
        return status, self.find_response(status)

    def get_arguments(self) -> dict[str, dict[str, Any]]:
        """Return the schema of each argument: path parameters first, then other parameters, then properties."""
        return dict(self._arguments)

    @cached_property
    def _arguments(self) -> dict[str, dict[str, Any]]:
        parameters = {**self.path_schemas, **{key: dict(spec.schema) for key, spec in self.specs.items()}}
        document = self.body.document if self.body is not None else {}
        properties = flatten_schema(document, self.body.schema).get("properties", {}) if self.body is not None else {}
        return {**parameters, **{name: flatten_schema(document, raw) for name, raw in properties.items()}}

    @cached_property
    def path_schemas(self) -> dict[str, dict[str, Any]]:
        """The schema of each path parameter by its name as an argument."""
        return {
            f"{{{p['name']}}}": read_parameter_schema(self.document, p)
            for p in self.parameters
            if p.get("in") == "path"
        }

    @cached_property
    def _path_validators(self) -> dict[str, Schema]:
        return {key: Schema(self.document, schema) for key, schema in self.path_schemas.items()}

    def get_required_arguments(self) -> list[str]:
        """Return the names of the required arguments, path parameters first."""
        return list(self._required_arguments)

    @cached_property
    def _required_arguments(self) -> list[str]:
        body = flatten_schema(self.body.document, self.body.schema).get("required", []) if self.body is not None else []
        return [*self.path_schemas, *(key for key, spec in self.specs.items() if spec.required), *body]

    def find_parameter_violations(self, parameters: Mapping[str, Any]) -> Iterator[Violation]:
        """Yield the violations in the parameters of a request, of a path parameter that is no string by its type too.

        The first part of each path is the argument's name, such as ``query:limit`` or ``{id}``.
        """
        if not parameters and not self.specs and not self._path_validators:
            return
        for key, validator in self._path_validators.items():
            if isinstance(text := parameters.get(key[1:-1]), str):
                for violation in validator.find_violations(decode_text(self.document, validator.schema, text)):
                    yield Violation((key, *violation.path), violation.keyword, violation.expected)
        yield from find_violations(self.specs, parameters)

    def is_text_argument(self, name: str) -> bool:
        """Return True if the values of an argument travel as text: in a query, header, cookie or form."""
        return is_parameter_key(name) or (self.codec.is_form and not name.startswith("{"))

    def normalize_parameter(self, name: str, value: Any) -> Any:
        """Return the value of a parameter that a server reads where ``value`` is sent; of a path it reads a string."""
        if name in self.specs:
            return self.specs[name].normalize(value)
        return value if is_parameter_key(name) else str(value)

    def normalize_argument(self, name: str, value: Any) -> Any:
        """Return the value of an argument that a server reads where ``value`` is sent."""
        if is_parameter_key(name):
            return self.normalize_parameter(name, value)
        if name.startswith("{") or not self.codec.is_form:
            return value
        found = self.codec.normalize({name: value})
        return found.get(name, value) if isinstance(found, dict) else value

    def can_encode_argument(self, name: str, value: Any) -> bool:
        """Return True if an argument can be sent with ``value``."""
        try:
            if name in self.specs:
                self.specs[name].encode(value)
            elif not name.startswith("{"):
                self.codec.encode({name: value})
        except NotEncodableError:
            return False
        return True

    def has_text_type(self, name: str) -> bool:
        """Return True if a path parameter may be any string."""
        types = list_types(self.document, self._arguments.get(name, {}))
        return not types or "string" in types

    def build_path(self, parameters: Mapping[str, Any]) -> str:
        """Return the path with ``parameters`` inserted, percent-encoded."""
        return build_path(self.path, parameters)

    def match_path(self, path: str) -> dict[str, str] | None:
        """Return the path parameters in ``path``, None if it is not a path of this operation.

        ``path`` is percent-encoded and without the server's base path.
        """
        if path == self.path and "{" not in path:
            return {}
        template = parse_template(self.path)
        return match_template(template, decode_path(path)) if len(template) == path.count("/") + 1 else None


class OpenApi:
    """An OpenAPI 3 document.

    ``raw`` is the parsed JSON, which is never modified; ``source`` names the document in errors. ``credentials`` are
    the parameters that carry credentials, as keys in lower case: they are no arguments.
    """

    def __init__(
        self, raw: Mapping[str, Any], source: str = "the document", credentials: frozenset[str] = frozenset()
    ) -> None:
        self.raw = raw
        self._source = source
        self._credentials = credentials

    @cached_property
    def schemas(self) -> Mapping[str, Any]:
        """The document as requests and responses are checked: `raw` with unions of one schema and null as that schema."""
        return fold_null_unions(self.raw)

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Every operation by id (``METHOD path`` if it has none), in the document's order.

        Raises:
            UsageError: The document is malformed, or two operations share an id.
        """
        try:
            operations = [
                self._parse_operation(path, method, item)
                for path, item in self.schemas.get("paths", {}).items()
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
        body = resolve_reference(self.schemas, raw.get("requestBody", {}))
        content: dict[str, Any] = body["content"] if body else {}
        media_type = choose_media_type(list(content))
        schema = content[media_type] if media_type is not None else {}
        schemas = {name: Schema(self.schemas, one.get("schema", {})) for name, one in content.items()}
        parameters = tuple(
            resolve_reference(self.schemas, p) for p in (*item.get("parameters", ()), *raw.get("parameters", ()))
        )
        return Operation(
            id=raw.get("operationId", f"{method.upper()} {path}"),
            method=method.upper(),
            path=path,
            body=schemas[media_type] if media_type is not None else None,
            body_required=bool(body.get("required")),
            media_type=media_type,
            parameters=parameters,
            responses={
                int(status): self._parse_response(int(status), resolve_reference(self.schemas, answer))
                for status, answer in raw.get("responses", {}).items()
                if status.isdigit()
            },
            deprecated=bool(raw.get("deprecated")),
            default_response=self._parse_response(0, resolve_reference(self.schemas, raw["responses"]["default"]))
            if "default" in raw.get("responses", {})
            else None,
            specs=parse_parameters(self.schemas, parameters, self._credentials),
            codec=BodyCodec(media_type, schemas, schema.get("encoding", {})),
            document=self.schemas,
            security=tuple(raw.get("security", self.schemas.get("security", ()))),
        )

    def _parse_response(self, status: int, raw: Mapping[str, Any]) -> ResponseSpec:
        media = {
            name: Schema(self.schemas, content["schema"]) if "schema" in content else None
            for name, content in raw.get("content", {}).items()
        }
        return ResponseSpec(status, raw.get("description", ""), media, parse_header_specs(self.schemas, raw))

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
    return PLACEHOLDER.sub(lambda match: _encode_segment(parameters.get(match[1], match[0])), path)


def split_arguments(arguments: Any) -> tuple[dict[str, Any], Any]:
    """Split ``arguments`` into parameters and the body; a value other than an object is the body.

    Path parameters lose their braces, the others keep their key: ``{"id": "7", "query:limit": 5}``.
    """
    if not isinstance(arguments, dict):
        return {}, arguments
    parameters = {
        name[1:-1] if name.startswith("{") else name: value for name, value in arguments.items() if _is_parameter(name)
    }
    return parameters, {name: value for name, value in arguments.items() if not _is_parameter(name)}


def join_arguments(parameters: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """Merge parameters and body into arguments; a body other than an object adds none."""
    named = {name if is_parameter_key(name) else f"{{{name}}}": value for name, value in parameters.items()}
    return {**named, **(body if isinstance(body, dict) else {})}


def _is_parameter(name: str) -> bool:
    return name.startswith("{") or is_parameter_key(name)


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
