"""The first journey in a real browser: log in, order, see pictures, download, in two languages and on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from bespoke.provenance import read_mark

NAME, PASSWORD = "ada", "a-long-pass-phrase-9"
PATIENCE = 120_000  # milliseconds: a busy machine is no mistake

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        except Error:
            pytest.skip("no Chromium is installed (Debian: apt install chromium)")
        yield started
        started.close()


def test_from_login_to_a_marked_picture_and_nothing_is_asked_of_others(
    browser: Browser, live: Any, tmp_path: Path
) -> None:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, troubles = context.new_page(), []
    page.on("request", lambda asked: troubles.append(asked.url) if not asked.url.startswith(live.address) else None)
    page.on("console", lambda told: troubles.append(told.text) if told.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))

    page.goto(live.address)
    # By keyboard alone, as soon as the page is ready for it.
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New pictures")).to_be_visible()

    page.get_by_label("What to draw").fill("a red zebra")
    page.get_by_label("Balance").press("End")
    expect(page.locator("output")).to_have_text("1.00")
    page.get_by_label("Pictures").fill("2")
    page.get_by_role("button", name="Create").click()
    tiles = page.locator("a.tile")
    expect(tiles).to_have_count(2)
    expect(page.get_by_text("The model has never seen these words")).to_contain_text("zebra")
    drawn = "() => [...document.images].every(image => image.complete && image.naturalWidth > 0)"
    page.wait_for_function(drawn)

    tiles.first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    saved = tmp_path / "picture.png"
    download.value.save_as(saved)
    assert read_mark(saved)["prompt"] == "a red zebra"
    assert read_mark(saved)["balance"] == 1.0

    page.get_by_role("link", name="Make more like this").click()
    expect(page.get_by_label("What to draw")).to_have_value("a red zebra")
    expect(page.locator("output")).to_have_text("1.00")

    page.get_by_role("button", name="日本語").click()
    expect(page.get_by_role("heading", name="新しい画像")).to_be_visible()
    page.goto(f"{live.address}/v1/docs")
    expect(page.get_by_text("/v1/images/generations")).to_be_visible()
    assert troubles == []
    fits_on_a_phone(browser, live, context.storage_state())
    context.close()


def fits_on_a_phone(browser: Browser, live: Any, state: Any) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, storage_state=state, color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    for place in ("create", "gallery", "models", "tokens", "people"):
        page.goto(f"{live.address}/{place}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
        assert not covered(page), place
    context.close()


def covered(page: Page) -> list[str]:
    """Buttons and fields that reach out of the page or are too small for a finger."""
    return page.evaluate(
        """() => [...document.querySelectorAll("main button, main a.button, main input, main select, main textarea")]
        .filter(e => e.type !== "hidden" && e.checkVisibility())
        .map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
        .filter(([, box]) => box.left < 0 || box.right > innerWidth || box.height < 24)
        .map(([text]) => text)"""
    )
