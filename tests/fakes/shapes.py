"""What makes the PCs of tests.fakes.pcs less usual, for the tests of steps."""

from tests.fakes import pcs
from tests.fakes.host import FakeHost


def with_vfio(host: FakeHost) -> FakeHost:
    """The same with the module vfio_pci loaded."""
    host.kernel.modules["vfio_pci"] = True
    return host


def firmware() -> FakeHost:
    """A PC whose screen the firmware's framebuffer has, for want of a card's driver."""
    host = pcs.bare(vga=None)
    host.kernel.framebuffers.append(pcs.EFIFB)
    host.kernel.refresh_console()
    return host
