"""`python -m bespoke` is `bespoke`: torchrun starts modules by name."""

from __future__ import annotations

from bespoke.cli import main

main()
