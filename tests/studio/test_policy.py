from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from bespoke.studio import jobs
from bespoke.studio.audit.models import Entry
from bespoke.studio.models import Job, TrainedModel
from bespoke.studio.policy.models import Rule
from bespoke.studio.policy.policy import BlockedError, add, judge, look_at
from bespoke.studio.policy.words import holds, plain
from bespoke.studio.tokens import make_token

Visitor = Callable[[str], Client]


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("a glass cup", "ass", False),
        ("a gun-shaped cup", "gun", True),
        ("A GUN", "gun", True),
        ("guns", "gun", False),
        ("a gun", "a gun", True),
        ("a  big\ngun", "big gun", True),
        ("ｇｕｎ", "gun", True),  # full width
        ("g\u200bu\u00adn", "gun", True),  # invisible characters between
        ("STRASSE", "straße", True),
        ("ﬁre", "fire", True),  # a ligature
        ("İstanbul", "i̇stanbul", True),
        ("青い爆弾の形", "爆弾", True),
        ("バクダンの形", "ばくだん", True),
        ("ﾊﾞｸﾀﾞﾝ", "爆弾", False),
        ("ﾊﾞｸﾀﾞﾝ", "バクダン", True),  # half width
        ("GUNの形", "gun", True),  # beside a script without spaces
        ("пистолет", "Пистолет", True),
        ("пистолеты", "пистолет", False),
        ("gun2", "gun", False),
        ("2 guns, 1 gun", "gun", True),  # not the first place
        ("ปืนใหญ่", "ปืน", True),
        ("", "gun", False),
        ("gun", "", False),
    ],
)
def test_a_word_is_found_however_it_is_spelled_and_only_where_it_stands_alone(
    text: str, words: str, found: bool
) -> None:
    assert holds(plain(text), plain(words)) == found


def test_comparing_is_the_same_when_done_twice() -> None:
    for text in ("ǅ ΐ ẞ ﬃ ㌔ ｶﾞ İ", "ガ", "a\u00ad b"):
        assert plain(plain(text)) == plain(text)


@pytest.fixture
def people(visitor: Visitor) -> dict[str, User]:
    for role in ("viewer", "creator", "reviewer", "administrator"):
        visitor(role)
    return {user.username: user for user in User.objects.all()}


def test_rules_are_about_the_roles_they_name(people: dict[str, User]) -> None:
    keeper = people["administrator"]
    add(keeper, kind="blocked", words="Gun", sentence="", roles=["creator"])
    add(keeper, kind="warned", words="knife", sentence="", roles=[])
    add(keeper, kind="disclaimer", words="", sentence="Made by AI.", roles=[])
    add(keeper, kind="disclaimer", words="knife", sentence="Decoration only.", roles=[])
    found = {name: look_at("a gun and a knife", user) for name, user in people.items()}
    assert {name: len(each.blocked) for name, each in found.items()} == {
        "viewer": 0,
        "creator": 1,
        "reviewer": 0,
        "administrator": 0,
    }
    assert [rule.words for rule in found["viewer"].warned] == ["knife"]
    assert [rule.sentence for rule in found["viewer"].disclaimers] == ["Made by AI.", "Decoration only."]
    assert [rule.sentence for rule in look_at("a cup", keeper).disclaimers] == ["Made by AI."]
    assert judge("a gun", Rule.objects.all(), []).blocked == []
    assert [entry.action for entry in Entry.objects.all()] == ["policy.added"] * 4


@pytest.fixture
def model(people: dict[str, User]) -> TrainedModel:
    return TrainedModel.objects.create(
        name="mugs", identity="abc", stamp="1", image_size=32, registered_at=timezone.now()
    )


def test_what_is_blocked_cannot_be_ordered_by_page_or_program(
    visitor: Visitor, people: dict[str, User], model: TrainedModel
) -> None:
    add(people["administrator"], kind="blocked", words="爆弾", sentence="", roles=["creator"])
    asked = {"key": "11111111-1111-4111-8111-111111111111", "model": model.pk, "text": "赤い爆弾"}
    asked |= {"balance": "0.7", "num_images": "1", "best_of": "1"}
    answer = visitor("creator").post("/create", asked)
    assert answer.status_code == 422
    assert "Our rules do not allow this: 爆弾" in answer.content.decode()
    headers = {"Authorization": f"Bearer {make_token(people['creator'], 'test')}"}
    answer = Client().post(
        "/v1/images/generations", {"model": "mugs", "prompt": "赤い爆弾"}, "application/json", headers=headers
    )
    assert answer.status_code == 400
    assert "rules do not allow 爆弾" in answer.json()["error"]["message"]
    with pytest.raises(BlockedError):
        jobs.enqueue(owner=people["creator"], model=model, text="赤い爆弾", num_images=1, balance=0, seed=1, best_of=1)
    assert not Job.objects.exists()
    assert visitor("administrator").post("/create", asked).status_code == 302


def test_what_is_warned_of_can_be_ordered_and_everybody_is_told(
    visitor: Visitor, people: dict[str, User], model: TrainedModel
) -> None:
    add(people["administrator"], kind="warned", words="knife", sentence="", roles=[])
    made = {"num_images": 1, "balance": 0, "seed": 1, "best_of": 1}
    job = jobs.enqueue(owner=people["creator"], model=model, text="a knife", **made)
    page = visitor("creator").get(f"/jobs/{job.pk}").content.decode()
    assert "Our rules ask for a second look at:" in page
    assert "<b>knife</b>" in page


def test_rules_are_added_and_removed_on_their_page(visitor: Visitor, people: dict[str, User]) -> None:
    client = visitor("administrator")
    for wrong in (
        {"kind": "blocked", "words": " "},
        {"kind": "blocked", "words": "\u00ad"},
        {"kind": "disclaimer", "words": ""},
        {"kind": "none", "words": "gun"},
        {"kind": "blocked", "words": "gun", "roles": ["king"]},
        {"kind": "blocked", "words": "㌖" * 60},  # long, when written out
    ):
        assert client.post("/policy", wrong).status_code == 422, wrong
    assert client.post("/policy", {"kind": "blocked", "words": "ＧＵＮ", "roles": ["creator"]}).status_code == 302
    page = client.get("/policy").content.decode()
    assert "<h2>gun</h2>" in page
    assert client.post(f"/policy/{Rule.objects.get().pk}/remove").status_code == 302
    assert not Rule.objects.exists()
    assert [entry.action for entry in Entry.objects.all()] == ["policy.removed", "policy.added"]
