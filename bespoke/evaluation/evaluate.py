"""How good is a model? Asked at each balance the same questions, judged by each judge, beside what real pictures get.

No number here may be put beside one from another catalogue, number of pictures or judge, nor beside a published FID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from bespoke.data.item import Part
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation.examine import Examined, held_out
from bespoke.evaluation.floor import Floor
from bespoke.evaluation.metrics import Copies, near_copies
from bespoke.evaluation.paper_metrics import PaperFloor, watched
from bespoke.evaluation.paper_networks import Network
from bespoke.evaluation.questions import PICTURES_A_CAPTION, Questions, ask
from bespoke.evaluation.result import Evaluation, Features, JudgeCard, PaperRow, Papers, Pictures, Protocol, Suspect
from bespoke.evaluation.seeing import draw, look_at, look_through
from bespoke.pipeline import Pipeline
from bespoke.precision import computes_bf16

SHOWN = 16  # captions in the report, the first of an order that nobody chose
SUSPECTS = 8
Tell = Callable[[str, int, int], None]  # what is done, how much of it, of how much


def check_balances(balances: Sequence[float]) -> tuple[float, ...]:
    """The balances, each once, rising. Raises UserError for one out of range."""
    for balance in balances:
        if not 0 <= balance <= 1:
            raise UserError(f"--balance {balance:g}: expected a number from 0 (most varied) to 1 (most alike); mend it")
    return tuple(sorted(set(balances)))


def evaluate(
    pipeline: Pipeline,
    store: PairStore,
    judges: Sequence[Examined],
    *,
    split: Part = "validation",
    balances: Sequence[float] = (0.0, 0.5, 1.0),
    num_pictures: int = 2000,
    seed: int = 0,
    model_name: str = "model",
    monitors: Mapping[str, float] | None = None,
    networks: Sequence[Network] = (),
    tell: Tell = lambda what, done, total: None,
) -> Evaluation:
    """Draw one picture for one caption of each of up to `num_pictures` pictures of the split, at each balance.

    networks: of others, which look at the same pictures for a comparison with papers, and have no say.
    Raises UserError for a split with too few pictures and a balance out of range.
    """
    balances = check_balances(balances)
    questions = ask(store, split, num_pictures=num_pictures, seed=seed)
    real = look_at(store, questions.index, [judge.taught for judge in judges], _named(tell, "real"))
    floors = [Floor.measure(store, judge, questions, seen) for judge, seen in zip(judges, real, strict=True)]
    paper_floors = [
        PaperFloor.measure(network, store, questions, _named(tell, f"real, {network.card.name}"))
        for network in networks
    ]
    rows, drawn, copies, features = [], {}, [], {}
    paper_rows: list[PaperRow] = []
    for balance in balances:
        drawn[balance], fakes, repeated, seen = _draw_all(pipeline, judges, networks, questions, balance, tell)
        for paper_floor, fake in zip(paper_floors, seen, strict=True):
            paper_rows += paper_floor.rows(balance, fake)
        for floor, fake, many in zip(floors, fakes, repeated, strict=True):
            found = near_copies(floor.judge.training, floor.usual, fake)
            copies.append((balance, floor, found))
            rows += floor.rows(balance, questions, fake, many, found)
            features[floor.judge.taught.judge.family, balance] = Features(fake, many)
    suspects, nearest_index = _suspects(store, questions, balances, copies)
    return Evaluation(
        protocol=_protocol(pipeline, store, questions, floors[0], split, balances, model_name),
        judges=tuple(JudgeCard(j.taught.judge.family, j.taught.identity, j.examination) for j in judges),
        rows=tuple(rows),
        suspects=tuple(suspects),
        pictures=_pictures(pipeline, store, questions, drawn, suspects, nearest_index),
        monitors=dict(monitors or {}),
        features=features,
        papers=Papers(tuple(network.card for network in networks), tuple(paper_rows)),
    )


def _named(tell: Tell, what: str) -> Callable[[int, int], None]:
    return lambda done, total: tell(what, done, total)


class _Drawn(NamedTuple):
    first: Tensor  # [n, 3, S, S] the first pictures
    features: list[Tensor]  # [N, F] of all, one a judge
    repeated: list[Tensor]  # [C, Z, F] of repeated captions, one a judge
    seen: list[Tensor]  # [N, F] of all, one a network of others


def _draw_all(
    pipeline: Pipeline,
    judges: Sequence[Examined],
    networks: Sequence[Network],
    questions: Questions,
    balance: float,
    tell: Tell,
) -> _Drawn:
    """Draw the pictures of a balance, and have them looked at."""
    texts, seeds = questions.repeated()
    taught, kept = [judge.taught for judge in judges], torch.empty(0, dtype=torch.uint8)
    seen: list[list[Tensor]] = [[] for _ in networks]

    def keeping(batches: Iterator[Tensor]) -> Iterator[Tensor]:
        nonlocal kept
        for batch in batches:
            if len(kept) < SHOWN:
                kept = torch.cat([kept, batch])[:SHOWN] if len(kept) else batch[:SHOWN].clone()
            yield batch

    made = watched(keeping(draw(pipeline, questions.captions, questions.seeds, balance)), networks, seen)
    fakes = look_through(made, taught, len(questions), _named(tell, f"balance {balance:g}"))
    again = draw(pipeline, texts, seeds, balance)
    repeated = look_through(again, taught, len(texts), _named(tell, f"balance {balance:g}, repeated captions"))
    many = [features.unflatten(0, (-1, PICTURES_A_CAPTION)) for features in repeated]
    return _Drawn(kept, fakes, many, [torch.cat(features) for features in seen])


def _suspects(
    store: PairStore,
    questions: Questions,
    balances: Sequence[float],
    copies: Sequence[tuple[float, Floor, Copies]],
) -> tuple[list[Suspect], list[int]]:
    """The generated pictures nearest to training pictures, mean of the judges, and places of those pictures."""
    found: list[tuple[float, float, int, int]] = []
    for balance in balances:
        ours = [(floor, copy) for b, floor, copy in copies if b == balance]
        usual = [copy.limit or max(float(copy.distance.median()), 1e-12) for _, copy in ours]
        closeness = torch.stack([copy.distance / limit for limit, (_, copy) in zip(usual, ours, strict=True)]).mean(0)
        floor, copy = ours[0]
        place = floor.judge.training_index[copy.nearest]
        found += [(float(closeness[row]), balance, int(row), int(place[row])) for row in closeness.argsort()[:SUSPECTS]]
    found = sorted(found)[:SUSPECTS]
    suspects = [
        Suspect(balance, questions.seeds[row], questions.captions[row], store.name(place), round(closeness, 3))
        for closeness, balance, row, place in found
    ]
    return suspects, [place for _, _, _, place in found]


def _pictures(
    pipeline: Pipeline,
    store: PairStore,
    questions: Questions,
    drawn: dict[float, Tensor],
    suspects: Sequence[Suspect],
    nearest: Sequence[int],
) -> Pictures:
    again = [next(draw(pipeline, [suspect.caption], [suspect.seed], suspect.balance)) for suspect in suspects]
    beside = [torch.from_numpy(store.take(questions.index[:1] * 0 + place)) for place in nearest]
    return Pictures(
        captions=questions.captions[:SHOWN],
        real=torch.from_numpy(store.take(questions.index[:SHOWN])),
        generated=drawn,
        suspects=torch.cat(again),
        nearest=torch.cat(beside),
    )


def _protocol(
    pipeline: Pipeline,
    store: PairStore,
    questions: Questions,
    floor: Floor,
    split: Part,
    balances: tuple[float, ...],
    model_name: str,
) -> Protocol:
    device = pipeline.device
    return Protocol(
        catalogue=store.manifest.catalogue,
        fingerprint=store.fingerprint,
        split=split,
        image_size=store.size,
        num_pictures=len(questions),
        num_classes=len(questions.classes[questions.classes >= 0].unique()),
        intervals_over="classes" if questions.by_class else "pictures",
        retrieval_of=0 if questions.others is None else questions.others.shape[1] + 1,
        num_repeated=questions.num_repeated,
        diversity_against=floor.diversity_against,
        near_copies_against=held_out(store),
        seed=questions.seed,
        balances=balances,
        model=pipeline.identity,
        model_name=model_name,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        precision="bf16" if computes_bf16(device) else "fp32",
        torch=torch.__version__,
        threads=torch.get_num_threads(),
    )
