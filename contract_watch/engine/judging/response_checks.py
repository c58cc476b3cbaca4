"""Checks that every documented response goes through, whatever was asked: a list of small functions.

To add a check, write a function ``check_…`` that yields disagreements and add it to `RESPONSE_CHECKS`. Each check tests
its own preconditions. `text_checks` and `secret_checks` hold two groups of them.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from contract_watch.contracts.headers import parse_header
from contract_watch.contracts.request import MissingBody
from contract_watch.contracts.schema import format_pointer, get_value, walk_strings
from contract_watch.engine.judging.checked_response import CheckedResponse
from contract_watch.engine.judging.disagreement import ADDITIVE, BREAKING, Disagreement, is_html_page
from contract_watch.engine.judging.hypotheses import add_renames
from contract_watch.engine.judging.secret_checks import (
    check_generated_passwords,
    check_repeated_passwords,
    check_secrets,
    check_secrets_in_headers,
)
from contract_watch.engine.judging.text_checks import (
    check_ambiguous_json,
    check_content_type,
    check_text_encoding,
    is_utf8,
)

MAX_FOUND = 100
"""Disagreements of one check over one response: a server can send a hundred thousand unknown properties."""
_KINDS = {"required": "missing", "const": "value", "enum": "value", "oneOf": "type", "anyOf": "type"}


ResponseCheck = Callable[[CheckedResponse], Iterator[Disagreement]]


def check_encoding(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report errors in how gRPC or gRPC-web encoded the response."""
    for kind, problem in checked.response.protocol_errors:
        yield Disagreement(
            f"{checked.id}/{kind}", BREAKING, checked.clause, f"{checked.label}: {problem}",
            "Clients of this protocol misread the response, or cannot read it.", checked.operation.id,
            may_be_outage=checked.response.status >= 500 or is_html_page(checked.response),
            hypotheses=checked.explain_part(f"encoding/{kind}", "encode", f"responses wrongly ({kind})"),
        )  # fmt: skip


def check_no_body(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a body where the document promises none."""
    if checked.spec is not None and not checked.spec.media and checked.response.body:
        yield Disagreement(
            f"{checked.id}/body/undocumented", ADDITIVE, checked.clause, f"{checked.label}: expected no body, got one",
            "Code that reads the response may ignore its body.", checked.operation.id,
            may_be_outage=is_html_page(checked.response),
            hypotheses=checked.explain_part("body:undocumented", "answer", "with a body where none is documented"),
        )  # fmt: skip


def check_media_type(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a media type that the document does not list."""
    if checked.spec is not None and checked.spec.media and checked.media_type not in checked.spec.media:
        expected = " or ".join(checked.spec.media)
        yield Disagreement(
            f"{checked.id}/media-type/{checked.media_type or 'none'}", BREAKING, checked.clause,
            f"{checked.label}: expected media type {expected}, got {checked.media_type or 'none'}",
            "Clients that choose their parser by the media type will fail.", checked.operation.id,
            may_be_outage=is_html_page(checked.response), hypotheses=checked.explain_media_type(),
        )  # fmt: skip


def check_json(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report a body that is empty or not JSON where the document promises JSON; `check_text_encoding` reports bytes."""
    is_text = is_utf8(checked.response.body)
    if checked.spec is not None and checked.spec.media and isinstance(checked.json, MissingBody) and is_text:
        actual = "an empty body" if checked.json is MissingBody.ABSENT else "a body that is not JSON"
        yield Disagreement(
            f"{checked.id}/body/not-json", BREAKING, checked.clause, f"{checked.label}: expected JSON, got {actual}",
            "Clients cannot parse the response.", checked.operation.id,
            may_be_outage=is_html_page(checked.response), is_unreadable=True,
            hypotheses=(
                *(checked.explain_media_type() if checked.media_type not in checked.spec.media else ()),
                *checked.explain_part("body:not-json", "answer", "with a body that is not JSON"),
            ),
        )  # fmt: skip


def check_schema(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report every part of the body that the documented schema rejects."""
    for found in checked.schema.find_violations(checked.json) if checked.schema is not None else ():
        kind = _KINDS.get(found.keyword, found.keyword)
        pointer = f"{found.pointer}/" if found.path else ""
        actual = checked.secrets.describe_value(checked.json, found.path)
        where = f"`{found.pointer}` = {actual}" if found.pointer else f"the body {actual}"
        title = (
            f"{checked.label}: required property `{found.pointer}` is missing"
            if kind == "missing"
            else f"{checked.label}: {where}: expected {found.expected.removeprefix('enum ')}"
        )
        why = (
            f"Code that knows only the documented values of `{found.pointer}` will fail on this one."
            if kind == "value" and found.pointer
            else f"Code that reads `{found.pointer}` will fail: the property may be missing."
            if kind == "missing"
            else "Code that relies on the documented body will fail on this response."
        )
        yield Disagreement(
            f"{checked.id}/body/{pointer}{kind}", BREAKING,
            f"{checked.operation.id}/{checked.key}/body/{found.pointer}" if pointer else checked.clause, title,
            why, checked.operation.id,
            is_unreadable=True, hypotheses=checked.explain_body(found.pointer, kind),
        )  # fmt: skip


def check_undocumented_properties(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report properties that the schema does not name; breaking if they look like a secret."""
    for path in checked.schema.find_undocumented(checked.json) if checked.schema is not None else ():
        pointer = format_pointer(path)
        strings = (value for _, value in walk_strings(get_value(checked.json, path)))
        is_secret = checked.secrets.is_secret_name(str(path[-1])) or any(map(checked.secrets.contains_secret, strings))
        yield Disagreement(
            f"{checked.id}/body/{pointer}/undocumented", BREAKING if is_secret else ADDITIVE, checked.clause,
            f"{checked.label}: undocumented property `{pointer}`",
            "A secret may leak to whoever stores or logs responses." if is_secret
            else "Clients that reject unknown properties will fail; others will drop it.", checked.operation.id,
            hypotheses=checked.explain_body(pointer, "undocumented"),
        )  # fmt: skip


def check_headers(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Report documented headers that are missing though required, or whose value the schema rejects.

    Undocumented headers are never reported: every proxy adds some.
    """
    if checked.spec is None or not checked.response.has_documented_headers:
        return
    for name, spec in checked.spec.headers.items():
        clause, header = f"{checked.operation.id}/{checked.key}/header/{name}", f"{checked.id}/header/{name}"
        value = checked.response.headers.get(name)
        if value is None and spec.required:
            yield Disagreement(
                f"{header}/missing", BREAKING, clause, f"{checked.label}: required header `{name}` is missing",
                "Code that reads the header will fail.", checked.operation.id,
                may_be_outage=is_html_page(checked.response),
                hypotheses=checked.explain_part(f"header/{name}:missing", "lack", f"the required header `{name}`"),
            )  # fmt: skip
        elif value is not None and spec.schema is not None:
            for found in spec.schema.find_violations(parse_header(spec, value)):
                yield Disagreement(
                    f"{header}/{_KINDS.get(found.keyword, found.keyword)}", BREAKING, clause,
                    f"{checked.label}: expected {found.expected} in header `{name}`, got "
                    f"{checked.secrets.describe_value({name: value}, (name,))}",
                    "Code that parses the header will fail or go wrong.", checked.operation.id,
                    hypotheses=checked.explain_part(
                        f"header/{name}:{found.keyword}", "send", f"another header `{name}` than documented"
                    ),
                )  # fmt: skip
        matcher = checked.header_matchers.get(name)
        for mismatch in matcher.find_mismatches(value) if matcher is not None and value is not None else ():
            yield Disagreement(
                f"{header}/value", BREAKING, clause,
                f"{checked.label}: expected {mismatch.expected} in header `{name}`, got "
                f"{checked.secrets.describe_value({name: value}, (name,))}",
                "Code that follows the header will go wrong.", checked.operation.id,
                hypotheses=checked.explain_part(f"header/{name}:value", "send", f"another header `{name}` than the body says"),
            )  # fmt: skip


RESPONSE_CHECKS: tuple[ResponseCheck, ...] = (
    check_encoding,
    check_no_body,
    check_media_type,
    check_content_type,
    check_json,
    check_text_encoding,
    check_ambiguous_json,
    check_schema,
    check_undocumented_properties,
    check_repeated_passwords,
    check_generated_passwords,
    check_secrets,
    check_headers,
    check_secrets_in_headers,
)
"""Every check, in the order of their findings."""


def check_response(checked: CheckedResponse) -> Iterator[Disagreement]:
    """Run every check on one response, and take the first `MAX_FOUND` disagreements of each."""
    found = [disagreement for check in RESPONSE_CHECKS for disagreement in islice(check(checked), MAX_FOUND)]
    if found:
        yield from add_renames(found, checked.id, checked.schema, checked.json)
