"""The page of a night works in a real browser: offline, by keyboard, with hostile text, for all users."""

import copy
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from contract_watch.contracts.registry import ROOT
from contract_watch.nights.night_file import read_night
from contract_watch.nights.page import render_page
from tests.support.browser import open_browser, open_page, read_axe, wait_until
from tests.support.full_night import HOSTILE, SAMPLE

NIGHT = read_night(SAMPLE)
LIVE = NIGHT["vendors"][0]["axes"]["live"]
MISSING = "PATCH /outbound/smarthost 200: required property"


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    with open_browser() as browser:
        yield browser


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return write_page(tmp_path, NIGHT)


def write_page(directory: Path, night: dict[str, Any]) -> Path:
    """Write the page of a night; return its file."""
    path = directory / "index.html"
    path.write_text(render_page(night), encoding="utf-8")
    return path


def test_the_page_says_what_changed_since_when_whom_and_what_to_do(browser: Browser, file: Path) -> None:
    with open_page(browser, file) as page:
        section = page.locator("#jetemail-live")
        expect(section).to_contain_text("new since")
        expect(section).to_contain_text("breaking")
        expect(page.locator("#jetemail-mock")).to_contain_text("none")
        expect(page.locator("#smtp2go-live")).to_contain_text("no key in SMTP2GO_API_KEY")
        cause = page.locator("details.cause").filter(has_text=MISSING)
        cause.locator("summary").click()
        for text in (
            "Impact",
            "Who breaks",
            "callers of PATCH",
            "First seen",
            "last night without it",
            "curl -sS",
            "api.raw.update_smtp_user(",
        ):
            expect(cause).to_contain_text(text)
        assert page.locator("#jetemail-live svg.strip rect").count() == 90
        expect(page.locator("#jetemail-live table").first).to_contain_text("drifted")


def test_both_sides_of_a_document_change_are_marked(browser: Browser, file: Path) -> None:
    with open_page(browser, file) as page:
        cause = page.locator("#jetemail-document details.cause").first
        cause.locator("summary").click()
        assert (cause.locator("del").all_inner_texts(), cause.locator("ins").all_inner_texts()) == (["64"], ["5"])


def test_filters_show_what_matches_and_count_it(browser: Browser, file: Path) -> None:
    with open_page(browser, file) as page:
        every = page.locator("details.cause").count()
        expect(page.locator("#count")).to_have_text(f"{every} of {every} causes")
        page.keyboard.press("/")
        page.keyboard.type("message missing")
        expect(page.locator("details.cause:visible")).to_have_count(1)
        expect(page.locator("#count")).to_have_text(f"1 of {every} causes")
        page.keyboard.press("Escape")
        expect(page.locator("details.cause:visible")).to_have_count(every)
        page.get_by_label("severity").select_option("additive")
        expect(page.locator("details.cause:visible")).to_have_count(1)
        page.get_by_role("button", name="show all").click()
        page.get_by_label("axis").select_option("document")
        expect(page.locator("details.cause:visible")).to_have_count(1)


@pytest.mark.parametrize("with_clipboard", [True, False])
def test_commands_are_copied_exactly(browser: Browser, file: Path, with_clipboard: bool) -> None:
    with open_page(browser, file) as page:
        caught = "window.copied = [];"
        if with_clipboard:
            caught += "navigator.clipboard.writeText = async (text) => { window.copied.push(text); };"
        else:
            caught += "navigator.clipboard.writeText = async () => { throw new Error('denied'); };"
            caught += "document.execCommand = () => { window.copied.push(document.activeElement.value); return true; };"
        page.evaluate(f"() => {{ {caught} }}")
        cause = page.locator("details.cause").filter(has_text=MISSING)
        cause.locator("summary").click()
        cause.get_by_role("button", name="copy curl").click()
        expect(cause.get_by_role("button", name="copy curl")).to_have_text("copied")
        example = LIVE["causes"][0]["example"]
        assert page.evaluate("window.copied") == [example["reproduce"]]


def test_a_link_to_a_cause_opens_it(browser: Browser, file: Path) -> None:
    with open_page(browser, file) as page:
        cause = page.locator("details.cause").filter(has_text=MISSING)
        name = cause.get_attribute("id")
        expect(cause).not_to_have_attribute("open", "")
        page.goto(f"{file.as_uri()}#{name}")
        page.reload()
        expect(cause).to_have_attribute("open", "")
        assert page.evaluate("document.activeElement.parentElement.id") == name


def test_the_page_works_by_keyboard_alone(browser: Browser, file: Path) -> None:
    with open_page(browser, file) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.closest('details.cause') !== null"):
                break
        page.keyboard.press("Enter")
        name = page.evaluate("document.activeElement.parentElement.id")
        expect(page.locator(f"#{name}")).to_have_attribute("open", "")
        page.evaluate(
            "() => { window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text); }; }"
        )
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('button[data-copy]')"):
                break
        page.keyboard.press("Enter")
        wait_until(page, "window.copied.length === 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_serious(browser: Browser, file: Path, scheme: str, width: int) -> None:
    with open_page(browser, file, color_scheme=scheme, viewport={"width": width, "height": 800}) as page:
        page.evaluate("() => document.querySelectorAll('details').forEach((node) => { node.open = true; })")
        page.evaluate(read_axe())
        found = page.evaluate("async () => (await axe.run()).violations")
        assert [(one["id"], one["impact"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            "nothing is wider than a phone"
        )


def test_hostile_text_is_text(browser: Browser, tmp_path: Path) -> None:
    """The sample holds a property with markup in its name; here every string of the night is hostile."""

    def spoil(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoil(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [spoil(inner, key) for inner in value]
        fixed = {
            "vendor",
            "verdict",
            "severity",
            "state",
            "night",
            "started",
            "finished",
            "first_seen",
            "last_seen",
            "last_clean",
            "url",
        }
        return HOSTILE + value if isinstance(value, str) and key not in fixed else value

    assert HOSTILE[:20] in json.dumps(LIVE, ensure_ascii=False)
    with open_page(browser, write_page(tmp_path, spoil(NIGHT))) as page:
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 2
        expect(page.locator("#vendors")).to_contain_text("<img src=x onerror=alert(1)>{{7*7}} \\u202egnp.exe")
        page.get_by_label("severity").select_option("breaking")


def test_no_other_script_runs(browser: Browser, file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace(
        "<main>", "<main><script>window.injected = 1</script><p onclick='window.injected = 2' id='trap'>trap</p>"
    )
    file.write_text(text, encoding="utf-8")
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator("#trap").click()
    assert page.evaluate("window.injected === undefined")
    context.close()


def repeat_causes(count: int) -> dict[str, Any]:
    """Return the sample night with ``count`` causes on the live axis."""
    night = copy.deepcopy(NIGHT)
    axis = night["vendors"][0]["axes"]["live"]
    axis["causes"] = [
        {**axis["causes"][0], "id": f"cause/{number}", "title": f"cause number {number} </script>"}
        for number in range(count)
    ]
    return night


def test_5000_findings_are_shown_and_filtered(browser: Browser, tmp_path: Path) -> None:
    file = write_page(tmp_path, repeat_causes(5000))
    with open_page(browser, file) as page:
        assert measure_first_paint(page) < 1000
        page.get_by_label("search").fill("number 4999")
        expect(page.locator("details.cause:visible")).to_have_count(1)
        expect(page.locator("#count")).to_contain_text("1 of 50")


def measure_first_paint(page: Page) -> float:
    """Return the milliseconds until something was painted."""
    wait_until(page, "performance.getEntriesByName('first-contentful-paint').length > 0")
    found: float = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return found


def test_a_year_of_nights_is_small_and_paints_at_once(browser: Browser, file: Path) -> None:
    assert NIGHT["history"]["nights"] >= 365
    assert file.stat().st_size < 500_000
    with open_page(browser, file) as page:
        assert measure_first_paint(page) < 1000


def test_an_old_page_says_that_a_night_is_missing(browser: Browser, tmp_path: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    for hours, is_stale in ((2, False), (37, True)):
        finished = (now - dt.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        with open_page(browser, write_page(tmp_path, {**NIGHT, "finished": finished})) as page:
            expect(page.locator("#age")).to_have_text(f"{hours} hours old")
            assert page.locator("#stale").is_visible() is is_stale


def test_the_page_is_complete_without_its_script(browser: Browser, file: Path) -> None:
    with open_page(browser, file, java_script_enabled=False) as page:
        expect(page.locator("#jetemail-live")).to_contain_text(MISSING)
        assert not page.locator("#filters").is_visible()
        assert page.locator("button[data-copy]:visible").count() == 0


def test_the_page_prints_its_causes_open(browser: Browser, file: Path) -> None:
    with open_page(browser, file) as page:
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert not page.locator("#filters").is_visible()
        expect(page.locator("details.cause").first.locator("pre").first).to_be_visible()


def test_the_screenshots_of_the_documentation_exist() -> None:
    for scheme in ("light", "dark"):
        assert (ROOT / "docs" / f"night-{scheme}.png").stat().st_size < 400_000
