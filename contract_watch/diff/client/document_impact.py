"""Whom a vendor's new document breaks: both clients are generated, and judged by `contract_watch.diff.client.impact`."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.diff.client.correlation import ComparableChange
from contract_watch.diff.client.impact import ClientImpact, GeneratedClient, assess_impact
from contract_watch.diff.client.version import read_current_version
from contract_watch.generator.configuration import get_package_name
from contract_watch.generator.outputs import generate_comparison_client


def assess_document_impact(
    contract: Contract, base: Mapping[str, Any], revision: Mapping[str, Any], changes: Sequence[ComparableChange]
) -> ClientImpact:
    """What ``changes``, those from ``base`` to ``revision``, make of the client of ``contract``.

    Both are effective documents. It takes a few seconds. A document that the generator does not take is a `UsageError`:
    then nothing is known of the client, and of the document as much as before.
    """
    package = get_package_name(contract.slug)
    with TemporaryDirectory(prefix="clients-") as scratch:
        old = GeneratedClient(Path(scratch) / "old", package, base)
        new = GeneratedClient(Path(scratch) / "new", package, revision)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: generate_comparison_client(contract, one.document, one.directory), (old, new)))
        return assess_impact(
            old, new, changes, read_current_version(contract.root / "generated" / contract.slug / "client")
        )
