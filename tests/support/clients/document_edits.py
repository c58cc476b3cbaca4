"""What the tests of `contract_watch.diff.client` stand on: changes of a document as its comparison tells them, and edits to make some.

The comparison of documents has tests of its own: here a change is said, and the document edited to fit.
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
    """The levels of a change, by the words that count."""

    COMPATIBLE = "compatible"
    WARNING = "warning"
    BREAKING = "breaking"


@dataclass(frozen=True)
class StubDocumentChange:
    """A change as a comparison of documents would tell it."""

    location: str
    rule: str = "some-rule"
    level: DocumentLevel = DocumentLevel.COMPATIBLE


@dataclass(frozen=True)
class ClientEdit:
    """An edit of a document, and what is to come of it.

    ``change`` edits in place; ``at`` are the changes of the document that it makes, each a location, or a location and
    a rule's id; ``symbols`` are what they bring: a symbol without the package, what has happened to it (the word of its
    kind), and whether that breaks its users. ``user`` is a body for a function that uses what changes.
    """

    id: str
    apply: Callable[[dict[str, Any]], object]
    locations: Sequence[str | tuple[str, str]]
    symbols: frozenset[tuple[str, str, bool]]
    user: str = ""

    @property
    def is_breaking(self) -> bool:
        """Whether any symbol's users break."""
        return any(breaks for _, _, breaks in self.symbols)

    @property
    def changes(self) -> list[StubDocumentChange]:
        """What the document's comparison would say."""
        return [StubDocumentChange(*((one,) if isinstance(one, str) else one)) for one in self.locations]


def expect_on_every_function(operation: str, suffix: str, kind: str, *, breaks: bool) -> set[tuple[str, str, bool]]:
    """The same for each of the four functions of ``operation``; ``what`` follows their names."""
    ways = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
    return {(f"{operation}.{way}{suffix}", kind, breaks) for way in ways}


def load_effective_document(slug: str) -> dict[str, Any]:
    """The effective document of a vendor, as it is in the repository."""
    found: dict[str, Any] = read_json(GENERATED / slug / "openapi.json")
    return found


def load_generated_client(slug: str) -> GeneratedClient:
    """The client of a vendor as it is in the repository."""
    return GeneratedClient(GENERATED / slug / "client", get_package_name(slug), load_effective_document(slug))


def edit_document(slug: str, edits: Sequence[ClientEdit]) -> dict[str, Any]:
    """The effective document of a vendor with ``edits``, all of them."""
    document = copy.deepcopy(load_effective_document(slug))
    for edit in edits:
        edit.apply(document)
    return document


def write_package(folder: Path, files: Mapping[str, str]) -> Path:
    """A package ``acme_client`` in ``folder``, with ``files`` by their paths; its ``__init__`` files are added."""
    for name, text in files.items():
        path = folder / "acme_client" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for above in path.relative_to(folder).parents[:-1]:
            (folder / above / "__init__.py").touch()
    return folder
