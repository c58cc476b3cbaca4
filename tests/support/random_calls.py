"""Random requests to a vendor of the mock, most of them valid, so that its state grows in many ways."""

from typing import Any

from hypothesis import strategies as st

from contract_watch.contracts.openapi import Operation
from contract_watch.contracts.samples import build_value
from contract_watch.contracts.schema import flatten_schema
from contract_watch.mock.vendor import MockVendor

NAMES = ("a1", "b2", "c3", "Ä ö", "x" * 8, "d@example.com")
ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    2.5,
    10**30,
    "",
    " ",
    "\ud800",
    "$",
    "12 days, 1:00:00",
    [],
    ["a", "b"],
    {"$": "secret"},
]


def send_random_request(vendor: MockVendor, data: st.DataObject) -> tuple[int, Any]:
    """Send one request that ``data`` draws; return status and body."""
    operation = data.draw(st.sampled_from(list(vendor.contract.operations.values())), "operation")
    account = data.draw(st.sampled_from(vendor.accounts), "account")
    location = vendor.contract.credential_locations[0]
    headers = {location.key: location.form.format(account.key)}
    parameters = {name.strip("{}"): _draw_name(vendor, data) for name in operation.path_schemas}
    return vendor.handle_request(operation, operation.path, headers, _draw_body(vendor, operation, data), parameters)


def _draw_name(vendor: MockVendor, data: st.DataObject) -> str:
    known = [item.name for item in vendor.state.items if item.name]
    name: str = data.draw(st.sampled_from([*known, *known, *NAMES]), "name")
    return name


def _draw_body(vendor: MockVendor, operation: Operation, data: st.DataObject) -> Any:
    body = operation.body
    if body is None:
        return None
    schema = flatten_schema(body.document, body.schema)
    roles = vendor.contract.get_roles(operation.id)
    drawn: dict[str, Any] = {}
    for name, raw in schema.get("properties", {}).items():
        is_due = name in schema.get("required", ())
        if name in roles and roles[name] != "foreign":
            if is_due or data.draw(st.booleans(), name):
                drawn[name] = _draw_name(vendor, data)
        elif is_due or data.draw(st.booleans(), name):
            is_odd = data.draw(st.integers(0, 5), f"{name} is odd") == 0
            drawn[name] = data.draw(st.sampled_from(ODD_VALUES)) if is_odd else build_value(body.document, raw)
    return drawn
