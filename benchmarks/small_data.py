"""How much is learned from how few pairs? One model a size, all judged by the whole catalogue's kept-out pictures.

    python benchmarks/small_data.py CATALOGUE OUT [--sizes 200 500 1000 2000 0] [--images 36000] [--from BASE]
                                    [--set KEY=VALUE] [--name NAME]

OUT gets, for every size, a catalogue of that many training pictures, each within the next (0: all), and a run. Judges
are taught on all training pictures, and ask about the catalogue's own validation and test splits: where it has classes,
test may be of classes that none of the models has seen. Called again, it goes on with what is missing; --name tells
runs of other settings apart. Prints a row for each judge and split: distance, R@1, recall, and the diversity of one
caption's pictures as a share of what real pictures of one class have, or of all where there are no classes.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from training_run import trained

from bespoke.commands.evaluate import judges_of
from bespoke.data.catalogue import Catalogue
from bespoke.data.item import Part
from bespoke.data.store import PairStore, prepare
from bespoke.evaluation.evaluate import evaluate
from bespoke.evaluation.examine import Examined
from bespoke.evaluation.result import as_data
from bespoke.pipeline import Pipeline

SPLITS: tuple[Part, ...] = ("validation", "test")
BALANCE = 0.5
METRICS = ("frechet", "retrieval", "recall", "diversity")


def write_part(catalogue: Catalogue, store: PairStore, size: int, folder: Path) -> Path:
    """A catalogue of `size` training pictures, linked and not copied; the smaller is part of the larger."""
    index = np.random.default_rng(0).permutation(store.indices("train"))[: size or None]
    names = {store.name(place) for place in index.tolist()}
    folder.mkdir(parents=True)
    rows: list[dict[str, Any]] = []
    for item in catalogue:
        if item.name in names:
            assert isinstance(item.source, Path), "give a folder of pictures"
            name = f"{len(rows):06d}{item.source.suffix}"
            (folder / name).symlink_to(item.source.resolve())
            rows.append({**item.attributes, "file_name": name, "texts": list(item.texts), "split": "train"})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def measured(run: Path, store: PairStore, judges: list[Examined], split: Part) -> list[dict[str, Any]]:
    """The rows of a report on one split, read where they have been measured before."""
    file = run / f"measured-{split}.json"
    if not file.is_file():
        found = evaluate(Pipeline.from_pretrained(run), store, judges, split=split, balances=(BALANCE,))
        file.write_text(json.dumps(as_data(found)["rows"]), "utf-8")
    rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return rows


def main() -> None:
    """Trains and measures what is not there yet, then prints all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue")
    parser.add_argument("out", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 500, 1000, 2000, 0])
    parser.add_argument("--images", type=int, default=36_000, help="shown in each training")
    parser.add_argument("--from", dest="base", help="a model that each starts from")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--name", default="scratch")
    args = parser.parse_args()

    catalogue = Catalogue.open(args.catalogue)
    store = prepare(catalogue, 64)
    judges, lines = judges_of(store), []
    for size in args.sizes:
        part = args.out / "catalogues" / str(size or "all")
        if not (part / "metadata.jsonl").is_file():
            shutil.rmtree(part, ignore_errors=True)  # broken off, it holds links alone
            write_part(catalogue, store, size, part)
        run = args.out / f"{args.name}-{size or 'all'}"
        if not trained(part, run, images=args.images, base=args.base, overrides=args.overrides):
            return
        for split in SPLITS:
            rows = measured(run, store, judges, split)
            for judge in judges:
                family = judge.taught.judge.family
                by_metric = {row["metric"]: row for row in rows if row["judge"] == family}
                told = [f"{by_metric[name]['generated']['value']:.3g}" for name in METRICS[:-1]]
                diversity = by_metric["diversity"]
                told.append(f"{diversity['generated']['value'] / diversity['real']['value']:.0%}")
                lines.append(f"| {args.name}, {size or 'all'} | {split} | {family} | {' | '.join(told)} |")
    print("| | split | judge | distance | R@1 | recall | diversity of real |\n|---|---|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
