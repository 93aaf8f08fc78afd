"""How is a catalogue read that is too large for single files? WebDataset tar shards, on disk or behind a URL.

A sample is a picture (jpg, jpeg, png, webp) with a txt (one caption a line) or a json (text or texts; further keys
are attributes) of the same key. Shards are streamed: one sample is in memory at a time.
"""

from __future__ import annotations

import json
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec

from bespoke.data.columns import TEXT_COLUMNS
from bespoke.data.item import Item, Problems
from bespoke.data.pictures import SUFFIXES
from bespoke.data.tables import as_attributes, as_texts
from bespoke.errors import UserError

_CAPTION_SUFFIXES = (".txt", ".json")


def is_shards(location: str) -> bool:
    """A URL, a .tar file (braces and * stand for several), or a folder with .tar files in it."""
    if "://" in location or location.endswith(".tar"):
        return True
    return Path(location).is_dir() and next(Path(location).glob("*.tar"), None) is not None


def shard_urls(location: str) -> list[str]:
    """The shards of a location in order; raises UserError where there are none or the place cannot be reached."""
    try:
        from braceexpand import braceexpand
    except ImportError:
        raise UserError(f"{location}: reading tar shards needs webdataset; pip install webdataset") from None
    urls = []
    for part in braceexpand(location):
        if part.endswith(".tar") and "*" not in part:
            urls.append(part)
            continue
        pattern = part if part.endswith(".tar") else part.rstrip("/") + "/*.tar"
        system, path = _reach(pattern)
        urls += [system.unstrip_protocol(found) for found in sorted(system.glob(path))]
    if not urls:
        raise UserError(
            f"{location}: no .tar shards there; give their folder or a pattern such as x-{{0000..0009}}.tar"
        )
    return urls


def _reach(url: str) -> tuple[Any, str]:
    try:
        system, path = fsspec.url_to_fs(url)
    except (ImportError, ValueError) as error:  # a back end that is not installed, or an unknown one
        raise UserError(f"{url}: cannot be reached ({error}); install what it needs or copy the shards here") from None
    return system, path


def shard_stamps(location: str) -> Iterator[str]:
    """Name, size and time or tag of each shard, which change when the shard does."""
    for url in shard_urls(location):
        system, path = _reach(url)
        try:
            info = system.info(path)
        except FileNotFoundError:
            raise UserError(f"{url}: no such shard; check the name or the pattern") from None
        marks = [
            str(info[key]) for key in ("ETag", "etag", "mtime", "LastModified", "updated", "created") if key in info
        ]
        yield json.dumps([url.rsplit("/", 1)[-1], info.get("size"), *marks[:1]])


def read_shards(location: str, problems: Problems) -> Iterator[Item]:
    """Yield the samples of all shards in order; raises UserError naming a shard that is missing or broken."""
    try:
        from webdataset.tariterators import group_by_keys, tar_file_expander
    except ImportError:
        raise UserError(f"{location}: reading tar shards needs webdataset; pip install webdataset") from None
    for url in shard_urls(location):
        shard = url.rsplit("/", 1)[-1].removesuffix(".tar")
        try:
            with fsspec.open(url, "rb") as stream:
                # What is neither picture nor caption, such as a video, is passed over unread.
                members = tar_file_expander([{"url": url, "stream": stream}], select_files=_is_ours)
                for sample in group_by_keys(members):
                    item = _as_item(sample, shard, problems)
                    if item is not None:
                        yield item
        except UserError:
            raise
        except FileNotFoundError:
            raise UserError(f"{url}: no such shard; check the name or the pattern") from None
        except (OSError, tarfile.TarError, ValueError, EOFError, zlib.error) as error:
            reason = " ".join(str(error.args[0] if error.args else error).split())
            raise UserError(f"{url}: broken shard ({reason}); copy or write it again") from None


def _is_ours(name: str) -> bool:
    return name.lower().endswith((*SUFFIXES, *_CAPTION_SUFFIXES))


def _as_item(sample: dict[str, Any], shard: str, problems: Problems) -> Item | None:
    name = f"{shard}/{sample['__key__']}"
    picture = next((key for key in sample if f".{key}".endswith(SUFFIXES)), None)
    if picture is None:
        problems.add("samples without a picture", name)
        return None
    texts: list[str] = []
    attributes: dict[str, str] = {}
    for key, value in sample.items():
        where = f"{name}.{key}"
        if f".{key}".endswith(".txt"):
            texts += [line.strip() for line in _decode(value, where).splitlines() if line.strip()]
        elif f".{key}".endswith(".json"):
            try:
                record = json.loads(_decode(value, where))
            except ValueError as error:
                raise UserError(f"{where}: not JSON ({error}); write the shard again") from None
            if not isinstance(record, dict):
                raise UserError(f"{where}: expected a JSON object with text, got {record!r:.40}; write the shard again")
            texts += [text for column in TEXT_COLUMNS for text in as_texts(record.pop(column, None), where)]
            attributes = as_attributes(record)
    return Item(f"{name}.{picture}", sample[picture], tuple(texts), attributes)


def _decode(value: bytes, where: str) -> str:
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{where}: not UTF-8; write the shard again") from None
