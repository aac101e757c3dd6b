"""What counting.py shows, read from a picture of any screen that it is on."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops

from .counting import CELLS, COUNT, KEYS

_HALF = 128


@dataclass(frozen=True)
class Shown:
    """The numbers of one picture: what must stay, what goes on, and how many keys were heard."""

    nonce: int
    count: int
    keys: int


def read(picture: Image.Image) -> Shown | None:
    """Wherever on it they are and however large; None if they are not."""
    box = _marker(picture)
    if box is None:
        return None
    left, top, right, bottom = box
    width, middle = (right - left) / CELLS, bottom + (bottom - top) // 2
    if width < 1 or middle >= picture.height:
        return None
    grey = picture.convert("L")
    cells = (grey.getpixel((int(left + width * (n + 0.5)), middle)) for n in range(CELLS))
    number = int("".join("1" if _is_bright(cell) else "0" for cell in cells), 2)
    number, keys = divmod(number, 1 << KEYS)
    nonce, count = divmod(number, 1 << COUNT)
    return Shown(nonce, count, keys)


def _is_bright(cell: object) -> bool:
    assert isinstance(cell, int)
    return cell > _HALF


def _marker(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box of all that is magenta."""
    red, green, blue = picture.convert("RGB").split()
    bright = [channel.point(lambda value: 255 * (value > 230)) for channel in (red, blue)]
    dark = green.point(lambda value: 255 * (value < 25))
    return ImageChops.darker(ImageChops.darker(*bright), dark).getbbox()
