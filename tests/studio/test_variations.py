"""Variations: ordered by one click, linked to what they came from, found again by a recall, as edits are."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from reviewing import at, drawn, proposed

from bespoke.studio import jobs
from bespoke.studio.audit.models import Entry
from bespoke.studio.exports.chain import chain_of
from bespoke.studio.models import Edit, Job, Picture, TrainedModel
from bespoke.studio.policy.policy import add
from bespoke.studio.review import states
from bespoke.studio.review.recalls import like, recall
from bespoke.studio.review.review import propose

Visitor = Callable[[str], Client]


@pytest.fixture
def picture(model: TrainedModel, people: dict[str, Any]) -> Picture:
    return drawn(model, people["creator"], 0.3).results[0]


def vary(client: Client, picture: Picture, by: str, key: str = "11111111-1111-4111-8111-111111111111") -> Any:
    return client.post(f"/pictures/{picture.pk}/vary", {"by": by, "key": key})


def hand_in(job: Job, **of: Any) -> Picture:
    """A picture of a job, as a worker leaves it."""
    told = {"file": f"{job.pk}/0.png", "sha256": uuid.uuid4().hex, "seed": job.seed, "alignment": 0.3}
    made = Picture.objects.create(job=job, number=0, model_name="mugs abc", **told | of)
    Job.objects.filter(pk=job.pk).update(state="done")
    return made


def test_other_seeds_are_one_order_of_the_same_text_model_and_balance(visitor: Visitor, picture: Picture) -> None:
    client = visitor("creator")
    assert vary(client, picture, "seeds")["Location"] == f"/pictures/{picture.pk}#variations"
    job = Job.objects.get(varies=picture)
    before = picture.job
    assert (job.text, job.model_id, job.balance, job.best_of) == (before.text, before.model_id, 0.7, 1)
    assert job.num_images == 4
    assert job.seed != picture.seed
    vary(client, picture, "seeds")  # pressed twice
    assert Job.objects.filter(varies=picture).count() == 1
    assert str(picture.pk) in Entry.objects.filter(action="order.made").latest("number").details


def test_other_balances_keep_the_seed_and_leave_out_the_one_there_is(visitor: Visitor, picture: Picture) -> None:
    Job.objects.update(balance=0.75, best_of=6)
    client = visitor("creator")
    for _ in range(2):
        vary(client, picture, "balances")
    found = Job.objects.filter(varies=picture).order_by("balance")
    assert [job.balance for job in found] == [0, 0.25, 0.5, 1]
    # The seed is that of the best of six; six tries from there could end with another.
    assert {(job.seed, job.num_images, job.best_of) for job in found} == {(picture.seed, 1, 1)}
    assert {job.text for job in found} == {"a red cup"}


def test_an_edit_is_varied_by_other_seeds_of_the_same_edit(visitor: Visitor, picture: Picture) -> None:
    told = {"file": "a.png", "sha256": "f" * 64, "source": "a cup", "strength": 0.4, "mask": "m.png"}
    Edit.objects.create(job=picture.job, **told)
    vary(visitor("creator"), picture, "seeds")
    made = Job.objects.get(varies=picture).edit
    assert {name: getattr(made, name) for name in told} == told
    assert made.job_id != picture.job_id


def test_a_picture_s_page_shows_what_it_came_from_and_what_came_from_it(visitor: Visitor, picture: Picture) -> None:
    client = visitor("creator")
    vary(client, picture, "seeds")
    job = Job.objects.get(varies=picture)
    page = client.get(f"/pictures/{picture.pk}").content.decode()
    assert f'data-poll="/pictures/{picture.pk}/variations"' in page
    assert page.count('class="blank"') == 4
    made = hand_in(job)
    part = client.get(f"/pictures/{picture.pk}/variations").content.decode()
    assert "data-poll" not in part
    assert f'href="/pictures/{made.pk}"' in part
    page = client.get(f"/pictures/{made.pk}").content.decode()
    assert "Variation of" in page
    assert f'href="/pictures/{picture.pk}"' in page
    assert f'href="/pictures/{picture.pk}"' in client.get(f"/jobs/{job.pk}").content.decode()


def test_what_cannot_be_varied_is_told_and_nothing_is_ordered(
    visitor: Visitor, picture: Picture, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = visitor("creator")

    def told(by: str = "seeds") -> str:
        return client.get(vary(client, picture, by)["Location"]).content.decode()

    TrainedModel.objects.update(identity="def")
    assert "Its model has changed since" in told()
    TrainedModel.objects.update(identity="abc", limited=True)
    assert "Its model has changed since" in told()
    TrainedModel.objects.update(limited=False)
    monkeypatch.setattr(jobs, "MOST_WAITING", 2)
    assert "Too many orders are waiting" in told("balances")
    assert Job.objects.filter(varies=picture).count() == 0  # all four or none
    monkeypatch.setattr(jobs, "MOST_WAITING", 100)
    add(people["administrator"], kind="blocked", words="cup", sentence="", roles=[])
    assert "Our rules do not allow this: cup" in told()
    recall(Picture.objects.filter(pk=picture.pk), people["administrator"], "a mistake")
    assert vary(client, picture, "seeds").status_code == 404
    assert "Vary it" not in client.get(f"/pictures/{picture.pk}").content.decode()
    assert not Job.objects.filter(varies=picture).exists()


def test_a_recall_finds_variations_edits_and_edits_of_exports_however_far(
    visitor: Visitor, model: TrainedModel, people: dict[str, Any], picture: Picture
) -> None:
    from django.utils import timezone

    from bespoke.studio.exports.models import Export, Exported

    asked = {"owner": people["creator"], "model": model, "num_images": 1, "balance": 0.5, "best_of": 1, "seed": 1}

    def made(**of: Any) -> Picture:
        edited = of.pop("edited", None)
        job = Job.objects.create(text="a blue cup", **asked, **of)
        if edited:
            Edit.objects.create(job=job, file="a.png", sha256=edited, strength=0.7)
        return hand_in(job)

    varied = made(varies=picture)
    edited = made(edited=varied.sha256)
    gone = Export.objects.create(at=timezone.now(), by=people["reviewer"], purpose="shop", sha256="0")
    Exported.objects.create(export=gone, picture=edited, sha256="e" * 64)
    sent_in_again = made(edited="e" * 64)
    made(edited="d" * 64)  # of something else
    wanted = {picture.pk, varied.pk, edited.pk, sent_in_again.pk}
    assert set(like(picture, "made").values_list("pk", flat=True)) == wanted
    assert set(like(edited, "made").values_list("pk", flat=True)) == {edited.pk, sent_in_again.pk}
    client = visitor("administrator")
    assert "4 pictures" in client.get(f"/pictures/{picture.pk}/recall?by=made").content.decode()
    client.post(f"/pictures/{picture.pk}/recall", {"by": "made", "reason": "a mistake"})
    assert set(Picture.objects.exclude(recalled=None).values_list("pk", flat=True)) == wanted
    page = client.get(f"/pictures/{varied.pk}").content.decode()
    assert "Edits of this picture" in page
    assert "Recalled" in page


def test_pictures_without_a_hash_are_not_all_edits_of_each_other(picture: Picture) -> None:
    Picture.objects.update(sha256="")
    Edit.objects.create(job=picture.job, file="a.png", sha256="", strength=0.7)
    assert list(like(picture, "made")) == [picture]


def test_an_export_says_of_what_a_picture_is_a_variation(picture: Picture, people: dict[str, Any]) -> None:
    asked = {"text": "a red cup", "num_images": 1, "balance": 0.5, "best_of": 1, "seed": 3}
    job = jobs.enqueue(owner=people["creator"], model=picture.job.model, varies=picture, **asked)
    (proposal,) = propose([hand_in(job)], people["creator"])
    assert chain_of(proposal)["variation_of"] == str(picture.pk)


def test_a_picture_to_be_revised_leads_to_the_edit_page_as_the_next_round(
    visitor: Visitor, model: TrainedModel, people: dict[str, Any]
) -> None:
    TrainedModel.objects.update(edits=True)
    proposal = at(proposed(model, people), states.REVISE, people)
    client = visitor("creator")
    link = f"/edit?revises={proposal.pk}&amp;picture={proposal.picture_id}"
    for page in (f"/review/{proposal.pk}", "/review?list=revise"):
        assert link in client.get(page).content.decode(), page
    page = client.get(link.replace("&amp;", "&")).content.decode()
    assert "To be revised after round 1" in page
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": model.pk, "text": "a blue cup"}
    asked |= {"source": "a red cup", "strength": "0.7", "num_images": "1", "seed": ""}
    client.post("/edit", asked | {"revises": proposal.pk, "picture": proposal.picture_id})
    assert proposal.revisions.get().job.edit.sha256 == proposal.picture.sha256


def test_badges_say_which_gates_are_closed_and_where_nothing_can_be_told(
    visitor: Visitor, model: TrainedModel, people: dict[str, Any]
) -> None:
    drawn(model, people["creator"], 0.3)
    client = visitor("viewer")
    assert client.get("/gallery").content.decode().count("Gates open") == 1
    job = drawn(model, people["creator"], 0.1, text="a gun")
    add(people["administrator"], kind="blocked", words="gun", sentence="", roles=[])
    page = client.get("/gallery").content.decode()
    assert "Gate closed: Alignment, Rules" in page
    assert "Gate closed: Alignment, Rules" in client.get(f"/jobs/{job.pk}").content.decode()
    page = client.get(f"/pictures/{job.results[0].pk}").content.decode()
    assert page.count('<li class="closed">') == 2
    Picture.objects.update(model_name="cups 123")
    page = client.get("/gallery").content.decode()
    assert page.count("No limits yet") == 1
    assert page.count("Gate closed: Rules") == 1
