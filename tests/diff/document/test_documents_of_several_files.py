"""A document of several files is compared as one; only files of its own directory are read."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract_watch.commands.compare_documents import main
from contract_watch.diff.document import compare
from contract_watch.diff.document.loader import load_document
from contract_watch.errors import UsageError

USER = "type: object\nrequired: [id]\nproperties:\n  id: {type: string}\n  friend: {$ref: '#'}\n  pet: {$ref: pets/pet.json#/Pet}\n"
PET = {"Pet": {"type": "object", "properties": {"owner": {"$ref": "../user.yaml"}, "name": {"$ref": "#/Name"}}}, "Name": {"type": "string"}}  # fmt: skip


def _write(directory: Path, user: str = USER, pet: Any = PET, reference: str = "schemas/user.yaml") -> Path:
    """Write a document whose path, schema and component stand in files of their own."""
    files = {
        "openapi.yaml": f"openapi: 3.1.0\npaths:\n  /users: {{$ref: paths/users.yaml}}\ncomponents:\n  schemas:\n    User: {{$ref: {reference}}}\n",
        "paths/users.yaml": "get:\n  responses:\n    200:\n      content:\n        application/json:\n          schema: {$ref: '../openapi.yaml#/components/schemas/User'}\n",
        "schemas/user.yaml": user,
        "schemas/pets/pet.json": json.dumps(pet),
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return directory / "openapi.yaml"


def test_a_change_in_a_file_is_told_where_it_is_used(tmp_path: Path) -> None:
    """References lead from file to file, back to the main one, and in circles."""
    base = load_document(_write(tmp_path / "a"), with_files=True)
    same = load_document(_write(tmp_path / "b"), with_files=True)
    assert compare(base, same).changes == ()
    changed = {**PET, "Name": {"type": "integer"}}
    revision = load_document(_write(tmp_path / "c", pet=changed), with_files=True)
    assert {change.rule for change in compare(base, revision).changes} == {"type-changed"}


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("../secret.yaml", "a file outside the directory of the document, which is not read"),
        ("linked.yaml", "a file outside the directory"),
        ("/etc/passwd", "a file outside the directory"),
        ("schemas/none.yaml", "there is no such file"),
        ("schemas", "there is no such file"),
        ("https://example.com/user.yaml", "an address outside, which is not read"),
        ("schemas/bad.yaml", "refers to schemas/bad.yaml:2:1, which is not YAML"),
        ("schemas/user.yaml#/None", "has no target"),
        ("'schemas/%00.yaml'", "is not the name of a file"),
    ],
)
def test_other_files_are_refused(reference: str, words: str, tmp_path: Path) -> None:
    """One line names the reference; a link that leads outside is outside."""
    path = _write(tmp_path / "a", reference=reference)
    (tmp_path / "secret.yaml").write_text("type: string\n", encoding="utf-8")
    (tmp_path / "a" / "schemas" / "bad.yaml").write_text("a: [1\n", encoding="utf-8")
    (tmp_path / "a" / "linked.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(UsageError) as refusal:
        load_document(path, with_files=True)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_vendors_document_is_one_file(tmp_path: Path) -> None:
    """The stored document and the one that clients are generated from are one file, so others are refused there."""
    with pytest.raises(UsageError, match="another file, which is not read"):
        load_document(_write(tmp_path))


def test_merge_keys_are_merged_with_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names of the object itself count first, then those of earlier objects in a list."""
    text = "openapi: 3.1.0\npaths: {}\nx-a: &a {p: 1, q: 1}\nx-b: &b {q: 2, r: 2}\nx-c:\n  <<: [*a, *b]\n  p: 0\n"
    path = tmp_path / "merged.yaml"
    path.write_text(text, encoding="utf-8")
    notes: list[str] = []
    assert load_document(path, notes)["x-c"] == {"p": 0, "q": 1, "r": 2}
    assert notes == [f"{path}: 1 merge key (<<) merged, which YAML 1.2 does not have"]
    assert main(["--base", str(path), "--revision", str(path)]) == 0
    assert capsys.readouterr().out.count("note: ") == 2


def test_a_reference_to_an_anchor_is_followed() -> None:
    """Schemas of OpenAPI 3.1 may have anchors; 3.0 has none."""

    def make_document(kind: str) -> dict[str, Any]:
        schema = {"$ref": "#name"}
        content = {"application/json": {"schema": schema}}
        paths = {"/a": {"get": {"responses": {"200": {"description": "x", "content": content}}}}}
        return {"openapi": "3.1.0", "paths": paths, "components": {"schemas": {"N": {"$anchor": "name", "type": kind}}}}

    (change,) = compare(make_document("string"), make_document("integer")).changes
    assert change.rule == "type-changed"


def test_servers_can_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A staging document has other servers."""
    for name in ("a", "b"):
        document = {
            "openapi": "3.1.0",
            "paths": {"/x": {"get": {}}},
            "servers": [{"url": f"https://{name}.example.com"}],
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    given = ["--base", str(tmp_path / "a.json"), "--revision", str(tmp_path / "b.json")]
    assert main(given) == 1
    assert main([*given, "--servers", "ignore"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "none: 0 breaking, 0 warning, 0 compatible"
