"""A real browser for the tests of the page: Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.interop.environments import DIRECTORY, NotFetchedError, prepare_node

AXE_DIRECTORY = DIRECTORY.parent / "page"
_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start the browser; skip the test where there is none, except in CI, where it fails."""
    program = next((found for name in _NAMES if (found := shutil.which(name)) is not None), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no browser: install chromium")
        pytest.skip("no browser: install chromium")
    with sync_playwright() as driver:
        # Without a sandbox of its own it also runs as root, as in a container. It opens files of the tests alone.
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def read_axe() -> str:
    """Return the source of axe-core."""
    try:
        prepare_node(AXE_DIRECTORY)
    except NotFetchedError as error:
        pytest.fail(str(error)) if os.environ.get("CI") else pytest.skip(str(error))
    return (AXE_DIRECTORY / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@contextmanager
def open_page(browser: Browser, path: Path, **options: object) -> Iterator[Page]:
    """Open a file; whatever the page prints as an error, or asks the network for, fails the test."""
    problems: list[str] = []
    context = browser.new_context(offline=True, **options)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith("file:") else problems.append(request.url))
    try:
        page.goto(path.as_uri())
        yield page
        assert problems == []
    finally:
        context.close()


def wait_until(page: Page, condition: str) -> None:
    """Wait until ``condition`` holds; Playwright's own way evaluates text, which the page's policy forbids."""
    for _ in range(2000):
        if page.evaluate(condition):
            return
        page.evaluate("() => new Promise(requestAnimationFrame)")
    pytest.fail(f"never true: {condition}")
