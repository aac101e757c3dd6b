"""Checks of a start: the devices can be kept apart from all that stays with the host. Pure.

The kernel hands over complete IOMMU groups only, and a card is reset as a whole.
"""

from collections.abc import Iterator

from vfiod.errors import HostError, VfiodError
from vfiod.handoff.decision import rules
from vfiod.handoff.decision.request import Request
from vfiod.model import SHARING_DRIVERS, VFIO_DRIVER

Faults = Iterator[VfiodError]


def iommu_is_on(request: Request) -> Faults:
    """Without a group there is no /dev/vfio/GROUP."""
    if not request.state.vfio_available and not request.state.modules_removed:
        yield HostError("this kernel has no vfio-pci module", "install your kernel's full modules")
    for function in request.listed:
        if function.group is None:
            yield HostError(
                f"the device {function} has no IOMMU group",
                "switch the IOMMU on in the firmware set-up and with intel_iommu=on where needed",
            )


def slot_is_whole(request: Request) -> Faults:
    """A card is reset as a whole: only if all its functions are with vfio-pci (kernel: vfio)."""
    listed = {f.address for f in request.listed}
    displays = [f for f in request.listed if f.is_display]
    functions = request.state.functions.values()
    for function in functions:
        mate = any(rules.are_one_card(display, function, functions) for display in displays)
        if mate and function.address not in listed and function.driver != VFIO_DRIVER:
            yield HostError(
                f"{function} is a function of the same card and is not listed",
                f"add {function.address} to the configuration and to the guest",
            )


def group_is_viable(request: Request) -> Faults:
    """A group goes over as a whole; members without an ordinary driver do no harm.

    That holds for bridges too (kernel: iommu_device_use_default_domain).
    """
    listed = {f.address for f in request.listed}
    groups = {f.group for f in request.listed if f.group is not None}
    for function in request.state.functions.values():
        foreign = function.group in groups and function.address not in listed
        if foreign and function.driver not in SHARING_DRIVERS:
            yield HostError(
                f"{function} shares IOMMU group {function.group} with a listed device "
                f"and is in use by the host's driver {function.driver}",
                f"do without that driver ({function.driver}), or put the card into another slot"
                if function.is_bridge
                else "list it too, or put the card into another slot",
            )


def firmware_lets_go(request: Request) -> Faults:
    """The kernel hands over no group in which the firmware keeps memory mapped for itself."""
    for function in request.listed:
        if function.group in request.state.refused_groups:
            yield HostError(
                f"{function} in group {function.group}: {rules.KEPT_BY_FIRMWARE}",
                rules.NO_DMA_PROTECTION,
            )


def it_is_not_divided(request: Request) -> Faults:
    """A driver that lets a function go ends its virtual ones, whoever has them (SR-IOV).

    Kernel: Documentation/PCI/pci-iov-howto.rst. None of them is made anew at the return.
    """
    listed = {f.address for f in request.listed}
    for function in request.state.functions.values():
        if function.physical in listed:
            count = f"/sys/bus/pci/devices/{function.physical}/sriov_numvfs"
            yield HostError(
                f"{function} is a virtual function of the listed device {function.physical}, and "
                "would end with it under whoever has it",
                "list the virtual function alone, or shut down the guests that have one and end "
                f"them all: echo 0 | sudo tee {count}",
            )
