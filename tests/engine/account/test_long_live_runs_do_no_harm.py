"""Thousands of exploring requests pass the guard: `make test-all` sends over ten thousand, `make test` a sample."""

from pathlib import Path

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.engine.exploring.depth import ExplorationDepth
from tests.support.live_runs import is_run_name, make_options, run_suite
from tests.support.production.fake import FakeProduction
from tests.support.sampling import effort
from tests.support.virtual_clock import VirtualClock

REQUESTS = effort(150, 10_000)
"""Fewest exploring requests in all, over all vendors."""
_MOST_RUNS = 60


@pytest.mark.parametrize(("slug", "share"), [("jetemail", 0.5), ("smtp2go", 0.25), ("zitadel", 0.25)])
def test_no_exploring_request_does_harm(slug: str, share: float, tmp_path: Path) -> None:
    """Generated requests touch no foreign object and leave nothing, for any valid data.

    Run follows run with other seeds on one account, under its rate limit; the fake vendor uses the same virtual clock.
    """
    clock, sent, seed = VirtualClock(), 0, 0
    with FakeProduction(Contract(slug), clock=clock, is_run_name=is_run_name, with_neighbours=False) as production:
        while sent < REQUESTS * share:
            seed += 1
            assert seed <= _MOST_RUNS, "the searches send too little"
            asked = make_options(production, tmp_path, explore="1", seed=str(seed), surface="rest")
            record = run_suite(
                asked,
                clock,
                ExplorationDepth(
                    examples=60 if REQUESTS > 1000 else 20, workflows=12 if REQUESTS > 1000 else 4, steps=12
                ),
                with_probes=seed == 1,
            )
            sent += record.requests["explore"]
            assert (record.findings, record.left_behind) == ([], [])
            assert record.reason is None or "limit reached" in record.reason  # a limit may end it
            assert production.list_run_objects() == []
        assert production.list_violations() == []
        assert production.count_limit_hits() == 0
        print(f"{slug}: {sent} exploring requests in {seed} runs, {len(production.log)} in the log")
