"""The default model on one API in many forms: its probes agree with its own mock and reach every clause."""

from pathlib import Path
from typing import Any

import pytest

from contract_watch.authoring.completeness_checks import (
    check_identities,
    check_model,
    check_operations,
    check_simulation,
)
from contract_watch.contracts.clauses import derive_clauses
from contract_watch.engine.planning.unchecked import find_unchecked
from tests.support import credential_forms
from tests.support.resource_contracts import MadeApi

_LIMIT = {"limit": {"type": "integer", "minimum": 1, "maximum": 50, "default": 4}}
_NAMED: dict[str, Any] = {"id_schema": None}
_BASIC = '[[places]]\nname = "basic"\nheader = "Authorization"\nform = "Basic {}"'
_URL = {
    "type": "string",
    "format": "uri",
    "pattern": "^https://",
    "maxLength": 200,
    "example": "https://hooks.example.com/in",
}
_SECRET = {"type": "string", "format": "password", "pattern": "^whsec_", "example": "whsec_0123456789abcdef"}
_ADDRESS = {
    "type": "object",
    "required": ["city"],
    "properties": {
        "city": {"type": "string", "example": "Ulm", "minLength": 1},
        "zip": {"type": "string", "example": "89073"},
    },
}

FORMS: dict[str, MadeApi] = {
    "plain": MadeApi(),
    "integer ids": MadeApi(id_schema={"type": "integer", "example": 4711}),
    "uuids": MadeApi(id_schema={"type": "string", "format": "uuid", "example": "8f0c2b8e-1c2b-4b7e-9d7a-0c8f6f2f9a10"}),
    "array at the top": MadeApi(rows=""),
    "wrapped object": MadeApi(wrapper="thing"),
    "no read of one": MadeApi(has_read=False),
    "names of the caller": MadeApi(**_NAMED),
    "names of the caller, only listed": MadeApi(**_NAMED, has_read=False, rows=""),
    "put": MadeApi(update="put"),
    "put that resets": MadeApi(update="put", resource='full = ["changeThing"]'),
    "merge patch": MadeApi(media_type="application/merge-patch+json"),
    "form bodies": MadeApi(media_type="application/x-www-form-urlencoded"),
    "422, 202 and 200": MadeApi(invalid=422, created=202, removed=200),
    "no content after an update": MadeApi(updated=200, created=200),
    "limit and offset": MadeApi(query={**_LIMIT, "offset": {"type": "integer", "minimum": 0}}, paging='limit = "query:limit"\noffset = "query:offset"'),
    "limit, offset and total": MadeApi(query={**_LIMIT, "offset": {"type": "integer", "minimum": 0}}, envelope={"total": {"type": "integer"}},
                                       paging='limit = "query:limit"\noffset = "query:offset"\ntotal = "/total"'),
    "page numbers": MadeApi(query={**_LIMIT, "page": {"type": "integer", "minimum": 1}}, paging='limit = "query:limit"\npage = "query:page"'),
    "cursor and more": MadeApi(query={**_LIMIT, "after": {"type": "string"}}, envelope={"has_more": {"type": "boolean"}},
                               paging='limit = "query:limit"\ncursor = "query:after"\nmore = "/has_more"'),
    "nested cursor": MadeApi(query={**_LIMIT, "after": {"type": "string"}},
                             envelope={"meta": {"type": "object", "required": ["next"], "properties": {"next": {"type": ["string", "null"]}}}},
                             paging='limit = "query:limit"\ncursor = "query:after"\nnext = "/meta/next"'),
    "paged array at the top": MadeApi(rows="", query=_LIMIT, paging='limit = "query:limit"'),
    "nullable, oneOf and const": MadeApi(properties={"note": {"type": ["string", "null"], "maxLength": 40, "example": "a note"},
                                                     "kind": {"oneOf": [{"const": "a"}, {"const": "b"}], "example": "a"}}),
    "unions with null": MadeApi(properties={"note": {"anyOf": [{"type": "string", "maxLength": 40}, {"type": "null"}], "example": "a note"},
                                            "kind": {"oneOf": [{"type": "null"}, {"type": "string", "enum": ["a", "b"]}], "example": "a"}}),
    "nested object": MadeApi(properties={"address": {**_ADDRESS, "example": {"city": "Ulm", "zip": "89073"}}}),
    "list of strings": MadeApi(properties={"tags": {"type": "array", "maxItems": 4, "items": {"type": "string", "minLength": 1, "maxLength": 9, "example": "red"}, "example": ["red"]}}),
    "filters": MadeApi(properties={"kind": {"type": "string", "enum": ["a", "b"], "example": "a"}}, query={**_LIMIT, "kind": {"type": "string", "enum": ["a", "b"]}},
                       resource='filters = {"query:kind" = "kind"}', paging='limit = "query:limit"'),
    "unique address": MadeApi(properties={"url": _URL}, resource='unique = ["url"]'),
    "secret of the server": MadeApi(shown={"signing_secret": _SECRET}, resource='secrets = ["signing_secret"]'),
    "password": MadeApi(hidden={"password": {"type": "string", "format": "password", "minLength": 8, "maxLength": 40}}),
    "basic": MadeApi(places=_BASIC),
    **credential_forms.FORMS,
    "unique mark": MadeApi(resource='unique = ["name"]\ntaken = [400]'),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_form_agrees_with_its_mock(tmp_path: Path, form: str) -> None:
    """No finding, no clause out of reach, nothing left behind."""
    contract = FORMS[form].write(tmp_path)
    checks = (check_operations, check_identities, check_model, check_simulation)
    assert [line for check in checks for line in check(contract)] == []


def test_union_with_null_is_checked_like_its_schema(tmp_path: Path) -> None:
    """Both sides of its constraints have clauses, and nothing of it is named as unchecked."""
    contract = FORMS["unions with null"].write(tmp_path)
    expected = {"createThing/request/note/maxLength", "createThing/request/kind/enum", "changeThing/request/note/type"}
    assert expected <= set(derive_clauses(contract))
    assert [one.id for one in find_unchecked(contract) if "note" in one.id or "kind" in one.id] == []
