"""Arguments that several verbs read."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vfiod.cli.endpoint import Endpoint


def read_endpoint(text: str) -> "Endpoint":
    """HOST:PORT, for argparse."""
    from vfiod.cli.endpoint import Endpoint

    try:
        return Endpoint.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
