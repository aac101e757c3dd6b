"""The demo's pictures: three screens, alone or with the time that each step took below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from .timeline import Step, Way

_PANEL, _SMALL = (480, 300), (304, 190)
_MARGIN = 20
_ROW = 18
_LABELS = 330
_INK, _PAPER, _BAR = (30, 30, 30), (250, 250, 248), (32, 74, 135)


def draw(pictures: Mapping[str, Image.Image], ways: Sequence[Way]) -> Image.Image:
    """Pictures in one row with their names, below it one bar chart per direction."""
    row = stages(pictures, _PANEL)
    rows = sum(len(way.steps) + 3 for way in ways)
    sheet = Image.new("RGB", (row.width, row.height + _MARGIN + rows * _ROW), _PAPER)
    sheet.paste(row, (0, 0))
    pen = ImageDraw.Draw(sheet)
    top = row.height
    for way in ways:
        _chart(pen, way, top, row.width)
        top += (len(way.steps) + 3) * _ROW
    return sheet


def stages(pictures: Mapping[str, Image.Image], panel: tuple[int, int] = _SMALL) -> Image.Image:
    """Pictures in one row with their names above them, each as large as ``panel``."""
    width, height = panel
    size = (len(pictures) * (width + _MARGIN) + _MARGIN, height + 2 * _MARGIN + _ROW)
    row = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(row)
    for index, (name, picture) in enumerate(pictures.items()):
        left = _MARGIN + index * (width + _MARGIN)
        pen.text((left, _MARGIN - 4), name, _INK, _font(15))
        row.paste(picture.resize(panel, Image.Resampling.LANCZOS), (left, _MARGIN + _ROW))
    return row


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
