from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from PIL import Image
from reviewing import TOLD, at, drawn, proposed

from bespoke.studio.access import ROLES
from bespoke.studio.audit.chain import verify
from bespoke.studio.audit.models import Entry
from bespoke.studio.models import Picture, TrainedModel
from bespoke.studio.policy import policy
from bespoke.studio.review import gates, recalls, states
from bespoke.studio.review.models import Calibration, Proposal, Recalled, Request, Round
from bespoke.studio.review.review import (
    ClosedError,
    MovedError,
    UntoldError,
    move,
    move_all,
    open_round,
    propose,
    to_revise,
)
from bespoke.studio.review.small import FEATURES, NUM_FEATURES, distances, mirrored, small

Visitor = Callable[[str], Client]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", states.MOVES)
@pytest.mark.parametrize("state", states.STATES)
def test_a_move_is_made_where_the_table_says_so_and_nowhere_else(
    state: str, name: str, role: str, model: TrainedModel, people: dict[str, User]
) -> None:
    proposal, rule = at(proposed(model, people), state, people), states.MOVES[name]
    before = Entry.objects.count()

    def go() -> Proposal:
        return move(proposal.pk, name, people[role], turn=proposal.turn, **(TOLD if rule.told else {}))

    # `at` assigns to the reviewer, and the creator proposes.
    theirs = role == "administrator" or (
        not (rule.by_assignee and role != "reviewer") and not (rule.by_proposer and role != "creator")
    )
    if state not in rule.sources:
        with pytest.raises(MovedError):
            go()
    elif role not in rule.roles or not theirs:
        with pytest.raises(PermissionDenied):
            go()
    else:
        moved = go()
        assert (moved.state, moved.turn) == (rule.target, proposal.turn + 1)
        assert Entry.objects.first().action == f"review.{name}"
        assert Entry.objects.count() == before + 1
        return
    proposal.refresh_from_db()
    assert (proposal.state, Entry.objects.count()) == (state, before)


def test_what_is_possible_is_what_the_moves_allow() -> None:
    """The pages offer by `possible`; it and the table must not drift apart."""
    for state, role, assignee, proposer in itertools.product(states.STATES, ROLES, (True, False), (True, False)):
        offered = states.possible(state, {role}, assignee=assignee, proposer=proposer)
        assert set(offered) <= {name for name, rule in states.MOVES.items() if state in rule.sources}
        assert role != "viewer" or offered == []
        if not assignee and role != "administrator":
            assert not set(offered) & {"approve", "revise", "reject", "put_back"}


def test_a_reviewer_decides_only_what_is_theirs(model: TrainedModel, people: dict[str, User]) -> None:
    proposal = at(proposed(model, people), states.IN_REVIEW, people)
    other = User.objects.create_user("another reviewer")
    other.groups.set(people["reviewer"].groups.all())
    with pytest.raises(PermissionDenied):
        move(proposal.pk, "approve", other, turn=proposal.turn)
    taken = move(proposal.pk, "take", other, turn=proposal.turn)  # over from a colleague who is ill, say
    assert move(taken.pk, "approve", other, turn=taken.turn).decided_by == other


def test_of_two_who_have_seen_the_same_turn_one_decides(model: TrainedModel, people: dict[str, User]) -> None:
    proposal = at(proposed(model, people), states.IN_REVIEW, people)
    move(proposal.pk, "approve", people["reviewer"], turn=proposal.turn)
    with pytest.raises(MovedError):
        move(proposal.pk, "reject", people["administrator"], turn=proposal.turn, **TOLD)
    assert Proposal.objects.get().state == "approved"


def test_a_picture_is_assigned_to_somebody_who_may_decide(model: TrainedModel, people: dict[str, User]) -> None:
    proposal = proposed(model, people)
    for name in ("viewer", "creator"):
        with pytest.raises(PermissionDenied):
            move(proposal.pk, "take", people["administrator"], turn=0, to=people[name])
    moved = move(proposal.pk, "take", people["administrator"], turn=0, to=people["reviewer"])
    assert (moved.assigned_to, moved.state) == (people["reviewer"], "in_review")
    assert Entry.objects.first().told["to"] == people["reviewer"].pk


@pytest.mark.parametrize("told", [{}, {"reason": "color"}, {"note": "more red"}, {"reason": "none", "note": "a"}])
def test_who_sends_back_says_why(told: dict[str, str], model: TrainedModel, people: dict[str, User]) -> None:
    proposal = at(proposed(model, people), states.IN_REVIEW, people)
    for name in ("revise", "reject"):
        with pytest.raises(UntoldError):
            move(proposal.pk, name, people["reviewer"], turn=proposal.turn, **told)


# Gates.


@pytest.mark.parametrize(("alignment", "passes"), [(0.2, True), (0.1999, False)])
def test_below_the_least_alignment_nothing_is_approved(
    alignment: float, passes: bool, model: TrainedModel, people: dict[str, User]
) -> None:
    proposal = at(proposed(model, people, alignment), states.IN_REVIEW, people)
    assert proposal.passed == passes
    if passes:
        assert not move(proposal.pk, "approve", people["reviewer"], turn=proposal.turn).overridden
        return
    for who, why in (("reviewer", ""), ("reviewer", "I like it"), ("administrator", "  ")):
        with pytest.raises((ClosedError, PermissionDenied)):
            move(proposal.pk, "approve", people[who], turn=proposal.turn, override=why)
    done = move(proposal.pk, "approve", people["administrator"], turn=proposal.turn, override="for the fair")
    assert (done.state, done.overridden, done.note) == ("approved", True, "for the fair")
    assert Entry.objects.first().told["overridden"] == ["alignment"]
    assert Entry.objects.first().told["why"] == "for the fair"


def test_without_a_calibration_of_these_very_weights_no_gate_opens(
    model: TrainedModel, people: dict[str, User]
) -> None:
    model.identity = "def"
    model.save()
    gate = {gate["name"]: gate["passed"] for gate in proposed(model, people).gates}
    assert gate == {"alignment": False, "copies": False, "policy": True}


def test_gates_are_asked_again_when_a_picture_is_approved(model: TrainedModel, people: dict[str, User]) -> None:
    proposal = at(proposed(model, people), states.IN_REVIEW, people)
    assert proposal.passed
    policy.add(people["administrator"], kind="blocked", words="cup", sentence="", roles=["creator"])
    with pytest.raises(ClosedError):
        move(proposal.pk, "approve", people["reviewer"], turn=proposal.turn)


def test_a_copy_of_a_training_picture_is_found_and_a_mirrored_one(model: TrainedModel, people: dict[str, User]) -> None:
    generator = np.random.default_rng(0)
    known = generator.integers(0, 256, (3, NUM_FEATURES), np.uint8)
    calibration = Calibration.objects.create(
        model=model,
        identity="abc",
        owner=people["administrator"],
        state="done",
        finished_at=timezone.now(),
        alignment=-1,
        nearness=0.05,
    )
    calibration.path.mkdir(parents=True)
    (calibration.path / FEATURES).write_bytes(known.tobytes())
    job = drawn(model, people["creator"], 0.3, 0.3, 0.3)
    for picture, features in zip(job.results, (known[1], mirrored(known[2:])[0], 255 - known[0]), strict=True):
        file = ContentFile(b"")
        pixels = features.reshape(16, 16, 3).repeat(2, 0).repeat(2, 1)
        Image.fromarray(pixels).save(file, "PNG")
        default_storage.delete(picture.file)
        default_storage.save(picture.file, file)
    found = [proposal.copied for proposal in propose(list(job.results), people["creator"])]
    assert [gate["passed"] for gate in found] == [False, False, True]
    assert [gate["nearest"][0]["index"] for gate in found[:2]] == [1, 2]
    assert max(gate["measured"] for gate in found[:2]) < 0.001
    shown = Picture.objects.select_related("job__owner").filter(job=job)
    before = gates.ask_all(shown)
    assert gates.show_all(shown) == before
    (calibration.path / FEATURES).unlink()
    assert gates.show_all(shown) == before  # pages look once
    picture = Picture.objects.select_related("job__owner").get(pk=job.results[2].pk)
    assert not gates.ask(picture, calibration)[1]["passed"]  # what cannot be told is closed


def test_distances_are_those_of_the_formula() -> None:
    generator = np.random.default_rng(0)
    seen, known = (generator.integers(0, 256, (n, NUM_FEATURES), np.uint8) for n in (3, 5))
    apart = [np.square((side[:, None].astype(float) - known[None]) / 255).mean(2) for side in (seen, mirrored(seen))]
    exact = np.sqrt(np.minimum(*apart))
    np.testing.assert_allclose(distances(seen, known), exact, atol=1e-3)
    assert (mirrored(mirrored(seen)) == seen).all()
    picture = Image.fromarray(seen[0].reshape(16, 16, 3))
    assert (small(picture) == seen[0]).all()
    assert (small(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == mirrored(seen[:1])[0]).all()


# Requests and rounds.


def test_a_revision_is_a_new_round_of_the_same_request(model: TrainedModel, people: dict[str, User]) -> None:
    first = at(proposed(model, people), states.REVISE, people)
    assert to_revise(str(first.pk)) == first
    job = drawn(model, people["creator"], 0.4, text="a redder cup")
    made = open_round(first, job)
    assert (made.number, made.request_id, made.revises) == (2, first.round.request_id, first)
    assert open_round(first, job) == made  # sent twice
    assert to_revise(str(first.pk)) is None
    second = propose(list(job.results), people["creator"], "something else")[0]
    assert second.round == made
    assert Request.objects.get().product_line == "mugs"
    assert Request.objects.get().begun_at == first.picture.job.created_at


@pytest.mark.parametrize("key", ["", None, "x", "-1", "²", "9" * 30, "1; DROP"])
def test_what_is_no_proposal_to_be_revised_is_none(key: str | None, database: None) -> None:
    assert to_revise(key) is None


def test_pictures_are_proposed_once_and_those_of_a_trial_never(model: TrainedModel, people: dict[str, User]) -> None:
    job = drawn(model, people["creator"], 0.3, 0.4)
    assert len(propose(list(job.results), people["creator"])) == 2
    assert propose(list(job.results), people["creator"]) == []
    trial = drawn(model, people["creator"], 0.3)
    trial.trial = True
    trial.save()
    assert propose(list(Picture.objects.filter(job=trial)), people["creator"]) == []
    with pytest.raises(PermissionDenied):
        propose(list(job.results), people["reviewer"])
    assert Round.objects.count() == 1


def test_many_are_moved_one_by_one_and_what_cannot_is_counted(model: TrainedModel, people: dict[str, User]) -> None:
    job = drawn(model, people["creator"], 0.3, 0.1, 0.4)
    made = propose(list(job.results), people["creator"])
    pairs = [(proposal.pk, 0) for proposal in made]
    assert move_all([*pairs, (999999, 0)], "take", people["reviewer"]) == (3, 1)
    assert move_all([(pk, 1) for pk, _ in pairs], "approve", people["reviewer"]) == (2, 1)  # one gate is closed


# Recall.


def test_a_recall_withdraws_all_that_is_alike_and_nothing_else(model: TrainedModel, people: dict[str, User]) -> None:
    other = TrainedModel.objects.create(name="vases", identity="def", stamp="1", registered_at=timezone.now())
    bad = at(proposed(model, people), states.APPROVED, people)
    same_text = drawn(other, people["creator"], 0.3).results[0]
    same_model = drawn(model, people["creator"], 0.3, text="a blue cup").results[0]
    neither = drawn(other, people["creator"], 0.3, text="a blue cup").results[0]
    found = {by: set(recalls.like(bad.picture, by)) for by in recalls.LIKE}
    assert found == {
        "picture": {bad.picture},
        "made": {bad.picture},
        "text": {bad.picture, same_text},
        "model": {bad.picture, same_model},
        "both": {bad.picture},
    }
    with pytest.raises(PermissionDenied):
        recalls.recall(recalls.like(bad.picture, "text"), people["reviewer"], "a claim")
    made = recalls.recall(recalls.like(bad.picture, "text"), people["administrator"], "a claim")
    assert made is not None
    bad.refresh_from_db()
    assert (bad.state, bad.approved_at is not None, bad.withdrawn_at is not None) == ("withdrawn", True, True)
    assert set(Recalled.objects.values_list("picture", flat=True)) == {bad.picture_id, same_text.pk}
    assert recalls.recall(recalls.like(bad.picture, "text"), people["administrator"], "again") is None
    assert propose([same_text], people["creator"]) == []
    assert len(propose([neither], people["creator"])) == 1
    assert [entry.action for entry in Entry.objects.all()[1:3]] == ["recall.made", "review.recall"]
    assert verify().bad is None


# Two at the same instant, on both databases.

RACE = """
import os; import django; django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from bespoke.studio.access import set_role
from bespoke.studio.audit.chain import verify
from bespoke.studio.models import Job, Picture, TrainedModel
from bespoke.studio.review import calibrations
from bespoke.studio.review.models import Proposal
from bespoke.studio.review.review import MovedError, move, propose
call_command("migrate", verbosity=0)
users = []
for number in range(3):
    users.append(User.objects.create_user(f"u{number}")); set_role(users[-1], "administrator")
model = TrainedModel.objects.create(name="m", identity="a", stamp="1", registered_at=timezone.now())
calibrations.set_by_hand(model, users[0], alignment=-1, waived="x")
asked = dict(text="a", num_images=20, balance=0, seed=1, best_of=1, state="done")
job = Job.objects.create(owner=users[0], model=model, **asked)
for n in range(20):
    Picture.objects.create(job=job, number=n, file="a", sha256="", seed=n, alignment=0, model_name="m a")
made = propose(list(Picture.objects.order_by("number")), users[0])
for proposal in made:
    move(proposal.pk, "take", users[0], turn=0)
connection.close()
children = []
for user, name in zip(users[1:], ("approve", "reject")):
    if not (pid := os.fork()):
        won = 0
        for proposal in made:
            try:
                move(proposal.pk, name, user, turn=1, reason="other", note="x"); won += 1
            except MovedError:
                pass
        os._exit(won)
    children.append(pid)
won = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
states = list(Proposal.objects.values_list("state", flat=True))
print(sum(won), won[0] == states.count("approved"), won[1] == states.count("rejected"), verify().bad)
"""


def test_two_reviewers_at_once_do_not_both_decide(elsewhere: dict[str, str]) -> None:
    ended = subprocess.run([sys.executable, "-c", RACE], env=elsewhere, capture_output=True, text=True, timeout=300)
    assert ended.stdout.split() == ["20", "True", "True", "None"], ended.stderr
