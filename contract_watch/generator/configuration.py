"""The settings of the client generator, and the document as it reads it."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.errors import GeneratorError

from contract_watch.contracts.openapi import METHODS
from contract_watch.errors import UsageError
from contract_watch.escaping import escape_text
from contract_watch.generator.model_properties import adapt_data
from contract_watch.generator.naming import adapt_generator
from contract_watch.generator.prose import escape_prose

SETTINGS: dict[str, Any] = {
    # The title of a schema is the name of its class.
    "use_path_prefixes_for_title_model_names": False,
    "literal_enums": False,
    "docstrings_on_attributes": False,
    "generate_all_tags": False,
    "field_prefix": "field_",
}
"""Every setting that a name in the client depends on."""
FIELD_PREFIX = str(SETTINGS["field_prefix"])


def get_package_name(slug: str) -> str:
    """Return the import name of the client of the contract ``slug``."""
    return f"{slug}_client"


def prepare_document(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the effective document as the generator reads it: prose escaped, and overlooked parts where it looks."""
    document: dict[str, Any] = escape_prose(copy.deepcopy(dict(raw)))
    # The generator itself refuses malformed paths and operations.
    items = document["paths"].values() if isinstance(document.get("paths"), dict) else ()
    for item in (item for item in items if isinstance(item, dict)):
        for operation in (item[method] for method in METHODS if isinstance(item.get(method), dict)):
            if "security" in document:
                operation.setdefault("security", document["security"])
            if operation.get("deprecated"):
                note = "Deprecated: the API's document marks this operation so; do not build on it."
                operation["description"] = f"{note}\n\n{operation.get('description', '')}".strip()
    return document


def create_config() -> Config:
    """Return the generator's own form of the settings, without files to read or write."""
    return Config.from_sources(
        ConfigFile(**SETTINGS), MetaType.NONE, Path("openapi.json"), "utf-8", overwrite=False, output_path=None
    )


def parse_document(raw: Mapping[str, Any]) -> GeneratorData:
    """Return the generator's endpoints and classes for the effective document ``raw``, as our templates write them.

    Raises:
        UsageError: the generator refuses the document; the message is one line.
    """
    adapt_generator()
    try:
        data = GeneratorData.from_dict(prepare_document(raw), config=create_config())
    except (ValueError, RecursionError) as error:  # such as two members of an enumeration with one name
        raise UsageError(f"the client generator refuses the document: {_collapse_whitespace(str(error))}") from error
    if isinstance(data, GeneratorError):
        message = f"{data.header} {data.detail or ''}"
        raise UsageError(f"the client generator refuses the document: {_collapse_whitespace(message)}")
    adapt_data(data)
    return data


def _collapse_whitespace(text: str) -> str:
    return escape_text(" ".join(text.split()), 600)
