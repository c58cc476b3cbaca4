"""The two ways to ask JetEmail's model."""

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.model_driver import ModelDriver


@pytest.fixture(name="mock_model")
def _mock_model(jetemail: Contract) -> ModelDriver:
    """The model as the mock asks it: everything is known, the first outcome is taken."""
    return ModelDriver.start(jetemail, fresh="")


@pytest.fixture(name="suite_model")
def _suite_model(jetemail: Contract) -> ModelDriver:
    """The model as the suite asks it: of names that do not begin with ``ct-`` nothing is known."""
    return ModelDriver.start(jetemail, fresh="ct-")
