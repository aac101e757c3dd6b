"""Findings about memory. Pure; what a guest needs is judged with the guest."""

from vfiod.tools.doctor.facts import Facts
from vfiod.util.finding import Findings, ok, warn

GIB = 2**30


def memory(facts: Facts) -> Findings:
    """What there is, and huge pages that nobody can use for anything else."""
    state = facts.memory
    free = f"{state.available / GIB:.1f} of {state.total / GIB:.1f} GiB are free"
    yield ok("memory", f"memory: {free}")
    reserved = state.pages * state.page
    if reserved and reserved > state.total / 2 and state.free == state.pages:
        yield warn(
            "hugepages",
            f"{reserved / GIB:.1f} GiB are reserved as huge pages and nothing uses them",
            why="Reserved huge pages are lost to the desktop while no guest runs.",
            remedy="Take the reservation out (hugepages= on the kernel's command line, or "
            "vm.nr_hugepages in /etc/sysctl.d).",
            command="grep -rs nr_hugepages /etc/sysctl.conf /etc/sysctl.d",
        )
    elif reserved:
        yield ok("hugepages", f"huge pages: {reserved / GIB:.1f} GiB reserved")


CHECKS = (memory,)
