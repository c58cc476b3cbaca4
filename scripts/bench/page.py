"""The page that `make bench` writes: the machine, the versions, and the measurements."""

import datetime as dt
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scripts.bench.node_tools import read_node_version

_PACKAGES = ("schemathesis", "hypothesis", "uvicorn", "uvloop", "httptools", "starlette", "jsonschema-rs", "pytest")
_GIBIBYTE = 1024**3


def format_page(subject: str, rounds: str, sections: Mapping[str, str]) -> str:
    """Return the page: the machine and the versions, then ``sections`` by heading.

    ``subject`` names the measured contract, ``rounds`` describes the method. Call it after the measurements, since one
    of them installs the tools from npm.
    """
    head = (
        "Written by `make bench`. Figures are valid for one machine and moment; compare the ratios. "
        "A missed goal is marked and fails nothing."
    )
    setting = f"{subject}, {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC, on {describe_machine()}. {describe_versions()}. {rounds}."
    parts = ["# Benchmarks", head, setting]
    for heading, text in sections.items():
        parts += [f"## {heading}", text]
    return "\n\n".join(parts) + "\n"


def describe_machine() -> str:
    """Return processor, cores, memory and system on one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIBIBYTE
    return (
        f"{_describe_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"
    )


def _describe_processor() -> str:
    """Return the processor's name, or only its architecture if the name is unknown."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{next(named, 'unknown processor')} ({platform.machine()})"


def describe_versions() -> str:
    """Return the versions of Python, of the compared tools and of their main dependencies."""
    found = [f"Python {platform.python_version()}", *(f"{name} {_get_version(name)}" for name in _PACKAGES)]
    tools = (("Prism", "prism-cli"), ("Redocly CLI", "cli"))
    return ", ".join([*found, *(f"{name} {read_node_version(package) or 'not installed'}" for name, package in tools)])


def _get_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
