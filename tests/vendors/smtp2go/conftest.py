"""The two ways to ask SMTP2GO's model."""

import pytest

from tests.vendors.smtp2go.model_driver import CONTRACT, Smtp2goModelDriver


@pytest.fixture(name="mock_model")
def _mock_model() -> Smtp2goModelDriver:
    """Start the model like the mock does, with every object known."""
    return Smtp2goModelDriver.start(CONTRACT, fresh="")


@pytest.fixture(name="suite_model")
def _suite_model() -> Smtp2goModelDriver:
    """Start the model like the suite does, with unknown objects unless their name starts with ``ct-``."""
    return Smtp2goModelDriver.start(CONTRACT, fresh="ct-")
