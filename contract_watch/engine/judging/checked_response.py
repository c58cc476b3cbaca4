"""A response with all that response checks look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract_watch.contracts.matchers import Matcher
from contract_watch.contracts.openapi import Operation, ResponseSpec
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import Schema
from contract_watch.engine.judging.hypotheses import explain_body, explain_part
from contract_watch.engine.judging.run_secrets import RunSecrets
from contract_watch.engine.protocols.wire import Response
from contract_watch.report.hypothesis import Hypothesis


@dataclass(frozen=True)
class CheckedResponse:
    """A response with all that a check may look at.

    ``spec`` documents the response's status; None if nothing does. ``json`` is the parsed body or a `MissingBody`.
    ``header_matchers`` are the model's matchers of documented headers, by lower-case name. ``names`` are the objects that
    the request named. ``may_generate`` is True if the vendor may have generated the passwords in the body.
    """

    operation: Operation
    response: Response
    spec: ResponseSpec | None
    json: Any
    secrets: RunSecrets
    header_matchers: Mapping[str, Matcher] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    may_generate: bool = False

    @property
    def key(self) -> str:
        """Return the word for the documented response in clauses: a status or ``default``."""
        return self.operation.get_response_key(self.response.status)

    @property
    def clause(self) -> str:
        """Return the clause that promises this response."""
        return f"{self.operation.id}/response/{self.key}"

    @property
    def id(self) -> str:
        """Return the beginning of the ids of everything that is wrong with this response."""
        return f"{self.operation.id}/{self.response.status}"

    @property
    def label(self) -> str:
        """Return the operation and status as titles begin with them."""
        return f"{self.operation.name} {self.response.status}"

    @property
    def media_type(self) -> str:
        """Return the response's media type without parameters."""
        return self.response.headers.get("content-type", "").split(";")[0].strip().lower()

    def explain_body(self, pointer: str, kind: str) -> tuple[Hypothesis, ...]:
        """Return the hypotheses about a property of the body."""
        return explain_body(self.operation, self.response.status, pointer, kind)

    def explain_media_type(self) -> tuple[Hypothesis, ...]:
        """Return the hypotheses about the response's media type."""
        media_type = self.media_type or "none"
        return self.explain_part(f"media-type/{media_type}", "answer", f"with media type {media_type}")

    def explain_part(self, key: str, verb: str, rest: str) -> tuple[Hypothesis, ...]:
        """Return the hypotheses about another part of the response."""
        return explain_part(self.operation, self.response.status, key, verb, rest)

    @property
    def has_json(self) -> bool:
        """Return True if the document promises a body and the response has one that is JSON."""
        return self.spec is not None and bool(self.spec.media) and not isinstance(self.json, MissingBody)

    @property
    def schema(self) -> Schema | None:
        """Return the schema of the response's media type, else of the first documented one; None if any body will do."""
        if self.spec is None or not self.has_json:
            return None
        return self.spec.media.get(self.media_type) or next(iter(self.spec.media.values()))
