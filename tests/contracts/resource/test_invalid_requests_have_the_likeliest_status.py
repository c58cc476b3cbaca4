"""The statuses of a refusal: the likeliest first for the mock, any that the operation documents for a vendor."""

from pathlib import Path

import pytest

from tests.support.quill_model import QuillDriver
from tests.support.resource_contracts import MadeApi


@pytest.mark.parametrize(
    ("order", "mock_status", "allowed"),
    [
        ("[400, 422]", 400, {400, 422}),
        ("[422, 400]", 422, {400, 422}),
        ("[422]", 422, {422}),
        ("[499]", 400, {400, 422}),
    ],
)
def test_first_status_of_the_table_is_the_likeliest(
    tmp_path: Path, order: str, mock_status: int, allowed: set[int]
) -> None:
    """The mock answers the first; one that the operation does not document counts only if it documents no other."""
    contract = MadeApi(invalid=400, refusals=(422,), resource=f"invalid = {order}").write(tmp_path)
    assert QuillDriver.start(contract).send("createThing", {"name": 3})[0] == mock_status
    assert {one.status for one in QuillDriver.start(contract, "ct-").ask("createThing", {"name": 3})} == allowed
