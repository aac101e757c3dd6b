"""Hiding the hypervisor from graphics drivers that refuse to work if they see one. Pure.

Sources: NVIDIA's GeForce drivers allow virtual machines since 465 (2021) and for Kepler or later;
earlier ones stop with code 43. Of AMD's, that of the RX 9070 XT was seen to do the same
(github.com/mroboff/vm-curator/pull/74).
"""

from collections.abc import Iterator
from typing import Any

from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Put
from vfiod.tools.tune.facts import Guest, Host

_REASONS = {
    0x10DE: "NVIDIA's drivers before 465, the last ones for old cards, stop with code 43",
    0x1002: "some of AMD's drivers (seen with the RX 9070 XT) stop with code 43",
}
# Any other name than Microsoft's will do; Windows looks at the interface, not at the vendor.
_VENDOR = "vfiod"


def propose(guest: Guest, host: Host, root: Any) -> Iterator[Change]:
    """Windows only: it uses Hyper-V's interface and loses nothing, Linux would lose KVM's."""
    if not guest.windows or guest.emulated:
        return
    vendors = {device.vendor for device in host.devices if device.is_display}
    for vendor in sorted(vendors.intersection(_REASONS)):
        edits = (Put("features/kvm/hidden", {"state": "on"}), *_vendor_id(root))
        yield Change("hidden", f"{_REASONS[vendor]} if they see a hypervisor", edits)


def _vendor_id(root: Any) -> list[Put]:
    if (hyperv := root.find("features/hyperv")) is not None and hyperv.get("mode") == "passthrough":
        return []
    path = "features/hyperv/vendor_id"
    own = root.find(path)
    value = _VENDOR if own is None else own.get("value") or _VENDOR
    return [Put(path, {"state": "on", "value": value})]
