"""The walk of one probe is short: a reader of it opens few files."""

import pytest

from contract_watch.contracts.registry import load_contracts
from contract_watch.engine.command.probe_trace import FAMILIES, ProbeTrace, trace_probes
from contract_watch.errors import UsageError

MAX_FILES, MAX_LIBRARY_FILES, MAX_MODEL_FILES = 29, 49, 26
"""Files of the library for the default probe, and for any probe that passes; and of the default model for any probe."""
_MODEL = "contract_watch/contracts/resource/"


def _split_files(trace: ProbeTrace) -> tuple[list[str], list[str]]:
    """Return the files of the default model, and the others of the library."""
    model = [path for path in trace.library_files if path.startswith(_MODEL)]
    return model, [path for path in trace.library_files if path not in model]


def test_a_rejected_request_touches_few_files() -> None:
    """The simplest probe: one request, outside one constraint, that the vendor rejects."""
    (trace,) = trace_probes(load_contracts()["jetemail"], families=("refused",))
    assert trace.probe.startswith("refused/")
    model, files = _split_files(trace)
    assert "contract_watch/engine/running/session.py" in files
    assert f"{_MODEL}model.py" in model
    assert len(files) <= MAX_FILES, trace.describe()
    assert trace.vendor_files == []


@pytest.mark.parametrize("slug", sorted(load_contracts()))
def test_every_family_touches_few_files(slug: str) -> None:
    """Each family has probes that need more: shared objects, scenarios, faults."""
    traces = list(trace_probes(load_contracts()[slug]))
    assert [trace.probe.split("/")[0] for trace in traces] == list(FAMILIES)
    for trace in traces:
        model, files = _split_files(trace)
        assert len(files) <= MAX_LIBRARY_FILES, trace.describe()
        assert len(model) <= MAX_MODEL_FILES, trace.describe()


def test_an_unknown_probe_is_wrong_usage() -> None:
    """The error names the option."""
    with pytest.raises(UsageError, match="--probe"):
        list(trace_probes(load_contracts()["jetemail"], "refused/nothing"))
