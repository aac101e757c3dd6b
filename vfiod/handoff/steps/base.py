"""Step: one reversible change of the host, as data that can be printed, compared and journaled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from vfiod.host.door import Host
from vfiod.host.goodbye import GoOn
from vfiod.model import PciAddress

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Prior = Mapping[str, Json]
Notes = Sequence[str]

NOTHING: Prior = {}


class Step(Protocol):
    """One change. ``observe`` reads what ``undo`` must restore and changes nothing.

    ``apply`` makes one change and checks that it took. ``undo`` is safe to repeat, and safe if
    ``apply`` never ran or stopped half way. Both return remarks for the log; both raise
    HostError when the host refuses.
    """

    kind: ClassVar[str]

    @property
    def device(self) -> str:
        """The PCI address it is about, or an empty string."""

    @property
    def serial_key(self) -> str | None:
        """Neighbours of different keys may be taken side by side; None is taken alone."""

    def describe(self) -> str:
        """What apply does, for a person."""

    def describe_undo(self) -> str:
        """What undo does; empty if there is nothing to undo: it is not journaled then."""

    def by_hand(self, prior: Prior) -> str:
        """For a mere setting: what a person types if the host refuses its undo for good.

        Empty for what display, devices or desktop hang on: with that open, nothing is over.
        """

    def observe(self, host: Host) -> Prior: ...

    def apply(self, host: Host) -> Notes: ...

    def undo(self, host: Host, prior: Prior) -> Notes: ...


def names_in(prior: Prior, key: str) -> Sequence[str]:
    """A list of names that observe wrote; none if an earlier version of vfiod did not."""
    found = prior.get(key, ())
    return [str(name) for name in found] if isinstance(found, list | tuple) else []


def write_by_hand(value: Json, *paths: str) -> str:
    """A command that writes a value into these files."""
    return f"echo {value} | sudo tee {' '.join(paths)}"


class HostStep:
    """What most steps share: no device, nothing to observe, nothing to undo."""

    __slots__ = ()

    @property
    def device(self) -> str:
        return ""

    @property
    def serial_key(self) -> str | None:
        return None

    def describe_undo(self) -> str:
        return ""

    def by_hand(self, prior: Prior) -> str:
        return ""

    def observe(self, host: Host) -> Prior:
        return NOTHING

    def undo(self, host: Host, prior: Prior) -> Notes:
        return ()


class AskingStep(HostStep):
    """A step that waits for people: nobody may want their answer any more by then.

    ``ask`` is apply with a look at that: ``go_on`` raises what ends it. What they are asked is
    taken off their screens first.
    """

    __slots__ = ()

    def apply(self, host: Host) -> Notes:
        return self.ask(host, lambda: None)

    def ask(self, host: Host, go_on: GoOn) -> Notes:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class DeviceStep(HostStep):
    """A step about one PCI function; those of one card are taken one after the other."""

    address: PciAddress

    @property
    def device(self) -> str:
        return str(self.address)

    @property
    def serial_key(self) -> str | None:
        return self.address.card
