"""Who is measured: vfiod, the least that a hook can do, what people paste, and libvirt alone."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

from tests.lab.emulator.hardware import FUNCTIONS

# The least there can be: no check, no wait, no way back from a failure.
_HOOK = Template("""\
#!/bin/sh
[ "$$1" = win10 ] || exit 0
functions='$functions'
case "$$2" in
prepare)
    systemctl stop display-manager
    $pause
    for console in /sys/class/vtconsole/vtcon*; do
        if grep -q 'frame buffer' "$$console/name"; then echo 0 > "$$console/bind"; fi
    done
    $pause
    modprobe vfio-pci
    for function in $$functions; do
        device=/sys/bus/pci/devices/$$function
        echo vfio-pci > "$$device/driver_override"
        echo "$$function" > "$$device/driver/unbind"
        echo "$$function" > /sys/bus/pci/drivers_probe
    done
    ;;
release)
    for function in $$functions; do
        device=/sys/bus/pci/devices/$$function
        echo > "$$device/driver_override"
        echo "$$function" > "$$device/driver/unbind"
        echo "$$function" > /sys/bus/pci/drivers_probe
    done
    $pause
    systemctl start display-manager
    ;;
esac
""")


@dataclass(frozen=True)
class Contender:
    """One way to hand the card over. ``hook`` is None for libvirt alone, "" for vfiod's own."""

    name: str
    hook: str | None
    managed: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether somebody has to stop and start the desktop."""
        return self.hook is None


def _pasted(pause: str) -> str:
    return _HOOK.substitute(functions=" ".join(reversed(FUNCTIONS)), pause=pause)


FLOOR = Contender("floor", _pasted(":"))
GUIDE_2 = Contender("guide, 2 s", _pasted("sleep 2"))
GUIDE_10 = Contender("guide, 10 s", _pasted("sleep 10"))
LIBVIRT = Contender("libvirt alone", None, managed=True)
VFIOD = Contender("vfiod", "")
ALL = (FLOOR, GUIDE_2, GUIDE_10, LIBVIRT, VFIOD)
