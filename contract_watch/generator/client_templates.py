"""The templates of a client: the generator's own with a banner and changes, and those of our layer around it.

The repository holds no copy of the generator. `templates/changes.toml` lists the changes with their reasons;
`templates/*.jinja` replace whole templates, `templates/package/` adds modules, and `client_runtime/` holds the modules
that are the same in every package. A template gets the facts of the contract in one variable, ``facts``.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from contract_watch.errors import UsageError
from contract_watch.escaping import format_python_literal

TEMPLATES = Path(__file__).resolve().parent / "templates"
RUNTIME = Path(__file__).resolve().parent / "client_runtime"
"""The modules that all clients share."""
GENERATED_MODULES = ("client", "errors", "types")
"""Modules of the generator that ours replace."""
_OWN_MODULES = ("__init__", "_about")
"""Modules of `client_runtime` that are for this repository: each package has its own."""

# The first line of every template of the generator; jinja drops the line break after a block.
TEMPLATE_HEADER = '{% import "facts.jinja" as given %}{% set facts = given.facts %}\n'

JSON = Any


def write_templates(facts: Mapping[str, JSON], directory: Path) -> None:
    """Write every template into the empty ``directory``; ``facts`` are the contract's.

    Raises:
        UsageError: a string to replace does not occur in the generator's template as often as expected.
    """
    head = f"{TEMPLATE_HEADER}# {{{{ facts.banner }}}}\n\n"
    originals = files("openapi_python_client") / "templates"
    (directory / "property_templates").mkdir()
    (directory / "package").mkdir()
    for source in originals.iterdir():
        if source.name.endswith(".py.jinja"):
            (directory / source.name).write_text(head + source.read_text(encoding="utf-8"), encoding="utf-8")
    for source in (originals / "property_templates").iterdir():
        (directory / "property_templates" / source.name).write_text(source.read_text("utf-8"), encoding="utf-8")
    for change in tomllib.loads((TEMPLATES / "changes.toml").read_text(encoding="utf-8"))["change"]:
        _apply_change(change, directory / change["template"])
    for path in TEMPLATES.rglob("*.jinja"):
        place = path.relative_to(TEMPLATES)
        text = path.read_text(encoding="utf-8")
        (directory / place).write_text(head + text if place.parent.name == "package" else text, encoding="utf-8")
    for path in RUNTIME.glob("*.py"):
        if path.stem not in _OWN_MODULES:
            raw = f"{{% raw %}}\n{path.read_text(encoding='utf-8')}{{% endraw %}}\n"
            owner = directory if path.stem in GENERATED_MODULES else directory / "package"
            (owner / f"{path.stem}.py.jinja").write_text(head + raw, encoding="utf-8")
    # Jinja's literals are Python's, as far as JSON has them.
    (directory / "facts.jinja").write_text(
        f"{{% set facts = {format_python_literal(dict(facts))} %}}\n", encoding="utf-8"
    )


def _apply_change(change: Mapping[str, JSON], path: Path) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    find, until = change["find"], change.get("until")
    wanted, found = change.get("times", 1), text.count(find)
    if found != wanted:
        raise UsageError(
            f"contract_watch/generator/templates/changes.toml: {find.strip()!r} must occur {wanted} times in "
            f"the generator's {change['template']}, got {found}; adapt the change to the installed generator"
        )
    if until is None:
        text = text.replace(find, change["replace"])
    else:
        start = text.index(find)
        end = text.find(until, start) if until else len(text)
        if end < 0:
            raise UsageError(
                f"contract_watch/generator/templates/changes.toml: {until.strip()!r} must follow {find.strip()!r} in "
                f"the generator's {change['template']}; adapt the change to the installed generator"
            )
        text = text[:start] + change["replace"] + text[end:]
    path.write_text(text, encoding="utf-8")
