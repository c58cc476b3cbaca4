"""A repository of issues on loopback."""

from collections.abc import Iterator

import pytest

from tests.support.issues_api import Keeper, serve_issues


@pytest.fixture(name="keeper")
def _keeper() -> Iterator[Keeper]:
    """Serve an empty repository."""
    with serve_issues() as (api, server):
        yield Keeper(api, server)
