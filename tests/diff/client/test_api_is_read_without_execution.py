"""The public API of a package as plain data, read without execution."""

from pathlib import Path

import pytest

from contract_watch.diff.client.api import ClientApi, read_api
from contract_watch.diff.client.class_uses import ClassUse, find_class_uses
from contract_watch.errors import UsageError
from tests.support.clients.document_edits import load_generated_client, write_package

FILES = {
    "__init__.py": 'raise RuntimeError("run")\nfrom .client import Client\n__all__ = ("Client",)\n',
    "client.py": """
from attrs import define, field
@define
class Client:
    strict: bool = field(default=False, kw_only=True)
    token: str = field(repr=False)
    _url: str = field(alias="url")
    def close(self, now: bool = True) -> None: ...
""",
    "_own.py": "def helper() -> None: ...\n",
    "types.py": """
class Unset: ...
UNSET: Unset = Unset()
INNER = 1
__all__ = ["UNSET", "Unset"]
""",
    "models/__init__.py": """
from .color import Color
from .user import User
__all__ = ("Color", "User")
""",
    "models/color.py": """
from enum import StrEnum
class Color(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"
    def __str__(self) -> str: ...
""",
    "models/user.py": """
from __future__ import annotations
from typing import Any, TypeVar
from attrs import define as _attrs_define
from attrs import field as _attrs_field
from ..types import UNSET, Unset
from ..models.color import Color
T = TypeVar("T", bound="User")
@_attrs_define
class User:
    name: str
    color: Color | Unset = UNSET
    friends: list[User] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)
    @property
    def additional_keys(self) -> list[str]: ...
    @classmethod
    def from_dict(cls: type[T], raw: dict[str, Any]) -> T: ...
""",
    "api/users/add_user.py": """
from typing import Any
from ...client import Client
from ...models.user import User
def _get_kwargs(body: User) -> dict[str, Any]: ...
def sync(id: str, *, client: Client, body: User, limit: int = 10) -> User | None: ...
""",
}


@pytest.fixture(name="api")
def _api(tmp_path: Path) -> ClientApi:
    return read_api(write_package(tmp_path, FILES), "acme_client")


def test_nothing_is_run(api: ClientApi) -> None:
    """Read a package that raises an error on import."""
    assert "acme_client.models.User.name" in api.symbols


def test_symbols_go_by_the_names_that_users_write(api: ClientApi) -> None:
    """Name a symbol as code imports it: re-exports by their short names, no private names."""
    assert api.modules == {
        "acme_client",
        "acme_client.api",
        "acme_client.api.users",
        "acme_client.api.users.add_user",
        "acme_client.models",
        "acme_client.types",
    }
    assert set(api.classes) == {
        "acme_client.Client",
        "acme_client.models.Color",
        "acme_client.models.User",
        "acme_client.types.Unset",
    }
    assert set(api.functions) == {"acme_client.api.users.add_user.sync"}
    assert set(api.values) == {"acme_client.types.UNSET"}
    assert {"acme_client.models.Color.RED", "acme_client.Client.close(now)"} < api.symbols
    assert not any(
        "_url" in symbol or "_get_kwargs" in symbol or "_own" in symbol or ".user.User" in symbol
        for symbol in api.symbols
    )


def test_parameters_have_kind_type_default_and_position(api: ClientApi) -> None:
    """Read everything that a call depends on, for each kind of parameter."""
    function = api.functions["acme_client.api.users.add_user.sync"]
    assert [(one.name, one.kind, one.default, one.position) for one in function.parameters] == [
        ("id", "positional or keyword", None, 0),
        ("client", "keyword-only", None, 1),
        ("body", "keyword-only", None, 2),
        ("limit", "keyword-only", "10", 3),
    ]
    assert function.returns is not None
    assert set(function.returns.class_names) == {"acme_client.models.User", "None"}


def test_attributes_say_whether_the_class_is_made_with_them(api: ClientApi) -> None:
    """Know the arguments of an attrs class without attrs: required, optional, not initialised, properties, field options."""
    user = api.classes["acme_client.models.User"].attributes
    assert {name: (one.is_init_argument, one.is_required, one.default) for name, one in user.items()} == {
        "name": (True, True, None),
        "color": (True, False, "UNSET"),
        "friends": (True, False, "UNSET"),
        "additional_properties": (False, False, "dict"),
        "additional_keys": (False, False, None),
    }
    client = api.classes["acme_client.Client"].attributes
    assert {name: (one.is_required, one.default) for name, one in client.items()} == {
        "strict": (False, "False"),
        "token": (True, None),
    }


def test_an_enumeration_has_members(api: ClientApi) -> None:
    """Separate members of an enumeration from attributes."""
    color = api.classes["acme_client.models.Color"]
    assert color.enum_members == {"RED": "'red'", "DARK_BLUE": "'dark-blue'"}
    assert (color.attributes, color.bases) == ({}, ("enum.StrEnum",))
    assert api.classes["acme_client.models.User"].enum_members is None


def test_classes_are_used_as_the_functions_use_them(api: ClientApi) -> None:
    """Derive the use of a class from the signatures of functions.

    A class that a function takes and returns is set and read, one that it only takes is set; a class without a function
    counts as both.
    """
    both = ClassUse.SET | ClassUse.READ
    assert find_class_uses(api) == {
        "acme_client.Client": ClassUse.SET,
        "acme_client.models.User": both,
        "acme_client.models.Color": both,
        "acme_client.types.Unset": both,
    }
    found = find_class_uses(read_api(load_generated_client("jetemail").directory, "jetemail_client"))
    assert found["jetemail_client.models.SmtpUserStatus"] is ClassUse.READ
    assert found["jetemail_client.models.UpdateSmtpUserBodyStatus"] is ClassUse.SET


@pytest.mark.parametrize(
    ("files", "what"), [({}, "has no package acme_client"), ({"__init__.py": "def"}, "is not valid Python")]
)
def test_what_is_no_package_is_one_line(files: dict[str, str], what: str, tmp_path: Path) -> None:
    """Report a missing or invalid package in one line."""
    with pytest.raises(UsageError, match=what) as caught:
        read_api(write_package(tmp_path, files), "acme_client")
    assert "\n" not in str(caught.value)


def test_classes_of_thousands_of_members_are_refused_at_once(tmp_path: Path) -> None:
    """A document may name a hundred thousand values of one enumeration; reading them would take hours."""
    package = tmp_path / "acme_client"
    package.mkdir()
    (package / "__init__.py").write_text("")
    members = "".join(f'    V{number} = "v{number}"\n' for number in range(20_000))
    (package / "kind.py").write_text(f"from enum import Enum\n\n\nclass Kind(str, Enum):\n{members}")
    with pytest.raises(
        UsageError, match="acme_client: a client with more than 5,000 members in one class is not compared"
    ):
        read_api(tmp_path, "acme_client")
