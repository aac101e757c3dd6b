#!/usr/bin/python3
"""A program with something to lose: it counts, holds a nonce, hears keys, and shows all three.

It runs in a terminal in the lab, alone and with nothing but Python. What it holds is nowhere else;
kept.py reads it from a picture. A line of magenta is above a line of cells, white for 1.
"""

import os
import secrets
import select
import termios
import tty

NONCE, COUNT, KEYS = 24, 16, 8
CELLS = NONCE + COUNT + KEYS
PERIOD = 0.1  # seconds from one number to the next


def line(nonce: int, count: int, keys: int) -> str:
    """What to print: both lines, from the upper left corner."""
    number = (nonce << COUNT | count % (1 << COUNT)) << KEYS | keys % (1 << KEYS)
    cells = "".join(_cell(255 * int(bit)) for bit in f"{number:0{CELLS}b}")
    return f"\033[H\033[48;2;255;0;255m{' ' * CELLS}\r\n{cells}\033[0m\r\n"


def _cell(grey: int) -> str:
    return f"\033[48;2;{grey};{grey};{grey}m "


def main() -> None:
    """Until it is ended."""
    nonce, count, keys = secrets.randbits(NONCE), 0, 0
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        os.write(1, b"\033[2J\033[?25l")
        while True:
            os.write(1, line(nonce, count, keys).encode())
            if select.select([0], [], [], PERIOD)[0]:
                keys += len(os.read(0, 64))
            count += 1
    finally:
        termios.tcsetattr(0, termios.TCSANOW, before)


if __name__ == "__main__":
    main()
