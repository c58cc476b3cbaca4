"""A client may decode a value into another type; only a changed value is a finding."""

from dataclasses import dataclass
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.protocols.wire import Response
from contract_watch.engine.running.generated_client import ParsedResponse, find_disagreements

VIEW = "viewSmtpUsers"
LOWER, OTHER = "aa253464-0bd0-467a-b24b-6159dcd7be60", "bb253464-0bd0-467a-b24b-6159dcd7be60"


@dataclass
class ParsedModel:
    """A client's model of a response."""

    value: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """See the generated classes."""
        return self.value


@pytest.mark.parametrize(("answered", "held", "altered"), [
    (LOWER.upper(), LOWER, False),
    (LOWER, OTHER, True),
    ("2026-11-21T19:38:02.632Z", "2026-11-21T19:38:02.632000+00:00", False),
    ("2026-11-21T19:38:02.632123456Z", "2026-11-21T19:38:02.632123+00:00", False),
    ("2026-11-21T19:38:02.632Z", "2026-11-21T19:38:03.632000+00:00", True),
    ("2026-11-21T19:38:02Z", "2026-11-21T21:38:02+02:00", False),
    ("Receipts", "receipts", True),
])  # fmt: skip
def test_only_another_value_is_altered(answered: str, held: str, altered: bool) -> None:
    """Two spellings of one moment or one UUID are the same value, so only another value is a finding."""
    reply = Response(200, {"content-type": "application/json"}, b'{"request_id": "%s"}' % answered.encode())
    found = find_disagreements(Contract("smtp2go"), VIEW, reply, ParsedResponse(ParsedModel({"request_id": held})))
    assert [one.id.rpartition("/")[2] for one in found] == (["altered"] if altered else [])
