"""What strangers send: whatever it is, nobody dies of it, nothing half is kept, and what is wrong is said."""

from __future__ import annotations

import io
import json
import os
import resource
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image

from bespoke.data.catalogue import Catalogue
from bespoke.studio.workshop import sandbox as sandboxes
from bespoke.studio.workshop.pairing import Shelf
from bespoke.studio.workshop.problems import KINDS
from bespoke.studio.workshop.sandbox import Sandbox
from bespoke.studio.workshop.told import tell_problem
from bespoke.studio.workshop.version_files import read_rows

ROOT = Path(__file__).parent.parent.parent
TABLE = "file_name,text\nred.png,a red cup\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(file, kind, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(side: int) -> bytes:
    """A PNG of a few kilobytes that claims side x side pixels, and has them."""
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(side // 8 + 1)) for _ in range(side)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


TakeIn = Callable[..., dict[str, Any]]


@pytest.fixture
def take_in(tmp_path: Path) -> TakeIn:
    """Sends files through the process that takes them in; the answer is its result."""

    def send(files: dict[str, bytes], **asked: Any) -> dict[str, Any]:
        upload = tmp_path / "upload"
        upload.mkdir()
        names = {f"{number:06d}": name for number, name in enumerate(files)}
        for place, name in names.items():
            (upload / place).write_bytes(files[name])
        (upload / "names.json").write_text(json.dumps(names))
        (upload / "asked.json").write_text(json.dumps(asked))
        command = [sys.executable, "-m", "bespoke.studio.workshop.intake", str(upload), str(tmp_path / "part"), "1"]
        env = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        ended = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        result: dict[str, Any] = json.loads((upload / "result.json").read_text())
        assert (tmp_path / "part").exists() == ("fingerprint" in result)  # all of it or nothing
        return result

    return send


def kinds(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(kind, name) for kind, name, _ in result["problems"]]


def test_pictures_and_table_become_a_catalogue_that_the_command_line_reads(take_in: TakeIn, tmp_path: Path) -> None:
    table = "ファイル名;商品説明;色\nred.PNG;赤いカップ;赤\nblue;青いカップ;青\nred.png;取っ手の赤いカップ;赤\n"
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a secret"  # turned by a quarter, and a description
    files = {"red.png": picture(), "blue.jpg": picture("JPEG", (60, 40), exif=exif), "表.csv": table.encode("cp932")}
    result = take_in(files)
    assert result["num_pictures"] == 2
    rows = read_rows(tmp_path / "part")
    assert [row["texts"] for row in rows] == [["赤いカップ", "取っ手の赤いカップ"], ["青いカップ"]]
    assert [(row["original_name"], row["色"]) for row in rows] == [("red.png", "赤"), ("blue.jpg", "青")]
    items = list(Catalogue.open(tmp_path / "part"))
    assert [item.name[:7] for item in items] == ["000001-", "000002-"]
    for item, kind, size in zip(items, ("PNG", "JPEG"), ((40, 30), (40, 60)), strict=True):
        assert isinstance(item.source, Path)
        with Image.open(item.source) as kept:
            assert (kept.format, kept.size, dict(kept.getexif())) == (kind, size, {})
        assert b"secret" not in item.source.read_bytes()
        assert item.source.stat().st_mode & 0o111 == 0


BAD = {
    "empty.png": (b"", "empty"),
    "page.png": (b"<html><script>alert(1)</script></html>", "no_picture"),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "no_picture"),
    "frames.png": (b"GIF89a\x01\0\x01\0\0\0\0;", "no_picture"),
    "cut.jpg": (picture("JPEG", (200, 200))[:2000], "broken"),
    "tiny.png": (picture(size=(8, 8)), "tiny"),
    "bomb.png": (bomb(30_000), "oversized"),
}


def test_every_bad_picture_is_named_and_nothing_is_kept(take_in: TakeIn) -> None:
    table = "file_name,text\nred.png,a red cup\n" + "".join(f"{name},x\n" for name in BAD)
    files = {name: data for name, (data, _) in BAD.items()} | {"red.png": picture(), "table.csv": table.encode()}
    assert sorted(kinds(take_in(files))) == sorted((kind, name) for name, (_, kind) in BAD.items())


def test_bad_pictures_are_left_out_where_that_was_asked_for(take_in: TakeIn) -> None:
    table = "file_name,text\nred.png,a red cup\nempty.png,x\ngone.png,x\n"
    files = {"red.png": picture(), "empty.png": b"", "more.png": picture(), "table.csv": table.encode()}
    result = take_in(files, skip_bad=True)
    assert result["num_pictures"] == 1
    left_out = sorted(kind for kind, *_ in result["left_out"])
    assert left_out == ["empty", "no_file", "no_row"]


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"red.png": picture()}, "no_table"),
        ({"red.png": picture(), "a.csv": TABLE.encode(), "b.csv": TABLE.encode()}, "two_tables"),
        ({"red.png": picture(), "a.csv": "a,b\n1,2\n".encode("utf-16")}, "bad_table"),
        ({"red.png": picture(), "a.csv": b"sku,price\n1,2\n"}, "bad_table"),
        ({"red.png": picture(), "a.csv": b""}, "no_row"),
        ({"red.png": picture(), "a.xlsx": b"PK\x03\x04 no workbook"}, "bad_table"),
        ({"red.png": picture(), "a.jsonl": b"{not json"}, "bad_table"),
        ({"red.png": picture(), "a.csv": b"file_name,text,split\nred.png,x,both\n"}, "bad_split"),
        ({"red.png": picture(), "a.csv": b"file_name,text\n../../etc/passwd,x\n"}, "bad_table"),
        ({"red.png": picture(), "a.csv": b"file_name,text\nred.png," + b"x" * 1001}, "long_caption"),
        ({"all.zip": b"PK no zip"}, "no_zip"),
        ({"notes.txt": b"hello", "red.png": picture(), "a.csv": TABLE.encode()}, "unknown_file"),
    ],
)
def test_a_wrong_upload_says_what_is_wrong(files: dict[str, bytes], kind: str, take_in: TakeIn) -> None:
    assert [found for found, _ in kinds(take_in(files))] == [kind]


def test_names_in_a_zip_lead_nowhere(take_in: TakeIn, tmp_path: Path) -> None:
    names = ["../../evil.png", "/tmp/evil-absolute.png", "..\\..\\evil-windows.png", "shop/red.png"]
    rows = "".join(f"{Path(name.replace(chr(92), '/')).name},a cup\n" for name in names)
    inside = {name: picture() for name in names} | {"__MACOSX/._red.png": b"x", "metadata.csv": b""}
    inside["metadata.csv"] = ("file_name,text\n" + rows).encode()
    before = set(tmp_path.parent.rglob("evil*"))
    assert take_in({"all.zip": zipped(inside)})["num_pictures"] == 4
    assert set(tmp_path.parent.rglob("evil*")) == before
    assert not Path("/tmp/evil-absolute.png").exists()


def test_names_of_a_japanese_windows_zip_are_read(take_in: TakeIn) -> None:
    archive = zipped({"aaaa.png": picture(), "table.csv": "file_name,text\n赤杯.png,赤い杯\n".encode()})
    assert take_in({"all.zip": archive.replace(b"aaaa.png", "赤杯.png".encode("cp932"))})["num_pictures"] == 1


def test_a_zip_that_unpacks_to_far_too_much_is_stopped(take_in: TakeIn, tmp_path: Path) -> None:
    result = take_in({"all.zip": zipped({"zeros.png": bytes(70 * 2**20), "table.csv": TABLE.encode()})})
    assert ("too_large", "zeros.png") in kinds(result)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) < 80 * 2**20


def test_all_of_a_bomb_counts_whatever_it_says_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bespoke.studio.workshop import unpacking
    from bespoke.studio.workshop.problems import RefusedError

    monkeypatch.setattr(unpacking, "MOST_UNPACKED_BYTES", 3 * 2**20)
    file = tmp_path / "all.zip"
    file.write_bytes(zipped({f"{number}.png": bytes(2**20) for number in range(4)}))
    with pytest.raises(RefusedError) as refused:
        list(unpacking.Unpacker().unpack(file, tmp_path))
    assert refused.value.problem.kind == "bomb"


def test_a_locked_zip_is_told(take_in: TakeIn) -> None:
    archive = bytearray(zipped({"red.png": picture()}))
    archive[6] |= 1  # the flag of encryption, in the file's head and in the list at the end
    archive[archive.index(b"PK\x01\x02") + 8] |= 1
    files = {"all.zip": bytes(archive), "red.png": picture(), "table.csv": TABLE.encode()}
    assert kinds(take_in(files)) == [("locked", "red.png")]


def test_an_excel_table_is_read(take_in: TakeIn, tmp_path: Path) -> None:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in (["画像", "説明文", "price"], ["red.png", "赤いカップ", 1200]):
        book.active.append(row)
    book.save(file)
    assert take_in({"red.png": picture(), "list.xlsx": file.getvalue()})["num_pictures"] == 1
    assert read_rows(tmp_path / "part")[0]["price"] == "1200"


def test_captions_can_be_put_together_from_columns(take_in: TakeIn, tmp_path: Path) -> None:
    table = b"file_name,color,type\nred.png,red,cup\n"
    take_in({"red.png": picture(), "list.csv": table}, template="a {color} {type}")
    assert read_rows(tmp_path / "part")[0]["texts"] == ["a red cup"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


def test_a_decoder_that_dies_is_replaced(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "red.png"
    file.write_bytes(picture())
    assert sandbox.ask("remake", str(file), str(tmp_path / "out")) == {"kind": "png"}
    assert sandbox._child is not None
    sandbox._child.kill()
    sandbox._child.wait()
    assert sandbox.ask("remake", str(file), str(tmp_path / "out")) == {"fault": "deadly"}
    assert sandbox.ask("remake", str(file), str(tmp_path / "out")) == {"kind": "png"}


def test_a_decoder_that_hangs_is_ended(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandboxes, "PATIENCE_SECONDS", 1.0)
    os.mkfifo(tmp_path / "endless")  # nobody ever writes into it, but it seems to have a size
    stuck = "import os, sys; sys.stdin.readline(); os.read(os.open(sys.argv[1], os.O_RDWR), 1)"
    sandbox._child = subprocess.Popen(
        [sys.executable, "-c", stuck, str(tmp_path / "endless")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sandbox.ask("remake", "a", "b") == {"fault": "slow"}


def test_a_decoder_can_take_neither_much_memory_nor_much_time(tmp_path: Path) -> None:
    asked = "from bespoke.studio.workshop.decoder import _limit_memory, _limit_time; _limit_memory(); _limit_time(1)"
    env = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    run = lambda code: subprocess.run([sys.executable, "-c", f"{asked}; {code}"], env=env, stderr=subprocess.PIPE)  # noqa: E731
    assert b"MemoryError" in run("bytes(500 * 2**20)").stderr
    assert run("while True: pass".replace("while True: pass", "exec('while True: pass')")).returncode == -24  # SIGXCPU
    assert b"File too large" in run(f"open({str(tmp_path / 'big')!r}, 'wb').write(bytes(70 * 2**20))").stderr


def test_the_largest_picture_fits_what_a_decoder_gets(sandbox: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    Image.new("RGBA", (8000, 5000), (200, 10, 10, 128)).save(file, compress_level=1)
    assert sandbox.ask("remake", str(file), str(tmp_path / "out")) == {"kind": "png"}
    with Image.open(tmp_path / "out") as kept:
        assert (kept.size, kept.mode) == ((1638, 1024), "RGB")
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert used < 2 * 2**20  # of all children of this process; its own is held by RLIMIT_AS


def test_rows_find_files_as_people_read_names() -> None:
    shelf = Shelf(["Shop/Ｒed.PNG", "a.jpg", "b/a.jpg", "が.png"])
    assert shelf.find("shop/red.png") == [0]
    assert shelf.find("red.png") == [0]
    assert shelf.find("red") == [0]
    assert shelf.find("a.jpg") == [1]
    assert shelf.find("other/a.jpg") == [1, 2]
    assert shelf.find("か\u3099.png") == [3]
    assert shelf.find("none.png") == []


def test_every_kind_of_problem_has_words() -> None:
    for kind in KINDS:
        assert tell_problem(kind, "detail")
