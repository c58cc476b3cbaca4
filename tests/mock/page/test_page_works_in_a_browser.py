"""The page of the mock works in a real browser: requests are tried, calls and state appear, faults are planted."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from contract_watch.contracts.registry import ROOT, load_contracts
from contract_watch.mock.server import build_mock, run_in_thread
from tests.support.browser import open_browser, read_axe, wait_until
from tests.support.mock_page import open_mock_page

KEY = {"Authorization": "Bearer api_test_paid_0123456789abcdef"}
PATH = "/outbound/smarthost"


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(name="address")
def _address() -> Iterator[str]:
    """Serve every vendor, fresh for each test."""
    with run_in_thread(build_mock(list(load_contracts().values()), {})) as address:
        yield address


def open_operation(page: Page, name: str) -> Locator:
    """Unfold an operation of the contract."""
    block = page.locator(f"[id$='-{name}'].opblock")
    block.locator(".opblock-summary-control").click()
    return block


def send_body(block: Locator, body: str) -> None:
    """Send a request of an unfolded operation."""
    block.locator("textarea.body-param__text").fill(body)
    block.get_by_role("button", name="Execute").click()


def test_a_user_is_created_on_the_page_seen_and_deleted(browser: Browser, address: str) -> None:
    """A request tried on the page changes the state, and both table and journal show it; so does a DELETE with a body."""
    with open_mock_page(browser, address, "?vendor=jetemail") as page:
        block = open_operation(page, "createSmtpUser")
        send_body(block, '{"username": "made-on-the-page"}')
        expect(block.locator(".live-responses-table")).to_contain_text("SMTP user created successfully")
        row = page.locator("#state tbody tr").filter(has_text="made-on-the-page")
        expect(row).to_contain_text("paid")
        call = page.locator("#calls > li").first
        expect(call).to_contain_text("POST")
        expect(call).to_contain_text("200")
        call.locator("summary").click()
        expect(call.locator("pre").first).to_have_text('{\n  "username": "made-on-the-page"\n}')
        expect(call).to_contain_text("[redacted, 24 characters]")
        send_body(open_operation(page, "deleteSmtpUser"), '{"username": "made-on-the-page"}')
        expect(page.locator("#state-empty")).to_be_visible()
        expect(page.locator("#calls > li")).to_have_count(2)
    calls = httpx.get(f"{address}/__mock/calls").json()
    assert [(call["method"], call["body"], call["credential"]) for call in calls] == [
        (method, {"username": "made-on-the-page"}, True) for method in ("POST", "DELETE")
    ]


def test_calls_of_other_programs_appear_and_are_filtered(browser: Browser, address: str) -> None:
    """The journal shows the newest first, as it comes; a filter hides the rest, and what is open stays open."""
    with open_mock_page(browser, address) as page:
        for name in ("first", "second"):
            httpx.post(address + PATH, headers=KEY, json={"username": name})
        expect(page.locator("#calls > li")).to_have_count(2)
        page.locator("#calls > li").nth(1).locator("summary").click()
        expect(page.locator("#calls > li").nth(1)).to_contain_text('"first"')
        httpx.get(address + PATH)
        expect(page.locator("#calls > li").first).to_contain_text("401")
        expect(page.locator("#calls > li details[open]")).to_have_count(1)
        page.get_by_label("Filter calls").fill("post second")
        expect(page.locator("#calls > li:visible")).to_have_count(1)
        expect(page.locator("#calls-count")).to_have_text("1 of 3")
        page.get_by_role("button", name="Clear calls").click()
        expect(page.locator("#calls > li")).to_have_count(0)
        assert httpx.get(f"{address}/__mock/calls").json() == []


def test_an_account_is_chosen_for_the_requests(browser: Browser, address: str) -> None:
    """The key of the chosen account travels, and another choice replaces it."""
    with open_mock_page(browser, address, "?vendor=smtp2go") as page:
        for account, status in (("full", 200), ("restricted", 400), ("full", 200)):
            page.get_by_role("radio", name=account, exact=True).check()
            block = page.locator("[id$='-viewSmtpUsers'].opblock")
            if not block.locator("textarea").count():
                open_operation(page, "viewSmtpUsers")
            send_body(block, "{}")
            expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text(str(status))


def test_a_reset_empties_the_state(browser: Browser, address: str) -> None:
    """The button deletes the objects of all vendors."""
    httpx.post(address + PATH, headers=KEY, json={"username": "gone"})
    with open_mock_page(browser, address) as page:
        expect(page.locator("#state tbody tr")).to_have_count(1)
        page.get_by_role("button", name="Reset every vendor").click()
        expect(page.locator("#state-empty")).to_be_visible()
        assert httpx.get(f"{address}/__mock/state").json()["jetemail"] == []


def test_a_fault_of_the_form_fails_the_next_try(browser: Browser, address: str) -> None:
    """A fault is planted for one operation, shown while it waits, and gone once it was played."""
    with open_mock_page(browser, address) as page:
        page.locator("summary").filter(has_text="Faults").click()
        page.get_by_role("button", name="Add fault").click()
        expect(page.locator("#problem")).to_have_text("A fault needs a status or a delay; give one of them.")
        page.get_by_role("combobox", name="Operation", exact=True).select_option("createSmtpUser")
        page.get_by_role("combobox", name="Status", exact=True).fill("503")
        page.get_by_role("button", name="Add fault").click()
        expect(page.locator("#problem")).to_be_hidden()
        expect(page.locator("#faults li")).to_contain_text("createSmtpUser")
        block = open_operation(page, "createSmtpUser")
        send_body(block, '{"username": "late"}')
        expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("503")
        expect(page.locator("#faults li")).to_have_count(0)
        send_body(block, '{"username": "late"}')
        expect(page.locator("#state tbody tr")).to_contain_text("late")


def test_an_interpretation_is_chosen(browser: Browser, address: str) -> None:
    """A choice reaches the mock, and the page shows choices that others make."""
    with open_mock_page(browser, address) as page:
        page.locator("summary").filter(has_text="Interpretations").click()
        select = page.get_by_role("combobox", name="new-status")
        expect(select).to_have_value("active")
        select.select_option("suspended")
        expect(page.locator("#announcement")).to_have_text("new-status is suspended")
        assert httpx.get(f"{address}/__mock/interpretations").json()["jetemail"]["new-status"] == "suspended"
        page.locator("body").click(position={"x": 2, "y": 2})
        httpx.put(f"{address}/__mock/interpretations", json={"jetemail": {"names": "lowered"}})
        expect(page.get_by_role("combobox", name="names", exact=True)).to_have_value("lowered")


def test_another_contract_may_be_chosen_before_the_first_is_drawn(browser: Browser, address: str) -> None:
    """The contract that was chosen last is drawn, and its key filled in, however long the other takes to come."""
    with open_mock_page(browser, address, "?vendor=jetemail") as page:
        held: list[Route] = []
        page.route("**/documents/smtp2go.json", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks it)
        page.get_by_role("radio", name="SMTP2GO", exact=True).check()
        wait_until(page, "() => document.title.startsWith('SMTP2GO')")
        page.get_by_role("radio", name="ZITADEL", exact=True).check()
        expect(page.locator("[id$='-listSmtpConfigs'].opblock")).to_be_visible()
        with page.expect_response("**/documents/smtp2go.json"):
            held[0].continue_()
        for _ in range(30):  # as long as a contract takes to be drawn
            page.evaluate("() => new Promise(requestAnimationFrame)")
        expect(page.locator("[id$='-listSmtpConfigs'].opblock")).to_be_visible()
        expect(page.locator("[id$='-viewSmtpUsers'].opblock")).to_have_count(0)


def test_calls_of_a_mock_that_started_again_replace_the_old_ones(browser: Browser, address: str) -> None:
    """Numbers that begin at 1 again name other calls."""
    with open_mock_page(browser, address) as page:
        httpx.post(address + PATH, headers=KEY, json={"username": "old"})
        expect(page.locator("#calls > li")).to_have_count(1)
        entry = {**httpx.get(f"{address}/__mock/calls").json()[0], "at": 1.5, "path": "/of-the-new-mock"}
        page.route("**/__mock/calls?*", lambda route: route.fulfill(json=[entry]))
        expect(page.locator("#calls > li")).to_contain_text("/of-the-new-mock")
        expect(page.locator("#calls > li")).to_have_count(1)
        page.unroute_all(behavior="wait")


@pytest.mark.parametrize("slug", list(load_contracts()))
def test_every_operation_of_a_contract_is_rendered(browser: Browser, address: str, slug: str) -> None:
    """The effective document of each vendor is shown whole, with the mock as its only server."""
    contract = load_contracts()[slug]
    with open_mock_page(browser, address) as page:
        page.get_by_role("radio", name=contract.name).check()
        expect(page.locator(".opblock")).to_have_count(len(contract.operations))
        expect(page.locator("#addresses")).to_contain_text(address + contract.base_path)
        for credential in contract.credentials:
            expect(page.locator("#accounts")).to_contain_text(credential.test)
        assert page.locator("#servers option").all_inner_texts() == [f"{address}{contract.base_path} - this mock"]
        page.reload()
        expect(page.get_by_role("radio", name=contract.name)).to_be_checked()


def test_a_hidden_page_asks_nothing(browser: Browser, address: str) -> None:
    """Requests stop while nobody sees the page, and one comes at once when it is seen again."""
    with open_mock_page(browser, address) as page:
        expect(page.locator("#status")).to_have_text("live")
        page.evaluate(
            """() => { window.asked = 0; const ask = window.fetch;
            window.fetch = (...given) => { window.asked += 1; return ask(...given); };
            Object.defineProperty(document, "hidden", { get: () => window.isHidden ?? false, configurable: true }); }"""
        )
        wait_until(page, "window.asked > 8")  # two rounds and more
        page.clock.install()
        page.evaluate("() => { window.isHidden = true; document.dispatchEvent(new Event('visibilitychange')); }")
        page.wait_for_load_state("networkidle")
        asked = page.evaluate("window.asked")
        page.clock.run_for(60_000)
        assert page.evaluate("window.asked") == asked
        page.evaluate("() => { window.isHidden = false; document.dispatchEvent(new Event('visibilitychange')); }")
        wait_until(page, f"window.asked > {asked}")


def test_a_stopped_mock_is_reported(browser: Browser) -> None:
    """The page says that the mock is gone; it does not go on showing "live"."""
    with (
        run_in_thread(build_mock([load_contracts()["jetemail"]], {})) as address,
        open_mock_page(browser, address, tolerated="net::ERR_INTERNET_DISCONNECTED") as page,
    ):
        expect(page.locator("#status")).to_have_text("live")
        expect(page.locator("#vendors")).to_be_hidden()
        page.context.set_offline(True)
        expect(page.locator("#status")).to_have_text("The mock does not answer; start it again.")
        page.context.set_offline(False)
        expect(page.locator("#status")).to_have_text("live")


def test_the_page_works_by_keyboard_alone(browser: Browser, address: str) -> None:
    """Skip links, vendors, calls and the contract are reached and used without a mouse."""
    httpx.get(address + PATH, headers=KEY)
    with open_mock_page(browser, address) as page:
        expect(page.locator("#calls > li")).to_have_count(1)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        wait_until(page, "document.activeElement.id === 'contract'")
        press_tab_until(page, "document.activeElement.closest('.opblock') !== null")
        page.keyboard.press("Enter")
        expect(page.locator(".opblock.is-open")).to_have_count(1)
        press_tab_until(page, "document.activeElement.closest('#calls summary') !== null")
        page.keyboard.press("Enter")
        expect(page.locator("#calls details[open] pre").first).to_be_visible()
        page.get_by_role("radio", name="JetEmail").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="SMTP2GO")).to_be_checked()
        expect(page.locator(".opblock-summary-path").first).to_contain_text("/users/smtp/")


def press_tab_until(page: Page, condition: str) -> None:
    """Press Tab until the condition holds, 80 times at most."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return
    pytest.fail(f"not reached by Tab: {condition}")


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1280)])
@pytest.mark.parametrize("slug", list(load_contracts()))
def test_axe_finds_nothing_serious(browser: Browser, address: str, slug: str, scheme: str, width: int) -> None:
    """Everyone can read and use the page, the renderer's part too, with a response shown and all panels open."""
    size = {"width": width, "height": 800}
    with open_mock_page(
        browser, address, f"?vendor={slug}", color_scheme=scheme, viewport=size, reduced_motion="reduce"
    ) as page:
        page.locator(".opblock-summary-control").first.click()
        page.locator(".opblock").get_by_role("button", name="Execute").first.click()
        page.locator(".live-responses-table").first.wait_for()
        expect(page.locator("#calls > li")).to_have_count(1)
        page.evaluate("() => document.querySelectorAll('details').forEach((node) => { node.open = true; })")
        expect(page.locator("main main[role=group]")).to_have_count(1)
        wait_until(page, "document.getAnimations().every((one) => one.playState !== 'running')")
        page.evaluate(read_axe())
        found = page.evaluate("async () => (await axe.run()).violations")
        # The renderer's own main part is a group here: HTML does not foresee that, and two main parts are worse.
        serious = [one for one in found if (one["id"], one["impact"]) != ("aria-allowed-role", "minor")]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in serious] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            "nothing is wider than a phone"
        )


def test_the_screenshot_of_the_documentation_exists() -> None:
    """docs/mock.md shows the page, and the file stays small."""
    assert 0 < (ROOT / "docs" / "mock-page.png").stat().st_size < 400_000
