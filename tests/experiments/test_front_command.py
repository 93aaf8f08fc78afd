from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bespoke.cli import run
from bespoke.config import resolve
from bespoke.data.captions import Tokenizer
from bespoke.data.store import PairStore
from bespoke.evaluation.evaluate import evaluate
from bespoke.evaluation.examine import Examined
from bespoke.networks import build_networks
from bespoke.pipeline import Pipeline

FAST = ("--num-pictures", "50", "--language", "en")


@pytest.fixture(scope="module")
def models(store: PairStore, place: Path) -> Iterator[Path]:
    """Untrained models beside the catalogue: `wide`, one of another seed, one without a balance, one of 64 px."""
    tokenizer = Tokenizer.train([text for i in store.indices("train") for text in store.captions(int(i))], 320)
    for seed, (name, changes) in enumerate(
        {
            "wide": [],
            "other": [],
            "fixed": ["model.balance=false"],
            "large": [
                "model.image_size=64",
                "model.generator_widths=[8,8,8,8]",
                "model.discriminator_widths=[8,8,8,8]",
            ],
        }.items()
    ):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            networks = build_networks(resolve("test32", changes).model, tokenizer.vocabulary_size)
        Pipeline(networks, tokenizer).save_pretrained(place / name)
    return place


pytestmark = pytest.mark.usefixtures("at_place", "models")


def test_a_balance_is_measured_beside_its_rivals(
    capsys: pytest.CaptureFixture[str], store: PairStore, judges: list[Examined]
) -> None:
    command = ["front", "wide", "shop", "--best-of", "2", "--against", "other@0.5", "--against", "fixed@0", *FAST]
    assert run([*command, "--out", "measured"]) == 0
    told = capsys.readouterr().out
    data = json.loads(Path("measured/front.json").read_text("utf-8"))
    (judge,) = data["judges"]
    assert [(point["kind"], point["value"]) for point in judge["points"]] == [
        *(("balance", b) for b in (0, 0.25, 0.5, 0.75, 1)),
        ("best_of", 2),
        ("extrapolation", 1.5),
        ("extrapolation", 2),
        ("model", 0.5),
        ("model", 0),
    ]
    assert [point["num_draws"] for point in judge["points"]][5] == 2
    # The numbers are those of an evaluation, and the differences are those between them.
    rows = evaluate(Pipeline.from_pretrained("wide"), store, judges, balances=(0.0, 1.0), num_pictures=50).rows
    first, last = judge["points"][0], judge["points"][4]
    for row in rows:
        point = first if row.balance == 0 else last
        assert point["scores"][row.metric]["value"] == pytest.approx(row.generated.value, abs=1e-6), row.metric
    for metric, step in last["differences"].items():
        change = last["scores"][metric]["value"] - first["scores"][metric]["value"]
        assert step["value"] == pytest.approx(change, abs=1e-6), metric
    assert first["differences"] == {}
    assert set(judge["area_gains"]) == {"best_of", "extrapolation", "model"}
    # An examination that was hardly begun is not passed, so nobody has a vote.
    assert data["result"] == "unknown"
    assert "Nothing can be said" in told
    assert Path("measured/front.md").read_text("utf-8") in told
    html = Path("measured/front.html").read_text("utf-8")
    assert html.count("<svg") == 2
    assert html.count("<img") == 10  # a sheet for every way
    assert re.findall(r"<script|href=|url\(|@import|srcset|src=\"(?!data:)", html) == []

    assert run([*command[:3], *FAST[:2], "--balance", "0", "--balance", "0.1", "--balance", "1", "--best-of", "1",
                "--language", "ja", "--out", "ja"]) == 0  # fmt: skip
    assert '<html lang="ja">' in Path("ja/front.html").read_text("utf-8")
    kinds = [point["kind"] for point in json.loads(Path("ja/front.json").read_text("utf-8"))["judges"][0]["points"]]
    assert kinds == ["balance"] * 3 + ["extrapolation"] * 2


MISTAKES = [
    (["wide", "shop", "--balance", "0", "--balance", "1"], "--balance: 2 of them say nothing about what rises; give 3"),
    (["wide", "shop", "--balance", "2"], "--balance 2: expected a number from 0"),
    (["wide", "shop", "--best-of", "0"], "--best-of 0: expected 1 (leave that rival out) or more"),
    (["wide", "shop", "--against", "other"], "--against other: expected RUN@B, a model and the balance from 0 to 1"),
    (["wide", "shop", "--against", "other@2"], "--against other@2: expected RUN@B"),
    (["wide", "shop", "--against", "@1"], "--against @1: expected RUN@B"),
    (["wide", "shop", "--against", "nowhere@1"], "nowhere: no such folder"),
    (["wide", "shop", "--against", "large@1"], "--against large: draws 64 px pictures, wide 32; name a model of"),
    (["fixed", "shop"], "fixed: trained without a balance, every b gives the same pictures; name a run"),
    (["wide", "shop", "--split", "test"], "shop: no pictures for test, at least 50 are needed"),
    (["wide", "shop", "--num-pictures", "9"], "--num-pictures 9: expected 50 or more"),
    (["wide", "shop", "--out", "shop/front"], "shop/front: inside the catalogue"),
    (["wide", "shop", "--out", "wide"], "wide: not empty"),
    (["nowhere", "shop"], "nowhere: no such folder"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=[" ".join(a)[:40] for a, _ in MISTAKES])
def test_a_mistake_is_one_line_and_nothing_is_drawn(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["front", *FAST, "--out", "new", *arguments]) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(r"bespoke: .+\n", told)
    assert message in told
    assert not Path("new").exists()


def test_asking_for_help_loads_nothing_that_takes_long() -> None:
    before = set(sys.modules)
    assert run(["front", "--help"]) == 0
    assert "bespoke.commands.front" not in set(sys.modules) - before
