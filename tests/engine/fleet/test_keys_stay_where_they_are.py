"""A worker uses the keys of its own environment; those of the client never leave it."""

import json
from pathlib import Path

from tests.support.dask_cluster import start_cluster
from tests.support.loopback_server import serve_app
from tests.support.suite_process import PAID_KEY, start_suite
from tests.vendors.jetemail.faithful_server import FaithfulJetEmail

_CLIENTS_KEY = "api_test_clients_0123456789abcdef"


def test_a_worker_sends_its_own_key(tmp_path: Path) -> None:
    """The server gets the worker's key, and neither it nor a file of the cluster or the report shows the client's."""
    with start_cluster(tmp_path, 0) as cluster, serve_app(FaithfulJetEmail()) as at:
        worker = cluster.add_worker(JETEMAIL_API_KEY=PAID_KEY)
        result = start_suite(
            tmp_path, "--vendor", "jetemail", "--explore", "0", "--target", at.url, "--scheduler", cluster.address,
            environment={"JETEMAIL_API_KEY": _CLIENTS_KEY},
        ).wait_for_exit()  # fmt: skip
    assert (result.status, result.report["verdict"]) == (0, "none"), result
    sent = json.dumps([str(vars(request)) for request in at.requests])
    assert PAID_KEY in sent
    assert _CLIENTS_KEY not in sent
    assert _CLIENTS_KEY not in result.all_output
    assert worker.find_parts() == []
