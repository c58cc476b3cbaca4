"""The walk of one probe is short: a reader of it opens few files."""

import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.engine.command.probe_trace import FAMILIES, trace_probes
from contract_watch.errors import UsageError

MAX_FILES, MAX_LIBRARY_FILES = 20, 28
"""Files of the default probe, the vendor's included; and of the library for any probe that passes."""


def test_a_rejected_request_touches_few_files() -> None:
    """The simplest probe: one request, outside one constraint, that the vendor rejects."""
    (trace,) = trace_probes(load_contracts()["jetemail"], families=("refused",))
    assert trace.probe.startswith("refused/")
    files = [*trace.library_files, *trace.vendor_files]
    assert {"contract_watch/engine/running/session.py", "contracts/jetemail/model.py"} <= set(files)
    assert len(files) <= MAX_FILES, trace.describe()


@pytest.mark.parametrize("slug", sorted(load_contracts()))
def test_every_family_touches_few_files(slug: str) -> None:
    """Each family has probes that need more: shared objects, scenarios, faults."""
    traces = list(trace_probes(load_contracts()[slug]))
    assert [trace.probe.split("/")[0] for trace in traces] == list(FAMILIES)
    assert [trace.describe() for trace in traces if len(trace.library_files) > MAX_LIBRARY_FILES] == []


def test_an_unknown_probe_is_wrong_usage() -> None:
    """The error names the option."""
    with pytest.raises(UsageError, match="--probe"):
        list(trace_probes(load_contracts()["jetemail"], "refused/nothing"))
