"""Edits of documents, and stub changes as the comparison of documents would report them.

The comparison of documents has its own tests; here the change is stated, and the document edited to match.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from contract_watch.contracts.openapi import read_json
from contract_watch.contracts.registry import ROOT
from contract_watch.diff.client.impact import GeneratedClient
from contract_watch.generator.configuration import get_package_name

GENERATED = ROOT / "generated"


class DocumentLevel(Enum):
    """The levels of a change."""

    COMPATIBLE = "compatible"
    WARNING = "warning"
    BREAKING = "breaking"


@dataclass(frozen=True)
class StubDocumentChange:
    """A change as a comparison of documents would report it."""

    location: str
    rule: str = "some-rule"
    level: DocumentLevel = DocumentLevel.COMPATIBLE
    previous_location: str = ""


@dataclass(frozen=True)
class ClientEdit:
    """An edit of a document and the expected changes.

    ``apply`` edits in place. ``locations`` are the changes of the document, each a location, or a location and a rule's id.
    ``symbols`` are the expected changes: a symbol without the package, the phrase of its kind, and True if it breaks code.
    ``user`` is the body of a function that uses the symbol.
    """

    id: str
    apply: Callable[[dict[str, Any]], object]
    locations: Sequence[str | tuple[str, str]]
    symbols: frozenset[tuple[str, str, bool]]
    user: str = ""

    @property
    def is_breaking(self) -> bool:
        """True if the change of any symbol breaks code."""
        return any(breaks for _, _, breaks in self.symbols)

    @property
    def changes(self) -> list[StubDocumentChange]:
        """The changes that the comparison of documents would report."""
        return [StubDocumentChange(*((one,) if isinstance(one, str) else one)) for one in self.locations]


def expect_on_every_function(operation: str, suffix: str, kind: str, *, breaks: bool) -> set[tuple[str, str, bool]]:
    """Expect the same change of each of the four functions of ``operation``; ``suffix`` follows their names."""
    ways = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
    return {(f"{operation}.{way}{suffix}", kind, breaks) for way in ways}


def load_effective_document(slug: str) -> dict[str, Any]:
    """Read the effective document of a vendor from the repository."""
    found: dict[str, Any] = read_json(GENERATED / slug / "openapi.json")
    return found


def load_generated_client(slug: str) -> GeneratedClient:
    """Return the client of a vendor in the repository."""
    return GeneratedClient(GENERATED / slug / "client", get_package_name(slug), load_effective_document(slug))


def edit_document(slug: str, edits: Sequence[ClientEdit]) -> dict[str, Any]:
    """Return the effective document of a vendor with all ``edits``."""
    document = copy.deepcopy(load_effective_document(slug))
    for edit in edits:
        edit.apply(document)
    return document


def write_package(directory: Path, files: Mapping[str, str]) -> Path:
    """Write a package ``acme_client`` with ``files`` by path, and add its ``__init__`` files."""
    for name, text in files.items():
        path = directory / "acme_client" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for above in path.relative_to(directory).parents[:-1]:
            (directory / above / "__init__.py").touch()
    return directory
