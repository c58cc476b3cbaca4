"""docs/nightly.md: the examples for GitLab CI and cron are what they claim to be."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_watch.contracts.registry import ROOT
from tests.support.patience import PATIENCE

PAGE = (ROOT / "docs" / "nightly.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
(GITLAB,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
CRONTAB = re.findall(r"(?m)^(\S+ \S+ \S+ \S+ \S+)  (.+)$", PAGE)
_STUB = '#!/bin/sh\necho "$JETEMAIL_API_KEY $@"\nexit 1\n'


def _check_gitlab(directory: Path, text: str) -> subprocess.CompletedProcess[str]:
    path = directory / ".gitlab-ci.yml"
    path.write_text(text, encoding="utf-8")
    program = str(Path(sys.executable).parent / "check-jsonschema")
    command = [program, "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (our own)


def test_the_gitlab_example_keeps_to_its_schema(tmp_path: Path) -> None:
    """GitLab takes the file, and a typo in it would be found."""
    ended = _check_gitlab(tmp_path, GITLAB)
    assert ended.returncode == 0, ended
    assert _check_gitlab(tmp_path, GITLAB.replace("resource_group:", "ressource_group:")).returncode == 1
    assert _check_gitlab(tmp_path, GITLAB.replace("parallel: 4", "parallel: many")).returncode == 1


def test_the_gitlab_example_loses_nothing() -> None:
    """Each job keeps its results and caches after a failure; one live run at a time; shards cover everything."""
    jobs: dict[str, dict[str, Any]] = yaml.safe_load(GITLAB)
    template = jobs.pop(".night")
    assert template["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]
    assert list(jobs) == ["night", "mutants", "explore"]
    assert {job["extends"] for job in jobs.values()} == {".night"}
    assert {part["when"] for job in jobs.values() for part in (job.get("cache"), job["artifacts"]) if part} == {
        "always"
    }
    assert jobs["night"]["cache"]["paths"] == [".ledger", ".published", "reports/history.sqlite"]
    assert jobs["night"]["resource_group"]
    assert [name for name, job in jobs.items() if "parallel" in job] == [
        name for name, job in jobs.items() if 'SHARD="$CI_NODE_INDEX/$CI_NODE_TOTAL"' in str(job["script"])
    ]


def test_every_target_on_the_page_exists() -> None:
    """A renamed target or variable of the Makefile is renamed on the page too."""
    targets = set(re.findall(r"\bmake (?:--keep-going )?([a-z-]+)", re.sub(r"`make`", "", PAGE)))
    assert {"nightly", "night-page", "check-night", "keep-issue"} <= targets
    assert [target for target in targets if not re.search(rf"(?m)^{target}:", MAKEFILE)] == []
    variables = set(re.findall(r"\b([A-Z_]+)=", PAGE)) - {
        "JETEMAIL_API_KEY",
        "NOTIFY_URL",
        "NOTIFY_ON",
        "CI_PIPELINE_SOURCE",
    }
    assert {"OUT", "PAGE", "URL", "MAX_HOURS", "SHARD"} <= variables
    assert [name for name in variables if not re.search(rf"(?m)^{name} \?=", MAKEFILE)] == []


def test_the_lines_for_cron_have_a_time_and_no_percent_sign() -> None:
    """Cron reads a percent sign as a line end."""
    assert [time for time, _ in CRONTAB] == ["17 2 * * *", "23 * * * *"]
    assert [command for _, command in CRONTAB if "%" in command] == []


@pytest.mark.skipif(shutil.which("flock") is None, reason="needs flock")
def test_the_lines_for_cron_run_as_they_are(tmp_path: Path) -> None:
    """With cron's shell, in the home directory: the night has the keys, and a second one at the same time does not start."""
    checkout, programs = tmp_path / "contract-watch", tmp_path / "bin"
    checkout.mkdir()
    programs.mkdir()
    (checkout / "Makefile").touch()
    (tmp_path / "contract-watch.env").write_text("JETEMAIL_API_KEY=key\n", encoding="utf-8")
    (programs / "make").write_text(_STUB, encoding="utf-8")
    (programs / "make").chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def run(command: str) -> int:
        return subprocess.run(  # noqa: S603 (our own page)
            ["/bin/sh", "-c", command], cwd=tmp_path, env=environment, timeout=PATIENCE, check=False
        ).returncode

    log = tmp_path / "contract-watch.log"
    night, check = (command for _, command in CRONTAB)
    assert (run(night), log.read_text(encoding="utf-8")) == (1, "key nightly OUT=reports\n")
    assert run(f"flock contract-watch/Makefile /bin/sh -c '{night}'") == 1
    assert log.read_text(encoding="utf-8") == ""
    assert run(check) == 1
