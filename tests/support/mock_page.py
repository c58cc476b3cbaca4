"""The page of a mock in a real browser; whatever it breaks, prints or asks of another server fails the test."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, expect

_REFUSED_TRY = "Failed to load resource: the server responded with a status of"
"""The browser's own message about a response of the mock that is an error, as many vendors' responses are."""


@contextmanager
def open_mock_page(
    browser: Browser, address: str, query: str = "", *, tolerated: str = _REFUSED_TRY, **options: object
) -> Iterator[Page]:
    """Open the page of the mock at ``address`` and wait for the contract.

    Messages of the browser with ``tolerated`` in them are no problem. ``options`` are those of its context.
    """
    problems: list[str] = []

    def note_message(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and tolerated not in message.text:
            problems.append(message.text)

    def note_dialog(dialog: Dialog) -> None:
        problems.append(dialog.message)
        dialog.dismiss()

    expect.set_options(timeout=20_000)  # the page asks each second, and less often where the machine is busy
    context = browser.new_context(**options)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", note_dialog)
    page.on("console", note_message)
    page.on("request", lambda request: None if is_own(request.url, address) else problems.append(request.url))
    try:
        page.goto(f"{address}/{query}")
        page.locator(".opblock").first.wait_for()
        yield page
        assert problems == []
    finally:
        context.close()


def is_own(url: str, address: str) -> bool:
    """Return True if a request stays with the mock, or needs no server."""
    return url.startswith((f"{address}/", "data:", "blob:"))
