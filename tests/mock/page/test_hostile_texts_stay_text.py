"""Markup and scripts in documents, requests and state stay text on the page: nothing runs, nothing is fetched elsewhere."""

import copy
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Dialog, expect

from contract_watch.contracts.openapi import OpenApi
from contract_watch.contracts.registry import Contract, load_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.browser import open_browser
from tests.support.mock_page import is_own, open_mock_page

IMAGE = "<img src=x onerror=alert(1)>"
HOSTILE = (
    f"{IMAGE}<script>alert(2)</script><svg onload=alert(3)></svg><iframe src='https://evil.example/'></iframe>"
    "[link](javascript:alert(4)) <a href='javascript:alert(5)'>go</a> ![image](https://evil.example/pixel.png) "
    "<style>@import 'https://evil.example/style.css';</style><form action='https://evil.example/'><button>x</button></form>"
    " \u202egnp.exe </script>"
)
_PROSE = ("title", "summary", "description", "example", "default")


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


def spoil(value: Any, key: str = "") -> Any:
    """Return a document with hostile prose and tags."""
    if isinstance(value, dict):
        return {name: spoil(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [HOSTILE] if key == "tags" else [spoil(inner, key) for inner in value]
    return HOSTILE + value if isinstance(value, str) and key in _PROSE else value


def build_hostile_contract() -> Contract:
    """Build a contract whose document is hostile wherever text may be, and names servers of its own."""
    contract = Contract("jetemail")
    raw = spoil(copy.deepcopy(dict(contract.effective.raw)))
    raw["servers"] = [{"url": "https://evil.example/", "description": HOSTILE}]
    raw["externalDocs"] = {"url": "javascript:alert(6)", "description": HOSTILE}
    raw["info"]["contact"] = {"name": HOSTILE, "url": "javascript:alert(7)", "email": HOSTILE}
    raw["info"]["license"] = {"name": HOSTILE, "url": "data:text/html,<script>alert(8)</script>"}
    raw["info"]["termsOfService"] = "javascript:alert(9)"
    for item in raw["paths"].values():
        item["servers"] = raw["servers"]
    properties = raw["paths"]["/outbound/smarthost"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    properties["properties"][HOSTILE] = {"type": "string", "description": HOSTILE, "enum": [HOSTILE]}
    raw["components"]["schemas"]["Away"] = {"$ref": "https://evil.example/schema.json"}
    contract.effective = OpenApi(raw)
    return contract


def test_a_hostile_document_runs_nothing(browser: Browser) -> None:
    """Dialogs, other servers' images, frames and styles do not come from a document, closed or unfolded."""
    page_problems: list[str] = []

    def note_dialog(dialog: Dialog) -> None:
        page_problems.append(dialog.message)
        dialog.dismiss()

    with run_in_thread(build_mock([build_hostile_contract()], {})) as address:
        context = browser.new_context()
        page = context.new_page()
        page.on("dialog", note_dialog)
        page.on("pageerror", lambda error: page_problems.append(str(error)))
        # The policy of the page stops a request before it is one: Chromium tells of it as a failure.
        page.on("requestfinished", lambda one: None if is_own(one.url, address) else page_problems.append(one.url))
        page.on("response", lambda one: None if is_own(one.url, address) else page_problems.append(one.url))
        page.goto(f"{address}/")
        page.locator(".opblock").first.wait_for()
        for control in page.locator(".opblock-summary-control").all():
            control.click()
        expect(page.locator(".opblock.is-open")).to_have_count(4)
        page.locator(".renderedMarkdown").first.wait_for()
        unsafe = "script, iframe, style, form, [onerror], [onload], a[href^='javascript:'], a[href^='data:']"
        assert page.locator(".renderer").locator(unsafe).count() == 0
        for link in page.locator(".renderedMarkdown a:visible").all():
            link.click(no_wait_after=True)
        assert page.evaluate("window.location.origin") == address
        assert page.locator("#servers option").all_inner_texts() == [f"{address} - this mock"]
        context.close()
    assert page_problems == []


def test_hostile_calls_and_objects_are_text(browser: Browser) -> None:
    """Bodies, names of properties, paths and stored names are shown letter by letter; invisible characters are written out."""
    with run_in_thread(build_mock([load_contracts()["smtp2go"]], {})) as address:
        key = {"X-Smtp2go-Api-Key": "api-TestFull0123456789abcdef01234567"}
        body = {"username": IMAGE + "\u202egnp.exe", "description": HOSTILE}
        assert httpx.post(f"{address}/v3/users/smtp/add", headers=key, json=body).status_code == 200
        httpx.post(f"{address}/v3/users/smtp/view", headers=key, json={HOSTILE: [HOSTILE], "__proto__": {"x": 1}})
        httpx.post(f"{address}/__mock/faults", json={"operation": "addSmtpUser", "status": 500, "body": HOSTILE})
        with open_mock_page(browser, address) as page:
            expect(page.locator("#state td").nth(1)).to_have_text(f"{IMAGE}\\u{{202e}}gnp.exe")
            expect(page.locator("#calls > li")).to_have_count(2)
            for call in page.locator("#calls > li").all():
                call.locator("summary").click()
            expect(page.locator("#calls")).to_contain_text(IMAGE)
            page.locator("summary").filter(has_text="Faults").click()
            expect(page.locator("#faults")).to_contain_text(IMAGE)
            assert (
                page.locator(".live").locator("img, script, svg, iframe, form:not(#fault-form), a, style").count() == 0
            )
