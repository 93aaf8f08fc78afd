"""What came out of an evaluation? Numbers, and everything that is needed to get them again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

from torch import Tensor

from bespoke.evaluation.examine import Examination
from bespoke.evaluation.intervals import Estimate
from bespoke.evaluation.judge import Family
from bespoke.pages.texts import Line

FORMAT = 1
PaperNetwork = Literal["inception", "clip", "dinov2"]
PAPER_NETWORKS: tuple[PaperNetwork, ...] = ("inception", "clip", "dinov2")


@dataclass(frozen=True)
class Protocol:
    """How it was measured. Numbers of two protocols that differ do not compare."""

    catalogue: str
    fingerprint: str
    split: str
    image_size: int
    num_pictures: int  # N: real pictures, and as many generated ones at each balance
    num_classes: int  # different classes among them, 0 where there are none
    intervals_over: str  # classes or pictures
    retrieval_of: int  # captions, the right one among them
    num_repeated: int  # captions drawn ten times for diversity
    diversity_against: str  # real pictures of the same class, or of all
    near_copies_against: str  # split whose real pictures say how near is usual
    seed: int
    balances: tuple[float, ...]
    model: str  # first 12 digits of a hash over its weights
    model_name: str
    device: str
    precision: str  # that pictures were drawn in; judges always look in fp32
    torch: str
    threads: int


@dataclass(frozen=True)
class JudgeCard:
    """A judge, and whether it can be trusted."""

    family: Family
    identity: str
    examination: Examination


@dataclass(frozen=True)
class Row:
    """One metric of one judge at one balance, with what real pictures get."""

    judge: Family
    balance: float
    metric: str
    generated: Estimate
    real: Estimate  # of sets: one half of the split against the other; else real pictures in place of the generated
    generated_half: Estimate | None  # of sets: at the n of `real`, to be compared with it
    training: Estimate | None  # of sets: training pictures against the split, at the n of `generated`
    advantage: float | None  # over real pictures, in standard errors; None where that means nothing


@dataclass(frozen=True)
class Suspect:
    """A generated picture close to a training picture."""

    balance: float
    seed: int
    caption: str
    training_picture: str  # its name in the catalogue
    closeness: float  # distance over the distance that 1% of real pictures go below; mean of the judges


class Pictures(NamedTuple):
    """What the report shows, [n, 3, S, S] uint8 each."""

    captions: list[str]
    real: Tensor
    generated: dict[float, Tensor]  # by balance
    suspects: Tensor
    nearest: Tensor  # the training pictures beside them


class Features(NamedTuple):
    """What one judge saw in the generated pictures of one balance."""

    pictures: Tensor  # [N, F] one of each caption
    repeated: Tensor  # [C, Z, F] Z of each of the first captions


class PaperCard(NamedTuple):
    """A network of others."""

    name: PaperNetwork
    model: str  # as its hub or its folder calls it, with the commit
    weights: str  # first 12 digits of a hash
    library: str  # that ran it


class Figure(NamedTuple):
    """A number as papers give it; only means over pictures have an interval."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None


class PaperRow(NamedTuple):
    """One metric of papers at one balance, with what real pictures get: the columns are those of Row."""

    network: PaperNetwork
    metric: str
    balance: float
    generated: Figure
    real: Figure
    generated_half: Figure | None
    training: Figure | None

    @property
    def at_equal_n(self) -> tuple[Figure, Figure]:
        """Generated pictures, and real ones in their place."""
        if self.training is not None:
            return self.generated, self.training
        return self.generated_half or self.generated, self.real


@dataclass(frozen=True)
class Papers:
    """What networks of others say, for comparison with papers alone."""

    cards: tuple[PaperCard, ...] = ()
    rows: tuple[PaperRow, ...] = ()
    missing: tuple[Line, ...] = ()  # why those that were asked for as well could not answer


@dataclass(frozen=True)
class Evaluation:
    """Everything that was found."""

    protocol: Protocol
    judges: tuple[JudgeCard, ...]
    rows: tuple[Row, ...]
    suspects: tuple[Suspect, ...]
    pictures: Pictures
    monitors: dict[str, float]  # of the model's own networks; say where to look, never how good it is
    features: dict[tuple[Family, float], Features]  # by judge and balance, for comparisons picture by picture
    papers: Papers = Papers()

    def find(self, metric: str, balance: float) -> list[Row]:
        """The rows of a metric at a balance, one a judge."""
        return [row for row in self.rows if row.metric == metric and row.balance == balance]

    def trusted(self, metric: str) -> set[Family]:
        """The judges that passed what it takes to answer for a metric. Of copies even a weak judge has a say."""
        if metric == "near_copies":
            return {card.family for card in self.judges}
        return {card.family for card in self.judges if card.examination.answers(metric)}

    @property
    def alarms(self) -> list[Row]:
        """Generated pictures that beat real ones by more than two standard errors."""
        return [row for row in self.rows if row.advantage is not None and row.advantage > 2]


def as_data(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation as JSON can hold it; pictures stay in the page."""
    return {
        "format": FORMAT,
        "protocol": asdict(evaluation.protocol),
        "judges": [
            asdict(card) | {"sees": card.examination.sees, "reads": card.examination.reads}
            for card in evaluation.judges
        ],
        "rows": [_row(row) for row in evaluation.rows],
        "alarms": [[row.judge, row.balance, row.metric] for row in evaluation.alarms],
        "suspects": [asdict(suspect) for suspect in evaluation.suspects],
        "monitors": evaluation.monitors,
    }


def _row(row: Row) -> dict[str, Any]:
    return {name: value._asdict() if isinstance(value, Estimate) else value for name, value in vars(row).items()}
