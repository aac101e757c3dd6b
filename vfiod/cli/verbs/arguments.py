"""Arguments that several verbs read."""

import argparse
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
