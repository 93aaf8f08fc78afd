"""What can the model that comes with Bespoke do, by the exact attributes of its catalogue? The tables of its card.

    python benchmarks/base.py [MODEL] [--pictures 500] [--edits 120]

First captions of drawn products that were in no training, one picture each, no best-of: how often kind and colour are
those of the text, in English and Japanese, beside what real pictures get. Then edits whose true answer is known.
"""

from __future__ import annotations

import argparse

from bespoke.data.sample import sample_attributes, sample_captions, sample_drawing
from bespoke.data.sample_objects import BASE_KINDS
from bespoke.data.sample_reading import Reader, Right, count_right
from bespoke.evaluation.edits_exact import exact_edits
from bespoke.pipeline import Pipeline

SEED = 9001  # of the drawings
BALANCES = (0.0, 0.5, 1.0)


def main() -> None:
    """Prints the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="products")
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--edits", type=int, default=120, help="0: none")
    args = parser.parse_args()

    pipeline = Pipeline.from_pretrained(args.model, device="cpu")
    size = pipeline.networks.settings.image_size
    asked = [sample_attributes(SEED, index) for index in range(args.pictures)]
    reader = Reader(BASE_KINDS, size=size)

    def row(name: str, right: Right) -> None:
        shares = " | ".join(f"{count / right.num_pictures:.0%}" for count in (right.color, right.kind, right.both))
        print(f"| {name} | {shares} |")

    print(f"{args.pictures} pictures each, seeds 0, 1, 2, ...\n\n| | colour | kind | both |\n|---|---|---|---|")
    for language in ("en", "ja"):
        texts = [sample_captions(SEED, index, attributes, language)[0] for index, attributes in enumerate(asked)]
        for balance in BALANCES:
            drawn = (picture.image for picture in pipeline.stream(texts, balance=balance, seed=0))
            row(f"{language}, b = {balance:g}", count_right(drawn, asked, reader))
    real = (sample_drawing(SEED, index, size, attributes).picture for index, attributes in enumerate(asked))
    row("real pictures", count_right(real, asked, reader))

    if args.edits and pipeline.networks.editor is not None:
        print(f"\n{args.edits} edits each\n")
        print("| changed | by | right | else as it was | background |\n|---|---|---|---|---|")
        for found in exact_edits(pipeline, num_pictures=args.edits, seed=0, tell=lambda what, done, total: None):
            way = found.way.name if found.way.strength is None else f"strength {found.way.strength:g}"
            print(f"| {found.attribute} | {way} | {found.right:.0%} | {found.kept:.0%} | {found.background:.2%} |")


if __name__ == "__main__":
    main()
