"""Hostile documents, and a command that parses one and prints its cost."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from contract_watch.diff.document.limits import MAX_BYTES, MAX_VALUES
from contract_watch.diff.document.loader import parse_document
from contract_watch.errors import UsageError

_HALF = MAX_BYTES // 2 - 10
_MIB = 1024 * 1024
_ASTRAL = "\U0001f600".encode()
_JUST_ENOUGH_VALUES = MAX_VALUES // 2 - 1000

HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # Each with a part of its error message.
    "JSON arrays 10,000 deep": (lambda: b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "100 levels"),
    "JSON objects 10,000 deep": (lambda: b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "100 levels"),
    "JSON brackets to the end": (lambda: b"[" * MAX_BYTES, "more than 500,000 values"),
    "JSON brackets, closed only": (lambda: b"[" + b"]" * (MAX_BYTES - 1), "is not JSON"),
    "JSON quotation marks": (lambda: b'{"' + b'"' * (MAX_BYTES - 2), "more than 500,000 values"),
    "JSON escapes without an end": (lambda: b'{"' + b'\\"' * _HALF, "is not JSON"),
    "JSON escaped escapes": (lambda: b'["' + b'\\\\","' * (4 * _MIB) + b'"]', "more than 500,000 values"),
    "JSON escapes before half a pair": (
        lambda: b'{"openapi":"3.1.0","x":"' + b"\\n" * (_HALF - 30) + b'\\ud800"}', "half of a surrogate pair",
    ),
    "JSON many numbers": (lambda: b"[" + b"0," * _HALF + b"0]", "more than 500,000 values"),
    "JSON one long number": (lambda: b'{"openapi":' + b"1" * (MAX_BYTES - 20) + b"}", "has the number 1111"),
    "JSON one long text": (lambda: b'{"a":"' + _ASTRAL + b"x" * (MAX_BYTES - 20) + b'"}', "not an OpenAPI document"),
    "JSON references in a circle": (
        lambda: json.dumps({"openapi": "3.1.0", "components": {"schemas": {
            f"a{n}": {"$ref": f"#/components/schemas/a{(n + 1) % 100_000}"} for n in range(100_000)
        }}}).encode(), "a cycle of references alone",
    ),
    "YAML arrays 10,000 deep": (lambda: b"a: " + b"[" * 10_000 + b"]" * 10_000, ":1:103: is nested"),
    "YAML brackets to the end": (lambda: b"a: " + b"[" * (MAX_BYTES - 3), ":1:103: is nested"),
    "YAML objects 10,000 deep": (
        lambda: b"".join(b" " * n + b"a:\n" for n in range(6_000)) + b"{a: " * 4_000, ":101:101: is nested",
    ),
    "YAML dashes": (lambda: b"- " * _HALF, ":1:201: is nested"),
    "YAML question marks": (lambda: b"? " * _HALF, ":1:3: has a name that is not a string"),
    "YAML alias bomb": (
        lambda: b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + b"".join(
            b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 40)
        ), "more than 500,000 values",
    ),
    "YAML aliases within each other": (
        lambda: b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 200_000)),
        ":100:12: is nested",
    ),
    "YAML tag directives": (lambda: b"".join(b"%%TAG !a%d! x\n" % n for n in range(900_000)), "%TAG"),
    "YAML comments": (lambda: b"#\n" * _HALF, "is empty"),
    "YAML one long text": (lambda: b'a: "' + _ASTRAL + b"x" * (MAX_BYTES - 20) + b'"', "not an OpenAPI document"),
    "YAML many lines of a text": (lambda: b"a: x\n" + b" x\n" * (8 * _MIB - 9), "not an OpenAPI document"),
    "spaces": (lambda: b" " * MAX_BYTES, "is empty"),
    "UTF-16": (lambda: ('{"a":"' + "x" * (_HALF - 20) + '"}').encode("utf-16"), "not an OpenAPI document"),
    "zeros": (lambda: b"\0" * MAX_BYTES, "is not"),
    "HTML page": (lambda: b"<!DOCTYPE html>" + b"<p>" * (7 * _MIB), "is an HTML page"),
}  # fmt: skip
LARGEST: dict[str, tuple[Callable[[], bytes], str]] = {
    # The largest inputs that are parsed at all, in their most expensive forms.
    "JSON names": (lambda: b"{" + b",".join(b'"k%d":0' % n for n in range(2 * _JUST_ENOUGH_VALUES)) + b"}", "not an OpenAPI document"),
    "JSON names, the last twice": (
        lambda: b"{" + b",".join(b'"k%d":0' % n for n in range(2 * _JUST_ENOUGH_VALUES)) + b',"k0":1}', 'the name "k0" twice',
    ),
    "JSON objects": (lambda: b"[" + b'{"a":1},' * _JUST_ENOUGH_VALUES + b"0]", "not an OpenAPI document"),
    "JSON NaN at the end": (lambda: b"[" + b'"a",' * (2 * _JUST_ENOUGH_VALUES) + b"NaN]", f"NaN at /{2 * _JUST_ENOUGH_VALUES}"),
    "JSON references in a row": (
        lambda: json.dumps({"openapi": "3.1.0", "components": {"schemas": {
            **{f"a{n}": {"$ref": f"#/components/schemas/a{n + 1}"} for n in range(_JUST_ENOUGH_VALUES // 2)},
            f"a{_JUST_ENOUGH_VALUES // 2}": {"not": {"$ref": "#/nowhere"}},
        }}}).encode(), 'the $ref "#/nowhere" at',
    ),
    "YAML names": (lambda: b"".join(b"k%d: 0\n" % n for n in range(2 * _JUST_ENOUGH_VALUES)), "not an OpenAPI document"),
    "YAML objects": (lambda: b"- a: b\n" * _JUST_ENOUGH_VALUES, "not an OpenAPI document"),
    "YAML anchors": (lambda: b"".join(b"- &a%d x\n" % n for n in range(2 * _JUST_ENOUGH_VALUES)), "not an OpenAPI document"),
    "YAML aliases": (lambda: b"a: &a x\nb: [" + b"*a," * (2 * _JUST_ENOUGH_VALUES) + b"*a]", "not an OpenAPI document"),
}  # fmt: skip


def _read_peak_memory() -> float:
    """Return the peak memory of this process in MiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return getrusage(RUSAGE_SELF).ru_maxrss / _MIB
    # The resource usage would start with the memory of the parent process.
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main(name: str) -> None:
    """Parse the document ``name``, and print its error, the processor time in seconds, and the memory in MiB."""
    content = (HOSTILE | LARGEST)[name][0]()
    forget = Path("/proc/self/clear_refs")
    if forget.exists():
        forget.write_text("5")
    begin, line = time.process_time(), ""
    try:
        parse_document(content, "some file")
    except UsageError as error:
        line = str(error)
    print(json.dumps({"line": line, "seconds": time.process_time() - begin, "peak": _read_peak_memory()}))


if __name__ == "__main__":
    main(sys.argv[1])
