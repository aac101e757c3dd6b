"""Taking a static passthrough set-up out: what defeats the return, and what helps it."""

from collections.abc import Collection, Iterator

from vfiod.host.facts.loaders import LOADERS, Loader, Way
from vfiod.tools.leftovers import find
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Kind, Leftover
from vfiod.tools.setup import bootfiles, cmdline, editing
from vfiod.tools.setup.changes import Command, Draft, Note, ToolChange
from vfiod.tools.setup.facts import KERNEL_CMDLINE, Facts
from vfiod.tools.setup.initramfs import WITH_ENTRIES, rebuild

_NOT_IN_INITRAMFS = ("/etc/systemd/", "/etc/rc.local")


def take_out(facts: Facts, draft: Draft) -> Iterator[ToolChange | Note]:
    """Take them out in ``draft``, or say by what is returned how else it is done."""
    chosen = in_the_way(facts)
    options = [item for item in chosen if item.kind in (Kind.OPTION, Kind.RUNNING)]
    if LOADERS[facts.boot.loader].way is Way.TOOL:
        yield from _by_tool(facts.boot.loader, options)
    else:
        yield from _by_files(facts, draft, options)
    yield from (_unknown_origin(facts, x) for x in options if is_of_unknown_origin(facts, x))
    # From the bottom of each file to its top: a line that is added moves only those below it.
    for leftover in sorted(chosen, key=lambda item: -item.line):
        file = leftover.file
        if leftover.kind in (Kind.LINE, Kind.FILE) and bootfiles.is_editable(facts, file):
            programs = _rebuild(facts, tracked=facts.tracked)
            draft.write(file, _without(draft, leftover), _reason(leftover), programs)
        elif leftover not in options:
            yield _by_hand(facts, leftover)
    yield from (_to_look_at(item) for item in facts.leftovers if item.effect is Effect.UNSURE)


def in_the_way(facts: Facts) -> tuple[Leftover, ...]:
    """The leftovers that setup takes out."""
    return find.in_the_way(facts.leftovers)


def _by_tool(loader: Loader, options: Collection[Leftover]) -> Iterator[ToolChange]:
    """One call for each option, in however many files it stands."""
    configured = {item.text: item for item in options if item.kind is Kind.OPTION}
    for leftover in configured.values():
        add, remove = cmdline.by_tool(loader, leftover.text)
        yield ToolChange(remove, add, (_reason(leftover),))
        if leftover.keep:
            yield ToolChange(*cmdline.by_tool(loader, leftover.keep), (f"of {leftover.text}",))


def _by_files(facts: Facts, draft: Draft, options: Collection[Leftover]) -> Iterator[Note]:
    places = {(o.file, o.line, o.text): o for o in facts.boot.configured}
    managed = bool(options) and _is_managed(facts)
    if managed:
        reason = "; ".join(dict.fromkeys(map(_reason, options)))
        bootfiles.change_cmdline(facts, draft, reason, {item.text: item.keep for item in options})
    for item in options:
        option = places.get((item.file, item.line, item.text))
        if option is None or (managed and option.file == KERNEL_CMDLINE):
            continue
        if managed and option.is_generated:
            if draft.current(KERNEL_CMDLINE) == facts.files.get(KERNEL_CMDLINE):
                yield _not_written_anew(facts, item)
        elif not bootfiles.take_out(facts, draft, option, item.keep, _reason(item)):
            yield _by_hand(facts, item)


def _is_managed(facts: Facts) -> bool:
    """True if the entries are written from /etc/kernel/cmdline, or from what is in force."""
    loader_is = facts.boot.loader is Loader.KERNEL_INSTALL or bootfiles.follows_running(facts)
    return loader_is and bool(bootfiles.refresh(facts))


def _not_written_anew(facts: Facts, item: Leftover) -> Note:
    return Note(
        f"{item.place} still has {item.text}, which {KERNEL_CMDLINE} has not: let the entries be "
        "written anew.",
        bootfiles.told(facts),
    )


def is_of_unknown_origin(facts: Facts, item: Leftover) -> bool:
    """An option in force that no file asks for, although none was changed since.

    kernel-install takes over what is in force where it is told nothing else.
    """
    if item.kind is not Kind.RUNNING or facts.changed:
        return False
    if bootfiles.follows_running(facts) and _is_managed(facts):
        return False
    return all(option.text != item.text for option in facts.boot.configured)


def gone_at_the_next_boot(facts: Facts) -> Iterator[Leftover]:
    """What is in force, and was taken out of the files since the kernel started."""
    still = {option.text for option in facts.boot.configured if not option.is_generated}
    for item in in_the_way(facts):
        if item.kind is Kind.RUNNING and item.text not in still and facts.changed is not False:
            yield item


def _unknown_origin(facts: Facts, item: Leftover) -> Note:
    places = bootfiles.where(facts)
    return Note(
        f"Take out by hand: {item.place}: {item.text}. It {item.why}. It is in force, and none of "
        f"the files has it that vfiod reads for this host's boot loader. {places}"
    )


def _without(draft: Draft, leftover: Leftover) -> bytes | None:
    if leftover.kind is Kind.FILE:
        return None
    data = draft.current(leftover.file) or b""
    return editing.comment_out(data, leftover.line, leftover.span, leftover.keep)


def _by_hand(facts: Facts, leftover: Leftover) -> Note:
    text = f"Take out by hand: {leftover.place}: {leftover.text}. It {leftover.why}."
    if leftover.kind is Kind.OPTION:
        return Note(text, bootfiles.told(facts))
    programs = _rebuild(facts, leftover.file)
    name = leftover.file.rpartition("/")[2]
    if facts.boot.loader is Loader.NIXOS:
        text += " NixOS writes such files from /etc/nixos/configuration.nix: change it there."
    elif "/modprobe.d/" in leftover.file and not leftover.file.startswith("/etc/"):
        programs = (("ln", "-s", "/dev/null", f"/etc/modprobe.d/{name}"), *programs)
    elif leftover.file.startswith(_NOT_IN_INITRAMFS):
        programs = ()
    return Note(text, bootfiles.by_sudo(facts, programs))


def _rebuild(facts: Facts, file: str = "", *, tracked: bool = False) -> tuple[Command, ...]:
    """The initramfs, and the entries that kernel-install puts a copy of it into."""
    programs = rebuild(facts.tools, facts.boot.loader, file, tracked=tracked)
    takes_copies = facts.boot.loader in (Loader.KERNEL_INSTALL, Loader.UKIFY)
    if not takes_copies or WITH_ENTRIES in programs:
        return programs
    return (*programs, *bootfiles.refresh(facts))


def _to_look_at(leftover: Leftover) -> Note:
    what = f"{leftover.place}: {leftover.text}. It {leftover.why}."
    return Note(f"Look at {what} vfiod leaves it as it is.")


def _reason(leftover: Leftover) -> str:
    return f"{leftover.text}: {leftover.why}"
