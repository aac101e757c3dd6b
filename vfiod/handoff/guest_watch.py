"""The watch on a guest's QEMU: adopted when it takes the devices, missed when it never does.

Owner: the manager, which makes one when it needs it; there is nothing in it to lose. What lives is
in the main loop: a pidfd for each process that has the devices, the time limit of a start, the keys
that end a guest. A daemon that is started anew has none of these and adopts from the journal.

A guest comes by libvirt's `started`, by a holder of the devices when the time limit ends, or is
there already when the daemon starts. It goes by libvirt's `release` or by the end of its QEMU,
whichever comes first; both lead to one return, and the second finds nothing to do. One that runs
and is not seen to have its devices yet, a slow one, is looked at until it is.

What must never happen: work in the main loop (all is handed to the worker by `submit`); a return
while QEMU holds the devices; a return of what is stuck, for which a person has to ask.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from vfiod.errors import HostError
from vfiod.events import Event, Kind, Report
from vfiod.handoff import presence
from vfiod.handoff.journal import Journal, Record
from vfiod.handoff.libvirt_watch import LibvirtWatch
from vfiod.handoff.operation import Handoff, list_devices
from vfiod.handoff.presence import is_out
from vfiod.handoff.unread import LOOK_AGAIN_SECONDS, TRIES, read_later
from vfiod.handoff.watcher import Submit, Watcher
from vfiod.host.door import Host
from vfiod.model import Holder, Phase

# How often a start is given that much more time while libvirt says that it is under way: a file of
# libvirt's that a crash has left must not keep the screen dark for ever.
_LOOKS_AT_A_START = 5
_LIBVIRT = "libvirt"


@dataclass(frozen=True, slots=True)
class GuestWatch:
    """What is to be done when a guest's QEMU comes, goes, or stays away.

    ``submit`` queues a task with its arguments for the worker; ``pressed`` is told of the
    power button; ``watched`` are the processes whose end is heard of already, ``looked_after`` the
    handoffs during which libvirt is looked at.
    """

    host: Host
    journal: Journal
    handoff: Handoff
    report: Report
    watcher: Watcher
    submit: Submit
    pressed: Callable[[], None]
    watched: set[int]
    looked_after: set[str] = field(default_factory=set)

    def holders(self, record: Record) -> Sequence[Holder]:
        """The QEMU that has the devices open."""
        return presence.holders(self.host, record)

    def who_has(self, record: Record) -> str:
        """See presence.who_has()."""
        return presence.who_has(self.host, record)

    def follow(self, name: str) -> None:
        """libvirt says that the guest runs, whatever is seen of it."""
        record = self.journal.read()
        if record is None or record.guest != name or not is_out(record):
            return
        found = {holder.pid for holder in self.holders(record)}
        if found - self.watched:
            self.adopt(record)
        elif not found and record.phase is Phase.PREPARED:
            self.trust(record)

    def trust(self, record: Record) -> None:
        """The guest runs, and no process is seen to hold its devices: libvirt's word counts."""
        seen = ""
        with suppress(HostError):
            seen = self.host.guests.scope(record.guest) or ""
        self._look_later(record, seen)
        self.watcher.on_button(self.pressed)
        text = (
            f"{record.guest} runs, but no process is seen to have {list_devices(record)} open; "
            "nothing is taken back until libvirt or systemd says that it has ended, or somebody "
            "runs: sudo vfiod return --destroy"
        )
        self._say(Kind.REMARK, text, record)
        self._has_display(record)

    def adopt(self, record: Record) -> bool:
        """Watch the QEMU that holds the devices, or trust one that runs; False if none does."""
        holders = self.holders(record)
        if not holders:
            if runs := bool(self.who_has(record)):
                self.trust(record)
            return runs
        new = {holder.pid for holder in holders} - self.watched
        if not new and record.phase is Phase.GUEST:
            return True
        # First what cannot fail: whatever does, the end of QEMU and the button are heard.
        for pid in sorted(new):
            self.watcher.on_exit(pid, partial(self.submit, self._gone, record, pid))
            self.watched.add(pid)
        self.watcher.on_button(self.pressed)
        if record.phase is not Phase.PREPARED:
            text = f"{record.guest} goes on running with {list_devices(record)}"
            self._say(Kind.ADOPTED, text, record)
        self._has_display(record, seen=True)
        return True

    def resume(self, record: Record, limit: float) -> None:
        """Go on with what an earlier daemon watched. ``limit``: the time that a start has."""
        try:
            runs = self.adopt(record)
        except Exception:  # whatever it was, a guest that runs must not go unwatched
            again = partial(self.submit, self._resume_again, record.transaction, limit)
            self.watcher.after(LOOK_AGAIN_SECONDS, again)
            raise
        if runs:
            return
        if record.phase is Phase.GUEST:
            why = "its QEMU ended while the daemon was away"
            self.handoff.return_devices(record.transaction, why)
        else:
            self.arm_start_timeout(max(0.0, limit - (self.host.now() - record.since)))

    def arm_start_timeout(self, seconds: float, looks: int = _LOOKS_AT_A_START) -> None:
        """Give QEMU this long to take the devices that are prepared for it.

        ``looks``: how often it may be given more, on libvirt's word.
        """
        record = self.journal.read()
        if record is not None:
            self.watcher.after(seconds, lambda: self.submit(self._end_unstarted, record, looks))

    def release(self, transaction_id: str, why: str) -> None:
        """The hook says that the guest has ended. Somebody may have called it by hand.

        While libvirt has not removed its file and a QEMU has the devices, the guest runs.
        """
        record = self.journal.read()
        mine = record is not None and record.transaction == transaction_id and is_out(record)
        if record is None or not (mine and presence.is_running(self.host, record)):
            self.end(transaction_id, why)
            return
        text = (
            f"the hook was told that {record.guest} has ended, but libvirt has it and "
            f"{self.who_has(record)}: nothing is taken back until that ends"
        )
        self._say(Kind.REMARK, text, record)
        if {holder.pid for holder in self.holders(record)} - self.watched:
            self.adopt(record)

    def end(self, transaction_id: str, why: str) -> None:
        """The guest has ended. Hook and QEMU's end both say so; what got stuck stays stuck.

        The second of them may come when the next guest has the devices, and the buttons are its.
        """
        record = self.journal.read()
        if record is not None and record.transaction != transaction_id:
            return
        self.watcher.ignore_buttons()
        if record is not None and record.phase is not Phase.STUCK:
            self.handoff.return_devices(transaction_id, why)

    def _has_display(self, record: Record, *, seen: bool = False) -> None:
        if record.transaction not in self.looked_after:
            self.looked_after.add(record.transaction)
            parts = (self.host, self.journal, self.report, self.watcher, self.submit)
            LibvirtWatch(*parts).begin(record.transaction)
        self.handoff.advance(Phase.GUEST, seen=seen)
        self.host.logins.inhibit(f"{record.guest} has the display")

    def _gone(self, record: Record, pid: int, tries: int = TRIES) -> None:
        """Nobody else may tell of it: what cannot be read now is read later."""
        self.watched.discard(pid)
        try:
            self.end(record.transaction, "its QEMU has ended")
        except HostError as error:
            again = partial(self._gone, record, pid)
            read_later(error, tries, again, self.report, self.watcher, self.submit)
            raise

    def _resume_again(self, transaction_id: str, limit: float) -> None:
        record = self.journal.read()
        if record is not None and record.transaction == transaction_id and is_out(record):
            self.resume(record, limit)

    def _look_later(self, record: Record, seen: str) -> None:
        """``seen``: where systemd has the guest, or else that libvirt has it; empty if neither."""
        if not seen and not self.host.guests.is_cleaned_up(record.uuid):
            seen = _LIBVIRT
        look = partial(self.submit, self._look, record.transaction, seen)
        self.watcher.after(LOOK_AGAIN_SECONDS, look)

    def _look(self, transaction_id: str, seen: str) -> None:
        """At a guest that was not seen to hold its devices yet: it ends when what was seen does.

        Who was never seen may be so for a reason that lasts; libvirt's release ends it.
        """
        record = self.journal.read()
        if record is None or record.transaction != transaction_id or not is_out(record):
            return
        if found := self.holders(record):
            if {holder.pid for holder in found} - self.watched:
                self.adopt(record)
            return
        try:
            scope = self.host.guests.scope(record.guest)
        except HostError:
            self._look_later(record, seen)
            return
        is_over = self.host.guests.is_cleaned_up(record.uuid) if seen == _LIBVIRT else bool(seen)
        if scope is None and is_over:
            self.end(transaction_id, f"{seen} has ended{' it' if seen == _LIBVIRT else ''}")
        else:
            self._look_later(record, scope or seen)

    def _end_unstarted(self, record: Record, looks: int) -> None:
        """Prepared, but libvirt never started QEMU (it was killed in between): take it back."""
        now = self.journal.read()
        if now is None or now.transaction != record.transaction or now.phase is not Phase.PREPARED:
            return
        try:
            runs = self.adopt(now)
            is_starting = not runs and looks > 0 and presence.is_starting(self.host, now)
        except Exception:
            self.arm_start_timeout(LOOK_AGAIN_SECONDS, looks)
            raise
        if is_starting:
            self._wait_on(now, looks)
        if runs or is_starting:
            return
        text = f"{record.guest} was prepared but never started; taking {list_devices(record)} back"
        self._say(Kind.START_TIMED_OUT, text, record)
        self.handoff.return_devices(record.transaction, "it never started")

    def _wait_on(self, record: Record, looks: int) -> None:
        if looks == _LOOKS_AT_A_START:
            seconds = _LOOKS_AT_A_START * LOOK_AGAIN_SECONDS
            text = (
                f"{record.guest} has not opened {list_devices(record)} yet, and libvirt says that "
                f"it is starting: waiting for at most {seconds:g} s more"
            )
            self._say(Kind.REMARK, text, record)
        self.arm_start_timeout(LOOK_AGAIN_SECONDS, looks - 1)

    def _say(self, kind: Kind, text: str, record: Record) -> None:
        self.report(Event(kind, text, {"GUEST": record.guest}))
