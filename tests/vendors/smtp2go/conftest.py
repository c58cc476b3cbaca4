"""The two ways to ask SMTP2GO's model."""

import pytest

from tests.vendors.smtp2go.model_driver import CONTRACT, Smtp2goModelDriver


@pytest.fixture(name="mock_model")
def _mock_model() -> Smtp2goModelDriver:
    """The model as the mock asks it: everything is known, the first outcome is taken."""
    return Smtp2goModelDriver.start(CONTRACT, fresh="")


@pytest.fixture(name="suite_model")
def _suite_model() -> Smtp2goModelDriver:
    """The model as the suite asks it: of names that do not begin with ``ct-`` nothing is known."""
    return Smtp2goModelDriver.start(CONTRACT, fresh="ct-")
