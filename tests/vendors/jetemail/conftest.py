"""The two ways to ask JetEmail's model."""

import pytest

from contract_watch.contracts.registry import Contract
from tests.support.model_driver import ModelDriver


@pytest.fixture(name="mock_model")
def _mock_model(jetemail: Contract) -> ModelDriver:
    """Start the model like the mock does, with every object known."""
    return ModelDriver.start(jetemail, fresh="")


@pytest.fixture(name="suite_model")
def _suite_model(jetemail: Contract) -> ModelDriver:
    """Start the model like the suite does, with unknown objects unless their name starts with ``ct-``."""
    return ModelDriver.start(jetemail, fresh="ct-")
