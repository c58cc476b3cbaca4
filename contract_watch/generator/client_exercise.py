"""The exercise of a client that nobody trusts yet: the source of a process of its own, which imports nothing of ours.

`client_trial` starts it. It reads the samples as JSON from standard input and imports every module below the directory
that its first argument names. Each class must give back what it was made from, each call must put its arguments into the
request. It prints one line of JSON: the first problem, or null. It has no network, starts no process and writes no file.
"""

import importlib
import json
import os
import pkgutil
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_SECONDS = 30
_MEMORY = 2 << 30
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.kill",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.system",
    "os.chmod",
    "os.chown",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.setxattr",
    "os.symlink",
    "os.truncate",
    "os.utime",
    "pty.",
    "shutil.",
    "ctypes.",
    "sys.addaudithook",
    "urllib.",
    "webbrowser.",
)
"""The beginnings of the audit events of what no import and no model has to do."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Sandbox:
    """A hook of the interpreter that refuses forbidden events, and the first that it refused."""

    def __init__(self, directory: Path) -> None:
        self.refused = ""
        own = (directory, *map(Path, sys.path), Path(sys.prefix), Path(sys.base_prefix))
        self._readable = tuple(os.path.realpath(path) for path in own if str(path) not in ("", ".", "/"))

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise an error for a forbidden event."""
        if event.startswith(_FORBIDDEN) or (event == "open" and not self._may_open(*arguments)):
            self.refused = self.refused or event
            raise PermissionError(f"{event} is not allowed here")

    def _may_open(self, path: object, _mode: object, flags: object) -> bool:
        if isinstance(flags, int) and flags & _WRITING:
            return False
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str):  # the number of an open file
            return True
        real = os.path.realpath(path)
        return any(real == own or real.startswith(f"{own}{os.sep}") for own in self._readable)


def find_problem(directory: Path, work: dict[str, Any]) -> str | None:
    """Return the first problem of the client in ``directory``, None if it works."""
    import attrs  # noqa: F401, PLC0415 (libraries are imported before the sandbox closes, the client after it)
    import httpx  # noqa: F401, PLC0415

    sys.path.insert(0, str(directory))
    sandbox = Sandbox(directory)
    sys.addaudithook(sandbox)
    steps = [""]
    try:
        for step in _exercise(work["package"], work):
            steps.append(step)  # noqa: PERF402 (of steps that fail, the last one is known)
    except BaseException as error:  # noqa: BLE001 (the client's code may raise anything, SystemExit too)
        return f"{steps[-1]}: {type(error).__name__}: {error}"
    return f"{steps[-1]}: {sandbox.refused} was refused" if sandbox.refused else None


def _exercise(package: str, work: dict[str, Any]) -> Iterator[str]:
    """Yield the name of each step, which then runs; a step that fails raises an error."""
    yield f"import of {package}"
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        yield f"import of {module.name}"
        importlib.import_module(module.name)
    for model in work["models"]:
        yield f"{model['class']}.from_dict"
        _check_model(_load(package, model), model)
    for enum in work["enums"]:
        yield enum["class"]
        found = _load(package, enum)
        values = [member.value for member in found]
        _require(sorted(map(repr, values)) == sorted(map(repr, enum["values"])), "its members have other values")
        _require(all(found(value).value == value for value in values), "a value gives another member")
    for call in work["calls"]:
        yield call["module"]
        _check_call(package, call)


def _load(package: str, place: dict[str, Any]) -> Any:
    return getattr(importlib.import_module(f"{package}.{place['module']}"), place["class"])


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _check_model(model_class: Any, model: dict[str, Any]) -> None:
    """Make an object from the sample and turn it back into JSON."""
    made = model_class.from_dict(model["value"])
    back = made.to_dict()
    differs = sorted(name for name in {*back, *model["value"]} if back.get(name) != model["value"].get(name))
    _require(not differs, f"the properties {differs} are lost or changed")
    others = getattr(made, "additional_properties", {})
    for name, attribute in model["attributes"].items():
        _require(name not in others, f"the property {name!r} is not recognised")
        _require(type(getattr(made, attribute)).__name__ != "Unset", f"the attribute {attribute} is not set")


def _check_call(package: str, call: dict[str, Any]) -> None:
    """Have an operation build its request, and look for every argument in it."""
    module = importlib.import_module(f"{package}.{call['module']}")
    arguments = {}
    for one in call["arguments"]:
        value = one["value"]
        if "class" in one:
            loaded = _load(package, one)
            value = loaded.from_dict(value) if isinstance(value, dict) else loaded(value)
        arguments[one["name"]] = value
    request = module._get_kwargs(**arguments)  # noqa: SLF001 (the function without the network)
    _require(request["url"] == call["path"], f"the address is {request['url']!r}")
    parts = {"query": "params", "header": "headers", "cookie": "cookies"}
    for one in call["names"]:
        sent = request.get(parts[one["in"]], {})
        _require(one["name"] in sent, f"the {one['in']} parameter {one['name']!r} is not sent")
        _require(
            one["value"] in (None, sent[one["name"]]), f"the {one['in']} parameter {one['name']!r} has another value"
        )
    _require(call["body"] is None or request.get("json") == call["body"], "the body is not sent as it is")
    _check_door(package, call, request)


def _check_door(package: str, call: dict[str, Any], request: dict[str, Any]) -> None:
    """Have the door build the same request from keyword arguments."""
    if not all(one.get("is_plain", True) for one in call["door_arguments"]):
        return
    arguments = {
        one["name"]: _load(package, one).from_dict(one["value"]) if "class" in one else one["value"]
        for one in call["door_arguments"]
    }
    door = getattr(importlib.import_module(f"{package}._calls"), call["door"])
    built = door(**arguments, extra_headers=None, extra_body=None)
    _require(built.refusal is None, f"the method {call['door']} refuses its arguments")
    body = {name: value for name, value in (call["body"] or {}).items() if name in built.arguments.get("json", {})}
    same = {**request, "json": body} if "json" in request else request
    _require(built.arguments == same, f"the method {call['door']} builds another request")


def main() -> None:
    """Exercise the client in the directory that the first argument names."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    with suppress(OSError, ValueError):  # not every system has this limit
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.dont_write_bytecode = True
    work = json.load(sys.stdin)
    output, sys.stdout = sys.stdout, sys.stderr  # what the client prints is no answer
    problem = find_problem(Path(sys.argv[1]).resolve(), work)
    output.write(json.dumps({"token": work["token"], "problem": problem}) + "\n")
    output.flush()
    os._exit(0)  # no code of the client runs at the end
