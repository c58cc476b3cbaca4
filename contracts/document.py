"""An OpenAPI document read for what this project asks of it: operations, their bodies, parameters and answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from contracts.errors import UsageError
from contracts.schema import Schema, resolve

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Answer:
    """What an operation documents for one status: ``media`` maps a media type to its schema (None: any body)."""

    status: int
    description: str
    media: Mapping[str, Schema | None]


@dataclass(frozen=True)
class Operation:
    """One operation. ``body`` is None where none is documented; ``parameters`` are the raw, resolved objects."""

    id: str
    method: str
    path: str
    body: Schema | None
    body_required: bool
    media_type: str | None
    parameters: tuple[Mapping[str, Any], ...]
    answers: Mapping[int, Answer]
    deprecated: bool = False

    @property
    def name(self) -> str:
        """The operation as people write it: ``POST /things``."""
        return f"{self.method} {self.path}"

    @property
    def reads_only(self) -> bool:
        """Whether its method promises to change nothing."""
        return self.method in ("GET", "HEAD", "OPTIONS")


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
                self._operation(path, method, item)
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

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        raw = item[method]
        body = resolve(self.raw, raw.get("requestBody", {}))
        content: dict[str, Any] = body["content"] if body else {}
        media_type, schema = next(iter(content.items()), (None, dict[str, Any]()))
        return Operation(
            id=raw.get("operationId", f"{method.upper()} {path}"),
            method=method.upper(),
            path=path,
            body=Schema(self.raw, schema.get("schema", {})) if media_type else None,
            body_required=bool(body.get("required")),
            media_type=media_type,
            parameters=tuple(resolve(self.raw, p) for p in (*item.get("parameters", ()), *raw.get("parameters", ()))),
            answers={
                int(status): self._answer(int(status), resolve(self.raw, answer))
                for status, answer in raw.get("responses", {}).items()
                if status.isdigit()
            },
            deprecated=bool(raw.get("deprecated")),
        )

    def _answer(self, status: int, raw: Mapping[str, Any]) -> Answer:
        media = {
            name: Schema(self.raw, content["schema"]) if "schema" in content else None
            for name, content in raw.get("content", {}).items()
        }
        return Answer(status, raw.get("description", ""), media)

    def at(self, path: str, method: str) -> Operation | None:
        """The operation declared for ``method`` and document path ``path``, if any."""
        return next((o for o in self.operations.values() if o.path == path and o.method == method.upper()), None)


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
