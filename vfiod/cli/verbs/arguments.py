"""Arguments that several verbs read."""

import argparse
import math
from typing import TYPE_CHECKING

from vfiod.model import PciAddress

if TYPE_CHECKING:
    from vfiod.cli.endpoint import Endpoint


def read_endpoint(text: str) -> "Endpoint":
    """HOST:PORT, for argparse."""
    from vfiod.cli.endpoint import Endpoint

    try:
        return Endpoint.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def read_address(text: str) -> PciAddress:
    """A PCI address, for argparse."""
    try:
        return PciAddress.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def read_seconds(text: str) -> float:
    """A time to wait, for argparse: finite, and none that is over before it has begun."""
    seconds = float(text)
    if not (math.isfinite(seconds) and seconds >= 0):
        raise argparse.ArgumentTypeError(f"not a time in seconds, from 0 on: {text!r}")
    return seconds


read_seconds.__name__ = "number of seconds"  # what argparse calls what is no number
