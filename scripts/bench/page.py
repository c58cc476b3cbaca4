"""The page that `make bench` writes: on which machine, with which versions, then what was measured."""

import datetime as dt
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scripts.bench.servers import read_prism_version

_PACKAGES = ("schemathesis", "hypothesis", "uvicorn", "uvloop", "httptools", "starlette", "jsonschema-rs", "pytest")
_GIBIBYTE = 1024**3


def format_page(subject: str, rounds: str, sections: Mapping[str, str]) -> str:
    """``sections`` by their headings, below what figures depend on.

    ``subject`` is whose contract was measured, ``rounds`` how often. To be called after the measurements.
    """
    head = (
        "Written by `make bench`. Figures hold for one machine and moment; ratios are what to read. "
        "A goal that is missed is said here and fails nothing."
    )
    made = f"{subject}, {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, on {describe_machine()}. {describe_versions()}. {rounds}."
    parts = ["# Benchmarks", head, made]
    for heading, text in sections.items():
        parts += [f"## {heading}", text]
    return "\n\n".join(parts) + "\n"


def describe_machine() -> str:
    """Processor, cores, memory and system, in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE
    return (
        f"{_describe_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"
    )


def _describe_processor() -> str:
    """The processor's name; only its architecture where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(named, 'unknown processor')} ({platform.machine()})"


def describe_versions() -> str:
    """Python's version, and those of what was compared and of what it stands on."""
    found = [f"Python {platform.python_version()}", *(f"{name} {_get_version(name)}" for name in _PACKAGES)]
    return ", ".join([*found, f"Prism {read_prism_version() or 'not installed'}"])


def _get_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
