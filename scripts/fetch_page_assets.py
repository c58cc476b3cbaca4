"""``make page-assets VERSION=``: replace the renderer of the mock's page by another version of its npm package.

npm says the integrity of that version; the package that it then delivers must have it. Nothing of it is run.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from contract_watch import cli
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.mock.page.files import ORIGIN_FILE, RENDERER

PACKAGE = "swagger-ui-dist"
FILES = ("LICENSE", "NOTICE", "swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")


@cli.command(may_hold_secrets=False)
def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch the files, or verify those that are there without ``--version``; return the exit status."""
    parser = cli.CommandParser("scripts.fetch_page_assets", "Fetches the renderer of the mock's page from npm.")
    parser.add_argument("--version", required=True, help=f"the version of {PACKAGE}, such as 5.35.0")
    given = parser.parse_args(arguments)
    if _VERSION.fullmatch(given.version) is None:
        raise UsageError(f"--version must be a version such as 5.35.0, got {given.version!r}")
    with tempfile.TemporaryDirectory() as directory:
        integrity = _run_npm(Path(directory), "view", f"{PACKAGE}@{given.version}", "dist.integrity").strip()
        _run_npm(Path(directory), "pack", f"{PACKAGE}@{given.version}")
        write_renderer(Path(directory, f"{PACKAGE}-{given.version}.tgz"), given.version, integrity, RENDERER)
    print(f"{PACKAGE} {given.version}: written; run pytest tests/mock/page")
    return cli.ExitStatus.OK


def write_renderer(package: Path, version: str, integrity: str, directory: Path) -> None:
    """Write the files of ``package`` into ``directory``, with a record of their origin and digests.

    Raises:
        UsageError: The package does not have ``integrity``, or lacks a file; nothing is written.
    """
    content = package.read_bytes()
    found = f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"
    if _INTEGRITY.fullmatch(integrity) is None or found != integrity:
        raise UsageError(
            f"{package.name}: integrity must be {escape_text(integrity, 120)}, got {found}; fetch it again"
        )
    files = dict[str, bytes]()
    with tarfile.open(package) as archive:
        for name in FILES:
            try:
                member = archive.extractfile(f"package/{name}")
            except KeyError:
                member = None
            if member is None:
                raise UsageError(f"{package.name}: {name} is missing; choose another version")
            files[name] = member.read()
    origin = {
        "package": PACKAGE,
        "version": version,
        "license": "Apache-2.0",
        "integrity": integrity,
        "sha256": {name: hashlib.sha256(one).hexdigest() for name, one in files.items()},
    }
    directory.mkdir(parents=True, exist_ok=True)
    for name, one in files.items():
        (directory / name).write_bytes(one)
    (directory / ORIGIN_FILE).write_text(json.dumps(origin, indent=2) + "\n", encoding="utf-8")


def _run_npm(directory: Path, *arguments: str) -> str:
    """Run npm, which has to succeed, and return its output; no script of a package runs."""
    npm = shutil.which("npm")
    if npm is None:
        raise UsageError("npm: not found; install Node.js")
    command = [npm, *arguments, "--silent", "--ignore-scripts", "--json=false"]
    done = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True, timeout=300)  # noqa: S603 (the version is checked)
    if done.returncode:
        raise UsageError(f"npm {arguments[0]}: ended with {done.returncode}; {escape_text(done.stderr.strip(), 300)}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
