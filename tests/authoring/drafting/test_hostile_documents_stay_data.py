"""Names and texts of a document are data in each file of a draft: no TOML, YAML, JSONPath, markup, code or shell."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract_watch.authoring.drafting import draft as drafting
from contract_watch.authoring.drafting.overlay_text import build_action, format_overlay
from contract_watch.authoring.drafting.toml_text import format_key, format_value
from contract_watch.contracts.overlay import apply_overlay
from tests.support.drafts import copy_boxes, draft, write_draft

HOSTILE = [
    "it's", 'a"b', "a\\b", "a]b", "a\nb", "a: b # c", "!!python/object:os.system", "&a *a", "{{x}}", "$(touch x)", "`touch x`",
    "<script>", "::error::x", "\u202eb", "\x1b[2J", "\U0001f600", "é", "a.b", "~1/", "", " ", "null", "0x10", "*", "'''", '"""',
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_value_in_each_language(name: str) -> None:
    """Each file reads back as the same value, and shows no character that a terminal would obey."""
    text = f"{format_key(name)} = {format_value([name, {name: name}])}\n"
    assert tomllib.loads(text) == {name: [name, {name: name}]}
    document = {"x": {name: {"y": 1}}, "z": [{name: {}}]}
    actions = [build_action(("x", name), "Why.", {name: name}), build_action(("z", 0, name), "Why.", {"é": [name]})]
    overlay = format_overlay(f"Corrections to {name}", actions)
    changed = apply_overlay(document, yaml.safe_load(overlay)["actions"], "overlay")
    assert changed == {"x": {name: {"y": 1, name: name}}, "z": [{name: {"é": [name]}}]}
    assert all(character == "\n" or character.isprintable() for character in text + overlay)


@pytest.fixture(autouse=True)
def _no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the run against the mock, which writes none of these names."""
    monkeypatch.setattr(drafting, "find_unprovoked", lambda *_: {})


@pytest.mark.parametrize("name", [one for one in HOSTILE if one.strip()])
def test_a_property_is_never_code(name: str, tmp_path: Path) -> None:
    """A hostile name in every place of a document: the draft is a contract, or one line refuses it."""
    document = copy_boxes()
    schemas = document["components"]["schemas"]
    for schema in ("NewBox", "Box"):
        schemas[schema]["properties"][name] = {"type": "string", "description": name, "title": name}
    schemas["Box"]["example"][name] = name
    document["info"] |= {"title": name, "version": name, "description": name}
    document["tags"] = [{"name": name}]
    document["paths"]["/boxes"]["post"]["operationId"] = name
    document["paths"]["/boxes"]["post"]["summary"] = name
    document["servers"].insert(0, {"url": f"https://{name}.example/{name}"})
    made = draft(tmp_path, document)
    settings: dict[str, Any] = tomllib.loads(made.files["contract.toml"])
    assert settings["lifecycle"]["create"] == ("null" if name == "null" else "createBox")  # null is a name in Python
    assert settings["address"].startswith("https://")
    assert name in json.loads(made.files["published.json"])["components"]["schemas"]["Box"]["properties"]
    assert name in write_draft(tmp_path, made).effective.raw["components"]["schemas"]["Box"]["required"]
    shown = "".join([*made.files.values(), *(one.format("x") for one in made.decisions)])
    assert all(character == "\n" or character.isprintable() for character in shown)
    assert set(made.files) == {"contract.toml", "published.json", "overlay.yaml"}
