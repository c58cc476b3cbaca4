"""The process of one part on a worker: ``python -m contract_watch.engine.fleet.child job.json result.json``.

The result is ``{"result": ...}``, or ``{"refusal": line}`` where the worker must not run the part, or
``{"problem": line}`` where it could not. It appears whole or not at all.
"""

import importlib
import json
import os
import platform
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contract_watch import cli
from contract_watch.contracts.redaction import Redactor
from contract_watch.engine.fleet.checkout import describe_checkout, find_difference
from contract_watch.errors import InconclusiveError, UsageError
from contract_watch.report.atomic_file import write_atomically

_KINDS = {
    "tests": "contract_watch.engine.fleet.module_slice",
    "contract": "contract_watch.engine.command.cluster_part",
}
"""The modules whose ``run_job`` runs a part of each kind."""


@cli.command(interrupted="the part was cancelled")
def main(arguments: list[str] | None = None) -> int:
    """Run one part; see the module for the result."""
    parser = cli.CommandParser("contract_watch.engine.fleet.child", "Runs one part of a cluster's work.")
    parser.add_argument("job")
    parser.add_argument("result")
    given = parser.parse_args(arguments)
    threading.Thread(target=_end_with_worker, daemon=True).start()
    job = json.loads(Path(given.job).read_text(encoding="utf-8"))
    write_atomically(Path(given.result), json.dumps(_run(job)))
    return cli.ExitStatus.OK


def _end_with_worker() -> None:
    """Kill this process's group when the worker, which holds the other end of standard input, is gone."""
    while os.read(0, 1):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _run(job: dict[str, Any]) -> dict[str, Any]:
    difference = find_difference(job["checkout"], describe_checkout())
    if difference:
        return {"refusal": f"the worker on {platform.node()} differs ({difference}); give all machines the same checkout "
                           "and requirements.lock"}  # fmt: skip
    run_job: Callable[[dict[str, Any]], Any] = importlib.import_module(_KINDS[job["kind"]]).run_job
    try:
        return {"result": run_job(job)}
    except (UsageError, InconclusiveError) as error:
        return {"refusal": f"the worker on {platform.node()}: {error}"}
    except Exception as error:  # noqa: BLE001 (its message may quote a request, so only its kind travels)
        return {"problem": f"internal error on {platform.node()}: {Redactor.describe_error(error)}"}


if __name__ == "__main__":
    sys.exit(main())
