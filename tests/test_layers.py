"""Do imports only point down, and does the code keep the rules that keep it safe? Only read, never run."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "bespoke").rglob("*.py"))
LAYERS = (  # from the top; a part may import from lower lines only, never from its own
    ("__main__",),
    ("cli",),
    ("commands",),
    ("experiments", "export", "cluster", "studio"),
    ("__init__",),  # `from bespoke import Pipeline`
    ("training", "evaluation"),
    ("generation",),
    ("pipeline",),
    ("editing",),
    ("networks",),
    ("method", "data", "provenance"),
    ("config", "precision"),
    ("settings",),
    ("pages", "locate", "packing", "tensors"),
    ("errors", "memory"),
)
DEPTH = {part: depth for depth, line in enumerate(LAYERS) for part in line}
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
ONE_KNOWN_FILE = "bespoke.data.borrowed_eyes"  # reads a file of others by its sha256, by the reader that runs no code
BY_HAND = {"torch-fidelity"}  # needs torchvision in the very build of torch, which no requirement can ask for
MOST_LINES = 350


def part_of(module: str) -> str:
    """Of bespoke.data.captions: data."""
    package, _, rest = module.partition(".")
    return (rest.split(".")[0] or "__init__") if package == "bespoke" else package


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, wherever it stands; `from bespoke import data` is bespoke.data."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield node.lineno, inner if node.module == "bespoke" and alias.name in DEPTH else str(node.module)


def layer_problems(module: str, tree: ast.AST) -> Iterator[str]:
    """Imports of `module` that point up, sideways, or out of method/."""
    part = part_of(module)
    if part not in DEPTH:
        yield f"{module}: {part} has no line in LAYERS; decide where it belongs"
        return
    for line, name in imports(tree):
        top = name.split(".")[0]
        if top == "bespoke" and part_of(name) != part and DEPTH.get(part_of(name), -1) <= DEPTH[part]:
            yield f"{module}:{line} imports {name}, which is not below it"
        own_or_standard = part_of(name) == "method" or top in sys.stdlib_module_names
        if part == "method" and not own_or_standard and top != "torch":
            yield f"{module}:{line} imports {name}; method/ knows torch and nothing else"


def safety_problems(module: str, tree: ast.AST) -> Iterator[str]:
    """Pickle in any form, wildcard and relative imports, device literals, changes of the import path."""
    for line, name in imports(tree):
        if name.split(".")[0] in PICKLES:
            yield f"{module}:{line} imports {name}; models are data: safetensors and JSON"
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if node.level:
                yield f"{module}:{node.lineno} has a relative import"
            if "*" in names:
                yield f"{module}:{node.lineno} has a wildcard import"
            if node.module == "torch" and names & {"load", "save"}:
                yield f"{module}:{node.lineno} imports torch.load or torch.save, which are pickle"
        elif isinstance(node, ast.Attribute):
            if module == ONE_KNOWN_FILE and ast.unparse(node) == "torch.load":
                continue
            if ast.unparse(node) in {"torch.load", "torch.save", "torch.hub", "sys.path"}:
                yield f"{module}:{node.lineno} uses {ast.unparse(node)}"
        elif isinstance(node, ast.Call):
            safe = any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in node.keywords)
            if module == ONE_KNOWN_FILE and ast.unparse(node.func) == "torch.load" and not safe:
                yield f"{module}:{node.lineno} lets torch.load run code"
            if isinstance(node.func, ast.Attribute) and node.func.attr == "cuda":
                yield f"{module}:{node.lineno} calls .cuda(); the device comes in from outside"
            if any(k.arg == "allow_pickle" and ast.unparse(k.value) != "False" for k in node.keywords):
                yield f"{module}:{node.lineno} allows pickle"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_only_point_down(path: Path) -> None:
    assert list(layer_problems(module_name(path), ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_pickle_no_device_literal_no_import_trick(path: Path) -> None:
    assert list(safety_problems(module_name(path), ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_module_fits_in_the_head(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES


def test_every_package_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    declared = {line.split(">")[0].split("[")[0].lower().replace("_", "-") for line in wanted} | BY_HAND
    distributions = packages_distributions()
    own_or_standard = {"bespoke", *sys.stdlib_module_names}
    undeclared = {
        f"{module_name(path)}:{line} {name}"
        for path in MODULES
        for line, name in imports(ast.parse(path.read_text("utf-8")))
        if (top := name.split(".")[0]) not in own_or_standard
        and not declared & {found.lower().replace("_", "-") for found in distributions.get(top, [top])}
    }
    assert undeclared == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("bespoke.data.store", "from bespoke.pipeline import Pipeline"),
        ("bespoke.data.store", "def later():\n    import bespoke.training.loop"),
        ("bespoke.data.store", "from bespoke import method"),
        ("bespoke.data.store", "from bespoke import Pipeline"),
        ("bespoke.training.loop", "from bespoke.evaluation.metrics import distance"),
        ("bespoke.errors", "import bespoke.config"),
        ("bespoke.method.layers", "import numpy"),
        ("bespoke.method.layers", "from bespoke.errors import UserError"),
        ("bespoke.helpers", "import math"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str) -> None:
    assert len(list(layer_problems(module, ast.parse(source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('weights.pt')",
        "from torch import load",
        "import numpy\nnumpy.load('a.npy', allow_pickle=True)",
        "from .captions import Tokenizer",
        "from bespoke.data.captions import *",
        "network.cuda()",
        "import sys\nsys.path.insert(0, '..')",
    ],
)
def test_an_unsafe_line_is_found(source: str) -> None:
    assert len(list(safety_problems("bespoke.data.store", ast.parse(source)))) == 1


def test_the_one_known_file_is_read_without_running_code() -> None:
    asked = "import torch\ntorch.load(file, weights_only={})"
    found = [list(safety_problems(ONE_KNOWN_FILE, ast.parse(asked.format(only)))) for only in (True, False)]
    assert [len(problems) for problems in found] == [0, 1]
