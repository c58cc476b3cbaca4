"""The measurement of large states measures: sizes grow, and a mock that scans or leaks would miss its goals."""

from contract_watch.contracts.registry import Contract
from scripts.bench.mock_states import measure_states


def test_a_small_measurement_has_every_row(jetemail: Contract) -> None:
    """A small measurement has figures for three sizes, and a goal for each of memory, its peak, update, list and requests."""
    rows = {label: (figure, goal) for label, figure, goal in measure_states(jetemail, objects=300, requests=400)}
    assert [label for label in rows if label.startswith("memory, ")] == [
        "memory, 3 objects", "memory, 30 objects", "memory, 300 objects",
    ]  # fmt: skip
    goals = {label: goal for label, (_, goal) in rows.items() if goal}
    assert len(goals) == 5
    assert goals["memory of the process, 300 objects"] == "< 200 MiB: met"
    assert goals["memory at the peak of a list, 300 objects"] == "< 200 MiB: met"
    assert all("MiB" in rows[f"list, {size} objects"][0] for size in (3, 30, 300))
