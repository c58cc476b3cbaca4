"""The two ways to ask ZITADEL's model."""

import pytest

from tests.vendors.zitadel.model_driver import ZitadelModelDriver


@pytest.fixture(name="mock_model")
def _mock_model() -> ZitadelModelDriver:
    """Start the model like the mock does, with every object known."""
    return ZitadelModelDriver.start("")


@pytest.fixture(name="suite_model")
def _suite_model() -> ZitadelModelDriver:
    """Start the model like the suite does, with unknown objects unless their id starts with ``ct-``."""
    return ZitadelModelDriver.start("ct-")
