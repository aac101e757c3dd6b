"""Getting a card's ROM on this machine; all that is changed for it is put back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vfiod.errors import HostError, KernelStuck, RomError, Stuck, VfiodError
from vfiod.host.pci import Pci
from vfiod.host.processes import Processes
from vfiod.model import PciAddress, PciFunction, PowerPolicy
from vfiod.rom import access, vfct
from vfiod.rom import image as rom
from vfiod.rom.access import Card
from vfiod.rom.sources import RomRegion

READ_SECONDS = 60.0
BIND_SECONDS = 20.0

Consent = Callable[[str], bool]


def look(pci: Pci, processes: Processes, address: PciAddress, region: RomRegion | None) -> Card:
    """Read what the card is doing. Raises HostError if it is not there."""
    function = pci.function(address)
    groups = [] if function.group is None else [function.group]
    return Card(
        function=function,
        region=region,
        output=pci.output(address),
        holders=processes.holders([address]),
        guests=processes.vfio_holders(groups),
    )


def from_sysfs(pci: Pci, processes: Processes, card: Card, consents: Consent) -> bytes:
    """The card's ROM as the kernel reads it; ``consents`` answers a question.

    If it does not answer under the host's driver and no process has the card open, the driver
    is taken off for a moment. Raises Busy, HostError, RomError, and VfiodError without consent.
    """
    if (refused := access.objection(card)) is not None:
        raise refused
    question = access.risk(card)
    if question is not None and not consents(question):
        raise VfiodError(f"the ROM of {card.function} was not read", access.remedy(card))
    try:
        data = _read_awake(pci, card.function.address)
    except KernelStuck:
        raise
    except HostError as error:
        data = _read_unbound(pci, processes, card, consents, error)
    return _require_own(data, card)


def rescan(pci: Pci, processes: Processes, card: Card, consents: Consent) -> None:
    """Have the kernel find the card anew, so that it shows its own ROM until the next boot.

    Raises Busy or HostError, VfiodError without consent, Stuck if the driver stays off.
    """
    if (refused := access.rescan_objection(card)) is not None:
        raise refused
    address = card.function.address
    if not consents(access.rescan_question(card)):
        raise VfiodError(f"{card.function} was left as it is", access.elsewhere(card.function))
    _require_unused(processes, card.function)
    with _awake(pci, address), _driver_comes_back(pci, card.function):
        if card.function.driver is not None:
            pci.unbind(address, seconds=BIND_SECONDS)
        pci.stop_decoding(address)
        pci.rediscover(address, seconds=BIND_SECONDS)


def from_vfct(table: bytes | None, function: PciFunction) -> bytes:
    """The card's image in the ACPI table VFCT. Raises RomError if there is none of this card."""
    if table is None:
        what = "this PC's firmware made no VFCT table; it does so for AMD cards, and not always"
        raise RomError(what, access.elsewhere(function))
    image = vfct.find(vfct.parse(table), function)
    if image is None:
        what = f"the VFCT table has no image of {function}"
        raise RomError(what, access.elsewhere(function))
    rom.check(image.data, vendor=function.vendor, device=function.device)
    return image.data


def from_driver(data: bytes | None, function: PciFunction) -> bytes:
    """The copy that the card's driver keeps. Raises RomError if there is none of this card."""
    if data is None:
        what = (
            f"the driver of {function} ({function.driver or 'none'}) shows no copy of its BIOS; "
            "amdgpu and nouveau do, while they have the card"
        )
        raise RomError(what, access.elsewhere(function))
    rom.check(data, vendor=function.vendor, device=function.device)
    return data


def _require_own(data: bytes, card: Card) -> bytes:
    try:
        rom.check(data, vendor=card.function.vendor, device=card.function.device)
    except RomError as error:
        why = access.why_silent(card) if card.shadowed else ""
        raise RomError(error.message + why, access.remedy(card)) from error
    return data


def _require_unused(processes: Processes, function: PciFunction) -> None:
    """A desktop may have started while the question was on the screen."""
    if (refused := access.tie(function, processes.holders([function.address]))) is not None:
        raise refused


def _read_unbound(
    pci: Pci, processes: Processes, card: Card, consents: Consent, error: HostError
) -> bytes:
    if not access.may_unbind(card):
        raise HostError(error.message + access.why_silent(card), access.remedy(card))
    if not consents(access.unbind_question(card)):
        raise HostError(error.message, access.remedy(card))
    _require_unused(processes, card.function)
    try:
        with _unbound(pci, card.function):
            return _read_awake(pci, card.function.address)
    except KernelStuck:
        raise
    except HostError as silent:
        raise HostError(silent.message, access.remedy(card)) from silent


def _read_awake(pci: Pci, address: PciAddress) -> bytes:
    with _awake(pci, address):
        return pci.read_rom(address, seconds=READ_SECONDS)


@contextmanager
def _awake(pci: Pci, address: PciAddress) -> Iterator[None]:
    """A sleeping card answers FF. Writing "on" returns when it is awake (sysfs-devices-power)."""
    before = pci.power(address)
    try:
        pci.set_power(address, PowerPolicy(d3cold_allowed=None, control="on"))
        yield
    finally:
        pci.set_power(address, before)


@contextmanager
def _unbound(pci: Pci, function: PciFunction) -> Iterator[None]:
    with _driver_comes_back(pci, function):
        pci.unbind(function.address, seconds=BIND_SECONDS)
        yield


@contextmanager
def _driver_comes_back(pci: Pci, function: PciFunction) -> Iterator[None]:
    """After the block the function is there with its driver. Raises Stuck if it is not."""
    address, driver = function.address, function.driver
    try:
        yield
    finally:
        if address not in pci.functions():
            pci.rediscover(address, seconds=BIND_SECONDS)
        if driver is not None and pci.driver(address) is None:
            pci.probe(address, seconds=BIND_SECONDS)
        if driver is not None and pci.driver(address) != driver:
            raise Stuck(
                f"the driver {driver} did not take {function} back",
                f"try: echo {address} | sudo tee /sys/bus/pci/drivers/{driver}/bind; "
                "if that does not help, reboot",
            )
