"""Rules about GitHub's workflows that zizmor cannot know: our vendors, our commands, our targets."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

LIVE_CHECK = "make nightly AXES=live PAGE=0"
"""The one command that gets a vendor's secrets: no mock, document or page in it."""
SHARED_SECRETS = {
    "LIMITER_REDIS_URL": LIVE_CHECK,
    "NOTIFY_URL": "make night-page",
    "NOTIFY_SECRET": "make night-page",
    "PING_URL": "make notify",
}
"""Secrets that are no vendor's, each with the command that needs it."""
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
VENDOR_SECRET = re.compile(r"secrets\[matrix\.names\[(\d+)\]\]")


def load_workflow(text: str) -> dict[str, Any]:
    """Parse a workflow. YAML 1.1 reads the key ``on`` as true."""
    workflow: dict[Any, Any] = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in workflow.items()}


def _list_strings(value: Any) -> Iterator[str]:
    """Yield every string in ``value``, names of keys included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _list_strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_strings(inner)
    else:
        yield str(value)


def _find_expressions(value: Any, word: str) -> list[str]:
    """Find the expressions in ``value`` that mention ``word``."""
    return [found for text in _list_strings(value) for found in EXPRESSION.findall(text) if re.search(word, found)]


def find_misplaced_secrets(text: str) -> list[str]:
    """Find each expression with a secret that is neither a shared one nor one of the job's own vendor.

    A vendor's secret is named by the matrix that the contracts make, and stands in the environment of the one step that runs
    the vendor alone, in a job whose environment is the vendor's.
    """
    workflow, misplaced = load_workflow(text), []
    jobs = workflow.pop("jobs")
    misplaced += _find_expressions(workflow, r"\bsecrets\b")
    for job in jobs.values():
        steps = job.pop("steps", [])
        misplaced += _find_expressions(job, r"\bsecrets\b")
        own = (
            job.get("environment") == "${{ matrix.vendor }}"
            and "needs.vendors.outputs.matrix" in str(job.get("strategy"))
            and "pull_request" not in str(workflow["on"])
        )
        for step in steps:
            given = step.pop("env", {})
            misplaced += _find_expressions(step, r"\bsecrets\b")
            alone = own and step.get("run") == LIVE_CHECK and given.get("VENDOR") == "${{ matrix.vendor }}"
            allowed = {f"secrets.{name}" for name, command in SHARED_SECRETS.items() if command in step.get("run", "")}
            misplaced += [
                found
                for found in _find_expressions(given, r"\bsecrets\b")
                if found not in allowed and not (alone and VENDOR_SECRET.fullmatch(found))
            ]
    return misplaced


def find_loose_ends(text: str) -> list[str]:
    """Find actions without commit and version, permissions beyond reading, and a workflow without a concurrency group."""
    workflow = load_workflow(text)
    found = [line.strip() for line in text.splitlines()
             if re.search(r"\buses:", line) and not re.search(r"uses: [\w/.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)]  # fmt: skip
    found += [key for key in ("permissions", "concurrency") if key not in workflow]
    found += [f"permissions: {workflow['permissions']}"] if workflow.get("permissions") else []
    return found + [f"{name}: {job.get('permissions')}" for name, job in workflow["jobs"].items()
                    if job.get("permissions") != {"contents": "read"} and not _only_signs(workflow, job)
                    and not _only_writes_issues(workflow, job) and not _only_uploads_findings(workflow, job)]  # fmt: skip


def _only_signs(workflow: Mapping[str, Any], job: Mapping[str, Any]) -> bool:
    """Return True if a job of a tag's workflow gets a token to sign and publish with, and runs no code of ours beside it."""
    is_for_tags = list(workflow["on"]) == ["push"] and list(workflow["on"]["push"]) == ["tags"]
    runs_code = any("run" in step or "checkout" in step.get("uses", "") for step in job["steps"])
    names = {"id-token", "attestations"}
    return is_for_tags and not runs_code and "id-token" in job["permissions"] and set(job["permissions"]) <= names


def _only_writes_issues(workflow: Mapping[str, Any], job: Mapping[str, Any]) -> bool:
    """Return True if a job may write issues, does nothing else, alone at a time, and no fork can start it."""
    runs = [step["run"] for step in job["steps"] if "run" in step]
    return (
        job.get("permissions") == {"contents": "read", "issues": "write"}
        and runs == ["make keep-issue OUT=reports"]
        and "group" in job.get("concurrency", {})
        and not _find_expressions(job, r"\bsecrets\b")
        and _only_starts_by_itself(workflow)
    )


def _only_uploads_findings(workflow: Mapping[str, Any], job: Mapping[str, Any]) -> bool:
    """Return True if a job may write to code scanning, and runs no code of ours beside it."""
    runs_code = any("run" in step or "checkout" in step.get("uses", "") for step in job["steps"])
    return (
        job.get("permissions") == {"actions": "read", "security-events": "write"}
        and not runs_code
        and _only_starts_by_itself(workflow)
    )


def _only_starts_by_itself(workflow: Mapping[str, Any]) -> bool:
    """Return True if a workflow starts at a time of day, or when a member of the repository starts it."""
    return set(workflow["on"]) == {"schedule", "workflow_dispatch"}


def find_unknown_targets(text: str, makefile: str) -> list[str]:
    """Find the targets of ``make`` in steps that the Makefile does not have."""
    steps = [step for job in load_workflow(text)["jobs"].values() for step in job.get("steps", [])]
    targets = re.findall(r"\bmake ([\w-]+)", "\n".join(step.get("run", "") for step in steps))
    return [target for target in targets if not re.search(rf"(?m)^{re.escape(target)}:", makefile)]
