"""The trial of a new client, before it replaces the old one: it is imported and exercised in a process of its own."""

import json
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.generator.client_samples import build_samples
from contract_watch.generator.configuration import get_package_name, parse_document

TIMEOUT = 60
"""Seconds that the trial of a client may take."""
_PROGRAM = Path(__file__).with_name("client_exercise.py").read_text(encoding="utf-8") + "\n\nmain()\n"


def try_client(slug: str, document: Mapping[str, Any], client: Path) -> None:
    """Import every module of the client in the directory ``client``, and exercise its classes and operations.

    The process has no network, no variables of the environment, and writes nothing. ``document`` is the effective one.

    Raises:
        UsageError: the client does not work; the message is one line.
    """
    token = secrets.token_hex(16)
    work = {**build_samples(parse_document(document), get_package_name(slug)), "token": token}
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and a program of our own
            [sys.executable, "-I", "-B", "-c", _PROGRAM, str(client)],
            input=json.dumps(work),
            env={"PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"},
            cwd="/",
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _create_error(slug, f"it did not finish within {TIMEOUT} s") from error
    answer = _parse_answer(done.stdout)
    if answer.get("token") != token:
        last = next(iter(done.stderr.strip().splitlines()[-1:]), f"exit status {done.returncode}")
        raise _create_error(slug, f"its process ended early ({last})")
    if answer["problem"] is not None:
        raise _create_error(slug, str(answer["problem"]))


def _parse_answer(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _create_error(slug: str, problem: str) -> UsageError:
    return UsageError(
        f"{slug}: the client of the effective document does not work: {escape_text(' '.join(problem.split()), 400)}; "
        "correct the document in the overlay"
    )
