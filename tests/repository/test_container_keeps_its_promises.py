"""The Dockerfile: no root, nothing fetched but pinned packages, and a server that writes nothing."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.patience import PATIENCE

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
PAGE = (ROOT / "docs" / "mock-in-ci.md").read_text(encoding="utf-8")
_NOBODY = 10001


def _parse(text: str) -> list[tuple[str, str]]:
    """Return the instructions with their arguments, lines joined and comments removed."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", lines)
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line.strip())]


INSTRUCTIONS = _parse(DOCKERFILE)
FINAL = INSTRUCTIONS[max(at for at, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM") :]


def _find(word: str) -> str:
    [found] = [rest for one, rest in FINAL if one == word]
    return found


def test_no_stage_ends_as_root() -> None:
    """The user is a number, which a cluster can check, and nothing after it makes it root again."""
    assert _find("USER") == f"{_NOBODY}:{_NOBODY}"


def test_nothing_is_fetched_but_pinned_packages() -> None:
    """No instruction fetches an address; each package is a wheel with its hash, or was built from these files."""
    assert [rest for word, rest in INSTRUCTIONS if word == "ADD" or "://" in rest] == []
    installs = [
        part for word, rest in INSTRUCTIONS if word == "RUN" for part in rest.split("&&") if "pip install" in part
    ]
    assert len(installs) == 3
    for one in installs:
        assert ("--require-hashes" in one and "--only-binary :all:" in one) or "--no-deps /build/dist/" in one, one


def test_every_copied_file_exists_and_reaches_the_build() -> None:
    """Each source of COPY is in the repository, and .dockerignore, which excludes everything else, lets it through."""
    copies = [shlex.split(rest)[:-1] for word, rest in INSTRUCTIONS if word == "COPY" and "--from" not in rest]
    sources = {source.removeprefix("./") for one in copies for source in one}
    assert len(sources) > 5
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert IGNORED[1] == "*"
    assert {line[1:] for line in IGNORED if line.startswith("!")} == sources


def test_a_base_is_pinned_or_says_why_not() -> None:
    """A base without a digest comes with the reason, above it."""
    bases = [rest.split()[0] for word, rest in INSTRUCTIONS if word == "FROM"]
    assert len(set(bases)) == 1
    assert "@sha256:" in bases[0] or "digest" in DOCKERFILE.split("FROM")[0]


def test_no_secret_is_built_in() -> None:
    """No instruction sets a key, and no build argument could pass one into a layer."""
    assert [rest for word, rest in INSTRUCTIONS if word == "ARG"] == []
    assert re.search(r"(?i)(key|token|secret|password)\s*=", DOCKERFILE) is None


def test_health_is_asked_without_other_programs() -> None:
    """The health check is Python's, on the port that is exposed, and the image says what it is."""
    command = json.loads(_find("HEALTHCHECK").partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    assert "'127.0.0.1:8025'" in command[2]
    assert "/__mock/health" in command[2]
    assert _find("EXPOSE") == "8025 8026"
    assert "org.opencontainers.image.licenses" in _find("LABEL")


def test_health_is_asked_past_a_proxy() -> None:
    """A proxy in the environment of the container does not make it unhealthy; a mock that is gone does."""
    program = json.loads(_find("HEALTHCHECK").partition("CMD ")[2])[2]
    proxied = {"http_proxy": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    with run_in_thread(build_mock([load_contracts()["jetemail"]], {})) as address:
        command = [sys.executable, "-c", program.replace("127.0.0.1:8025", address.removeprefix("http://"))]
        there = subprocess.run(command, env=proxied, timeout=PATIENCE, check=False)  # noqa: S603 (the image's command)
    gone = subprocess.run(command, stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)  # noqa: S603 (as above)
    assert (there.returncode, gone.returncode) == (0, 1)


def test_local_secrets_reach_no_image() -> None:
    """Files of environment variables stay out, in every directory."""
    assert IGNORED[-1] == "**/.env*"


def test_the_lock_of_the_image_is_part_of_the_lock() -> None:
    """The image installs the same versions and hashes as everything else, so that they are reviewed once."""
    part, whole = (
        set(
            re.findall(
                r"(?m)^([\w.-]+==\S+)[^\\\n]*((?: \\\n {4}--hash=\S+)+)", (ROOT / name).read_text(encoding="utf-8")
            )
        )
        for name in ("requirements-run.lock", "requirements.lock")
    )
    assert len(part) > 20
    assert part - whole == set()


@pytest.mark.parametrize("rule", ["lint", "broken"])
def test_hadolint_finds_nothing(rule: str, tmp_path: Path) -> None:
    """The linter passes the Dockerfile, and fails one that has no pinned tag."""
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if program is None:
        pytest.skip("needs hadolint")
    file = ROOT / "Dockerfile"
    if rule == "broken":
        file = tmp_path / "Dockerfile"
        file.write_text(DOCKERFILE.replace("python:3.13-slim", "python"), encoding="utf-8")
    done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False, timeout=PATIENCE)  # noqa: S603 (our linter)
    assert done.returncode == (1 if rule == "broken" else 0), done.stdout


def _list_unwritable() -> str:
    """Return a directory that an unprivileged user cannot write to."""
    return "/proc" if sys.platform == "linux" else "/"


@pytest.fixture(name="server")
def _server() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the image's command as its user would: it owns nothing, and can write nowhere."""
    here = {"8025": "0", "8026": "0", "0.0.0.0": "127.0.0.1"}  # noqa: S104 (replaces it)
    command = [here.get(one, one) for one in json.loads(_find("ENTRYPOINT"))]
    assert command[:2] == ["contract-watch", "mock"]
    nowhere = _list_unwritable()
    variables = {"PATH": os.environ["PATH"], "HOME": nowhere, "TMPDIR": nowhere, "PYTHONPATH": str(ROOT)}
    user, groups = (_NOBODY, list[int]()) if os.geteuid() == 0 else (None, None)
    with subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-m", "contract_watch", *command[1:]], cwd=nowhere, env=variables, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, user=user,
        group=user,
        extra_groups=groups,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("rest "), process.stderr.read() if process.stderr is not None else ""
            yield line.split()[1], process
        finally:
            process.kill()


def _may_read_as_anybody() -> bool:
    """Return True if another user may read the code: not if it is below somebody's private directory."""
    paths = [Path(sys.executable).resolve(), ROOT]
    parents = {parent for path in paths for parent in (path, *path.parents)}
    return all(parent.stat().st_mode & 0o001 for parent in parents)


@pytest.mark.skipif(
    os.geteuid() == 0 and not _may_read_as_anybody(), reason="another user cannot read this interpreter"
)
def test_the_command_runs_where_it_can_write_nothing(server: tuple[str, subprocess.Popen[str]]) -> None:
    """On a read-only root file system the mock serves, and the image's own health check passes."""
    address, process = server
    check = json.loads(_find("HEALTHCHECK").partition("CMD ")[2])
    healthy = [sys.executable, "-c", check[2].replace("127.0.0.1:8025", address)]
    assert subprocess.run(healthy, check=False, timeout=PATIENCE).returncode == 0  # noqa: S603 (the image's command)
    assert httpx.delete(f"http://{address}/__mock/state", timeout=PATIENCE).status_code == 200
    sick = [sys.executable, "-c", check[2].replace("127.0.0.1:8025/__mock", address)]
    assert subprocess.run(sick, check=False, capture_output=True, timeout=PATIENCE).returncode != 0  # noqa: S603 (as above)
    process.terminate()
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", range(len(re.findall(r"```yaml\n", PAGE))))
def test_snippets_of_the_page_are_valid(number: int) -> None:
    """Each snippet is YAML whose arguments for the image the command knows, and allows names that the snippet uses."""
    text = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[number]
    content = yaml.safe_load(text)
    services = content.get("services") or next(iter(content.values()))["services"] if "jobs" not in content else None
    if services is None:
        services = content["jobs"]["test"]["services"]
    found = services if isinstance(services, list) else list(services.values())
    for service in found:
        arguments = service.get("command", [])
        names = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--allow-host"]
        assert all(re.search(rf"http://{name}:8025", text) for name in names)
        assert names or "http://localhost:8025" in text or service.get("image") == "your-tests"
    assert re.search(r"http://\w+:8025", text)
