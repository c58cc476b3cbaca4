"""Live runs cannot do harm: proven on a strict stand-in for production, with objects of somebody else's in it."""

from pathlib import Path

import pytest

from contract_tests.harness.explore import Depth
from contracts.catalogue import Contract
from tests.live_runs import exactly_ours, options, visit
from tests.production import Production
from tests.sped_up_clock import SpedUpClock

VENDORS = {slug: Contract(slug) for slug in ("jetemail", "smtp2go", "zitadel")}
EVERY = pytest.mark.parametrize("slug", VENDORS)


@EVERY
def test_a_run_touches_nobody_and_leaves_nothing(slug: str, tmp_path: Path) -> None:
    """Claim: every probe, the client and an exploration of a mutating run leave somebody else's objects alone.

    Situation: an account full of objects of others, names like ours among them, under its rate limit.
    Expectation: the verdict `none`; nothing touched, nothing left, the limit never passed.
    """
    clock = SpedUpClock()
    with Production(VENDORS[slug], clock=clock, owns=exactly_ours, beside=False) as production:
        record = visit(options(production, tmp_path, explore="1"), clock, Depth(examples=15, lives=4))
        assert production.touched() == []
        assert production.left() == []
        assert record.left_behind == []
        assert production.tripped() == 0
        assert (record.verdict.word, record.reason, record.findings) == ("none", None, [])
        assert all(entry["path"].startswith("/__") is False for entry in production.log)
        assert not list((tmp_path / "ledger").glob("ct*"))
        why = set(record.not_exercised.values())
        assert any("not the run's own" in words for words in why)
