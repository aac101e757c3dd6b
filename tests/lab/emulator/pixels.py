"""Tells from a picture alone who owns the screen. Thresholds come from real screenshots."""

from __future__ import annotations

from enum import Enum

from PIL import Image, ImageChops

GUEST_COLOUR = (152, 0, 0)  # what `cls 4` means on a UEFI console
GREETER_COLOUR = (32, 74, 135)  # the background set in the image's greeter configuration
WHITE = (255, 255, 255)
BLACK = (0, 0, 0)


class Screen(Enum):
    """What can be on the lab's screen."""

    BLACK = "black"
    GUEST = "guest"
    TEXT_CONSOLE = "text console"
    GREETER = "greeter"
    OTHER = "something else"


def share_near(picture: Image.Image, colour: tuple[int, int, int], tolerance: int = 12) -> float:
    """The share (0 to 1) of pixels whose every channel is within `tolerance` of `colour`."""
    counts = picture.convert("RGB").getcolors(picture.width * picture.height) or []
    near = sum(
        count
        for count, seen in counts
        if all(abs(a - b) <= tolerance for a, b in zip(_rgb(seen), colour, strict=True))
    )
    return near / (picture.width * picture.height)


def _rgb(value: object) -> tuple[int, int, int]:
    assert isinstance(value, tuple)
    return (value[0], value[1], value[2])


def classify(picture: Image.Image) -> Screen:
    """Guest, greeter (its background and its login box), black, console (black, some writing)."""
    if share_near(picture, GUEST_COLOUR) > 0.95:
        return Screen.GUEST
    if share_near(picture, GREETER_COLOUR) > 0.7 and share_near(picture, WHITE) > 0.02:
        return Screen.GREETER
    black = share_near(picture, BLACK)
    if black > 0.9995:
        return Screen.BLACK
    return Screen.TEXT_CONSOLE if black > 0.6 else Screen.OTHER


def likeness(one: Image.Image, other: Image.Image, tolerance: int = 24) -> float:
    """The share (0 to 1) of pixels that are the same in both, but for `tolerance` of brightness."""
    if one.size != other.size:
        return 0.0
    difference = ImageChops.difference(one.convert("L"), other.convert("L"))
    return sum(difference.histogram()[: tolerance + 1]) / (one.width * one.height)


def shares(picture: Image.Image) -> dict[str, float]:
    """The numbers `classify` decides by, for reports."""
    colours = {"black": BLACK, "guest": GUEST_COLOUR, "greeter": GREETER_COLOUR, "white": WHITE}
    return {name: round(share_near(picture, colour), 4) for name, colour in colours.items()}
