"""Whole lists: read, refused by line, drawn, cancelled, picked up after a kill, shown, proposed and exported."""

from __future__ import annotations

import io
import json
import shutil
import uuid
import zipfile
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import openpyxl
import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from reviewing import drawn, proposed

from bespoke.studio import batches, jobs, registry
from bespoke.studio.audit.models import Entry
from bespoke.studio.exports.exports import _row
from bespoke.studio.limits import MOST_LIST_BYTES, MOST_LISTS, MOST_ROWS
from bespoke.studio.loaded import Loaded
from bespoke.studio.models import Batch, Job, Picture, TrainedModel
from bespoke.studio.policy.policy import add
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.review import move
from bespoke.studio.worker import Artist
from bespoke.studio.workshop.asked import Asked

Visitor = Callable[[str], Client]
LIST = "sku,text,price\nA-1,a red cup,12\nA-2,a blue cup,14\n\nA-3,a green cup,\n"
LINES = [2, 3, 5]


def workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (["Color", "Type", "Price"], ["red", "cup", 12.5], ["blue", "hat", None]):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def ask(client: Client, of: TrainedModel, content: bytes | str = LIST, name: str = "cups.csv", **changed: Any) -> Any:
    content = content.encode() if isinstance(content, str) else content
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": of.pk, "num_images": "2"}
    usual = {"balance": "0.7", "best_of": "1", "seed": "9", "table": SimpleUploadedFile(name, content)}
    return client.post("/lists", asked | usual | changed)


def test_every_row_becomes_a_job_in_order_and_sent_twice_it_is_one_list(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("creator")
    answer = ask(client, model)
    batch = Batch.objects.get()
    assert answer["Location"] == f"/lists/{batch.pk}"
    found = list(Job.objects.order_by("created_at"))
    assert [(job.line, job.text, job.seed) for job in found] == [
        (2, "a red cup", 9),
        (3, "a blue cup", 11),
        (5, "a green cup", 13),
    ]
    assert {(job.num_images, job.balance, job.owner.username, job.batch_id) for job in found} == {
        (2, 0.7, "creator", batch.pk)
    }
    assert ask(client, model)["Location"] == answer["Location"]
    assert Job.objects.count() == 3
    assert Entry.objects.filter(action="list.ordered").count() == 1
    page = client.get(answer["Location"]).content.decode()
    assert "0 of 3 rows are drawn" in page
    assert f'data-poll="/lists/{batch.pk}/state"' in page


@pytest.mark.parametrize(
    ("content", "name", "more", "texts"),
    [
        ("品番;商品説明\r\nA;赤いカップ\r\n".encode("cp932"), "一覧.csv", {}, ["赤いカップ"]),
        (b'{"text": "a red cup", "n": 3}\n', "list.jsonl", {}, ["a red cup"]),
        (workbook(), "list.xlsx", {"template": "a {color} {type}"}, ["a red cup", "a blue hat"]),
        (b"a,b\nred cup,x\n", "list.csv", {"text_column": "A"}, ["red cup"]),
    ],
    ids=["shift_jis", "jsonl", "xlsx", "column"],
)
def test_lists_come_in_every_form_of_spreadsheet(
    content: bytes, name: str, more: dict[str, str], texts: list[str], visitor: Visitor, model: TrainedModel
) -> None:
    assert ask(visitor("creator"), model, content, name, **more).status_code == 302
    assert list(Job.objects.order_by("line").values_list("text", flat=True)) == texts


def test_wrong_rows_are_told_by_line_and_nothing_starts_unless_they_are_left_out(
    visitor: Visitor, model: TrainedModel, people: dict[str, Any]
) -> None:
    add(people["administrator"], kind="blocked", words="gun", sentence="", roles=[])
    client, wrong = visitor("creator"), f"sku,text\nA,\nB,a red cup\nC,a gun\nD,{'x' * 1001}\n"
    answer = ask(client, model, wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "3 rows cannot be drawn" in page
    for line, told in ((2, "no text"), (4, "our rules do not allow: gun"), (5, "more than 1000 characters")):
        assert f'<th scope="row">{line}</th>' in page
        assert f"<td>{told}</td>" in page
    assert not Batch.objects.exists()
    assert not Job.objects.exists()
    assert ask(client, model, wrong, skip_bad="on").status_code == 302
    assert [(job.line, job.text) for job in Job.objects.all()] == [(3, "a red cup")]


@pytest.mark.parametrize(
    ("content", "name", "more", "told"),
    [
        (b"", "cups.csv", {}, "The submitted file is empty"),
        (b"text\n", "cups.csv", {}, "There is no row in it."),
        (b"\x89PNG", "cups.png", {}, "cannot be read as a spreadsheet"),
        (b"PK\x03\x04 no", "cups.xlsx", {}, "not an xlsx workbook"),
        (b"a,b\n1,2\n", "cups.csv", {}, "Which column holds the text? The file has: a, b"),
        (b"text,caption,caption2\n1,2,3\n", "c.csv", {"text_column": "no"}, "The file has: text, caption, caption2"),
        (b"text\na, b\n", "cups.csv", {}, "2: more cells than columns"),
        (b"text\na\n", "cups.csv", {"template": "{"}, "Names of columns in braces are expected"),
        (b"text\n" + b"a\n" * (MOST_ROWS + 1), "cups.csv", {}, "holds too many entries (1000)"),
        (b"text\na\n", "cups.csv", {"balance": "2"}, "less than or equal to 1"),
    ],
    ids=["empty", "heading", "png", "xlsx", "columns", "column", "cells", "template", "long", "balance"],
)
def test_what_is_no_list_is_told(
    content: bytes, name: str, more: dict[str, str], told: str, visitor: Visitor, model: TrainedModel
) -> None:
    answer = ask(visitor("creator"), model, content, name, **more)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert not Job.objects.exists()


def test_a_file_that_is_too_large_is_not_opened(visitor: Visitor, model: TrainedModel) -> None:
    answer = ask(visitor("creator"), model, b"text\n" + b"a" * MOST_LIST_BYTES)
    assert "too large: at most 8 MB" in answer.content.decode()


def test_orders_of_people_go_before_lists_and_are_not_refused_for_them(
    visitor: Visitor, model: TrainedModel, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(visitor("creator"), model)
    monkeypatch.setattr(jobs, "MOST_WAITING", 1)
    asked = {"text": "a hat", "num_images": 1, "balance": 0.5, "seed": 1, "best_of": 1}
    order = jobs.enqueue(owner=people["administrator"], model=model, **asked)
    taken = [jobs.claim() for _ in range(4)]
    assert [job.pk == order.pk for job in taken if job] == [True, False, False, False]
    assert [job.line for job in taken[1:] if job] == LINES
    # The worker that had the second row dies: its row is the next that anybody gets, before fresh orders.
    Job.objects.filter(line=3).update(lease_until=timezone.now() - timedelta(seconds=1))
    jobs.enqueue(owner=people["administrator"], model=model, **asked)
    again = jobs.claim()
    assert again is not None
    assert (again.line, again.attempts) == (3, 2)


def test_a_person_may_have_a_few_lists_waiting(visitor: Visitor, model: TrainedModel) -> None:
    client = visitor("creator")
    keys = [f"11111111-1111-4111-8111-11111111111{n}" for n in range(MOST_LISTS + 1)]
    answers = [ask(client, model, key=key) for key in keys]
    assert [answer.status_code for answer in answers] == [302] * MOST_LISTS + [429]
    assert "Several of your lists still wait" in answers[-1].content.decode()


def test_what_waits_can_be_cancelled_by_its_owner_and_administrators(
    visitor: Visitor, model: TrainedModel, people: dict[str, Any]
) -> None:
    ask(visitor("creator"), model)
    batch = Batch.objects.get()
    assert jobs.claim() is not None
    with pytest.raises(PermissionDenied):
        batches.cancel(batch, people["reviewer"])
    page = visitor("creator").post(f"/lists/{batch.pk}/cancel", follow=True).content.decode()
    assert "2 rows will not be drawn." in page
    assert batches.progress(batch) == (3, 0, 0, 2, 1)
    assert jobs.claim() is None
    cancelled = Job.objects.filter(line=5).get()
    page = visitor("creator").get(f"/jobs/{cancelled.pk}").content.decode()
    assert "Cancelled" in page
    assert "could not be made" not in page
    assert Entry.objects.filter(action="list.cancelled").count() == 1
    assert batches.cancel(batch, people["administrator"]) == 0


def test_a_worker_draws_a_list_and_failed_rows_are_named(
    trained: Any, visitor: Visitor, people: dict[str, Any]
) -> None:
    shutil.copytree(trained, settings.HOME.models / "mugs")
    try:
        registry.scan(settings.HOME.models)
        TrainedModel.objects.update(registered_at=timezone.now())
        client = visitor("creator")
        ask(client, TrainedModel.objects.get())
        artist = Artist(Loaded(settings.HOME.models), Event())
        for _ in LINES[:2]:
            job = jobs.claim()
            assert job is not None
            artist.draw(job)
    finally:
        shutil.rmtree(settings.HOME.models / "mugs")
    job = jobs.claim()
    assert job is not None
    jobs.fail(job, "the light went out")
    batch = Batch.objects.get()
    assert batches.progress(batch) == (3, 2, 1, 0, 0)
    page = client.get(f"/lists/{batch.pk}").content.decode()
    assert "2 of 3 rows are drawn" in page
    assert "line 5" in page
    assert "the light went out" in page
    assert "data-poll" not in page
    drawn(TrainedModel.objects.get(), people["creator"], 0.3)
    shown = client.get(f"/gallery?list={batch.pk}").content.decode()
    assert shown.count('class="tile"') == 4
    assert shown.index("a red cup") < shown.index("a blue cup")
    assert client.get("/gallery?list=nonsense").content.decode().count('class="tile"') == 5


def test_approved_pictures_of_a_list_leave_as_one_zip_with_the_cells_of_their_rows(
    visitor: Visitor, model: TrainedModel, people: dict[str, Any]
) -> None:
    client = visitor("creator")
    ask(client, model)
    batch, rows = Batch.objects.get(), {}
    for job in Job.objects.order_by("line"):
        rows[job.line] = job
    for line in LINES:
        made = drawn(model, people["creator"], 0.9, color=line).results[0]  # as a worker would hand it in
        Picture.objects.filter(pk=made.pk).update(job=rows[line])
    page = client.post(f"/lists/{batch.pk}/propose", follow=True).content.decode()
    assert "3 pictures are now in review." in page
    assert set(Proposal.objects.values_list("round__request__product_line", flat=True)) == {"cups.csv"}
    empty = client.post(f"/lists/{batch.pk}/export", {"purpose": "shop"})
    assert empty.status_code == 302
    for proposal in Proposal.objects.filter(picture__job__line__in=LINES[:2]):
        for step in ("take", "approve"):
            proposal.refresh_from_db()
            move(proposal.pk, step, people["reviewer"], turn=proposal.turn)
    answer = client.post(f"/lists/{batch.pk}/export", {"purpose": "shop"})
    assert answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = [json.loads(line) for line in archive.read("metadata.jsonl").decode().splitlines()]
    assert sorted((row["line"], row["sku"], row["price"]) for row in told) == [(2, "A-1", "12"), (3, "A-2", "14")]
    assert {row["text"] for row in told} == {"a red cup", "a blue cup"}
    assert Entry.objects.filter(action="export.made").count() == 1


def test_a_row_s_own_cells_cannot_pass_for_what_the_export_says(model: TrainedModel, people: dict[str, Any]) -> None:
    rows = [(2, "a red cup", {"alignment": "1", "sku": "A"})]
    asked = {"model": model, "num_images": 1, "seed": 1, "balance": 0.5, "best_of": 1}
    batch = batches.order(uuid.uuid4(), people["creator"], "cups.csv", rows, **asked)
    proposal = proposed(model, people, 0.9)
    Job.objects.filter(pk=proposal.picture.job_id).update(batch=batch, line=2)
    told = [_row(proposal, b"", [], batch.cells[2])[name] for name in ("alignment", "sku", "line")]
    assert told == [0.9, "A", 2]


def test_the_reader_of_a_list_keeps_what_the_sheet_says_besides(database: None, people: dict[str, Any]) -> None:
    sent = SimpleUploadedFile("cups.csv", LIST.encode())
    rows, wrong = batches.read(sent, Asked(), people["creator"])
    assert rows[0] == (2, "a red cup", {"sku": "A-1", "price": "12"})
    assert rows[2] == (5, "a green cup", {"sku": "A-3"})
    assert wrong == []
