"""openapi-python-client as a process, with our names and with our quoting functions as filters of its templates."""

import json
from pathlib import Path
from typing import Any

import openapi_python_client
from openapi_python_client import Project
from openapi_python_client.cli import app
from openapi_python_client.parser import GeneratorData

from contract_watch.escaping import escape_markdown, format_code_span, quote_toml
from contract_watch.generator.model_properties import adapt_data, is_secret, list_converted
from contract_watch.generator.naming import adapt_generator
from contract_watch.generator.operations import DoorOperation, build_operations

FACTS_FILE = Path("facts.json")
PACKAGE_TEMPLATES = "package/"
"""The templates of the modules that the generator does not know."""


def run_generator() -> None:
    """Run the generator with the command line of this process."""
    adapt_generator()
    openapi_python_client.TEMPLATE_FILTERS |= {
        "code_span": format_code_span,
        "escape_markdown": escape_markdown,
        "quote_toml": quote_toml,
        "is_secret": is_secret,
        "list_converted": list_converted,
    }
    parse, build = GeneratorData.from_dict, Project.build

    def parse_adapted(data: dict[str, Any], *, config: Any) -> Any:
        found = parse(data, config=config)
        if isinstance(found, GeneratorData):
            adapt_data(found)
        return found

    def build_whole(project: Project) -> Any:
        facts = json.loads(FACTS_FILE.read_text(encoding="utf-8"))
        operations = build_operations(project.openapi, facts)
        project.env.globals |= {"operations": operations, "type_imports": _list_type_imports(operations)}
        hooks = project._run_post_hooks  # noqa: SLF001 - ours are written before they are formatted

        def write_and_format() -> None:
            for name in project.env.list_templates(filter_func=lambda one: one.startswith(PACKAGE_TEMPLATES)):
                path = project.package_dir / name.removeprefix(PACKAGE_TEMPLATES).removesuffix(".jinja")
                path.write_text(project.env.get_template(name).render(), encoding="utf-8")
            hooks()

        project._run_post_hooks = write_and_format  # type: ignore[method-assign] # noqa: SLF001
        return build(project)

    GeneratorData.from_dict = staticmethod(parse_adapted)  # type: ignore[method-assign]
    Project.build = build_whole  # type: ignore[method-assign, assignment]
    app()


def _list_type_imports(operations: list[DoorOperation]) -> list[str]:
    lines = {line for operation in operations for line in operation.imports}
    return sorted(line for line in lines if not line.startswith("from .types import"))
