"""How much sooner does a new product line come right from a base than from nothing?

    python benchmarks/head_start.py OUT [--pictures 300] [--images 45000] [--base products] [--set KEY=VALUE]

Teaches a line that the base has never seen (the demo's) twice: from nothing with so many pictures shown, and from the
base with a third of them. Then asks each for 200 products that were in no training, one picture each, no best-of, in
English and Japanese: how often kind and colour are those of the text, beside what real pictures get. Called again, it
goes on with what is missing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training_run import trained

from bespoke.data.sample import sample_attributes, sample_captions, sample_drawing, write_sample
from bespoke.data.sample_objects import NEW_LINE
from bespoke.data.sample_reading import Reader, Right, count_right
from bespoke.pipeline import Pipeline

SIZE, BALANCE = 64, 0.5
CATALOGUE_SEED, ASKED_SEED, NUM_ASKED = 7, 10**6 + 7, 200


def main() -> None:
    """Trains what is not there yet, then prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--pictures", type=int, default=300, help="of the catalogue")
    parser.add_argument("--images", type=int, default=45_000, help="shown to the one that starts from nothing")
    parser.add_argument("--base", default="products")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()

    catalogue = args.out / "catalogue"
    if not (catalogue / "metadata.jsonl").is_file():
        write_sample(catalogue, args.pictures, SIZE, CATALOGUE_SEED, "both", objects=[NEW_LINE])
    asked = [sample_attributes(ASKED_SEED, index, [NEW_LINE]) for index in range(NUM_ASKED)]
    reader, found = Reader(size=SIZE), {}
    for name, base, images in (("scratch", None, args.images), ("base", args.base, args.images // 3)):
        run = args.out / name
        if not trained(catalogue, run, images=images, base=base, overrides=args.overrides):
            return
        pipeline = Pipeline.from_pretrained(run)
        for language in ("en", "ja"):
            texts = [sample_captions(ASKED_SEED, index, each, language)[0] for index, each in enumerate(asked)]
            drawn = (picture.image for picture in pipeline.stream(texts, balance=BALANCE, seed=0))
            found[f"{name}, {images:,} pictures shown, {language}"] = count_right(drawn, asked, reader)
    real = (sample_drawing(ASKED_SEED, index, SIZE, each).picture for index, each in enumerate(asked))
    found["real pictures"] = count_right(real, asked, reader)
    print(f"{args.pictures} pairs of {NEW_LINE}, {NUM_ASKED} asked\n\n| | colour | kind | both |\n|---|---|---|---|")
    for name, right in found.items():
        print(f"| {name} | {' | '.join(_shares(right))} |")


def _shares(right: Right) -> list[str]:
    return [f"{count / right.num_pictures:.0%}" for count in (right.color, right.kind, right.both)]


if __name__ == "__main__":
    main()
