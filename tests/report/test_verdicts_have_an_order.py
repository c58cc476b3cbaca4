"""The verdicts in their order, and the exit statuses that follow."""

import pytest

from contract_watch.report.verdict import Verdict, compute_exit_status

NONE, ADDITIVE, WARNING, INCONCLUSIVE, BREAKING = Verdict


def test_a_warning_lies_between_additive_and_inconclusive() -> None:
    """Of several verdicts the greatest counts."""
    assert [one.label for one in sorted(Verdict)] == ["none", "additive", "warning", "inconclusive", "breaking"]


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [("additive", {ADDITIVE, WARNING, BREAKING}), ("warning", {WARNING, BREAKING}), ("breaking", {BREAKING})],
)
def test_what_fails_is_named_by_fail_on(fail_on: str, failing: set[Verdict]) -> None:
    """FAIL_ON names the least verdict that ends 1; inconclusive always ends 2."""
    for verdict in Verdict:
        expected = 1 if verdict in failing else 2 if verdict is INCONCLUSIVE else 0
        assert compute_exit_status([verdict], left_behind=False, fail_on=fail_on) == expected
        # One vendor's drift is not hidden by another's outage.
        assert compute_exit_status([verdict, INCONCLUSIVE], left_behind=True, fail_on=fail_on) == max(
            expected, 2 if verdict not in failing else 1
        )
