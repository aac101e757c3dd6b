"""Medians, spreads and ratios of the rounds; as text, as JSON, and as pictures."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from . import contenders
from .rounds import Round

Rounds = Mapping[str, Sequence[Round]]
FIGURES = ("prepare", "release", "start", "display_back", "dark_out", "dark_back")
_INK, _PAPER, _BAR, _OURS = (30, 30, 30), (250, 250, 248), (150, 160, 175), (32, 74, 135)
_ROW, _LABELS, _WIDTH = 26, 180, 900


def write(out: Path, rounds: Rounds, lists: Mapping[str, Sequence[float]], others: Any) -> None:
    """report.json, handoff.png and return.png in ``out``; the table on standard output."""
    out.mkdir(parents=True, exist_ok=True)
    raw = {
        name: [{k: v for k, v in asdict(r).items() if k != "ways"} for r in found]
        for name, found in rounds.items()
    }
    facts = {
        "ratios": ratios(rounds, lists),
        "medians": {name: medians(found) for name, found in rounds.items()},
        "steps": _steps(rounds[contenders.VFIOD.name]),
        "others": others,
        "rounds": raw,
        "virsh list": lists,
    }
    (out / "report.json").write_text(json.dumps(facts, indent=2) + "\n")
    for way, figure in (("handoff", "start"), ("return", "display_back")):
        bars = {name: medians(found)[figure] for name, found in rounds.items()}
        _plot(bars, _steps(rounds[contenders.VFIOD.name])[way], way).save(out / f"{way}.png")
    print(table(rounds))
    for name, value in others.items():
        print(f"{name:40} {value}")
    for name, value in facts["ratios"].items():
        print(f"{name:40} {value:.2f}")


def medians(found: Sequence[Round]) -> dict[str, float | None]:
    """The median of each figure; None where the contender has none."""
    return {figure: _median([getattr(r, figure) for r in found]) for figure in FIGURES}


def ratios(rounds: Rounds, lists: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """vfiod against the others, as the goals are stated."""
    ours = medians(rounds[contenders.VFIOD.name])
    floor = medians(rounds[contenders.FLOOR.name])
    guide = medians(rounds[contenders.GUIDE_2.name])
    cpu = _median([r.cpu for r in rounds[contenders.VFIOD.name]])
    pairs = {
        "prepare/floor": (ours["prepare"], floor["prepare"]),
        "release/floor": (ours["release"], floor["release"]),
        "display_back/floor": (ours["display_back"], floor["display_back"]),
        "dark_out/floor": (ours["dark_out"], floor["dark_out"]),
        "dark_back/floor": (ours["dark_back"], floor["dark_back"]),
        "prepare/guide2s": (ours["prepare"], guide["prepare"]),
        "virsh_list_during_return/without": (
            _median(lists["during a return"]), _median(lists["at rest"]),
        ),
        "cpu/prepare": (cpu, ours["prepare"]),
        "cpu/start": (cpu, ours["start"]),
    }  # fmt: skip
    return {name: round(a / b, 3) for name, (a, b) in pairs.items() if a is not None and b}


def table(rounds: Rounds) -> str:
    """A line for each contender: median and, in brackets, least and most, in seconds."""
    lines = [f"{'seconds':16}" + "".join(f"{figure:>24}" for figure in FIGURES)]
    for name, found in rounds.items():
        cells = [_cell([getattr(r, figure) for r in found]) for figure in FIGURES]
        lines.append(f"{name:16}" + "".join(f"{cell:>24}" for cell in cells))
    return "\n".join(lines)


def _cell(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    if not there:
        return "-"
    return f"{statistics.median(there):.2f} ({min(there):.2f}-{max(there):.2f})"


def _median(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def _steps(found: Sequence[Round]) -> dict[str, dict[str, float]]:
    """Median seconds of each step of vfiod's, by direction."""
    steps: dict[str, dict[str, list[float]]] = {}
    for way in (way for r in found for way in r.ways):
        for step in way.steps:
            steps.setdefault(way.direction, {}).setdefault(step.name, []).append(step.seconds)
    return {
        way: {name: round(statistics.median(times), 4) for name, times in by_name.items()}
        for way, by_name in steps.items()
    }


def _plot(bars: Mapping[str, float | None], steps: Mapping[str, float], title: str) -> Image.Image:
    """A bar for each contender, and below them one for each step of vfiod's."""
    rows = [*bars.items(), *((f"  {name}", seconds) for name, seconds in steps.items())]
    sheet = Image.new("RGB", (_WIDTH, (len(rows) + 2) * _ROW), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((12, 8), f"{title}: seconds, medians; below, the steps of vfiod", _INK, _font())
    longest = max(value or 0 for _, value in rows)
    for number, (name, value) in enumerate(rows, start=1):
        top = number * _ROW + 10
        right = 2 * _LABELS + (value or 0) / longest * (_WIDTH - 2 * _LABELS - 80)
        ours = name == contenders.VFIOD.name or name.startswith("  ")
        pen.text((12, top), name, _INK, _font())
        pen.rectangle((2 * _LABELS, top, right + 1, top + 15), fill=_OURS if ours else _BAR)
        pen.text((right + 8, top), "-" if value is None else f"{value:.2f}", _INK, _font())
    return sheet


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(14)
