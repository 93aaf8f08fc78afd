"""How does one model of an experiment get its numbers? Trained like any run, measured like any model, and once only.

An experiment is a folder: `NAME/` are runs as `bespoke train` writes them, `results/NAME.json` (and the features that
judges saw, beside it) is there once that model is measured. Whoever is interrupted goes on where he was.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from bespoke.config import Config
from bespoke.data.item import Part
from bespoke.data.store import PairStore
from bespoke.errors import UserError
from bespoke.evaluation.evaluate import Tell, evaluate
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.judge import Family
from bespoke.evaluation.result import Features, as_data
from bespoke.locate import model_folder
from bespoke.networks import load_networks
from bespoke.pipeline import Pipeline
from bespoke.training.plan import CONFIG, Plan, check_free, read_plan

FORMAT = 1
MARK = "experiment.json"
RESULTS = "results"
LOCK = ".lock"
Train = Callable[[Plan, PairStore, Path], bool]  # writes the plan down and trains by it; False where stopped
Watch = Callable[[str], AbstractContextManager[Tell]]  # takes a name, and is told how far its evaluation is


@dataclass(frozen=True)
class Asked:
    """How every model of an experiment is measured."""

    split: Part
    balances: tuple[float, ...]
    num_pictures: int
    seed: int


class Measured(NamedTuple):
    """One model and what the judges made of it."""

    name: str
    rows: list[dict[str, Any]]  # as in report.json
    features: dict[tuple[Family, float], Features]
    protocol: dict[str, Any]  # as in report.json

    def value(self, metric: str, judge: str, balance: float) -> float | None:
        """A number of the generated pictures; None where it could not be asked."""
        row = self.row(metric, judge, balance)
        return None if row is None else float(row["generated"]["value"])

    def row(self, metric: str, judge: str, balance: float) -> dict[str, Any] | None:
        wanted = (metric, judge, balance)
        return next((row for row in self.rows if (row["metric"], row["judge"], row["balance"]) == wanted), None)


@dataclass(frozen=True)
class Bench:
    """What all models of an experiment share: pictures, budget, judges and questions."""

    out: Path
    plan: Plan  # of every run, but for the config
    store: PairStore
    judges: Sequence[Examined]
    asked: Asked
    train: Train
    watch: Watch

    def measured(self, name: str, config: Config) -> Measured | None:
        """The model of a config, trained and measured where that is not done yet; None where training was stopped.

        Raises UserError where the folder holds a model of that name with another config, budget or catalogue.
        """
        plan = self.plan.model_copy(update={"config": config})
        done = self.read(name, plan)
        if done is not None:
            return done
        run = self.out / name
        if (run / CONFIG).is_file():
            _check_same(run, read_plan(run), plan)
        else:
            check_free(run)
        if not self.train(plan, self.store, run):
            return None
        self._measure(name, plan)
        return self.read(name, plan)

    def read(self, name: str, plan: Plan) -> Measured | None:
        """A result that is there; None where there is none, it was measured in another way, is damaged, or the model
        in the run's folder is another one by now.

        Raises UserError where it is that of another config, budget or catalogue.
        """
        file, run = self._file(name), self.out / name
        try:
            data = json.loads(file.read_text("utf-8"))
            _check_same(run, Plan.model_validate(data["plan"]), plan)
            if (run / CONFIG).is_file():  # who needs the space may have removed the run, and keeps its numbers
                _check_same(run, read_plan(run), plan)
            if data["protocol"]["fingerprint"] != self.store.fingerprint:
                raise UserError(f"{self.out / name}: trained on another catalogue; name another --out")
            if data["measured"] != self.how():
                return None
            content = file.with_suffix(".safetensors").read_bytes()
            if hashlib.sha256(content).hexdigest() != data["features"]:
                return None
            if _checksum(data) != data["checksum"]:
                return None
            if (run / CONFIG).is_file() and data["protocol"]["model"] != _identity_of(run):
                return None
            return Measured(name, data["rows"], _unpacked(load(content)), data["protocol"])
        except UserError:
            raise
        except (OSError, ValueError, KeyError, TypeError, SafetensorError):
            return None

    def _measure(self, name: str, plan: Plan) -> None:
        with self.watch(name) as tell:
            evaluation = evaluate(
                Pipeline.from_pretrained(self.out / name),
                self.store,
                self.judges,
                split=self.asked.split,
                balances=self.asked.balances,
                num_pictures=self.asked.num_pictures,
                seed=self.asked.seed,
                model_name=name,
                tell=tell,
            )
        tensors = {}
        for (judge, balance), seen in evaluation.features.items():
            tensors[f"{judge}/{balance!r}/pictures"] = seen.pictures.contiguous()
            tensors[f"{judge}/{balance!r}/repeated"] = seen.repeated.contiguous()
        content = save(tensors)
        data = as_data(evaluation) | {
            "experiment_format": FORMAT,
            "plan": plan.model_dump(mode="json"),
            "measured": self.how(),
            "features": hashlib.sha256(content).hexdigest(),
        }
        data["checksum"] = _checksum(data)
        # The JSON comes last: where it is, everything is.
        write_whole(self._file(name).with_suffix(".safetensors"), content)
        write_whole(self._file(name), (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())

    def _file(self, name: str) -> Path:
        return self.out / RESULTS / f"{name}.json"

    def how(self) -> dict[str, Any]:
        """What must be the same for two results to compare."""
        asked = self.asked
        return {
            "format": FORMAT,
            "split": asked.split,
            "balances": list(asked.balances),
            "num_pictures": asked.num_pictures,
            "seed": asked.seed,
            "judges": [judge.taught.identity for judge in self.judges],
        }


def _identity_of(run: Path) -> str:
    return load_networks(model_folder(run), editor=False)[1]


def claim_experiment(out: Path, kind: str) -> None:
    """Take a new or empty folder for an experiment, or one of the same kind to go on with. Raises UserError."""
    mark = {"format": FORMAT, "experiment": kind}
    try:
        out.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in out.iterdir()} - {LOCK, f".{MARK}.part"}
        if not names:
            write_whole(out / MARK, (json.dumps(mark) + "\n").encode())
        elif MARK not in names:
            raise UserError(f"{out}: holds files of something else (first: {min(names)}); name a new --out")
        elif json.loads((out / MARK).read_text("utf-8")) != mark:
            raise UserError(f"{out}: belongs to another kind of experiment or version; name a new --out")
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{out}: cannot hold an experiment ({error}); name another --out") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that is whole or not there. Raises UserError where the disk refuses."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); free some disk space and try again") from error


def write_reports(folder: Path, name: str, *, data: Mapping[str, Any], markdown: str, page: str) -> None:
    """The same report as NAME.json, NAME.md and NAME.html. Raises UserError."""
    told = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    for suffix, text in ((".json", told), (".md", markdown), (".html", page)):
        write_whole(folder / f"{name}{suffix}", text.encode("utf-8"))


def _checksum(result: Mapping[str, Any]) -> str:
    """Of numbers and protocol as JSON has them: a file that somebody cut or changed is no result."""
    told = {key: result[key] for key in ("rows", "protocol")}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _check_same(run: Path, found: Plan, wanted: Plan) -> None:
    """Raise UserError where a model was made with another config or budget, and say the first difference."""
    there, here = (plan.model_dump(mode="json", include={"config", "budget"}) for plan in (found, wanted))
    for plan in (there, here):
        plan["config"].pop("gates")  # these say what is asked of a model, not how it is made
    check_equal(run, there, here)


def check_equal(place: Path, there: dict[str, Any], here: dict[str, Any]) -> None:
    """Raise UserError where what was asked for there differs from what is asked for here; it names the first value."""
    for key, old, new in _differences(there, here):
        raise UserError(
            f"{place}: made with {key}={json.dumps(old)}, now {json.dumps(new)} is asked for; "
            "give what it was made with, or name another --out"
        )


def _differences(old: dict[str, Any], new: dict[str, Any], under: str = "") -> list[tuple[str, Any, Any]]:
    found = []
    for key, value in old.items():
        other = new.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            found += _differences(value, other, f"{under}{key}.")
        elif value != other:
            found.append((f"{under}{key}".removeprefix("config."), value, other))
    return found


def _unpacked(tensors: dict[str, torch.Tensor]) -> dict[tuple[Family, float], Features]:
    found: dict[tuple[Family, float], Features] = {}
    for name in tensors:
        judge, balance, kind = name.split("/")
        if kind == "pictures":
            key: Any = (judge, float(balance))
            found[key] = Features(tensors[name], tensors[f"{judge}/{balance}/repeated"])
    return found
