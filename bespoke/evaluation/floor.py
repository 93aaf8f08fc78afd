"""What do real pictures get? Every score of generated pictures stands beside the one of real pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from bespoke.data.store import PairStore
from bespoke.evaluation.examine import Examined, held_out
from bespoke.evaluation.intervals import Estimate, mean_estimate, share_estimate
from bespoke.evaluation.metrics import Copies, diversity, near_copies
from bespoke.evaluation.questions import PICTURES_A_CAPTION, Questions
from bespoke.evaluation.result import Row
from bespoke.evaluation.scores import OF_SETS, SMALL_IS_GOOD, pair_hits, set_scores, standard_error
from bespoke.evaluation.seeing import look_at

LEAST_IN_CLASSES = 20  # captions whose class has enough real pictures, for diversity to be compared within classes
MOST_ERRORS = 99.0  # stands for an advantage in which all pictures agree

Scores = dict[str, Estimate]


@dataclass(frozen=True)
class Floor:
    """What real pictures get from one judge; no generated picture has a part in it."""

    judge: Examined
    real: Tensor  # [N, F]
    first: Tensor  # [N / 2] rows, of the same classes as `second`, one by one
    second: Tensor
    halves: Scores
    training: Scores
    hits: dict[str, tuple[Tensor, Tensor]]
    diversity: Estimate
    diversity_against: str
    usual: Tensor  # [U, F] real pictures that were not shown in training; none where all were
    near: Estimate | None  # None where there are no such pictures

    @classmethod
    def measure(cls, store: PairStore, judge: Examined, questions: Questions, real: Tensor) -> Floor:
        groups = questions.groups
        first, second = questions.halves()
        diverse, against = _real_diversity(real, questions)
        own = set(questions.index.tolist())
        others = torch.tensor([int(place) not in own for place in judge.training_index])
        training = judge.training[others]
        drawn = torch.randperm(len(training), generator=torch.Generator().manual_seed(questions.seed))[: len(real)]
        unseen = held_out(store)
        usual = judge.training[:0] if unseen == "train" else look_at(store, store.indices(unseen), [judge.taught])[0]
        near = near_copies(judge.training, usual, real)
        enough = len(drawn) == len(real)  # at equal n or not at all
        return cls(
            judge=judge,
            real=real,
            first=first,
            second=second,
            halves=set_scores(real[second], real[first], groups[first], seed=questions.seed),
            training=set_scores(real, training[drawn], groups, seed=questions.seed) if enough else {},
            hits=pair_hits(judge.taught, questions, real),
            diversity=diverse,
            diversity_against=against,
            usual=usual,
            near=share_estimate(near.near, groups, seed=questions.seed) if len(usual) else None,
        )

    def rows(self, balance: float, questions: Questions, fake: Tensor, many: Tensor, copies: Copies) -> list[Row]:
        """All metrics of the pictures of one balance."""
        groups, seed, family = questions.groups, questions.seed, self.judge.taught.judge.family
        whole = set_scores(self.real, fake, groups, seed=seed)
        half = set_scores(self.real[self.second], fake[self.first], groups[self.first], seed=seed)
        rows = [
            Row(
                judge=family,
                balance=balance,
                metric=name,
                generated=whole[name],
                real=self.halves[name],
                generated_half=half[name],
                training=self.training.get(name),
                advantage=_advantage(name, half[name], self.halves[name]),
            )
            for name in OF_SETS
        ]
        for name, (hits, asked) in pair_hits(self.judge.taught, questions, fake).items():
            real = self.hits[name][0]
            generated, usual = (share_estimate(values, groups[asked], seed=seed) for values in (hits, real))
            step = mean_estimate(hits - real, groups[asked], seed=seed)
            ahead = _in_errors(step.value, standard_error(step))
            rows.append(Row(family, balance, name, generated, usual, None, None, ahead))
        spread = mean_estimate(diversity(many), groups[: len(many)], seed=seed)
        rows.append(Row(family, balance, "diversity", spread, self.diversity, None, None, None))
        if self.near is not None:
            near = share_estimate(copies.near, groups, seed=seed)
            rows.append(Row(family, balance, "near_copies", near, self.near, None, None, None))
        return rows


def _advantage(metric: str, generated: Estimate, real: Estimate) -> float:
    """By how many standard errors generated pictures beat real ones."""
    ahead = real.value - generated.value if metric in SMALL_IS_GOOD else generated.value - real.value
    return _in_errors(ahead, math.hypot(standard_error(generated), standard_error(real)))


def _in_errors(value: float, error: float) -> float:
    return value / error if error else math.copysign(MOST_ERRORS, value) if value else 0.0


def _real_diversity(real: Tensor, questions: Questions) -> tuple[Estimate, str]:
    """How far real pictures of one class are apart, or of all, as many at a time as are drawn of a caption."""
    generator = torch.Generator().manual_seed(questions.seed)
    rows, sets = torch.arange(questions.num_repeated), []
    same = [(questions.classes == questions.classes[row]).nonzero()[:, 0] for row in rows.tolist()]
    enough = [row for row in rows.tolist() if questions.classes[row] >= 0 and len(same[row]) >= PICTURES_A_CAPTION]
    by_class = len(enough) >= LEAST_IN_CLASSES
    for row in enough if by_class else rows.tolist():
        from_which = same[row] if by_class else torch.arange(len(real))
        sets.append(real[from_which[torch.randperm(len(from_which), generator=generator)[:PICTURES_A_CAPTION]]])
    chosen = torch.tensor(enough) if by_class else rows
    found = mean_estimate(diversity(torch.stack(sets)), questions.groups[chosen], seed=questions.seed)
    return found, "class" if by_class else "all"
