"""The least that is a bootable CD image (ECMA-119 and El Torito): its descriptors, no files."""

_SECTOR = 2048
_END = b"\xffCD001\x01"


def cd_image(*, volume: str = "", publisher: str = "") -> bytes:
    """A CD of this volume and publisher, by which libosinfo knows a system's installer."""
    primary = bytearray(_SECTOR)
    primary[:7] = b"\x01CD001\x01"
    primary[40:72] = volume.ljust(32).encode()
    primary[318:446] = publisher.ljust(128).encode()
    boot = b"\x00CD001\x01EL TORITO SPECIFICATION".ljust(_SECTOR, b"\0")
    return bytes(16 * _SECTOR) + primary + boot + _END.ljust(_SECTOR, b"\0")
