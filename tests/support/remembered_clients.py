"""A memory of generated clients: many tests of accepting, comparing and running generate the same client from the same document.

The generator is a process of a second. It runs for the first test that needs a client; the others get a copy of its output.
Its refusals are not remembered. The trial of a client that works is remembered too. `tests/generator` tests the generator itself and remembers nothing.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import Contract
from contract_watch.generator import client_trial, outputs
from contract_watch.generator.client_facts import format_banner
from contract_watch.generator.configuration import get_package_name


@contextmanager
def remember_clients(directory: Path) -> Iterator[None]:
    """Keep in ``directory``, which test processes may share, each client that the generator makes in the block."""
    generate = outputs._generate_client  # noqa: SLF001 (the one place that runs the generator)

    def generate_once(
        contract: Contract, document: Mapping[str, Any], facts: Mapping[str, Any], scratch: Path, client: Path,
        timeout: int = outputs.TIMEOUT,
    ) -> Path:  # fmt: skip
        given = json.dumps([contract.slug, format_banner(contract), document, facts, timeout], default=repr)
        remembered = directory / hashlib.sha256(given.encode()).hexdigest()
        if remembered.is_dir():
            shutil.copytree(remembered, client)
            return client / get_package_name(contract.slug)
        package = generate(contract, document, facts, scratch, client, timeout)
        fresh = directory / f"{remembered.name}.{os.getpid()}"
        shutil.copytree(client, fresh)
        try:
            os.rename(fresh, remembered)  # noqa: PTH104 (tests make Path.rename fail)
        except OSError:  # another process was first
            shutil.rmtree(fresh)
        return package

    try_client = client_trial.try_client

    def try_once(slug: str, document: Mapping[str, Any], client: Path) -> None:
        tried = directory / f"tried-{hashlib.sha256(json.dumps([slug, document]).encode()).hexdigest()}"
        if not tried.exists():
            try_client(slug, document, client)
            tried.touch()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outputs, "_generate_client", generate_once)
        patch.setattr(client_trial, "try_client", try_once)
        yield
