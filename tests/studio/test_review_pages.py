from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from reviewing import at, drawn, proposed
from test_pages import NAMES, Reader

from bespoke.studio.audit.models import Entry
from bespoke.studio.models import Job, TrainedModel
from bespoke.studio.policy.policy import add
from bespoke.studio.review import queue, states
from bespoke.studio.review.models import Proposal, Round

Visitor = Callable[[str], Client]


def test_a_creator_proposes_what_is_ticked(visitor: Visitor, model: TrainedModel, people: dict[str, User]) -> None:
    client, job = visitor("creator"), drawn(model, people["creator"], 0.3, 0.4)
    page = client.get(f"/jobs/{job.pk}").content.decode()
    assert page.count('name="picture"') == 2
    first = job.results[0]
    answer = client.post("/review/propose", {"picture": first.pk, "product_line": " mugs "}, follow=True)
    page = answer.content.decode()
    assert "1 picture is now in review." in page
    assert page.count('name="picture"') == 1
    assert Round.objects.get().request.product_line == "mugs"
    for keys in ([], ["x"], [job.pk]):
        told = client.post("/review/propose", {"picture": keys}, follow=True).content.decode()
        assert "Choose at least one picture." in told
    again = client.post("/review/propose", {"picture": first.pk}, follow=True).content.decode()
    assert "proposed before" in again


def test_the_next_round_is_ordered_with_what_was_asked_for(
    visitor: Visitor, model: TrainedModel, people: dict[str, User]
) -> None:
    client, proposal = visitor("creator"), at(proposed(model, people), states.REVISE, people)
    page = client.get("/review").content.decode()  # a creator's list is what comes back
    following = re.search(r'href="(/create\?revises=[^"]+)"', page)
    assert following is not None
    page = client.get(following[1].replace("&amp;", "&")).content.decode()
    assert "To be revised after round 1: A color is wrong" in page
    assert "more red" in page
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": model.pk, "text": "a redder cup"}
    asked |= {"balance": "0.7", "num_images": "1", "best_of": "1", "revises": proposal.pk}
    place = client.post("/create", asked)["Location"]
    assert client.post("/create", asked)["Location"] == place  # the button pressed twice
    made = Round.objects.get(number=2)
    assert (made.revises, made.job.text) == (proposal, "a redder cup")
    asked["key"] = "21111111-1111-4111-8111-111111111111"
    answer = client.post("/create", asked)
    assert answer.status_code == 422
    assert "Another round has begun meanwhile." in answer.content.decode()
    assert Job.objects.count() == 2


def test_a_reviewer_is_told_what_is_missing_and_loses_nothing_typed(
    visitor: Visitor, model: TrainedModel, people: dict[str, User]
) -> None:
    client, proposal = visitor("reviewer"), at(proposed(model, people, 0.1), states.IN_REVIEW, people)
    place = f"/review/{proposal.pk}"
    answer = client.post(f"{place}/decide", {"move": "revise", "turn": 1, "note": "make it <b>red</b>"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Choose a reason and write a note" in page
    assert "make it &lt;b&gt;red&lt;/b&gt;</textarea>" in page
    answer = client.post(f"{place}/decide", {"move": "approve", "turn": 1})
    assert answer.status_code == 422
    assert "A gate is closed." in answer.content.decode()
    for wrong in ({"move": "publish", "turn": 1}, {"move": "approve"}, {"move": "approve", "turn": "x"}):
        assert client.post(f"{place}/decide", wrong).status_code == 422
    answer = client.post(f"{place}/decide", {"move": "take", "turn": 0}, follow=True)
    assert "Somebody else was faster." in answer.content.decode()
    keeper = visitor("administrator")
    assert "Why it may pass a closed gate" in keeper.get(place).content.decode()
    keeper.post(f"{place}/decide", {"move": "approve", "turn": 1, "override": "for the fair"})
    assert Proposal.objects.get().overridden
    assert "Against a closed gate" in client.get(place).content.decode()


def test_after_a_decision_comes_the_next_that_was_taken(
    visitor: Visitor, model: TrainedModel, people: dict[str, User]
) -> None:
    client = visitor("reviewer")
    first, second = (at(proposed(model, people), states.IN_REVIEW, people) for _ in range(2))
    answer = client.post(f"/review/{first.pk}/decide", {"move": "approve", "turn": 1})
    assert answer["Location"] == f"/review/{second.pk}"
    answer = client.post(f"/review/{second.pk}/decide", {"move": "approve", "turn": 1})
    assert answer["Location"] == "/review"


def test_many_at_once_are_told_what_was_not_done(
    visitor: Visitor, model: TrainedModel, people: dict[str, User]
) -> None:
    client = visitor("reviewer")
    job = drawn(model, people["creator"], 0.3, 0.1)
    client_of_creator = visitor("creator")
    client_of_creator.post("/review/propose", {"picture": [picture.pk for picture in job.results]})
    pairs = [f"{proposal.pk}:0" for proposal in Proposal.objects.all()]
    page = client.post("/review/many", {"move": "take", "proposal": pairs, "list": "open"}, follow=True)
    assert "2 are done." in page.content.decode()
    pairs = [f"{proposal.pk}:1" for proposal in Proposal.objects.all()]
    page = client.post("/review/many", {"move": "approve", "proposal": [*pairs, "x", "1:2:3:4"]}, follow=True)
    assert "1 is done." in page.content.decode()
    assert "left as" in page.content.decode()
    page = client.post(
        "/review/many", {"move": "reject", "proposal": pairs, "reason": "color", "note": "no"}, follow=True
    )
    assert "1 is done." in page.content.decode()
    fresh = proposed(model, people)
    to_reviewer = {"move": "assign", "to": people["reviewer"].pk, "proposal": f"{fresh.pk}:0"}
    assert "1 is done." in visitor("administrator").post("/review/many", to_reviewer, follow=True).content.decode()
    fresh.refresh_from_db()
    assert fresh.assigned_to == people["reviewer"]
    for wrong in ("", "x", "99999"):
        assert client.post("/review/many", to_reviewer | {"to": wrong}).status_code == 404
    for wrong in ({"move": "approve"}, {"move": "recall", "proposal": pairs}):
        assert "Choose at least one" in client.post("/review/many", wrong, follow=True).content.decode()
    assert client.post("/review/many", {"list": "https://example.org"})["Location"] == "/review"


def test_a_creator_takes_back_their_own_and_no_other(
    visitor: Visitor, model: TrainedModel, people: dict[str, User]
) -> None:
    proposal = proposed(model, people)
    other = Client()
    colleague = User.objects.create_user("colleague")
    colleague.groups.set(people["creator"].groups.all())
    other.force_login(colleague)
    assert other.post(f"/review/{proposal.pk}/withdraw", {"turn": 0}).status_code == 403
    client = visitor("creator")
    assert "Take back" in client.get(f"/review/{proposal.pk}").content.decode()
    client.post(f"/review/{proposal.pk}/withdraw", {"turn": 0})
    assert Proposal.objects.get().state == "withdrawn"
    assert "Somebody else" in client.post(f"/review/{proposal.pk}/withdraw", follow=True).content.decode()


def test_lists_hold_what_they_say_and_go_on_without_counting(
    visitor: Visitor, model: TrainedModel, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {state: at(proposed(model, people), state, people) for state in states.STATES}
    reviewer = people["reviewer"]
    listed = {name: {proposal.state for proposal in queue.tab(name, reviewer)} for name in queue.TABS}
    assert listed == {
        "open": {"proposed", "in_review"},
        "mine": {"in_review"},
        "revise": {"revise"},
        "approved": {"approved"},
        "closed": {"revise", "rejected", "withdrawn"},
    }
    assert [queue.count(name, people["administrator"]) for name in ("open", "mine")] == ["2", "0"]
    monkeypatch.setattr(queue, "ROWS_A_PAGE", 1)
    client, seen, place = visitor("viewer"), [], "/review?list=closed"
    while place:
        page = client.get(place).content.decode()
        seen += [int(key) for key in re.findall(r'class="thumb" href="/review/(\d+)"', page)]
        following = re.search(r'rel="next" href="([^"]+)"', page)
        place = "/review" + following[1].replace("&amp;", "&") if following else ""
    assert seen == sorted((made[state].pk for state in ("revise", "rejected", "withdrawn")), reverse=True)
    assert 'name="move"' not in page  # a viewer only looks
    assert client.get("/review?list=none&after=x&line=%00").status_code == 200
    assert "a red cup" not in client.get("/review?list=open&line=vases").content.decode()


def test_every_step_of_a_picture_is_in_the_log(visitor: Visitor, model: TrainedModel, people: dict[str, User]) -> None:
    proposal = at(proposed(model, people), states.REVISE, people)
    found = Entry.objects.filter(subject=f"proposal {proposal.pk}").order_by("number")
    assert [(entry.action, entry.actor_id) for entry in found] == [
        ("review.proposed", people["creator"].pk),
        ("review.take", people["reviewer"].pk),
        ("review.revise", people["reviewer"].pk),
    ]


def test_pages_of_review_say_no_word_of_english_in_japanese(
    visitor: Visitor, model: TrainedModel, people: dict[str, User]
) -> None:
    keeper = people["administrator"]
    add(keeper, kind="warned", words="red", sentence="a", roles=["creator"])
    add(keeper, kind="disclaimer", words="", sentence="a", roles=[])
    made = {state: at(proposed(model, people), state, people) for state in states.STATES}
    client = visitor("administrator")
    client.post("/exports/make", {"proposal": made["approved"].pk, "purpose": "a"})
    client.post("/language", {"language": "ja"})
    asked = {"product_line": "", "currency": "JPY", "bought_picture": "1", "bought_revision": "1"}
    client.post("/kpi/rates", asked | {"own_round": "1", "own_picture": "1"})
    places = [f"/review?list={name}" for name in queue.TABS] + [f"/review/{each.pk}" for each in made.values()]
    places += ["/gates", "/exports", "/kpi", "/kpi/rates", "/policy", "/audit", "/audit?since=x"]
    places += [f"/pictures/{made['approved'].picture_id}/recall", f"/pictures/{made['approved'].picture_id}"]
    places += [f"/create?revises={made['revise'].pk}", f"/jobs/{made['proposed'].picture.job_id}"]
    answers = [client.get(place) for place in places]
    closed = at(proposed(model, people, 0.1), states.IN_REVIEW, people)
    for wrong in ({"move": "approve", "turn": 1}, {"move": "revise", "turn": 1}):
        answers.append(client.post(f"/review/{closed.pk}/decide", wrong))
    answers.append(client.post("/policy", {"kind": "blocked"}))
    answers.append(client.post("/kpi/rates", {}))
    answers.append(client.post("/audit/verify"))
    answers.append(client.post(f"/review/{closed.pk}/decide", {"move": "take", "turn": 0}, follow=True))
    allowed = NAMES | set(people) | {"English", "cup", "JPY", "CSV", "JSONL", "XLSX", "PNG", "zip", "metadata", "jsonl"}
    allowed |= {"more", "licensed", "reviewer"}
    for answer in answers:
        page = answer.content.decode()
        assert '<html lang="ja">' in page
        words = {word for text in Reader(page).texts for word in re.findall(r"[A-Za-z]{2,}", text)}
        assert words - allowed - set(re.findall("[A-Za-z]+", answer["X-Request-ID"])) == set(), answer.request


def test_every_field_has_a_label(
    visitor: Visitor, model: TrainedModel, people: dict[str, User], version: object
) -> None:
    client = visitor("administrator")
    taken = at(proposed(model, people, 0.1), states.IN_REVIEW, people)
    approved = at(proposed(model, people), states.APPROVED, people)
    places = ["/review", "/review?list=approved", f"/review/{taken.pk}", f"/review/{approved.pk}", "/gates", "/kpi"]
    places += ["/kpi/rates", "/policy", "/audit", f"/pictures/{approved.picture_id}/recall"]
    for place in places:
        page = client.get(place).content.decode()
        fields = re.findall(r"<(?:input|select|textarea)\b(?![^>]*type=\"hidden\")[^>]*>", page)
        labelled = set(re.findall(r'<label[^>]* for="([^"]+)"', page))
        ticks = [field for field in fields if 'type="checkbox"' in field]
        bare = [
            field
            for field in fields
            if ("aria-label=" not in field and field not in ticks and not (found := re.search(r'id="([^"]+)"', field)))
            or ("aria-label=" not in field and field not in ticks and found[1] not in labelled)
        ]
        assert bare == [], place
        assert all("alt=" in image for image in re.findall(r"<img[^>]*>", page))
        assert all(re.search(rf"<label[^>]*>\s*{re.escape(tick)}", page) or "aria-label=" in tick for tick in ticks), (
            place
        )
