"""Whom a vendor's new document breaks: both clients are generated, and judged by `contract_watch.diff.client.impact`."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from contract_watch.contracts.registry import Contract
from contract_watch.diff.client.correlation import DocumentChange
from contract_watch.diff.client.impact import Generated, Impact, judge
from contract_watch.diff.client.version import current_version
from contract_watch.generator.configuration import package_of
from scripts.generate_clients import generate_other


def judge_clients(
    contract: Contract, base: Mapping[str, Any], revision: Mapping[str, Any], changes: Sequence[DocumentChange]
) -> Impact:
    """What ``changes``, those from ``base`` to ``revision``, make of the client of ``contract``.

    Both are effective documents. It takes a few seconds. A document that the generator does not take is a `UsageError`:
    then nothing is known of the client, and of the document as much as before.
    """
    package = package_of(contract.slug)
    with TemporaryDirectory(prefix="clients-") as scratch:
        old = Generated(Path(scratch) / "old", package, base)
        new = Generated(Path(scratch) / "new", package, revision)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: generate_other(contract, one.document, one.folder), (old, new)))
        return judge(old, new, changes, current_version(contract.root / "generated" / contract.slug / "client"))
