"""The form of an answer: media type, JSON, schema, and nothing undocumented or secret in it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.redaction import Redactor, mask_value
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import ValuePath
from contract_watch.engine.protocols.wire import Response
from contract_watch.report.finding import Severity

_KINDS = {"required": "missing", "const": "value", "enum": "value", "oneOf": "type", "anyOf": "type"}
_MAX_SHOWN = 80
BREAKING, ADDITIVE = Severity.BREAKING, Severity.ADDITIVE


@dataclass(frozen=True)
class Disagreement:
    """One way in which an answer is not what was promised; a `contract_watch.report.finding.Finding` before it is confirmed.

    ``operation`` is the id of the operation held responsible, ``outage`` marks what a broken server answers too,
    ``unreadable`` a body of another form than documented, whose values cannot be judged, ``status`` one that the
    contract does not allow there. ``about`` is the object
    concerned, where it is one of several in the answer.
    """

    id: str
    severity: Severity
    clause: str
    title: str
    why: str
    operation: str
    may_be_outage: bool = False
    is_unreadable: bool = False
    is_wrong_status: bool = False
    object_name: str | None = None


class SecretDetector:
    """What counts as a secret in an answer, and what may be told of one.

    ``names`` are documented password properties, ``values`` what this run sent as a secret, ``given`` the passwords that
    answers gave: each is to be fresh. ``redactor`` learns every secret that an answer carries before anything is told of it.
    """

    def __init__(
        self,
        password_properties: frozenset[str],
        redactor: Redactor,
        sent_secrets: Mapping[str, None],
        received_passwords: set[str],
    ) -> None:
        self._password_properties = password_properties
        self.received_passwords = received_passwords
        self.is_secret_name = redactor.is_secret_name
        self.learn = redactor.add_secrets_from
        self._redactor = redactor
        self._sent_secrets = sent_secrets

    def describe_value(self, body: Any, path: ValuePath) -> str:
        """What stands at ``path``, in a few signs: redacted before it is cut, since a part of a secret is told by no search."""
        value = _get_value(body, path)
        if value is MissingBody.ABSENT:
            return "nothing"
        text = json.dumps(
            mask_value(value) if self._is_secret_path(path) else self._redactor.redact_json(value), ensure_ascii=False
        )
        return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"

    def describe_expected(self, description: str, path: ValuePath) -> str:
        """What should stand at ``path``, ``words`` of a pattern's: not so where they are a secret's own value, as JSON."""
        return (
            "the secret that was set"
            if self._is_secret_path(path) and not isinstance(parse_json(description.encode()), MissingBody)
            else description
        )

    def _is_secret_path(self, path: ValuePath) -> bool:
        return any(self.is_secret_name(part) for part in path if isinstance(part, str))

    def is_password_property(self, name: str) -> bool:
        """Whether the document says that ``name`` holds a password."""
        return name in self._password_properties

    def contains_secret(self, text: str) -> bool:
        """Whether ``text`` holds a secret of this run."""
        return len(text) >= 8 and any(known in text for known in self._sent_secrets)

    def contains_secret_in_json(self, body: Any) -> bool:
        """Whether a JSON value holds a secret of this run, or a password given before, at any depth: a quick look."""
        texts = "\n".join(_find_strings(body))
        return self.contains_secret(texts) or any(given in texts for given in self.received_passwords)


def check_response(operation: Operation, reply: Response, body: Any, secret: SecretDetector) -> Iterator[Disagreement]:
    """Media type, JSON, schema and strict reading of a body whose status is documented."""
    answer = operation.find_response(reply.status)
    assert answer is not None
    place, promised = f"{operation.id}/{reply.status}", f"{operation.id}/{operation.get_response_key(reply.status)}"
    label = f"{operation.name} {reply.status}"
    clause = f"{operation.id}/response/{operation.get_response_key(reply.status)}"
    came = reply.headers.get("content-type", "").split(";")[0].strip().lower()
    html = is_html_page(reply)
    if not answer.media:
        if reply.body:
            yield Disagreement(f"{place}/body/undocumented", ADDITIVE, clause, f"{label} should have no body",
                               "Callers may not read it.", operation.id, may_be_outage=html)  # fmt: skip
        return
    if came not in answer.media:
        wanted = " or ".join(answer.media)
        yield Disagreement(f"{place}/media-type/{came or 'none'}", BREAKING, clause,
                           f"{label} should be {wanted}, and is {came or 'without a media type'}",
                           "Clients choose their parser by the media type.", operation.id, may_be_outage=html)  # fmt: skip
    if isinstance(body, MissingBody):
        what = "is empty" if body is MissingBody.ABSENT else "is no JSON"
        yield Disagreement(f"{place}/body/not-json", BREAKING, clause, f"{label} should be JSON, and {what}",
                           "Clients cannot parse it.", operation.id, may_be_outage=html, is_unreadable=True)  # fmt: skip
        return
    schema = answer.media.get(came) or next(iter(answer.media.values()))
    if schema is None:
        return
    for found in schema.find_violations(body):
        kind = _KINDS.get(found.keyword, found.keyword)
        at = f"{found.pointer}/" if found.path else ""
        yield Disagreement(f"{place}/body/{at}{kind}", BREAKING, f"{promised}/body/{found.pointer}" if at else clause,
                           f"{label} lacks the property {found.pointer}" if kind == "missing" else
                           f"{label} should have {found.expected} at {found.pointer or 'the top'}, "
                           f"and has {secret.describe_value(body, found.path)}",
                           "Clients that rely on the documented shape fail on this answer.", operation.id,
                           is_unreadable=True)  # fmt: skip
    for path in schema.find_undocumented(body):
        at = format_pointer(path)
        telling = secret.is_secret_name(str(path[-1])) or any(
            secret.contains_secret(text) for text in _find_strings(_get_value(body, path))
        )
        yield Disagreement(f"{place}/body/{at}/undocumented", BREAKING if telling else ADDITIVE, clause,
                           f"{label} has the undocumented property {at}",
                           "A secret may be given away to whoever stores or logs answers." if telling
                           else "Clients that read strictly refuse it; others lose it.", operation.id)  # fmt: skip
    yield from _check_secrets(operation, reply.status, body, secret)


def _check_secrets(operation: Operation, status: int, body: Any, secret: SecretDetector) -> Iterator[Disagreement]:
    if not secret.contains_secret_in_json(body):
        return
    for path, text in _walk_strings(body):
        if path and secret.is_password_property(str(path[-1])) and text in secret.received_passwords:
            yield Disagreement(f"{operation.id}/{status}/body/{format_pointer(path)}/repeated", BREAKING,
                               f"{operation.id}/{operation.get_response_key(status)}/body/{format_pointer(path)}",
                               f"{operation.name} {status} gives a password at {format_pointer(path)} that it gave before",
                               "Whoever knows one user's password knows another's.", operation.id)  # fmt: skip
        if secret.contains_secret(text) and not (path and secret.is_password_property(str(path[-1]))):
            at = format_pointer(path)
            yield Disagreement(f"{operation.id}/{status}/body/{at}/secret", BREAKING,
                               f"{operation.id}/response/{operation.get_response_key(status)}",
                               f"{operation.name} {status} says a secret at {at}",
                               "A secret is given away to whoever stores or logs answers.", operation.id)  # fmt: skip


def is_html_page(reply: Response) -> bool:
    """Whether an answer is a page for people: what proxies, portals and error handlers say."""
    return "text/html" in reply.headers.get("content-type", "").lower() or reply.body[:64].lstrip()[:1] == b"<"


def parse_json(body: bytes) -> Any:
    if not body:
        return MissingBody.ABSENT
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return MissingBody.MALFORMED


def format_pointer(path: ValuePath) -> str:
    return "/".join("*" if isinstance(part, int) else str(part) for part in path)


def _get_value(body: Any, path: ValuePath) -> Any:
    part: Any
    for part in path:
        if (isinstance(body, list) and isinstance(part, int) and part < len(body)) or (
            isinstance(body, dict) and part in body
        ):
            body = body[part]
        else:
            return MissingBody.ABSENT
    return body


def _walk_strings(value: Any, path: ValuePath = ()) -> Iterator[tuple[ValuePath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk_strings(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _walk_strings(inner, (*path, index))


def _find_strings(value: Any) -> Iterator[str]:
    for _, text in _walk_strings(value):
        yield text


def list_properties(value: Any, prefix: str = "") -> Iterator[str]:
    """Every property in a JSON value, as the clauses write it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{prefix}{name}"
            yield from list_properties(inner, f"{prefix}{name}/")
    elif isinstance(value, list):
        for inner in value:
            yield from list_properties(inner, f"{prefix}*/")
