"""The workshop's journey in a real browser: upload, report, training that is killed twice, model, picture."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import zipfile
from collections.abc import Callable
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect
from test_browser import NAME, PASSWORD, PATIENCE, browser, covered  # noqa: F401 (a fixture)

from bespoke.data.sample import write_sample

LOCALE = Path(__file__).parents[2] / "bespoke" / "studio" / "locale"
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


def upload(page: Page, live: Any, say: Callable[[str], str], name: str, *files: Path) -> None:
    page.goto(f"{live.address}/catalogues/upload")
    page.get_by_label(say("Name of the catalogue")).fill(name)
    page.get_by_label(say("Picture files")).set_input_files(files[0])
    if files[1:]:
        page.get_by_label(say("Spreadsheet")).set_input_files(files[1])
    page.get_by_role("button", name=say("Upload")).click()


@pytest.mark.parametrize(
    ("language", "name", "verdict", "kills"), [("en", "Shop", "Not yet", 2), ("ja", "Store", "まだ学習できません", 0)]
)
def test_from_an_upload_to_a_picture(
    browser: Browser,  # noqa: F811
    live: Any,
    inside: Any,
    shop: tuple[Path, Path],
    language: str,
    name: str,
    verdict: str,
    kills: int,
) -> None:
    say = (NullTranslations() if language == "en" else translation("django", LOCALE, [language])).gettext
    run = f"{name.lower()}-v1"
    context = browser.new_context(locale=language, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, troubles = context.new_page(), []
    page.on("request", lambda asked: troubles.append(asked.url) if not asked.url.startswith(live.address) else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(live.address)
    page.locator("[name=username]").fill(NAME)
    page.locator("[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=say("New pictures"))).to_be_visible()

    # Without a spreadsheet nothing is kept.
    upload(page, live, say, name, shop[0])
    told = say("No spreadsheet was sent: CSV, Excel or JSONL with a file name and a caption a row.")
    expect(page.get_by_text(told)).to_be_visible()
    upload(page, live, say, name, *shop)
    page.get_by_role("link", name=say("To the catalogue")).click()
    expect(page.get_by_role("heading", name=verdict)).to_be_visible()
    expect(page.get_by_text({"en": "Usable pictures: 40.", "ja": "使える画像は 40 枚です。"}[language])).to_be_visible()

    # A caption is mended.
    page.get_by_role("link", name={"en": "40 pictures", "ja": "40 枚の画像"}[language]).click()
    first = page.locator("textarea").first
    first.fill("a very special cup")
    page.get_by_role("button", name=say("Save captions")).click()
    expect(page.locator("textarea").first).to_have_value("a very special cup")
    folder = next(live.home.glob(f"catalogues/{run}"))
    assert "a very special cup" in (folder / "metadata.jsonl").read_text("utf-8")

    # A training; once, its process is killed, and then the whole studio.
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("link", name=say("Train a model")).click()
    page.get_by_text(say("More")).click()
    page.get_by_label(say("Preset")).select_option("test32")
    page.get_by_label(say("Other time, in minutes")).fill("0.2")
    page.get_by_role("button", name=say("Start training")).click()
    expect(page.get_by_role("heading", name=run)).to_be_visible()
    if kills:
        first_try = trainer(live, inside, run, 0)
        os.kill(first_try, signal.SIGKILL)
        trainer(live, inside, run, first_try)
        live.stop(signal.SIGKILL)
        live.start()
        inside.ask("UPDATE workshop_training SET lease_until = '2026-01-01 00:00:00' WHERE state = 'running'")
    expect(page.get_by_role("status")).to_have_text(say("Finished"), timeout=LONG)
    expect(page.get_by_alt_text(say("Newest samples"))).to_be_visible()
    page.get_by_role("link", name=say("To the model")).click()

    # The model: not measured, so only a reason promotes it.
    expect(page.get_by_text("Training spent its whole budget.")).to_be_visible()
    live.wait(lambda: bool(inside.get("SELECT identity FROM studio_trainedmodel WHERE name = ?", run)))
    page.reload()
    with page.expect_navigation():  # a click alone comes back while the old page is still going
        page.get_by_role("button", name=say("Register")).click()
    page.goto(f"{live.address}/models")
    page.get_by_role("link", name=run).click()
    page.get_by_label(say("Reason to promote it all the same")).fill("to try it")
    page.get_by_role("button", name=say("Promote")).click()
    expect(page.get_by_text(say("It is offered first now."))).to_be_visible()
    page.goto(f"{live.address}/create")
    expect(page.locator("[name=model] option").first).to_have_text(run)
    page.get_by_label(say("What to draw")).fill("a very special cup")
    page.get_by_role("button", name=say("Create"), exact=True).click()
    expect(page.locator("a.tile")).to_have_count(4)
    assert troubles == []
    fits_on_a_phone(browser, live, context.storage_state(), run)
    context.close()
    # What other tests look at is as it was.
    inside.ask("UPDATE studio_trainedmodel SET registered_at = NULL, promoted_at = NULL WHERE name = ?", run)


def trainer(live: Any, inside: Any, run: str, other_than: int) -> int:
    """The process that trains, once it is another."""
    find = "SELECT pid FROM workshop_training WHERE state = 'running' AND run = ?"
    live.wait(lambda: inside.get(find, run) not in (None, other_than))
    return int(inside.get(find, run))


def fits_on_a_phone(browser: Browser, live: Any, state: Any, run: str) -> None:  # noqa: F811
    context = browser.new_context(viewport={"width": 360, "height": 740}, storage_state=state, color_scheme="dark")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(f"{live.address}/models")
    model = page.get_by_role("link", name=run).get_attribute("href")
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
