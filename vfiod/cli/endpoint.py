"""Whether somebody listens at an address of the network, asked by the command line only."""

import re
import socket
from dataclasses import dataclass
from typing import Self

_SECONDS = 5.0
_TEXT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<name>[\w.-]+)):(?P<port>\d{1,5})")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, by name or address, and a TCP port of it."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read HOST:PORT, or [ADDRESS]:PORT for IPv6. Raises ValueError."""
        found = _TEXT.fullmatch(text)
        if found is None or not 0 < int(found["port"]) < 2**16:
            raise ValueError(f"{text!r} is not HOST:PORT, like 192.168.122.50:3389")
        return cls(found["six"] or found["name"], int(found["port"]))

    def answers(self) -> bool:
        """True if a connection is accepted within five seconds."""
        try:
            with socket.create_connection((self.host, self.port), timeout=_SECONDS):
                return True
        except OSError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
