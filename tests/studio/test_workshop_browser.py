"""The workshop's journey in a real browser: upload, report, training that is killed twice, model, picture."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import zipfile
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect
from test_browser import NAME, PASSWORD, PATIENCE, browser, covered  # noqa: F401 (a fixture)

from bespoke.data.sample import write_sample

LONG = 600_000  # milliseconds, for a training on a busy machine


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Path, Path]:
    """A zip of 40 pictures, and a spreadsheet of their captions as Japanese Windows writes it."""
    folder = write_sample(tmp_path / "shop", 40, 32, seed=5, language="both")
    rows = [json.loads(line) for line in (folder / "metadata.jsonl").read_text("utf-8").splitlines()]
    table, archive = io.StringIO(), tmp_path / "pictures.zip"
    writer = csv.writer(table)
    writer.writerow(["ファイル名", "説明文", "color"])
    with zipfile.ZipFile(archive, "w") as pictures:
        for row in rows:
            writer.writerow([row["file_name"], row["texts"][0], row["color"]])
            pictures.write(folder / row["file_name"], row["file_name"])
    (tmp_path / "一覧.csv").write_bytes(table.getvalue().encode("cp932"))
    return archive, tmp_path / "一覧.csv"


def upload(page: Page, live: Any, name: str, *files: Path) -> None:
    page.goto(f"{live.address}/catalogues/upload")
    page.get_by_label("Name of the catalogue").fill(name)
    page.get_by_label("Pictures").set_input_files(files[0])
    if files[1:]:
        page.get_by_label("Spreadsheet").set_input_files(files[1])
    page.get_by_role("button", name="Upload").click()


def test_from_an_upload_to_a_picture_over_two_kills(
    browser: Browser,  # noqa: F811
    live: Any,
    inside: Any,
    shop: tuple[Path, Path],
) -> None:
    context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, troubles = context.new_page(), []
    page.on("request", lambda asked: troubles.append(asked.url) if not asked.url.startswith(live.address) else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(live.address)
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New pictures")).to_be_visible()

    # Without a spreadsheet nothing is kept.
    upload(page, live, "Shop", shop[0])
    expect(page.get_by_text("No spreadsheet was sent")).to_be_visible()
    upload(page, live, "Shop", *shop)
    page.get_by_role("link", name="To the catalogue").click()
    expect(page.get_by_role("heading", name="Not yet")).to_be_visible()
    expect(page.get_by_text("Usable pictures: 40.")).to_be_visible()

    # A caption is mended.
    page.get_by_role("link", name="40 pictures").click()
    first = page.locator("textarea").first
    first.fill("a very special cup")
    page.get_by_role("button", name="Save captions").click()
    expect(page.locator("textarea").first).to_have_value("a very special cup")
    folder = next(live.home.glob("catalogues/shop-v1"))
    assert "a very special cup" in (folder / "metadata.jsonl").read_text("utf-8")

    # A training, whose process is killed, and then the whole studio.
    page.get_by_role("link", name="Shop", exact=True).click()
    page.get_by_role("link", name="Train a model").click()
    page.get_by_text("More").click()
    page.get_by_label("Preset").select_option("test32")
    page.get_by_label("Other time, in minutes").fill("0.2")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="shop-v1")).to_be_visible()
    first_try = trainer(live, inside, 0)
    os.kill(first_try, signal.SIGKILL)
    trainer(live, inside, first_try)
    live.stop(signal.SIGKILL)
    live.start()
    inside.ask("UPDATE workshop_training SET lease_until = '2026-01-01 00:00:00' WHERE state = 'running'")
    expect(page.get_by_role("status")).to_have_text("Finished", timeout=LONG)
    expect(page.get_by_alt_text("Newest samples")).to_be_visible()
    page.get_by_role("link", name="To the model").click()

    # The model: not measured, so only a reason promotes it.
    expect(page.get_by_text("Training spent its whole budget.")).to_be_visible()
    live.wait(lambda: bool(inside.get("SELECT identity FROM studio_trainedmodel WHERE name = 'shop-v1'")))
    page.reload()
    page.get_by_role("button", name="Register").click()
    page.goto(f"{live.address}/models")
    page.get_by_role("link", name="shop-v1").click()
    page.get_by_label("Reason to promote").fill("to try it")
    page.get_by_role("button", name="Promote").click()
    expect(page.get_by_text("It is offered first now.")).to_be_visible()
    page.goto(f"{live.address}/create")
    expect(page.get_by_label("Model").locator("option").first).to_have_text("shop-v1")
    page.get_by_label("What to draw").fill("a very special cup")
    page.get_by_role("button", name="Create").click()
    expect(page.locator("a.tile")).to_have_count(4)
    assert troubles == []
    fits_on_a_phone(browser, live, context.storage_state())
    context.close()
    # What other tests look at is as it was.
    inside.ask("UPDATE studio_trainedmodel SET registered_at = NULL, promoted_at = NULL WHERE name = 'shop-v1'")


def trainer(live: Any, inside: Any, other_than: int) -> int:
    """The process that trains, once it is another."""
    find = "SELECT pid FROM workshop_training WHERE state = 'running' AND run = 'shop-v1'"
    live.wait(lambda: inside.get(find) not in (None, other_than))
    return int(inside.get(find))


def fits_on_a_phone(browser: Browser, live: Any, state: Any) -> None:  # noqa: F811
    context = browser.new_context(viewport={"width": 360, "height": 740}, storage_state=state, color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{live.address}/models")
    model = page.get_by_role("link", name="shop-v1").get_attribute("href")
    places = ["/catalogues", "/catalogues/upload", "/catalogues/1", "/catalogues/1/pictures", "/catalogues/1/train"]
    for place in [*places, model, "/models/compare"]:
        page.goto(f"{live.address}{place}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
        assert not covered(page), place
    context.close()


def send(live: Any, path: str, size: int, cookie: str = "") -> int:
    """The status of a POST of so many bytes."""
    request = Request(live.address + path, data=bytes(size), headers={"Cookie": cookie}, method="POST")
    try:
        with urlopen(request, timeout=120) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_who_is_not_logged_in_cannot_fill_the_disk(live: Any) -> None:
    assert send(live, "/login", 3 * 2**20) == 413
    assert send(live, "/v1/images/generations", 3 * 2**20) == 413
    assert send(live, "/catalogues/upload", 3 * 2**20) == 413
    assert send(live, "/catalogues/upload", 3 * 2**20, "bespoke_session=guessed") == 413
    assert send(live, "/login", 1000) == 403  # read, and refused for other reasons
