"""A response check is one function and one line."""

import inspect

from contract_watch.engine.judging import response_checks
from contract_watch.engine.judging.response_checks import RESPONSE_CHECKS, check_response


def test_every_check_is_registered_once() -> None:
    """A check that somebody writes and forgets to register would pass unnoticed."""
    written = {
        function for name, function in inspect.getmembers(response_checks, inspect.isfunction)
        if name.startswith("check_") and function is not check_response
    }  # fmt: skip
    assert written == set(RESPONSE_CHECKS)
    assert len(RESPONSE_CHECKS) == len(written)
