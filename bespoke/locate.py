"""Where is the model that somebody named? In a run, in a folder, in this package, or on the hub."""

from __future__ import annotations

from pathlib import Path

from bespoke.errors import UserError

INDEX = "model_index.json"  # what makes a folder a model's
BASES = Path(__file__).parent / "bases"  # the models that come with Bespoke, each with its card


def bases() -> list[str]:
    """The names of the models that come with Bespoke."""
    return sorted(folder.name for folder in BASES.iterdir() if folder.is_dir())


def model_folder(name: str | Path) -> Path:
    """The model folder that a run folder, a model folder, a name out of `bases` or a hub id stands for.

    A folder with a model of that name goes first; one that holds something else, such as a catalogue called products,
    does not stand in the way of a name out of `bases`. Raises UserError where there is nothing of it.
    """
    if not str(name):
        raise UserError("model: an empty name; give a run, a model folder or a hub id (. is the current folder)")
    folder = Path(name)
    if (folder / "model").is_dir():
        return folder / "model"
    if (folder / "config.json").is_file():
        raise UserError(f"{name}: a run without a model yet; wait for its first save, or go on with it by --resume")
    if str(name) in bases() and not (folder / INDEX).is_file():
        return BASES / name
    if folder.is_dir():
        return folder
    if folder.exists():
        raise UserError(f"{name}: a file, and a model is a folder; give a run or a model folder")
    return _from_hub(str(name))


def _from_hub(name: str) -> Path:
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise UserError(
            f"{name}: no such folder; give a run, a model folder or a hub id like owner/name, or a model that comes "
            f"with Bespoke: {', '.join(bases())}"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=["*.json", "*.safetensors"]))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UserError(f"{name}: neither a folder nor a model on the hub ({reason}); check the name") from error
