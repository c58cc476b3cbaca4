"""The mock's responses say what the documents' examples and descriptions say, never a placeholder."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest

from contract_watch.contracts.matchers import ObjectMatcher
from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.outcomes import Check
from contract_watch.contracts.registry import Contract, choose_contracts
from contract_watch.contracts.request import Request
from contract_watch.contracts.resource.error_texts import ErrorTexts
from contract_watch.contracts.resource.matchers import match_anything
from contract_watch.contracts.resource.model import ResourceModel
from contract_watch.mock.vendor import MockVendor

CONTRACTS = choose_contracts("all")
UNSERVED = (400, 404, 405, 413, 415, 429)


def _list_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _list_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_texts(inner)
    elif isinstance(value, str):
        yield value


def _list_bodies(contract: Contract) -> Iterator[tuple[str, Any]]:
    """Yield every response body that the model builds without an object, by operation and status."""
    vendor, model = MockVendor(contract, {}), contract.model
    assert isinstance(model, ResourceModel)
    for operation in contract.operations.values():
        request = Request(operation.id, operation.method, operation.path)
        for status in operation.responses:
            matchers = [model.match_body(operation, status)]
            if status >= 400:
                check = Check(status, f"{operation.id}/response/{status}", "The vendor refuses it.")
                matchers.append(model.refuse(vendor.state, request, operation, check).body)
            for matcher in filter(None, matchers):
                yield f"{operation.id} {status}", matcher.render()
    for status in UNSERVED:
        yield f"unserved {status}", vendor.build_refusal(None, status, HTTPStatus(status).phrase)


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.slug)
def test_no_response_has_a_placeholder(contract: Contract) -> None:
    """No body says "text", a type's name, or an operation with its status."""
    found = list(_list_bodies(contract))
    names = "|".join(map(re.escape, contract.operations))
    placeholder = re.compile(rf"text|string|(?:{names}) \d{{3}}|\d{{3}}")
    assert len(found) > 20
    assert [(name, body) for name, body in found for text in _list_texts(body) if placeholder.fullmatch(text)] == []


@pytest.mark.parametrize(
    ("slug", "operation", "status", "text"),
    [
        ("jetemail", "listSmtpUsers", 401, "Required information not found"),
        ("jetemail", "createSmtpUser", 409, "This SMTP username is already in use"),
        ("jetemail", "deleteSmtpUser", 404, "Smarthost not found or access denied"),
        ("smtp2go", "viewSmtpUsers", 401, "No valid API key was provided."),
        ("smtp2go", "addSmtpUser", 402, "The parameters were valid but the request failed."),
        ("smtp2go", "editSmtpUser", 404, "The requested resource doesn't exist."),
        ("zitadel", "addSmtpConfig", 403, "No matching permissions found (AUTH-5mWD2)"),
    ],
)
def test_a_refusal_says_what_the_documents_say(slug: str, operation: str, status: int, text: str) -> None:
    """The example of the status counts, and without one its description."""
    contract = Contract(slug)
    declared, model = contract.operations[operation], contract.model
    assert isinstance(model, ResourceModel)
    request = Request(operation, declared.method, declared.path)
    check = Check(status, f"{operation}/response/{status}", "The vendor refuses it.")
    outcome = model.refuse(MockVendor(contract, {}).state, request, declared, check)
    assert outcome.body is not None
    assert text in list(_list_texts(outcome.body.render()))


ERROR = {"type": "object", "required": ["code", "message"], "properties": {
    "code": {"type": "string", "enum": ["bad"]}, "message": {"type": "string", "example": "shared by all"}}}  # fmt: skip


def _build_response(description: str, **media: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": ERROR, **media}}}


DOCUMENT = OpenApi({"openapi": "3.1.0", "paths": {
    "/a": {"get": {"operationId": "a", "responses": {
        "400": _build_response("Bad", example={"code": "bad", "message": "a's own"}),
        "404": _build_response("Not there"),
        "409": _build_response("409"),
        "422": _build_response(""),
    }}},
    "/b": {"get": {"operationId": "b", "responses": {
        "400": _build_response("Bad", examples={"one": {"value": {"message": "b's first"}}, "two": {"value": {"message": "b's second"}}}),
        "404": _build_response("Gone", examples={"one": {"$ref": "#/components/examples/Gone"}}),
        "429": _build_response("x" * 1_000),
    }}},
}, "components": {"examples": {"Gone": {"value": {"message": "b is gone"}}}}})  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "status", "text"),
    [
        ("a", 400, "a's own"),
        ("b", 400, "b's first"),
        ("b", 404, "b is gone"),
        ("a", 404, "b is gone"),
        ("a", 409, "Conflict"),
        ("a", 422, HTTPStatus(422).phrase),
        ("b", 429, "Too Many Requests"),
    ],
    ids=[
        "own",
        "first of several",
        "by reference",
        "same status elsewhere",
        "a number",
        "no description",
        "a long one",
    ],
)
def test_sources_of_a_sentence_come_in_order(operation: str, status: int, text: str) -> None:
    """Own example, same status elsewhere, description, phrase; one that several statuses share counts for none."""
    texts = ErrorTexts(SimpleNamespace(published=DOCUMENT, effective=DOCUMENT))  # type: ignore[arg-type]
    body = ObjectMatcher({"code": match_anything("bad"), "message": match_anything("shared by all")})
    filled = texts.fill(DOCUMENT.operations[operation], status, ERROR, body)
    assert filled is not None
    assert filled.render() == {"code": "bad", "message": text}


def test_a_sentence_that_the_schema_refuses_is_left_out() -> None:
    """The mock's own response never breaks the contract."""
    short = {**ERROR, "properties": {"message": {"type": "string", "maxLength": 5}}, "required": ["message"]}
    texts = ErrorTexts(SimpleNamespace(published=DOCUMENT, effective=DOCUMENT))  # type: ignore[arg-type]
    body = ObjectMatcher({"message": match_anything("text")})
    assert texts.fill(DOCUMENT.operations["a"], 400, short, body) is body
