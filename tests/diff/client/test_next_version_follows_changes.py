"""The next version of a client package, by its changes."""

from pathlib import Path

import pytest

from contract_watch.diff.client.symbol_changes import SymbolChange, SymbolChangeKind
from contract_watch.diff.client.version import VersionStep, choose_next_version, read_current_version
from contract_watch.errors import UsageError
from tests.support.clients.document_edits import DocumentLevel, StubDocumentChange, load_generated_client

BREAKS = SymbolChange(
    "acme_client.models.User.name", SymbolChangeKind.ATTRIBUTE_REMOVED, is_breaking=True, consequence=""
)
ADDS = SymbolChange("acme_client.models.User.note", SymbolChangeKind.ATTRIBUTE_ADDED, is_breaking=False, consequence="")
COMPATIBLE, WARNING, BREAKING = (StubDocumentChange("/x", level=level) for level in DocumentLevel)


@pytest.mark.parametrize(
    ("current", "breaking", "new", "behaviour"),
    [
        ("1.4.2", "2.0.0", "1.5.0", "1.4.3"),
        ("0.4.2", "0.5.0", "0.4.3", "0.4.3"),
        ("0.0.3", "0.1.0", "0.0.4", "0.0.4"),
        ("1.0", "2.0.0", "1.1.0", "1.0.1"),
        ("v3.0.4", "4.0.0", "3.1.0", "3.0.5"),
        ("1.2.3.4", "2.0.0", "1.3.0", "1.2.4"),
        ("2.0.0rc1", "2.0.0", "2.0.0", "2.0.0"),
        ("2.1.0-beta.2", "3.0.0", "2.1.0", "2.1.0"),
        ("2.1.1.dev4", "3.0.0", "2.2.0", "2.1.1"),
        ("0.5.0a1", "0.5.0", "0.5.0", "0.5.0"),
        ("0.5.1a1", "0.6.0", "0.5.1", "0.5.1"),
        ("1.4.2.post1", "2.0.0", "1.5.0", "1.4.3"),
    ],
)
def test_the_next_version_follows_the_rule(current: str, breaking: str, new: str, behaviour: str) -> None:
    """Choose the next major for breaking changes (the next minor below 1.0.0), the next minor (patch) for additions."""
    assert choose_next_version(current, [ADDS, BREAKS], []).version == breaking
    assert choose_next_version(current, [ADDS], [COMPATIBLE]).version == new
    assert choose_next_version(current, [], [COMPATIBLE]).version == behaviour
    assert choose_next_version(current, [], []).version == current


@pytest.mark.parametrize(
    ("symbols", "document", "step", "why"),
    [
        ([BREAKS, BREAKS], [COMPATIBLE], VersionStep.MAJOR, "1 client symbol changed incompatibly: acme_client.models.User.name"),
        ([ADDS], [BREAKING, BREAKING], VersionStep.MAJOR, "2 document changes will break callers, though no client symbol changed incompatibly"),
        ([], [BREAKING], VersionStep.MAJOR, "1 document change will break callers, though no client symbol changed incompatibly"),
        ([ADDS], [WARNING], VersionStep.MINOR, "1 client symbol added or changed, all compatibly"),
        ([], [COMPATIBLE, WARNING], VersionStep.MINOR, "1 document change may break callers, though no client symbol changed"),
        ([], [COMPATIBLE], VersionStep.PATCH, "the document changed, no client symbol did"),
        ([], [], VersionStep.NONE, "nothing changed"),
    ],
)  # fmt: skip
def test_the_reason_is_the_rule_that_decided(
    symbols: list[SymbolChange], document: list[StubDocumentChange], step: VersionStep, why: str
) -> None:
    """Let the worst change decide, of symbols and of the document, and name it in the reason."""
    found = choose_next_version("1.0.0", symbols, document)
    assert (found.step, found.reason) == (step, why)


def test_the_current_version_stands_in_the_package(tmp_path: Path) -> None:
    """Read the version of a package, and report a missing or malformed one in one line.

    The cases are no file, no TOML, no version, and a version without numbers.
    """
    assert read_current_version(load_generated_client("smtp2go").directory) == "3.0.4"
    for content in (None, "[project", "[project]\nname = 'x'", "project = 1", "[project]\nversion = 'newest'"):
        if content is not None:
            (tmp_path / "pyproject.toml").write_text(content)
        with pytest.raises(UsageError, match=r"pyproject\.toml: ") as caught:
            read_current_version(tmp_path)
        assert "\n" not in str(caught.value)
