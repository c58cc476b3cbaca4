"""Nothing of a run stays behind, also where an object cannot be removed as it is."""

from pathlib import Path

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.suite_process import start_suite

ZITADEL = Contract("zitadel")


def test_what_cannot_be_removed_as_it_is_is_got_ready_first(tmp_path: Path) -> None:
    """Claim: a run leaves nothing behind. Situation: a vendor that removes no active configuration, which the documents allow.

    Expectation: the verdict `none`, nothing left behind, and nothing in the mock.
    """
    mock = build_mock([ZITADEL], {}, {ZITADEL.slug: {"remove-active": "400"}})
    with run_in_thread(mock) as base:
        result = start_suite(tmp_path, "--vendor", ZITADEL.slug, "--target", base, "--explore", "0").wait_for_exit()
        assert mock.vendors[ZITADEL.slug].dump() == []
    assert (result.status, result.report["verdict"], result.report["left_behind"]) == (0, "none", []), result
