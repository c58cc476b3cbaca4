"""A run that is incomplete for several reasons names each of them."""

from pathlib import Path

from contract_watch.engine.command.options import FLAGS, resolve_options
from contract_watch.engine.command.suite import Suite


def test_an_internal_error_is_named_next_to_another_reason(tmp_path: Path) -> None:
    """One protocol met a dead server, another an error of ours: the reason holds both, each once."""
    blank = {flag.removeprefix("--").replace("-", "_"): "" for flag in FLAGS}
    raw = {**blank, "vendor": "zitadel", "target": "mock", "explore": "0", "fail_on": "breaking", "out": str(tmp_path)}
    suite = Suite(resolve_options(raw, {}))
    try:
        for protocol in ("rest", "grpc-web"):
            suite.get_run("zitadel", protocol).session.stop("the target gives no answer")
        suite.record_problem("zitadel", "internal error in test_x: KeyError at x.py:1")
    finally:
        (record,) = suite.finish()
    assert record.reason == "the target gives no answer; internal error in test_x: KeyError at x.py:1"
