"""What does Bespoke do? The main job on the built-in catalogue, in minutes: train, generate, show the pictures."""

from __future__ import annotations

from pathlib import Path

from bespoke.commands.generate import generate
from bespoke.commands.screen import Bar, Rate, say
from bespoke.commands.train import open_catalogue, run_plan
from bespoke.config import resolve
from bespoke.data.made_once import make_once
from bespoke.data.sample import write_sample
from bespoke.data.store import cache_folder
from bespoke.generation import free_name
from bespoke.training.plan import Budget, Plan

DEFAULT_FOLDER = Path("bespoke-demo")
NUM_PICTURES, SIZE, SEED = 2000, 64, 0
OVERRIDES = ("training.validation_every_minutes=1",)
TEXTS = (
    "a large red teapot",
    "a blue mug with white dots",
    "a yellow t-shirt with black stripes",
    "a small green bottle on a white background",
)


def demo(minutes: float, preset: str, out: Path | None) -> bool:
    """Train on drawn pictures of products and generate a few; False where training was stopped. Raises UserError."""
    folder = free_name(DEFAULT_FOLDER) if out is None else out
    plan = Plan(
        catalogue=str(cache_folder() / f"products-{NUM_PICTURES}-{SIZE}-{SEED}"),
        budget=Budget(minutes=minutes),
        config=resolve(preset, OVERRIDES),
    )
    catalogue, run = Path(plan.catalogue), folder / "run"
    say(f"Drawing {NUM_PICTURES:,} pictures of products for a catalogue, once, into {catalogue}")

    def write(folder: Path) -> None:
        rate = Rate()
        with Bar("Drawing pictures") as bar:
            tell = lambda done, total: bar.update(done, total, f"{done:,} pictures, {rate(done):.0f} a second")  # noqa: E731
            write_sample(folder, NUM_PICTURES, SIZE, SEED, progress=tell)

    make_once(catalogue, is_whole=(catalogue / "metadata.jsonl").is_file, write=write)
    store = open_catalogue(plan.catalogue, plan.config.model.image_size, skip_bad=False)
    if not run_plan(plan, store, run, resume_with=f"bespoke train {catalogue} --out {run} --resume"):
        return False
    say("Drawing " + "; ".join(TEXTS))
    generate(
        str(run),
        TEXTS,
        prompts=None,
        num_images=4,
        balance=0.5,
        seed=0,
        best_of=1,
        out=folder / "pictures",
    )
    say(f'Try your own words: bespoke generate {run} "a purple umbrella with yellow stripes"')
    return True
