"""The page in headless Chromium: no axe-core violation, and it scrolls in one direction only."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

import reports
from nethealth.model.record import Record
from tests.reports import examples
from tests.reports.test_hostile import NASTY, spoilt
from tests.reports.test_look import LOOKS

OFFLINE = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]  # fmt: skip
RECORDS: dict[str, Record] = {
    **{name: make() for name, make in examples.ALL.items() if name != "degraded"},
    "unbroken": spoilt(examples.degraded(), "unbroken" * 30),
    "markup": spoilt(examples.degraded(), NASTY[1]),
}
TOO_WIDE = """() => [...document.querySelectorAll('body *:not(thead *, thead, .skip)')]
    .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5
              || e.getBoundingClientRect().left < -0.5)
    .map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    assert executable, "chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=OFFLINE)
        yield browser
        browser.close()


def opened(browser: Browser, record: Record, folder: Path, width: int) -> tuple[Page, list[str]]:
    place = folder / "report.html"
    place.write_bytes(reports.RENDERERS["html"].render(reports.compose(record, previous=())))
    page = browser.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(place.as_uri())
    return page, complaints


def test_a_councils_own_page_shows_its_logo_and_breaks_no_rule(
    browser: Browser, tmp_path: Path
) -> None:
    """The page's policy admits both style sheets and the picture: Chromium complains of nothing."""
    place = tmp_path / "report.html"
    [page_bytes] = reports.render(RECORDS["all-clear"], ["html"], look=LOOKS["svg"])
    place.write_bytes(page_bytes)
    page = browser.new_page(viewport={"width": 320, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(place.as_uri())
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    width = page.get_by_role("img", name=LOOKS["svg"].branding.name).first.evaluate(
        "image => image.naturalWidth"
    )
    assert width == 120
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
    page.close()


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("name", RECORDS)
def test_no_violation_and_no_sideways_scroll(
    browser: Browser, tmp_path: Path, name: str, width: int
) -> None:
    page, complaints = opened(browser, RECORDS[name], tmp_path, width)
    modes: tuple[tuple[Literal["screen", "print"], Literal["light", "dark"]], ...] = (
        ("screen", "light"), ("screen", "dark"), ("print", "light"), ("print", "dark"),
    )  # fmt: skip
    for media, scheme in modes if width > 320 else modes[:2]:  # paper has one width
        page.emulate_media(media=media, color_scheme=scheme)
        results = Axe().run(page)
        assert results.violations_count == 0, f"{media} {scheme}: {results.generate_report()}"
        if media == "screen":
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.evaluate(TOO_WIDE) == []
    assert complaints == []  # the page's own policy refused nothing
    page.close()


def test_tables_keep_their_meaning_where_they_are_cards(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, RECORDS["demonstration"], tmp_path, 320)
    table = page.get_by_role("table", name="Huntingdonshire District Council")
    assert table.get_by_role("columnheader").count() == 6
    assert table.get_by_role("row").count() == 4
    assert table.get_by_role("rowheader", name="One Leisure St Ives").is_visible()
    page.close()


def test_the_keyboard_reaches_the_summary_first(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, RECORDS["demonstration"], tmp_path, 1280)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.close()


def test_links_are_large_enough_to_hit(browser: Browser, tmp_path: Path) -> None:
    """WCAG 2.2, 2.5.8: 24 by 24 CSS pixels."""
    page, _ = opened(browser, RECORDS["demonstration"], tmp_path, 320)
    boxes = page.eval_on_selector_all(
        "nav a", "links => links.map(e => e.getBoundingClientRect().height)"
    )
    assert boxes
    assert min(boxes) >= 24
    page.close()
