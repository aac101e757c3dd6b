"""What a line of a static passthrough set-up does to this machine. Pure: facts in, verdict out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from vfiod.host.facts.drivers import Native, plain
from vfiod.model import PciAddress, PciFunction

STUBS = frozenset({"vfio_pci", "pci_stub"})
_BLACKLISTS = frozenset({"modprobe.blacklist", "rd.driver.blacklist", "module_blacklist"})
_NO_PICTURE = "nothing is on the screen from boot until the native driver has loaded"


class Effect(Enum):
    """How much a leftover stands in the way of the return."""

    DEFEATS = "defeats the return"
    ASSISTS = "helps another leftover, or only delays the picture"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``why`` goes on after "it …"; ``keep`` is what should remain of the text, or empty."""

    effect: Effect
    why: str
    keep: str = ""


@dataclass(frozen=True, slots=True)
class Classifier:
    """The machine: its PCI functions, what could drive its displays, and what may not load."""

    functions: tuple[PciFunction, ...]
    native_drivers: tuple[Native, ...]
    blocked: frozenset[str] = frozenset()

    def option(self, text: str) -> Verdict | None:
        """An option of the kernel's command line; None if it is no leftover."""
        key, _, value = text.partition("=")
        module, _, parameter = plain(key).rpartition(".")
        if module in STUBS and parameter == "ids":
            return self.ids(value.split(","))
        if key in _BLACKLISTS:
            names = value.split(",")
            others = [name for name in names if not self.block(name)]
            return self._first(names, f"{key}={','.join(others)}" if others else "")
        if text == "nomodeset" or (parameter == "modeset" and value == "0"):
            return self._no_modeset(module)
        return _firmware_option(key, value)

    def modprobe(self, text: str) -> Verdict | None:
        """A line of modprobe.d(5); None if it is no leftover."""
        command, module, *rest = words if len(words := text.split()) > 1 else ["", ""]
        match command, plain(module):
            case "options", stub if stub in STUBS:
                return self.parameters(rest)
            case "blacklist", name:
                return self.block(name)
            case "install", name:
                return self._install(name, rest)
            case "softdep", _ if "vfio_pci" in map(plain, rest[: _end(rest, "post:")]):
                return _assists(f"loads vfio-pci before {module}")
            case "alias", _ if rest and plain(rest[0]) in STUBS and module.startswith("pci:"):
                why = f"makes {rest[0]} the driver of the devices {module}"
                return Verdict(Effect.DEFEATS, why)
        return None

    def loaded(self, text: str) -> Verdict | None:
        """A line of a list of modules to load: a name, in some of them with parameters."""
        name, *rest = text.split()
        if plain(name) != "vfio_pci":
            return None
        return self.parameters(rest) or _assists("loads vfio-pci early")

    def parameters(self, words: Sequence[str]) -> Verdict | None:
        """Parameters of vfio-pci or pci-stub; None if they give it no device."""
        for word in words:
            if word.startswith("ids="):
                return self.ids(word.removeprefix("ids=").split(","))
        return None

    def ids(self, ids: Sequence[str]) -> Verdict:
        """vfio-pci's ``ids``: VENDOR:DEVICE… in hexadecimal, each for every device that has it.

        A list with the card in it belongs to one guest and is of no use without the card: its
        USB controller, which may be the one of the keyboard, should come back with it.
        """
        given = [function for function in self.functions if any(_names(i, function) for i in ids)]
        if self.functions and not self._needed(given):
            return Verdict(Effect.HARMLESS, _spare(given))
        what = _listed(given)
        return Verdict(Effect.DEFEATS, f"gives {what} to vfio-pci at every boot, for good")

    def override(self, address: str) -> Verdict:
        """A device that is put on vfio-pci by its address at every boot."""
        try:
            wanted = PciAddress.parse(address)
        except ValueError:
            return Verdict(Effect.HARMLESS, "names no device of this machine")
        given = [function for function in self.functions if function.address == wanted]
        if self.functions and not self._needed(given):
            return Verdict(Effect.HARMLESS, _spare(given))
        return Verdict(Effect.DEFEATS, f"gives {address} to vfio-pci at every boot, for good")

    def block(self, module: str) -> Verdict | None:
        """A module that may not load by itself; None if this host does not need it."""
        name = plain(module)
        for native in self.native_drivers:
            blocks_all = native.modules and native.modules <= self.blocked
            if name in native.modules and blocks_all and not native.driven:
                return Verdict(
                    Effect.DEFEATS, f"keeps {module}, the driver of {native.function}, away"
                )
        known = self.native_drivers or name not in USUAL_MODULES
        return None if known else Verdict(Effect.DEFEATS, f"keeps the driver {module} away")

    def _needed(self, given: Collection[PciFunction]) -> bool:
        """True if the host has no display without these devices, or not the one it booted with."""
        displays = [function for function in self.functions if function.is_display]
        lost = [
            display
            for display in displays
            if any(f.address.same_slot(display.address) for f in given)
        ]
        return bool(lost) and (lost == displays or any(display.boot_vga for display in lost))

    def _first(self, modules: Sequence[str], keep: str) -> Verdict | None:
        for module in modules:
            verdict = self.block(module)
            if verdict is not None:
                return Verdict(verdict.effect, verdict.why, keep)
        return None

    def _no_modeset(self, module: str) -> Verdict | None:
        affected = [n for n in self.native_drivers if n.function.is_display and not n.driven]
        named = [n for n in affected if not module or module in n.modules]
        if self.native_drivers and not named:
            return None
        return Verdict(
            Effect.DEFEATS, f"keeps {module or 'native drivers'} from lighting a display"
        )

    def _install(self, module: str, command: Sequence[str]) -> Verdict | None:
        if module in STUBS:
            why = f"runs {' '.join(command)} when {module} loads, which usually binds cards to it"
            return Verdict(Effect.DEFEATS, why)
        if is_refusal(command):
            return self.block(module)
        if any("vfio" in word for word in command):
            return _assists(f"loads vfio-pci before {module}")
        return None


# What a tree that does not show its PCI devices is suspected to need.
USUAL_MODULES = frozenset({"amdgpu", "radeon", "nouveau", "nvidia", "i915", "xe", "snd_hda_intel"})


def blocked_by_option(text: str) -> frozenset[str]:
    """Modules that an option of the kernel's command line keeps from loading."""
    key, _, value = text.partition("=")
    return frozenset(map(plain, value.split(","))) if key in _BLACKLISTS else frozenset()


def blocked_by_modprobe(text: str) -> frozenset[str]:
    """Modules that a line of modprobe.d(5) keeps from loading by themselves."""
    match text.split():
        case ["blacklist", module]:
            return frozenset({plain(module)})
        case ["install", module, *command] if is_refusal(command):
            return frozenset({plain(module)})
    return frozenset()


def is_refusal(command: Sequence[str]) -> bool:
    """True for the programs that are put in place of loading a module."""
    return len(command) == 1 and command[0].rpartition("/")[2] in ("true", "false")


def _firmware_option(key: str, value: str) -> Verdict | None:
    if key == "video" and any(part.endswith("fb:off") for part in value.split(",")):
        return _assists(f"switches the firmware's framebuffer off: {_NO_PICTURE}")
    if key == "initcall_blacklist" and "sysfb_init" in value.split(","):
        return _assists(f"switches the firmware's framebuffer off: {_NO_PICTURE}")
    if key == "rd.driver.pre" and plain(value) == "vfio_pci":
        return _assists("loads vfio-pci before any other driver")
    if key in ("iommu", "amd_iommu", "intel_iommu") and "off" in value.split(","):
        return Verdict(Effect.DEFEATS, "switches the IOMMU off: no device can go to a guest at all")
    return None


def _names(text: str, function: PciFunction) -> bool:
    vendor, _, device = ":".join(text.split(":")[:2]).partition(":")
    try:
        return (int(vendor, 16), int(device, 16)) == (function.vendor, function.device)
    except ValueError:
        return False


def _assists(what: str) -> Verdict:
    return Verdict(Effect.ASSISTS, what)


def _spare(given: Collection[PciFunction]) -> str:
    if not given:
        return "names no device of this machine"
    return f"keeps {_listed(given)} for guests; the host has a display without it"


def _listed(functions: Collection[PciFunction]) -> str:
    return ", ".join(map(str, functions)) or "the named devices"


def _end(words: Sequence[str], marker: str) -> int:
    return words.index(marker) if marker in words else len(words)
