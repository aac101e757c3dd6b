"""Kernel options in the files of the boot loader: added, taken out, and read back. Pure.

A draft is kept only if the reader that decided what is wanted finds it there.
"""

import shlex
from collections.abc import Collection, Mapping, Sequence

from vfiod.host.facts.cmdline_files import Option, configured, last_reset
from vfiod.host.facts.loaders import LIMINE_DEFAULT, LOADERS, Loader, Syntax, Way
from vfiod.host.facts.loaders import SDBOOT_MANAGE_CONF as SDBOOT_MANAGE
from vfiod.host.facts.textfiles import Line
from vfiod.tools.setup import editing
from vfiod.tools.setup.changes import Command, Draft
from vfiod.tools.setup.facts import CMDLINE_DROP_IN, GRUB_DROP_IN, KERNEL_CMDLINE, Facts
from vfiod.tools.setup.kernels import commands

GRUB_VARIABLE = "GRUB_CMDLINE_LINUX_DEFAULT"
# Where a line at the end adds an option, and the variable it goes on with.
_LINES: Mapping[Loader, tuple[str, str]] = {
    Loader.GRUB: (GRUB_DROP_IN, GRUB_VARIABLE),
    Loader.PROXMOX_GRUB: (GRUB_DROP_IN, GRUB_VARIABLE),
    Loader.PLAIN_GRUB: ("/etc/default/grub", GRUB_VARIABLE),
    Loader.SDBOOT_MANAGE: (f"/{SDBOOT_MANAGE}", "LINUX_OPTIONS"),
    Loader.LIMINE_TOOL: (f"/{LIMINE_DEFAULT}", "KERNEL_CMDLINE[default]"),
}


def options(facts: Facts, draft: Draft) -> tuple[Option, ...]:
    """What is configured once ``draft`` is in place."""
    return configured(facts.boot.loader, draft.files_after())


def refresh(facts: Facts) -> tuple[Command, ...]:
    """What writes the loader's entries from its files; nothing if no such program is here."""
    return tuple(c for c in LOADERS[facts.boot.loader].refresh if c[0] in facts.tools)[:1]


def told(facts: Facts) -> str:
    """The same for a person, who may have the program where vfiod does not look."""
    return by_sudo(facts, refresh(facts) or LOADERS[facts.boot.loader].refresh[:1])


def by_sudo(facts: Facts, programs: Collection[Command]) -> str:
    """A line that a person can type, for the kernels that are here now."""
    return " && ".join(f"sudo {shlex.join(p)}" for p in commands(programs, facts.kernels))


def add(facts: Facts, draft: Draft, wanted: Mapping[str, str]) -> Line | None:
    """Have these options, each with its reason, in ``draft``, or leave it as it is.

    The answer is the line that would override them, where that is why they are not in it.
    """
    trial = draft.copy()
    before = {option.text for option in options(facts, draft)}
    if not refresh(facts):
        return None
    if _goes_by_words(facts, draft):
        _add_words(facts, trial, wanted)
    elif facts.boot.loader in _LINES and (before or facts.boot.loader is not Loader.LIMINE_TOOL):
        _add_lines(facts, trial, wanted)
    if before | set(wanted) <= {option.text for option in options(facts, trial)}:
        draft.adopt(trial)
        return None
    return _overrider(facts, trial)


def take_out(facts: Facts, draft: Draft, item: Option, keep: str, reason: str) -> bool:
    """Take ``item`` out of its file; False if that cannot be done with certainty."""
    trial, before = draft.copy(), _count(facts, draft, item)
    data = trial.current(item.file)
    programs = refresh(facts)
    if data is None or not programs or not is_editable(facts, item.file):
        return False
    after: bytes | None
    if item.syntax is Syntax.WORDS:
        after = editing.change_words(data, {item.text: keep}, ())
    else:
        after = editing.replace_option(data, item.line, item.text, keep)
    if after is None:
        return before == 0
    trial.write(item.file, after, reason, programs)
    if _count(facts, trial, item) >= max(before, 1):
        return False
    draft.adopt(trial)
    return True


def follows_running(facts: Facts) -> bool:
    """True if the entries are written with the options in force, as no file says others."""
    loader = facts.boot.loader
    if loader not in (Loader.KERNEL_INSTALL, Loader.UKIFY, Loader.MKINITCPIO_UKI):
        return False
    return all(option.is_generated for option in facts.boot.configured)


def _count(facts: Facts, draft: Draft, item: Option) -> int:
    """How often the option stands in that file, or did so before it was taken out."""
    return sum((o.text, o.file) == (item.text, item.file) for o in options(facts, draft))


def _goes_by_words(facts: Facts, draft: Draft) -> bool:
    """limine-entry-tool goes by /etc/kernel/cmdline only where its own files say nothing."""
    if LOADERS[facts.boot.loader].way is Way.WORDS:
        return True
    found = {option.file for option in options(facts, draft)}
    return facts.boot.loader is Loader.LIMINE_TOOL and found == {KERNEL_CMDLINE}


def is_editable(facts: Facts, file: str) -> bool:
    """Files below /etc that are files: links lead to what others made, /usr is the packages'."""
    return file.startswith("/etc/") and file not in facts.links


def change_cmdline(
    facts: Facts, draft: Draft, reason: str, remove: Mapping[str, str], add: Sequence[str] = ()
) -> None:
    """Change /etc/kernel/cmdline, from which the entries of every kernel are written.

    Where the file is absent, kernel-install and mkinitcpio go by the running kernel's options
    without the loader's own (systemd: src/kernel-install/90-loaderentry.install); so the file
    begins as that.
    """
    present = draft.current(KERNEL_CMDLINE)
    own = (o for o in facts.boot.running if not o.startswith(("BOOT_IMAGE=", "initrd=")))
    implied = f"{' '.join(own)}\n" if present is None else ""
    data = implied.encode() if present is None else present
    after = editing.change_words(data, remove, add)
    if after != data:
        draft.write(KERNEL_CMDLINE, after, reason, refresh(facts), implied)


def where(facts: Facts) -> str:
    """Where a person writes an option, and what they run then."""
    row = LOADERS[facts.boot.loader]
    if facts.boot.loader is Loader.UNKNOWN:
        return "vfiod does not know this host's boot loader."
    found = told(facts)
    then = f"; then: {found}" if found else "."
    return f"It stands in {facts.boot.own_cmdline or row.place}{then}"


def _add_lines(facts: Facts, draft: Draft, wanted: Mapping[str, str]) -> None:
    """GRUB_CMDLINE_LINUX_DEFAULT leaves the recovery entry of the boot menu without them.

    Options of an earlier run stay; a file of that name that is not setup's is not touched.
    """
    file, variable = _LINES[facts.boot.loader]
    lines = []
    for option, reason in wanted.items():
        lines += [f"# {reason}", _assignment(variable, option)]
    former = draft.current(file)
    if LOADERS[facts.boot.loader].way is Way.DROP_IN:
        data = editing.add_lines(former, lines)
    else:
        data = editing.append_lines(former or b"", lines) if is_editable(facts, file) else None
    if data is not None and data != former:
        draft.write(file, data, _reason(wanted), refresh(facts))


def _assignment(variable: str, option: str) -> str:
    if "[" in variable:
        return f'{variable}+=" {option}"'
    return f'{variable}="${variable} {option}"'


def _add_words(facts: Facts, draft: Draft, wanted: Mapping[str, str]) -> None:
    """mkinitcpio reads a folder as well, if there is one: a file of its own is put there."""
    folder = CMDLINE_DROP_IN.rpartition("/")[0]
    is_split = facts.boot.loader is Loader.MKINITCPIO_UKI
    if is_split and any(path.startswith(f"{folder}/") for path in facts.files):
        lines = [line for option, why in wanted.items() for line in (f"# {why}", option)]
        data = editing.add_lines(draft.current(CMDLINE_DROP_IN), lines)
        if data is not None:
            draft.write(CMDLINE_DROP_IN, data, _reason(wanted), refresh(facts))
        if draft.current(KERNEL_CMDLINE) is None:
            return
    if KERNEL_CMDLINE not in facts.links:
        change_cmdline(facts, draft, _reason(wanted), {}, tuple(wanted))


def _overrider(facts: Facts, trial: Draft) -> Line | None:
    """Which line keeps a drafted option from being in the result."""
    file, variable = _LINES.get(facts.boot.loader, ("", ""))
    line = last_reset(facts.boot.loader, trial.files_after(), variable) if file else None
    return None if line is None or line.file == file else line


def _reason(wanted: Mapping[str, str]) -> str:
    return "; ".join(f"{option}: {reason}" for option, reason in wanted.items())
