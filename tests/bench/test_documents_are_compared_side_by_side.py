"""``make bench`` compares documents with every tool that is there, on the same pairs, in one run."""

from pathlib import Path

import pytest

from scripts.bench import documents
from scripts.bench.process import BenchError


def _fail() -> list[str]:
    raise BenchError("it is not installed")


def test_tools_run_on_the_same_pair_and_a_missing_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that is missing costs its own rows; a status that means no comparison is no figure."""
    ours = documents.TOOLS[documents.OURS]
    monkeypatch.setattr(documents, "TOOLS", {documents.OURS: ours, documents.REDOCLY: ours, documents.CHANGES: _fail})
    label, pair = next(iter(documents.write_pairs(tmp_path).items()))
    rows = {row[0]: row[1] for row in documents.measure_documents(1, {label: pair})}
    assert " s (" in rows[f"{label}: make diff"]
    assert rows[f"{label}: Redocly CLI"] == "not measured: Redocly CLI ended with status 3"
    assert rows[f"{label}: openapi-changes"] == "not measured: it is not installed"
    assert rows[f"{label}: peak memory, make diff"].endswith("MiB")


def test_the_made_documents_differ(tmp_path: Path) -> None:
    """Each pair has changes to tell, and the size that its label says."""
    for label, (base, revision) in documents.write_pairs(tmp_path).items():
        assert base.read_bytes() != revision.read_bytes()
        size = base.stat().st_size
        assert abs(size / documents.SIZES[label] - 1) < 0.6, (label, size)
