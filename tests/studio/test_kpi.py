from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from bespoke.studio.kpi.charts import line_chart, scatter_chart
from bespoke.studio.kpi.correlation import rank_correlation
from bespoke.studio.kpi.figures import Decision, Prices, count, quantile, week_of
from bespoke.studio.kpi.models import Rates
from bespoke.studio.kpi.templatetags.lead import lead
from bespoke.studio.models import Job, Picture, TrainedModel
from bespoke.studio.review.models import Proposal, Request, Round

Visitor = Callable[[str], Client]
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def decision(kind: str, *, hours: float = 2, request: int = 1, round_: int = 1, line: str = "") -> Decision:
    return Decision(MONDAY + timedelta(hours=hours), kind, "mugs abc", line, request, MONDAY, round_, 4)


def test_figures_are_those_of_a_count_by_hand() -> None:
    decisions = [
        decision("revise", hours=1, request=1, round_=1),
        decision("revise", hours=2, request=1, round_=2),
        decision("approved", hours=10, request=1, round_=3),
        decision("approved", hours=30, request=1, round_=3),  # a second picture of the same request
        decision("approved", hours=4, request=2, round_=4),
        decision("rejected", hours=5, request=3, round_=5),
    ]
    found = count(decisions, {"": Prices(100, 40, 10, 1)})
    assert (found.decided, found.approved, found.revised, found.rejected) == (6, 3, 2, 1)
    assert found.revisions_per_approved == pytest.approx(2 / 3)
    assert found.approval_rate == 0.5
    assert (found.lead_median, found.lead_p90) == (7, pytest.approx(9.4))  # of 10 and 4 hours
    assert found.own_cost == 5 * (10 + 4 * 1)
    assert found.bought_cost == 3 * 100 + 2 * 40


def test_where_nothing_is_known_nothing_is_said() -> None:
    empty = count([], {})
    assert (empty.revisions_per_approved, empty.approval_rate, empty.lead_median, empty.own_cost) == (None,) * 4
    assert count([decision("revise")], {}).revisions_per_approved is None
    assert count([decision("approved")], {"vases": Prices(1, 1, 1, 1)}).own_cost is None
    own = {"vases": Prices(7, 1, 1, 1), "": Prices(1, 1, 1, 1)}
    assert count([decision("approved", line="vases")], own).bought_cost == 7


def test_quantiles_are_those_of_numpy() -> None:
    chance = random.Random(0)
    for number in (1, 2, 3, 10, 101):
        values = sorted(chance.random() for _ in range(number))
        for share in (0, 0.5, 0.9, 1):
            assert quantile(values, share) == pytest.approx(float(np.quantile(values, share)))
    assert quantile([], 0.5) is None


def test_weeks_begin_on_monday() -> None:
    days = [MONDAY + timedelta(days=day) for day in range(-1, 8)]
    assert [week_of(day).isoformat() for day in days] == ["2026-11-16"] + ["2026-11-23"] * 7 + ["2026-11-30"]


# Correlation.


def test_fewer_than_five_versions_say_nothing() -> None:
    assert rank_correlation([1, 2, 3, 4], [1, 2, 3, 4]) == (4, None, None, None)
    assert rank_correlation([], []) == (0, None, None, None)


def test_ranks_agree_disagree_and_are_tied() -> None:
    assert rank_correlation([1, 2, 3, 4, 5], [2, 4, 8, 16, 32]).value == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4, 5], [5, 4, 3, 2, -9]).value == pytest.approx(-1)
    assert rank_correlation([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]) == (5, None, None, None)
    # By hand: ranks 1, 2.5, 2.5, 4, 5 and 2, 1, 3, 5, 4.
    xs, ys = [1.0, 2.5, 2.5, 4, 5], [2.0, 1, 3, 5, 4]
    assert rank_correlation([10, 20, 20, 30, 40], [5, 1, 7, 9, 8]).value == pytest.approx(np.corrcoef(xs, ys)[0, 1])


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator, hits = np.random.default_rng(0), 0
    truth = 6 / np.pi * np.arcsin(0.6 / 2)  # Spearman's of a normal pair whose correlation is 0.6
    for _ in range(400):
        x = generator.standard_normal(25)
        y = 0.6 * x + 0.8 * generator.standard_normal(25)
        found = rank_correlation(list(x), list(y))
        assert found.low is not None
        assert found.high is not None
        assert -1 <= found.low <= found.value <= found.high <= 1
        hits += found.low <= truth <= found.high
    assert 0.91 <= hits / 400 <= 0.99


# Charts.


def test_charts_have_a_dot_for_each_number_and_run_nothing() -> None:
    drawn = line_chart(["<b>", "2", "3"], [1.0, None, 3.0], "<script>", "%")
    assert drawn.count("<circle") == 2
    assert drawn.count("M") == 2 + 0  # a gap begins a new line
    assert "<script>" not in drawn
    assert "&lt;b&gt;: 1%" in drawn
    assert "style=" not in drawn  # which the page's policy would refuse
    assert line_chart([], [], "none").count("<circle") == 0
    assert line_chart(["1"], [0.0], "zero").count("<circle") == 1
    dots = scatter_chart([(1, 1, "<i>"), (1, 1, "b")], "t", "x", "y")
    assert dots.count("<circle") == 2
    assert "<i>" not in dots


# Pages.


@pytest.fixture
def reviewed(visitor: Visitor) -> Any:
    """Decisions of this week, of as many model versions as asked for."""
    from bespoke.studio.kpi import counting

    counting._past.cache_clear()

    def make(num_models: int) -> None:
        for role in ("creator", "reviewer"):
            visitor(role)
        creator, reviewer = (User.objects.get(username=name) for name in ("creator", "reviewer"))
        now = timezone.now()
        for place in range(num_models):
            model = TrainedModel.objects.create(name=f"mugs-{place}", identity=f"id{place}", stamp="1")
            asked = {"text": "a cup", "num_images": 4, "balance": 0, "seed": 1, "best_of": 1, "state": "done"}
            job = Job.objects.create(owner=creator, model=model, **asked)
            wish = Request.objects.create(begun_at=now - timedelta(hours=3), owner=creator, product_line="=mugs")
            round_ = Round.objects.create(request=wish, number=1, job=job)
            for number in range(place + 2):
                picture = Picture.objects.create(
                    job=job, number=number, file="a", sha256="", seed=1, alignment=0, model_name=f"{model} id{place}"
                )
                approved = now if number == 0 else None
                Proposal.objects.create(
                    picture=picture,
                    round=round_,
                    state="approved" if approved else "revise",
                    proposed_at=now,
                    proposed_by=creator,
                    decided_at=now,
                    decided_by=reviewer,
                    approved_at=approved,
                )

    return make


def measure(model: TrainedModel, version: Any, value: float, fingerprint: str = "same") -> None:
    from bespoke.studio.workshop.models import Evaluation

    made = Evaluation.objects.create(
        owner=User.objects.first(),
        model=model,
        identity=model.identity,
        version=version,
        split="test",
        state="done",
        finished_at=timezone.now(),
    )
    made.path.mkdir(parents=True)
    row = {"metric": "retrieval", "balance": 0.5}
    rows = [row | {"generated": {"value": value + side}} for side in (-0.1, 0.1)]
    rows.append({"metric": "retrieval", "balance": 1.0, "generated": {"value": 99}})
    told = {"protocol": {"fingerprint": fingerprint}, "rows": rows, "verdict_balance": 0.5}
    (made.path / "report.json").write_text(json.dumps(told), "utf-8")


def test_the_page_says_that_there_is_too_little(visitor: Visitor, reviewed: Any) -> None:
    client = visitor("viewer")
    assert "Nothing was decided in this time." in client.get("/kpi").content.decode()
    reviewed(2)
    page = client.get("/kpi").content.decode()
    assert "Too few: 0 model versions" in page
    assert "<b>1.50</b>" in page  # 1 + 2 revisions, 2 approved
    assert "an administrator enters prices first" in page


def test_metrics_stand_beside_revisions_and_only_what_compares(visitor: Visitor, reviewed: Any, version: Any) -> None:
    reviewed(6)
    for number, model in enumerate(TrainedModel.objects.order_by("name")):
        measure(model, version, 0.9 - number / 10, "other" if number == 5 else "same")
    page = visitor("viewer").get("/kpi").content.decode()
    assert "Rank correlation -1.00 (95% interval -1.00 to" in page
    assert "n = 5)" in page
    assert "Too few: 0 model versions" in page  # of the other metrics


def test_prices_are_entered_replaced_and_used(visitor: Visitor, reviewed: Any) -> None:
    reviewed(1)
    client = visitor("administrator")
    asked = {"product_line": "", "currency": "JPY", "bought_picture": "4000", "bought_revision": "1500"}
    asked |= {"own_round": "300", "own_picture": "2"}
    assert client.post("/kpi/rates", asked | {"own_round": "-1"}).status_code == 422
    assert client.post("/kpi/rates", asked | {"own_round": "nan"}).status_code == 422
    for _ in range(2):
        assert client.post("/kpi/rates", asked).status_code == 302
    assert Rates.objects.count() == 1
    page = client.get("/kpi").content.decode()
    assert "5,192 JPY" in page  # 4000 + 1500 - 300 - 4 * 2
    assert client.post("/kpi/rates", asked | {"product_line": "=mugs", "bought_picture": "5000"}).status_code == 302
    assert "6,192 JPY" in client.get("/kpi").content.decode()


def test_figures_are_exported_as_csv_and_as_a_workbook(visitor: Visitor, reviewed: Any) -> None:
    from openpyxl import load_workbook

    reviewed(1)
    client = visitor("viewer")
    lines = client.get("/kpi/export").content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("group,name,decided,approved")
    assert "line,'=mugs,2,1,1,0,1.0,0.5,3.0" in "\n".join(lines)
    answer = client.get("/kpi/export", {"format": "xlsx"})
    assert answer["Content-Disposition"] == 'attachment; filename="kpi.xlsx"'
    book = load_workbook(io.BytesIO(answer.content))
    assert book.sheetnames == ["figures", "metrics"]
    rows = list(book["figures"].iter_rows(values_only=True))
    assert len(rows) == 1 + 1 + 13 + 1 + 1
    assert "'=mugs" in [row[1] for row in rows]


def test_a_line_and_a_model_narrow_and_nonsense_does_not_break(visitor: Visitor, reviewed: Any) -> None:
    reviewed(2)
    client = visitor("viewer")
    assert "<b>2.00</b>" in client.get("/kpi", {"model": "mugs-1 id1"}).content.decode()
    assert client.get("/kpi", {"weeks": "x", "line": "none", "model": "\0"}).status_code == 200


@pytest.mark.parametrize(
    ("hours", "english", "japanese"),
    [
        (None, "–", "–"),
        (0.004, "0 min", "0 分"),
        (0.4, "24 min", "24 分"),
        (1, "1.0 h", "1.0 時間"),
        (71.26, "71.3 h", "71.3 時間"),
    ],
)
def test_a_lead_time_is_told_in_minutes_below_an_hour(hours: float | None, english: str, japanese: str) -> None:
    for language, told in (("en", english), ("ja", japanese)):
        with override(language):
            assert lead(hours) == told
