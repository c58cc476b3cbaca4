"""What changed from one OpenAPI document to another, and whom it breaks.

A request may accept more, never less; a response may say less, never more. `rules.toml` has a rule for each kind of change.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from contract_watch.diff.document import operations
from contract_watch.diff.document.change_log import ChangeLog
from contract_watch.diff.document.changes import ApiChange, ChangeLevel, Comparison, Direction

__all__ = ["ApiChange", "ChangeLevel", "Comparison", "Direction", "compare"]


def compare(base: Mapping[str, Any], revision: Mapping[str, Any], *, today: dt.date | None = None) -> Comparison:
    """Compare two OpenAPI documents, of 3.0 or 3.1, whose references lead to places in themselves.

    ``today`` is the day that sunsets are measured by; the machine's, where none is given.
    """
    journal = ChangeLog(base, revision, today or dt.datetime.now(dt.UTC).date())
    operations.compare(journal)
    return journal.build_comparison()
