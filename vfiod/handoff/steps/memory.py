"""Steps that set memory aside in large pieces before the guest starts."""

from dataclasses import dataclass
from typing import ClassVar

from vfiod.errors import HostError
from vfiod.handoff.steps.base import HostStep, Notes, Prior, write_by_hand
from vfiod.host.door import Host
from vfiod.host.performance import HugePagePool

_AT_ONCE = 2**30  # bytes per request, so that the deadline is looked at in between


@dataclass(frozen=True, slots=True)
class ReserveHugePages(HostStep):
    """Let ``free`` huge pages of ``size`` bytes be free, and give the pool its old size after.

    It comes before the desktop ends: what memory cannot be had is known while the user still
    sees the screen (kernel: admin-guide/mm/hugetlbpage.rst).
    """

    kind: ClassVar[str] = "reserve-hugepages"
    size: int
    free: int
    seconds: float

    def describe(self) -> str:
        return f"have {self._text(self.free)} free"

    def describe_undo(self) -> str:
        return f"give back the huge pages of {_size(self.size)}"

    def by_hand(self, prior: Prior) -> str:
        folder = f"/sys/kernel/mm/hugepages/hugepages-{self.size // 2**10}kB"
        return write_by_hand(prior.get("total"), f"{folder}/nr_hugepages")

    def observe(self, host: Host) -> Prior:
        return {"total": self._pool(host).total}

    def apply(self, host: Host) -> Notes:
        if self._grow(host):
            return ()
        host.hugepages.compact()
        if self._grow(host):
            return ("memory was compacted for huge pages",)
        raise HostError(
            f"of {self._text(self.free)} only {self._pool(host).free} can be had: "
            "free memory is in too small pieces",
            "close programs or restart the PC; or reserve them at boot: hugepages= "
            "on the kernel's command line",
        )

    def _grow(self, host: Host) -> bool:
        """Enlarge the pool step by step; False once the kernel has no more."""
        deadline = host.now() + self.seconds
        pool = self._pool(host)
        while pool.free < self.free and host.now() < deadline:
            more = min(self.free - pool.free, max(1, _AT_ONCE // self.size))
            host.hugepages.resize(self.size, pool.total + more)
            before, pool = pool, self._pool(host)
            if pool.total <= before.total:
                return False
        return pool.free >= self.free

    def undo(self, host: Host, prior: Prior) -> Notes:
        total = prior["total"]
        assert isinstance(total, int)
        if self._pool(host).total != total:
            host.hugepages.resize(self.size, total)
        left = self._pool(host).total - total
        # Pages in use leave the pool by themselves when their user ends.
        return (f"{self._text(left)} are still in use and go when that ends",) if left > 0 else ()

    def _pool(self, host: Host) -> HugePagePool:
        pool = host.hugepages.pool(self.size)
        if pool is None:
            raise HostError(f"this kernel has no huge pages of {_size(self.size)}")
        return pool

    def _text(self, count: int) -> str:
        return f"{count} huge pages of {_size(self.size)}"


@dataclass(frozen=True, slots=True)
class TransparentHugePages(HostStep):
    """Set the mode of transparent huge pages (kernel: admin-guide/mm/transhuge.rst)."""

    kind: ClassVar[str] = "transparent-hugepages"
    mode: str

    def describe(self) -> str:
        return f"set transparent huge pages to {self.mode}"

    def describe_undo(self) -> str:
        return "restore the mode of transparent huge pages"

    def by_hand(self, prior: Prior) -> str:
        return write_by_hand(prior.get("mode"), "/sys/kernel/mm/transparent_hugepage/enabled")

    def observe(self, host: Host) -> Prior:
        return {"mode": host.hugepages.transparent()}

    def apply(self, host: Host) -> Notes:
        host.hugepages.set_transparent(self.mode)
        if (found := host.hugepages.transparent()) != self.mode:
            raise HostError(f"transparent huge pages are {found}, not {self.mode}")
        return ()

    def undo(self, host: Host, prior: Prior) -> Notes:
        before = prior["mode"]
        if isinstance(before, str) and host.hugepages.transparent() != before:
            host.hugepages.set_transparent(before)
        return ()


def _size(count: int) -> str:
    return f"{count // 2**30} GiB" if count >= 2**30 else f"{count // 2**10} KiB"
