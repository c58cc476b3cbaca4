"""A run leaves nothing behind, even if an object needs a preparation before its removal."""

from pathlib import Path

from contract_watch.contracts.registry import Contract
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.suite_process import start_suite

ZITADEL = Contract("zitadel")


def test_what_cannot_be_removed_as_it_is_is_got_ready_first(tmp_path: Path) -> None:
    """The documents allow a vendor to refuse the removal of an active configuration.

    The run is clean, with the verdict `none`.
    """
    mock = build_mock([ZITADEL], {}, {ZITADEL.slug: {"remove-active": "400"}})
    with run_in_thread(mock) as base:
        result = start_suite(tmp_path, "--vendor", ZITADEL.slug, "--target", base, "--explore", "0").wait_for_exit()
        assert mock.vendors[ZITADEL.slug].dump() == []
    assert (result.status, result.report["verdict"], result.report["left_behind"]) == (0, "none", []), result
