"""The quickest guest there is: 32-bit code that QEMU loads itself, paints the GPU and waits.

Firmware needs most of a minute for that when everything is emulated twice. This code finds the
GPU at 00:05.0, the place `guest.py` puts it, and knows QEMU's standard VGA only (`Hardware.gpu`
`VGA` or `bochs-display`). It answers the power button, so `virsh shutdown` works.
"""

from __future__ import annotations

import struct

LOADED_AT = 0x100000
STAY = 0xFFFFFFFF
_MAGIC, _PLAIN_BINARY = 0x1BADB002, 0x10000

_FIND_AND_PAINT = """
fa fc                       # cli; cld
b8 10 28 00 80              # eax = configuration address of BAR 0
ba f8 0c 00 00 ef           # edx = CF8, out
b2 fc ed 24 f0 89 c7        # edi = frame buffer
b8 18 28 00 80              # BAR 2
b2 f8 ef b2 fc ed 24 f0     #
89 c6                       # esi = registers
b8 04 28 00 80              # command register
b2 f8 ef b2 fc ed 0c 02 ef  # let it answer to memory accesses
66 c7 86 08 05 00 00 00 00  # mode off
66 c7 86 02 05 00 00 00 05  # 1280 wide
66 c7 86 04 05 00 00 20 03  # 800 high
66 c7 86 06 05 00 00 20 00  # 32 bits per pixel
66 c7 86 08 05 00 00 41 00  # mode on, linear frame buffer
c6 86 02 04 00 00 01        # the VGA half: colour addresses,
8a 86 1a 04 00 00           #   reset the attribute flip-flop,
c6 86 00 04 00 00 20        #   picture on
b8 00 00 98 00              # eax = rgb(152, 0, 0)
b9 00 a0 0f 00 f3 ab        # 1280 * 800 times
ba 02 06 00 00              # PM1 enable:
66 b8 00 01 66 ef           #   power button
"""
_WAIT_AND_POWER_OFF = """
30 c0 e6 70 e4 71           # wait: al = the clock's seconds
38 c1 74 05                 # unchanged: look at the button
88 c1 4b 74 0c              # changed: one second less; none left: off
ba 00 06 00 00 66 ed        # button: PM1 status
f6 c4 01 74 e5              # not pressed: wait
ba 04 06 00 00              # off: PM1 control
66 b8 00 20 66 ef           #   soft off
f4 eb fd                    # halt
"""


def kernel(seconds: int) -> bytes:
    """A multiboot image that shows the guest's colour for this long, or until shut down."""
    code = _bytes(_FIND_AND_PAINT) + b"\xbb" + struct.pack("<I", seconds)
    code += _bytes(_WAIT_AND_POWER_OFF)
    size = struct.calcsize("<8I")
    end = LOADED_AT + size + len(code)
    checksum = -(_MAGIC + _PLAIN_BINARY) & 0xFFFFFFFF
    header = struct.pack(
        "<8I", _MAGIC, _PLAIN_BINARY, checksum, LOADED_AT, LOADED_AT, end, end, LOADED_AT + size
    )
    return header + code


def _bytes(listing: str) -> bytes:
    return bytes.fromhex("".join(line.partition("#")[0] for line in listing.splitlines()))
