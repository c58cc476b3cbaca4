"""Tables that say where a key stands and contradict each other are one line, with the file and the remedy."""

from dataclasses import replace
from pathlib import Path

import pytest

from contract_watch.authoring.completeness import find_gaps
from contract_watch.engine.planning.unchecked import find_unchecked
from contract_watch.errors import UsageError
from tests.support.credential_forms import FORMS
from tests.support.resource_contracts import MadeApi

HEADER = '[[places]]\nname = "a"\nheader = "X-Key"\nform = "{}"\n'
ENDPOINT = '[token]\npath = "/oauth/token"\n'


@pytest.mark.parametrize(
    ("places", "extra", "says"),
    [
        ('[[places]]\nname = "a"\nform = "{}"\n', "", "one of `header`, `query` and `field`"),
        (HEADER + 'query = "q"\n', "", "one of `header`, `query` and `field`"),
        ('[[places]]\nname = "a"\nfield = "key"\nform = "{}"\n', "", "the first must have no `field`"),
        ('[[places]]\nname = "a"\nquery = "q"\nform = "Bearer {}"\n', "", 'with `query` must have the form "{}"'),
        (HEADER + 'encoding = "hex"\n', "", 'the `encoding` "base64"'),
        ('[[places]]\nname = "a"\nquery = "q"\nform = "{}"\nencoding = "base64"\n', "", "and a `header` then"),
        (HEADER + 'encoding = "base64"\n', ENDPOINT, "`token` needs `places` with a `header` and no `encoding`"),
        ('[[places]]\nname = "a"\nquery = "q"\nform = "{}"\n', ENDPOINT, "`token` needs `places` with a `header`"),
        (HEADER, '[token]\npath = "https://login.example/token"\n', "`token.path` must be a path from the server's root"),
        (HEADER, '[token]\npath = "//login.example/token"\n', "`token.path` must be a path"),
        (HEADER, '[token]\npath = "/a/../token"\n', "`token.path` must be a path"),
        (HEADER, '[token]\npath = "/token"\nauth = "jwt"\n', '`token.auth` must be "basic" or "body"'),
        (HEADER, "[token]\n", "lacks the key 'path'"),
    ],
)  # fmt: skip
def test_a_contradiction_is_one_line(tmp_path: Path, places: str, extra: str, says: str) -> None:
    """The line names contract.toml."""
    contract = MadeApi(places=places, extra=extra).write(tmp_path)
    with pytest.raises(UsageError) as error:
        _ = contract.credential_locations
    assert says in str(error.value)
    assert str(error.value).startswith(str(contract.config_file))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("form", ["madebasic", "madetoken"])
def test_a_test_key_has_its_form(tmp_path: Path, form: str) -> None:
    """The check of contracts names a test value without a colon."""
    contract = replace(FORMS[form], key="made_test_main_0123456789").write(tmp_path, form)
    assert [line for line in find_gaps(contract) if "`test` must hold " in line]


@pytest.mark.parametrize("form", FORMS)
def test_a_documented_scheme_is_used(tmp_path: Path, form: str) -> None:
    """The notes name no security scheme, and no operation has the key as an argument."""
    contract = FORMS[form].write(tmp_path, form)
    assert [one.id for one in find_unchecked(contract) if "/security/" in one.id] == []
    other = replace(FORMS["madequery"], security={"type": "apiKey", "in": "query", "name": "other"}).write(
        tmp_path, "x"
    )
    assert [one.id for one in find_unchecked(other) if "/security/" in one.id]


def test_a_key_declared_as_a_parameter_is_no_argument(tmp_path: Path) -> None:
    """Some documents also list the key among the parameters of the list."""
    contract = replace(FORMS["madequery"], query={"api_key": {"type": "string"}, "page": {"type": "integer"}}).write(
        tmp_path
    )
    assert set(contract.operations["listThings"].specs) == {"query:page"}
