"""Make ``.venv`` from the lock file, unless it is up to date.

Runs on the system's Python, so it needs nothing but the standard library. Two that run at once take turns.
"""

import fcntl
import hashlib
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / ".made-of"
MIN_VERSION = (3, 11)


def compute_stamp() -> str:
    """Return the fingerprint of an up-to-date environment: this Python and the pinned packages."""
    version = ".".join(map(str, sys.version_info[:3]))
    return f"{version} {hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n"


def create_environment() -> None:
    """Make the environment anew, and write the stamp last, so that a broken one is made again."""
    print("making .venv from requirements.lock (once, half a minute or so)", file=sys.stderr, flush=True)
    STAMP.unlink(missing_ok=True)
    venv.create(ENVIRONMENT, clear=True, with_pip=True)
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Wheels only: the setup script of a source archive is code that would run during the installation.
    command = [*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", str(LOCK)]
    subprocess.run(command, check=True)  # noqa: S603 (our own pip and our own lock file)
    STAMP.write_text(compute_stamp(), encoding="utf-8")


def main() -> int:
    """Make the environment if it is out of date; 3 with one line if that fails."""
    if sys.version_info[:2] < MIN_VERSION:
        print(
            f"error: Python {sys.version.split()[0]} is too old, 3.11 is needed: make PYTHON=python3.11 …",
            file=sys.stderr,
        )
        return 3
    with (ROOT / ".env.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if STAMP.exists() and STAMP.read_text(encoding="utf-8") == compute_stamp():
            return 0
        try:
            create_environment()
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"error: .venv cannot be made ({error}): see above, then try again", file=sys.stderr)
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
