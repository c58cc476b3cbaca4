"""The two ways to ask ZITADEL's model."""

import pytest

from tests.vendors.zitadel.model_driver import ZitadelModelDriver


@pytest.fixture(name="mock_model")
def _mock_model() -> ZitadelModelDriver:
    """The model as the mock asks it: everything is known, the first outcome is taken."""
    return ZitadelModelDriver.start("")


@pytest.fixture(name="suite_model")
def _suite_model() -> ZitadelModelDriver:
    """The model as the suite asks it: of ids that do not begin with ``ct-`` nothing is known."""
    return ZitadelModelDriver.start("ct-")
