"""Names that Python normalises or that the generated code uses itself give a client that imports and works."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest

from contract_watch.contracts.registry import ROOT, Contract, load_contracts
from contract_watch.errors import UsageError
from contract_watch.generator.client_trial import try_client
from contract_watch.generator.outputs import generate_outputs
from tests.support.clients.sample_client import DOCUMENT, write_sample_contract

# fmt: off
NAMES = (
    # Python reads these as self, dict, class, file, iv and μ.
    "ｓｅｌｆ", "ｄｉｃｔ", "ｃｌａｓｓ", "ﬁle", "ⅳ", "µ",
    # Methods, attributes and variables of a generated class.
    "cls", "to_dict", "from_dict", "to_multipart", "additional_properties", "additional_keys", "d", "src_dict",
    "field_dict", "prop", "prop_name", "prop_dict", "additional_property", "T", "Unset",
    # Imports and variables of a generated operation.
    "client", "url", "headers", "params", "cookies", "quote", "kwargs", "response", "httpx", "errors", "cast", "json",
    "types", "files", "datetime", "uuid",
    # Python's own words, and names in underscores.
    "lambda", "async", "None", "True", "match", "isinstance", "str", "super", "list", "__init__", "__doc__", "_x", "mro",
    # What is no identifier.
    "a-b", "1a", "x y", "q'r", 'c"e', "f\\g", "{0.g}", "é", "İ", "名",
)
# fmt: on
_TEXT = {"type": "string"}
_OBJECT = {"type": "object", "properties": {"inner": _TEXT}}
SHAPES: dict[str, dict[str, Any]] = {
    "Texts": _TEXT,
    "Objects": _OBJECT,
    "Lists": {"type": "array", "items": _OBJECT},
    "Unions": {"oneOf": [_OBJECT, {"type": "integer"}]},
}
# A reserved class of the client, which the title of a schema may not replace.
CLASSES = ("Response", "Any", "Client", "Unset", "Mapping", "HTTPStatus")


def _make_document() -> dict[str, Any]:
    """Return a document with every name as a property of every shape, as a parameter, and as a header if HTTP allows it."""
    found = copy.deepcopy(DOCUMENT)
    schemas: dict[str, Any] = {
        name: {"type": "object", "properties": dict.fromkeys(NAMES, shape)} for name, shape in SHAPES.items()
    }
    schemas |= {name: {"type": "object", "properties": {"x": _TEXT}} for name in CLASSES}
    found["components"] = {"schemas": schemas}
    references = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    members = {"type": "object", "properties": {f"m{number}": one for number, one in enumerate(references)}}
    for where, names in (("query", NAMES), ("header", ("headers", "cls", "params")), ("cookie", ("cookies", "quote"))):
        found["paths"][f"/{where}"] = {"post": {
            "operationId": f"ask_{where}",
            "parameters": [{"in": where, "name": name, "schema": _TEXT} for name in names],
            "requestBody": {"required": True, "content": {"application/json": {"schema": members}}},
            "responses": {"200": {"description": "", "content": {"application/json": {"schema": references[-1]}}}},
        }}  # fmt: skip
    found["paths"]["/{quote}/{self}"] = {"get": {
        "operationId": "import",
        "tags": ["__init__"],
        "parameters": [{"in": "path", "name": name, "required": True, "schema": _TEXT} for name in ("quote", "self")],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": references[0]}}}},
    }}  # fmt: skip
    return found


@pytest.fixture(name="root", scope="module")
def _root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate the client of the document with difficult names."""
    root = write_sample_contract(tmp_path_factory.mktemp("names"), **_make_document())
    generate_outputs(Contract("sample", root), root / "generated/sample")
    return root


def test_difficult_names_give_a_client_that_works(root: Path) -> None:
    """Every class gives its sample back, and every parameter reaches the request under its own name."""
    try_client("sample", Contract("sample", root).effective.raw, root / "generated/sample/client")


@pytest.mark.parametrize("slug", list(load_contracts()))
def test_the_committed_clients_work(slug: str) -> None:
    """The clients that users install pass the same trial as a new one."""
    try_client(slug, load_contracts()[slug].effective.raw, ROOT / "generated" / slug / "client")


@pytest.mark.parametrize(
    ("module", "find", "replace", "problem"),
    [
        ("__init__.py", "__all__", "import os, socket; assert set(os.environ) <= {'LC_ALL', 'LC_CTYPE', 'PYTHONUTF8'}; socket.create_connection(('127.0.0.1', 9))\n__all__", "socket."),
        ("__init__.py", "__all__", "open('pwned', 'w')\n__all__", "open is not allowed"),
        ("__init__.py", "__all__", "try:\n    open('/etc/passwd')\nexcept OSError:\n    pass\n__all__", "open was refused"),
        ("__init__.py", "__all__", "import os; os._exit(0)\n__all__", "ended early"),
        ("models/any_.py", '"x"', '"y"', "is not recognised"),
        ("api/default/ask_query.py", '_params["url"]', '_params["uri"]', "'url' is not sent"),
        ("api/default/drop_user.py", "from ...client import", "from nowhere import", "No module named"),
    ],
    ids=["network and environment", "file", "secret file", "exit", "property", "parameter", "import"],
)  # fmt: skip
def test_a_client_that_does_not_work_is_refused(
    root: Path, tmp_path: Path, module: str, find: str, replace: str, problem: str
) -> None:
    """The trial names what fails, in one line; the client reaches no network, no file and no variable."""
    client = tmp_path / "client"
    shutil.copytree(root / "generated/sample/client", client)
    path = client / "sample_client" / module
    text = path.read_text()
    assert find in text
    path.write_text(text.replace(find, replace))
    with pytest.raises(UsageError) as error:
        try_client("sample", Contract("sample", root).effective.raw, client)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "pwned").exists()
    assert not Path("/pwned").exists()


def test_properties_that_share_a_variable_are_refused(tmp_path: Path) -> None:
    """The generated code of a list overwrites the property of its items' name: the trial names what is lost."""
    properties = {"tags_item": _TEXT, "tags": SHAPES["Lists"]}
    schemas = {"Tagged": {"type": "object", "required": ["tags_item", "tags"], "properties": properties}}
    root = write_sample_contract(tmp_path, components={"schemas": schemas})
    contract = Contract("sample", root)
    generate_outputs(contract, root / "generated/sample")
    with pytest.raises(UsageError, match=r"Tagged\.from_dict: ValueError: the properties \['tags_item'\] are lost"):
        try_client("sample", contract.effective.raw, root / "generated/sample/client")
