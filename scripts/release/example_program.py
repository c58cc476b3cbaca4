"""Runs the examples of an installed client against a server: a program that needs the client alone.

It reads its options as JSON from standard input, runs the example of every method of ``Api``, then of ``AsyncApi``, and
prints one line of JSON: the names that ran, and the first problem or null. Creating comes first and removing last; an
example that needs another one's effect is tried again after it.
"""

import ast
import asyncio
import contextlib
import importlib
import inspect
import io
import json
import re
import sys
from collections.abc import Mapping
from types import CoroutineType
from typing import Any

_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Adapter(ast.NodeTransformer):
    """Puts key, address and ids of a real server into the source of an example."""

    def __init__(self, options: Mapping[str, Any], object_id: str | None) -> None:
        self._options, self._object_id = options, object_id

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Change the arguments of ``connect``, ``aconnect`` and of operations."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("connect", "aconnect"):
            kept = [one for one in node.keywords if one.arg not in ("base_url", "instance", "region")]
            node.args = [ast.Constant(self._options["key"])]
            node.keywords = [*kept, ast.keyword("base_url", ast.Constant(self._options["base_url"]))]
            if self._options.get("validate"):
                node.keywords.append(ast.keyword("validate", ast.Constant(value=True)))
        elif self._object_id is not None:
            for one in node.keywords:
                if one.arg in self._options["id_arguments"]:
                    one.value = ast.Constant(self._object_id)
        return node


class ExampleRunner:
    """Runs examples; it remembers the id of the object that the last one created."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self.object_id: str | None = None
        self.ran: list[str] = []
        self._package = importlib.import_module(options["package"])

    def run_source(self, source: str) -> tuple[dict[str, Any], str]:
        """Run ``source``, in which ``await`` may stand outside functions; return its variables and its output."""
        tree = ast.fix_missing_locations(Adapter(self.options, self.object_id).visit(ast.parse(source)))
        code = compile(tree, "<example>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        names: dict[str, Any] = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            found = eval(code, names)  # noqa: S307 - the example of a package that we made
            if isinstance(found, CoroutineType):
                asyncio.run(found)
        return names, printed.getvalue()

    def run_class(self, name: str) -> str | None:
        """Run the example of every method of the class ``name``; return the first problem."""
        examples = find_examples(getattr(self._package, name))
        create, remove = (examples.pop(self.options[one], None) for one in ("create", "remove"))
        if create is None or remove is None:
            return f"{name}: has no example that creates and removes an object"
        try:
            self.create(create)
            problem = self._run_all(examples)
            self.run_source(remove)
        except self._package.APIError as error:
            return f"{name}: {error}"
        self.ran += [f"{name}.{one}" for one in (self.options["create"], *examples, self.options["remove"])]
        return problem and f"{name}.{problem}"

    def create(self, source: str) -> None:
        """Run the example that creates an object, whose id the others get."""
        created, _ = self.run_source(source)
        self.object_id = self._find_id(created["result"])

    def _find_id(self, created: Any) -> str | None:
        found: Any = created.to_dict() if hasattr(created, "to_dict") else None
        for part in self.options["id"].split("/")[1:]:
            found = found.get(part) if isinstance(found, dict) else None
        return str(found) if self.options["id"] and found is not None else None

    def _run_all(self, examples: Mapping[str, str]) -> str | None:
        waiting = dict(examples)
        problem = self._run_each(waiting)
        # What waits needs the state that an earlier example left before a later one changed it.
        for name in examples:
            if waiting and name not in waiting:
                self._run_each({name: examples[name]})
                problem = self._run_each(waiting)
        return problem if waiting else None

    def _run_each(self, waiting: dict[str, str]) -> str | None:
        """Run each example and drop those that succeed; return the first problem."""
        problems = []
        for name, source in list(waiting.items()):
            try:
                self.run_source(source)
            except self._package.APIError as error:
                problems.append(f"{name}: {error}")
            else:
                del waiting[name]
        return problems[0] if problems else None


def find_examples(owner: type) -> dict[str, str]:
    """Return the source of each method's example."""
    found = {}
    for name, method in vars(owner).items():
        blocks = _BLOCK.findall(inspect.cleandoc((method.__doc__ or "").partition("Example:\n")[2]))
        if blocks and not name.startswith("_"):
            found[name] = blocks[0]
    return found


def list_blocks(text: str) -> list[str]:
    """Return the Python blocks of Markdown."""
    return _BLOCK.findall(text)


def run_examples(options: Mapping[str, Any]) -> dict[str, Any]:
    """Run all examples of the client that ``options`` name; return what ran and the first problem."""
    runner = ExampleRunner(options)
    problem = runner.run_class("Api") or runner.run_class("AsyncApi")
    return {"ran": runner.ran, "problem": problem}


def main() -> None:
    """Run the examples that standard input asks for."""
    print(json.dumps(run_examples(json.load(sys.stdin))))
