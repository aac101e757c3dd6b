"""Clocks that are cheap to read. Pure.

Source: https://libvirt.org/formatdomain.html#time-keeping; the same that virt-install gives new
guests.
"""

from collections.abc import Iterator

from vfiod.tools.tune.change import Change
from vfiod.tools.tune.edits import Put
from vfiod.tools.tune.facts import Guest, Host


def propose(guest: Guest, host: Host) -> Iterator[Change]:
    """Timers of <clock>; what the clock starts from (UTC or local time) is left alone.

    Hyper-V's clock has no name among libvirt's features: where KVM has any of them, it has that.
    """
    hpet = (_timer("hpet", present="no"),)
    yield Change("clock", "the HPET is emulated: each reading of it leaves the guest", hpet)
    late = (_timer("rtc", tickpolicy="catchup"), _timer("pit", tickpolicy="delay"))
    yield Change("clock", "ticks missed while a vCPU waits are made up without a burst", late)
    if (
        guest.windows
        and not guest.emulated
        and "hyperv" not in guest.left
        and host.offers("relaxed")
    ):
        clock = (_timer("hypervclock", present="yes"),)
        yield Change("clock", "Windows reads the time without leaving the guest", clock)


def _timer(name: str, **attributes: str) -> Put:
    return Put(f"clock/timer[@name='{name}']", attributes)
