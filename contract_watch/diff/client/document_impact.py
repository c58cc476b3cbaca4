"""The effect of a vendor's new document on its client: both clients are generated and compared."""

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
    """Assess the effect of ``changes``, those from ``base`` to ``revision``, on the client of ``contract``.

    Both are effective documents. The call takes a few seconds.

    Raises:
        UsageError: the generator refuses a document; the changes of the document are still valid.
    """
    package = get_package_name(contract.slug)
    with TemporaryDirectory(prefix="clients-") as scratch:
        old = GeneratedClient(Path(scratch) / "old", package, base)
        new = GeneratedClient(Path(scratch) / "new", package, revision)
        with ThreadPoolExecutor() as pool:
            list(
                pool.map(
                    lambda client: generate_comparison_client(contract, client.document, client.directory), (old, new)
                )
            )
        return assess_impact(old, new, changes, read_current_version(contract.output_directory / "client"))
