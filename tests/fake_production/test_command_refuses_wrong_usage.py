"""The fake vendor's command reports wrong usage in one line."""

import socket

import pytest

from tests.support.production.fake import main


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown vendor, `all`, an invalid pattern and a port in use each exit with 3 and one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wrong = [["nosuch"], ["all"], ["jetemail", "--owns", "("], ["jetemail", "--port", str(taken.getsockname()[1])]]
        for arguments in wrong:
            assert main(["--vendor", *arguments]) == 3
            out, err = capsys.readouterr()
            assert (out, err[:7], err.count("\n")) == ("", "error: ", 1), arguments
