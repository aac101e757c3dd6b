"""What a line of a static passthrough set-up does to this machine. Pure: facts in, verdict out."""

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from vfiod.host.facts.drivers import plain
from vfiod.model import PciFunction
from vfiod.tools.leftovers.alternatives import family
from vfiod.tools.leftovers.machine import Machine

STUBS = frozenset({"vfio_pci", "pci_stub"})
_BLACKLISTS = frozenset({"modprobe.blacklist", "rd.driver.blacklist", "module_blacklist"})
_SEPARATORS = ";&|"
_DO_NOTHING = ("true", "false", ":", "exit")
_NO_PICTURE = "nothing is on the screen from boot until the native driver has loaded"


class Effect(Enum):
    """How much a leftover stands in the way of the return."""

    DEFEATS = "defeats the return"
    ASSISTS = "helps another leftover, or only delays the picture"
    UNSURE = "may stand in the way, and is not understood"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``why`` goes on after "it …"; ``keep`` is what should remain of the text, or empty.

    ``spares``: it sets a device of this machine aside for guests, and the host can do without.
    """

    effect: Effect
    why: str
    keep: str = ""
    spares: bool = False


@dataclass(frozen=True, slots=True)
class Classifier:
    """Judges lines by the ``machine``; one without any functions may need everything."""

    machine: Machine

    def option(self, text: str) -> Verdict | None:
        """An option of the kernel's command line; None if it is no leftover."""
        key, _, value = _bare(text).partition("=")
        module, _, parameter = plain(key).rpartition(".")
        if module in STUBS and parameter == "ids":
            return self.ids(value.split(","))
        if key in _BLACKLISTS:
            names = value.split(",")
            others = [name for name in names if not self.block(name)]
            return self._first(names, f"{key}={','.join(others)}" if others else "")
        if text == "nomodeset":
            return self._no_modeset()
        if parameter == "modeset" and value == "0":
            return self._modeset_off(module)
        return _firmware_option(key, value)

    def modprobe(self, text: str) -> Verdict | None:
        """A line of modprobe.d(5), without what it may run; None if it is no leftover."""
        command, module, *rest = words if len(words := text.split()) > 1 else ["", ""]
        match command, plain(module):
            case "options", stub if stub in STUBS:
                return self.parameters(rest)
            case "options", name if "modeset=0" in map(_bare, rest):
                return self._modeset_off(name)
            case "blacklist", name:
                return self.block(name)
            case "install", name:
                return self._install(name, rest)
            case "softdep", _ if "vfio_pci" in map(plain, rest[: _end(rest, "post:")]):
                return _assists(f"loads vfio-pci before {module}")
            case "alias", _ if rest and plain(rest[0]) in STUBS and module.startswith("pci:"):
                return self.given(self.machine.by_alias(module))
        return None

    def loaded(self, text: str) -> Verdict | None:
        """A line of a list of modules to load: a name, in some of them with parameters."""
        name, *rest = text.split()
        if plain(name) != "vfio_pci":
            return None
        return self.parameters(rest) or _assists("loads vfio-pci early")

    def parameters(self, words: Sequence[str]) -> Verdict | None:
        """Parameters of vfio-pci or pci-stub; None if they give it no device."""
        for word in map(_bare, words):
            if word.startswith("ids="):
                return self.ids(word.removeprefix("ids=").split(","))
        return None

    def ids(self, ids: Sequence[str]) -> Verdict:
        """vfio-pci's ``ids``, each for every device that has it (see pci_ids).

        A list with the card in it belongs to one guest and is of no use without the card: its
        USB controller, which may be the one of the keyboard, should come back with it.
        """
        return self.given(self.machine.by_ids(ids))

    def given(self, devices: Collection[PciFunction]) -> Verdict:
        """Devices that are put on vfio-pci at every boot, in whatever way."""
        if self.machine.functions and not self.machine.needs(devices):
            return Verdict(Effect.HARMLESS, _spare(devices), spares=bool(devices))
        what = ", ".join(map(str, devices)) or "the named devices"
        return Verdict(Effect.DEFEATS, f"gives {what} to vfio-pci at every boot, for good")

    def unsure(self, what: str) -> Verdict | None:
        """Something that is not understood; None if the host lacks no display that it could have.

        Then it does no harm, whatever it does.
        """
        displays = [native for native in self.machine.dark if native.function.is_display]
        return Verdict(Effect.UNSURE, what) if displays or not self.machine.functions else None

    def block(self, module: str) -> Verdict | None:
        """A module that may not load by itself; None if this host can do without it."""
        name = plain(module)
        if name in self.machine.to_free:
            which = ", ".join(str(n.function) for n in self.machine.dark if _is_of(name, n.modules))
            return Verdict(Effect.DEFEATS, f"keeps {module}, the driver of {which}, away")
        known = self.machine.natives or name not in USUAL_MODULES
        return None if known else Verdict(Effect.DEFEATS, f"keeps the driver {module} away")

    def _first(self, modules: Sequence[str], keep: str) -> Verdict | None:
        for module in modules:
            verdict = self.block(module)
            if verdict is not None:
                return Verdict(verdict.effect, verdict.why, keep)
        return None

    def _no_modeset(self) -> Verdict | None:
        """It is for the kernel's own drivers: NVIDIA's lights a display all the same."""
        dark = [native for native in self.machine.dark if native.function.is_display]
        if self.machine.natives and (not dark or self.machine.is_lit_by("nvidia")):
            return None
        return Verdict(Effect.DEFEATS, "keeps native drivers from lighting a display")

    def _modeset_off(self, module: str) -> Verdict | None:
        if family(module) == "nvidia":
            return None
        if self.machine.natives and plain(module) not in self.machine.to_free:
            return None
        return Verdict(Effect.DEFEATS, f"keeps {module} from lighting a display")

    def _install(self, module: str, command: Sequence[str]) -> Verdict | None:
        if is_refusal(command):
            return self.block(module)
        if module in STUBS:
            is_plain = command[:1] and command[0].endswith("modprobe") and ";" not in command
            what = f"runs “{' '.join(command)}” when {module} loads, which may bind a card to it"
            return self.parameters(command) if is_plain else self.unsure(what)
        if any("vfio" in word for word in command):
            return _assists(f"loads vfio-pci before {module}")
        return None


# What a tree that does not show its PCI devices is suspected to need.
USUAL_MODULES = frozenset({"amdgpu", "radeon", "nouveau", "nvidia", "i915", "xe", "snd_hda_intel"})


def blocked_by_option(text: str) -> frozenset[str]:
    """Modules that an option of the kernel's command line keeps from loading."""
    key, _, value = _bare(text).partition("=")
    if key in _BLACKLISTS:
        return frozenset(map(plain, value.split(",")))
    module, _, parameter = plain(key).rpartition(".")
    return _without_modeset(module, [f"{parameter}={value}"])


def blocked_by_modprobe(text: str) -> frozenset[str]:
    """Modules that a line of modprobe.d(5) keeps from loading by themselves.

    Of a blacklist kmod reads one name and nothing behind it (libkmod/libkmod-config.c).
    """
    match text.split():
        case ["blacklist", module, *_]:
            return frozenset({plain(module)})
        case ["install", module, *command] if is_refusal(command):
            return frozenset({plain(module)})
        case ["options", module, *parameters]:
            return _without_modeset(plain(module), parameters)
    return frozenset()


def _without_modeset(module: str, parameters: Collection[str]) -> frozenset[str]:
    """NVIDIA's own driver lights a display without it, through X."""
    is_off = "modeset=0" in map(_bare, parameters) and family(module) != "nvidia"
    return frozenset({module}) if is_off and module else frozenset()


def is_refusal(command: Sequence[str]) -> bool:
    """True for what is put in place of loading a module; the shell runs it (modprobe.d(5))."""
    names = _programs(" ".join(command))
    return bool(names) and all(name.rpartition("/")[2] in _DO_NOTHING for name in names)


def _programs(text: str) -> Sequence[str]:
    """The first word of each command of a line of shell; none if it cannot be read."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=_SEPARATORS)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return ()
    pairs = zip([";", *words], words, strict=False)
    return [word for before, word in pairs if _separates(before) and not _separates(word)]


def _separates(word: str) -> bool:
    return set(word) <= set(_SEPARATORS)


def _bare(parameter: str) -> str:
    """Without the quotes around a value, which the kernel takes off (lib/cmdline.c, next_arg)."""
    return parameter.replace('"', "")


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


def _assists(what: str) -> Verdict:
    return Verdict(Effect.ASSISTS, what)


def _spare(given: Collection[PciFunction]) -> str:
    if not given:
        return "names no device of this machine"
    return f"keeps {', '.join(map(str, given))} for guests; the host has a display without it"


def _is_of(module: str, modules: Collection[str]) -> bool:
    return module in modules or family(module) in map(family, modules)


def _end(words: Sequence[str], marker: str) -> int:
    return words.index(marker) if marker in words else len(words)
