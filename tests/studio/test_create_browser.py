"""Typing in a real browser: words are marked, previews set the balance; a list in Japanese on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, expect
from test_browser import NAME, PASSWORD, PATIENCE, browser, covered  # noqa: F401 (a fixture)


def test_who_types_sees_unknown_words_and_previews_and_varies_what_comes_out(
    browser: Browser,  # noqa: F811
    live: Any,
) -> None:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, troubles = context.new_page(), []
    own = (live.address, "data:image/png;base64,")
    page.on("request", lambda asked: None if asked.url.startswith(own) else troubles.append(asked.url))

    def note(told: ConsoleMessage) -> None:
        busy = any(f"status of {status}" in told.text for status in (429, 503))  # no mistake: it is asked again
        if told.type in ("error", "warning") and not busy:
            troubles.append(told.text)

    page.on("console", note)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{live.address}/create")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    page.get_by_label("What to draw").press_sequentially("a red zebra and a zebrafish")
    expect(page.locator(".words[role=status]")).to_contain_text("The model has never seen these words")
    expect(page.locator(".under mark")).to_have_text(["zebra", "zebrafish"])  # each alone, not one in the other
    tries = page.locator("button.try")
    expect(tries).to_have_count(5)
    expect(page.locator("button.try[aria-pressed=true]")).to_have_attribute("value", "0.50")
    # By keyboard alone.
    tries.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("output")).to_have_text("0.25")
    expect(tries.nth(1)).to_have_attribute("aria-pressed", "true")
    shown = tries.nth(1).locator("img").get_attribute("src")
    page.get_by_role("button", name="Keep their seed, 0").click()
    expect(page.get_by_label("Seed")).to_have_value("0")
    expect(page.get_by_role("button", name="Keep their seed, 0")).to_be_hidden()
    page.get_by_label("Pictures").fill("1")
    page.get_by_label("Pictures").press("Enter")  # orders, and does not ask for a preview

    page.locator("a.tile").click()
    page.get_by_role("button", name="Vary it: other balances").click()
    expect(page.locator("#variations a.tile")).to_have_count(4)
    same = """async ([first, second]) => {
        const pixels = async (source) => {
            const image = new Image(); image.src = source; await image.decode();
            const sheet = new OffscreenCanvas(image.width, image.height).getContext("2d");
            sheet.drawImage(image, 0, 0);
            return sheet.getImageData(0, 0, image.width, image.height).data.join();
        };
        return await pixels(first) === await pixels(second);
    }"""
    drawn = page.locator("img.large").get_attribute("src")
    assert page.evaluate(same, [shown, drawn])  # what was previewed is what was drawn
    assert troubles == []
    context.close()


def test_what_is_typed_while_the_page_still_loads_is_kept_and_read_however_busy_the_studio(
    browser: Browser,  # noqa: F811
    live: Any,
) -> None:
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{live.address}/create")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    held: list[Any] = []
    page.route("**/create*.js", lambda asked: held.append(asked))  # the page is there, its script is not
    page.keyboard.press("Enter")
    text = page.get_by_label("What to draw")
    text.press_sequentially("a red zebra")
    page.route("**/create/words", lambda asked: asked.fulfill(status=503), times=1)  # so the studio is asked again
    held[0].continue_()
    expect(page.locator(".under mark")).to_have_text(["zebra"])
    page.keyboard.type(" and a zebrafish")  # to whatever has the focus
    expect(text).to_have_value("a red zebra and a zebrafish")
    expect(page.locator(".under mark")).to_have_text(["zebra", "zebrafish"])
    context.close()


def test_a_list_is_drawn_on_a_phone_in_japanese(browser: Browser, live: Any, tmp_path: Path) -> None:  # noqa: F811
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark", locale="ja-JP")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{live.address}/lists")
    page.locator("[name=username]").fill(NAME)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    (tmp_path / "一覧.csv").write_bytes("品番,商品説明\r\nA,赤いカップ\r\nB,\r\nC,青いカップ\r\n".encode("cp932"))
    page.get_by_label("表ファイル").set_input_files(tmp_path / "一覧.csv")
    page.get_by_role("button", name="始める").click()
    expect(page.get_by_role("heading", name="描けない行が 1 行あります")).to_be_visible()
    expect(page.get_by_role("row", name="3 – 文がありません")).to_be_visible()
    assert not covered(page)
    page.get_by_label("表ファイル").set_input_files(tmp_path / "一覧.csv")
    page.get_by_label("使えないものを除いて取り込む").check()
    page.get_by_role("button", name="始める").click()
    expect(page.get_by_text("2 行中 2 行を描きました")).to_be_visible()
    page.get_by_role("link", name="2 枚の画像を見る").click()
    expect(page.locator("a.tile")).to_have_count(2)
    for place in ("create", "lists", "gallery"):
        page.goto(f"{live.address}/{place}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
        assert not covered(page), place
    context.close()
