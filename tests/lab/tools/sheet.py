"""The contact sheet of the demo: three screens and the time each step took, on one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from .timeline import Step, Way

_PANEL = (480, 300)
_MARGIN = 20
_ROW = 18
_LABELS = 330
_INK, _PAPER, _BAR = (30, 30, 30), (250, 250, 248), (32, 74, 135)


def draw(pictures: Mapping[str, Image.Image], ways: Sequence[Way]) -> Image.Image:
    """Pictures in one row with their names, below it one bar chart per direction."""
    width = len(pictures) * (_PANEL[0] + _MARGIN) + _MARGIN
    rows = sum(len(way.steps) + 3 for way in ways)
    height = _PANEL[1] + 3 * _MARGIN + _ROW + rows * _ROW
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for index, (name, picture) in enumerate(pictures.items()):
        corner = (_MARGIN + index * (_PANEL[0] + _MARGIN), _MARGIN + _ROW)
        pen.text((corner[0], _MARGIN - 4), name, _INK, _font(15))
        sheet.paste(picture.resize(_PANEL), corner)
    top = _PANEL[1] + 2 * _MARGIN + _ROW
    for way in ways:
        _chart(pen, way, top, width)
        top += (len(way.steps) + 3) * _ROW
    return sheet


def _chart(pen: ImageDraw.ImageDraw, way: Way, top: int, width: int) -> None:
    pen.text((_MARGIN, top), f"{way.direction}: {way.seconds:.2f} s", _INK, _font(15))
    scale = (width - _LABELS - 5 * _MARGIN) / max(way.seconds, 0.001)
    for row, step in enumerate(way.steps, start=1):
        _bar(pen, step, (step.start - way.start) * scale, scale, top + row * _ROW + 4)


def _bar(pen: ImageDraw.ImageDraw, step: Step, offset: float, scale: float, top: int) -> None:
    left = _LABELS + offset
    right = max(left + 1, left + step.seconds * scale)
    pen.text((_MARGIN, top), step.name, _INK, _font(13))
    pen.rectangle((left, top + 2, right, top + _ROW - 4), fill=_BAR)
    pen.text((right + 6, top), f"{step.seconds:.2f}", _INK, _font(13))


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
