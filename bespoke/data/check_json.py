"""What does the report on a catalogue tell a program? Keys and numbers, with the sentences for people beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bespoke.data.check import Finding, Report
from bespoke.data.check_texts import left_out, say, sentence
from bespoke.pages.texts import Language, Line

FORMAT = 1


def as_data(report: Report, language: Language) -> dict[str, Any]:
    """The report as JSON can hold it."""
    verdict = report.verdict
    return {
        "format": FORMAT,
        "catalogue": report.catalogue,
        "location": report.location,
        "language": language,
        "read_as": {"layout": report.layout, "columns": report.columns._asdict() if report.columns else None},
        "verdict": verdict.decision,
        "verdict_text": say(f"verdict.{verdict.decision}", language),
        "reasons": [_line("reason", line, language) for line in verdict.reasons],
        "advice": [_line("advice", line, language) for line in verdict.advice],
        "counts": {name: count for name, count in asdict(report.counts).items() if name != "few"},
        "splits": report.splits,
        "shorter_side": dict(zip(("least", "median", "most"), report.sides, strict=True)) if report.sides else None,
        "findings": [_finding(finding, language) for finding in report.findings],
        "left_out": [left_out(found, language) for found in report.left_out],
        "captions": {
            "count": report.num_captions,
            "different": report.num_different,
            "scripts": {name: lengths._asdict() for name, lengths in report.languages.items()},
            "rare_words": dict(report.rare_words),
        },
        "attributes": [
            {"name": coverage.name, "values": dict(coverage.values), "without": coverage.without}
            for coverage in report.attributes
        ],
        "attributes_not_counted": report.uncounted,
    }


def _line(part: Any, line: Line, language: Language) -> dict[str, Any]:
    return {"key": line.key, "text": sentence(part, line, language), **line.values}


def _finding(finding: Finding, language: Language) -> dict[str, Any]:
    groups: Sequence[Any] = [
        [{"file_name": example.name, **({"found": example.note} if example.note else {})} for example in group]
        for group in finding.groups
    ]
    return {
        "kind": finding.kind,
        "title": say(f"finding.{finding.kind}", language),
        "level": finding.level,
        "count": finding.count,
        "groups": groups,
    }
