"""An edit in a real browser: upload, paint, see words and mask; once more in Japanese, with the mask as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, expect
from test_browser import NAME, PASSWORD, PATIENCE, browser, covered  # noqa: F401 (a fixture)


def test_a_picture_is_edited_where_it_was_painted_in_both_languages(
    browser: Browser,  # noqa: F811
    live: Any,
    tmp_path: Path,
) -> None:
    Image.new("RGB", (64, 64), (200, 0, 0)).save(tmp_path / "cup.png")
    Image.new("L", (64, 64), 255).save(tmp_path / "mask.png")
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, troubles = context.new_page(), []
    own = (live.address, "data:")
    page.on("request", lambda asked: None if asked.url.startswith(own) else troubles.append(asked.url))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{live.address}/edit")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    page.get_by_label("Another picture").set_input_files(tmp_path / "cup.png")
    canvas = page.locator(".paint canvas")
    expect(canvas).to_be_visible()
    page.get_by_label("What it shows now").fill("a red cup")
    page.get_by_label("What it should show").fill("a blue cup")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.get_by_label("Brush").fill("20")
    page.mouse.move(box["x"] + 10, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 40, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Change it").click()
    expect(page.locator(".result a.tile")).to_have_count(2)
    expect(page.locator(".changed")).to_have_text("red → blue")
    key = page.url.rsplit("/", 1)[1]
    (tmp_path / "got.png").write_bytes(context.request.get(f"{live.address}/jobs/{key}/mask").body())
    with Image.open(tmp_path / "got.png") as mask:
        assert mask.size == (64, 64)
        assert mask.getpixel((10, 8)) == 255
        assert mask.getpixel((50, 50)) == 0

    page.get_by_role("button", name="日本語").click()
    page.get_by_text("詳細設定").click()
    page.get_by_label("マスクのファイル").set_input_files(tmp_path / "mask.png")
    page.get_by_label("変えたい内容").fill("a green cup")
    page.get_by_role("button", name="変更する").click()
    expect(page.locator(".changed")).to_have_text("red → green")
    page.locator(".result a.tile").first.click()
    expect(page.get_by_text("変わった部分", exact=True)).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{live.address}/edit")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not covered(page)
    assert troubles == []
    context.close()
