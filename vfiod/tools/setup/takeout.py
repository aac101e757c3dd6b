"""Taking a static passthrough set-up out: what defeats the return, and what helps it."""

from collections.abc import Collection, Iterator

from vfiod.host.facts.boot import Loader
from vfiod.tools.leftovers.classify import Effect
from vfiod.tools.leftovers.find import Kind, Leftover
from vfiod.tools.setup import cmdline, editing
from vfiod.tools.setup.changes import Command, Draft, Note, ToolChange
from vfiod.tools.setup.facts import Facts


def take_out(facts: Facts, draft: Draft) -> Iterator[ToolChange | Note]:
    """Take them out in ``draft``, or say by what is returned how else it is done."""
    chosen = in_the_way(facts)
    options = [item for item in chosen if item.kind in (Kind.OPTION, Kind.RUNNING)]
    if facts.boot.loader in (Loader.GRUBBY, Loader.KERNELSTUB, Loader.OSTREE):
        yield from _by_tool(facts.boot.loader, options)
        yield from (_by_hand(item) for item in options if _of_unknown_origin(item, facts))
    else:
        yield from _by_files(facts, draft, options)
    # From the bottom of each file to its top: a line that is added moves only those below it.
    for leftover in sorted(chosen, key=lambda item: -item.line):
        if leftover.kind in (Kind.LINE, Kind.FILE) and _editable(facts, leftover):
            draft.write(
                leftover.file, _without(draft, leftover), _reason(leftover), _refresh(facts)
            )
        elif leftover not in options:
            yield _by_hand(leftover)
    yield from (_to_look_at(item) for item in facts.leftovers if item.effect is Effect.UNSURE)


def in_the_way(facts: Facts) -> tuple[Leftover, ...]:
    """What defeats the return, and what only helps it; helpers alone are left where they are.

    So are they beside something that sets another card aside for guests: they may be of that.
    """
    defeats = [item for item in facts.leftovers if item.effect is Effect.DEFEATS]
    if not defeats or any(item.spares for item in facts.leftovers):
        return tuple(defeats)
    return tuple(x for x in facts.leftovers if x.effect in (Effect.DEFEATS, Effect.ASSISTS))


def _by_tool(loader: Loader, options: Collection[Leftover]) -> Iterator[ToolChange]:
    """One call for each option, in however many files it stands."""
    configured = {item.text: item for item in options if item.kind is Kind.OPTION}
    for leftover in configured.values():
        add, remove = cmdline.by_tool(loader, leftover.text)
        yield ToolChange(remove, add, (_reason(leftover),))
        if leftover.keep:
            yield ToolChange(*cmdline.by_tool(loader, leftover.keep), (f"of {leftover.text}",))


def _by_files(facts: Facts, draft: Draft, options: Collection[Leftover]) -> Iterator[Note]:
    managed = facts.boot.loader is Loader.SYSTEMD_BOOT and facts.entries_managed
    if managed:
        reason = "; ".join(dict.fromkeys(map(_reason, options)))
        remove = {item.text: item.keep for item in options}
        cmdline.change_cmdline(facts, draft, reason, remove=remove)
    for item in options:
        if item.file.startswith("/etc/default/grub"):
            yield from _in_grub(facts, draft, item)
        elif not managed and (item.kind is Kind.OPTION or _of_unknown_origin(item, facts)):
            yield _by_hand(item)


def _in_grub(facts: Facts, draft: Draft, item: Leftover) -> Iterator[Note]:
    data = draft.current(item.file) or b""
    after = editing.replace_option(data, item.line, item.text, item.keep)
    if after is None or not _editable(facts, item):
        yield _by_hand(item)
    else:
        draft.write(item.file, after, _reason(item), cmdline.refresh_grub(facts))


def _of_unknown_origin(item: Leftover, facts: Facts) -> bool:
    """An option in force that no file asks for is gone at the next boot, if its files are known."""
    known = facts.boot.loader in (Loader.GRUB, Loader.PLAIN_GRUB)
    return not known and all(option.text != item.text for option in facts.boot.configured)


def _without(draft: Draft, leftover: Leftover) -> bytes | None:
    if leftover.kind is Kind.FILE:
        return None
    data = draft.current(leftover.file) or b""
    return editing.comment_out(data, leftover.line, leftover.span, leftover.keep)


def _editable(facts: Facts, leftover: Leftover) -> bool:
    """Files below /etc that are files: links lead to what others made, /usr is the packages'."""
    return leftover.file.startswith("/etc/") and leftover.file not in facts.links


def _by_hand(leftover: Leftover) -> Note:
    text = f"Take out by hand: {leftover.place}: {leftover.text}. It {leftover.why}."
    name = leftover.file.rpartition("/")[2]
    if "/modprobe.d/" in leftover.file and not leftover.file.startswith("/etc/"):
        return Note(text, f"sudo ln -s /dev/null /etc/modprobe.d/{name}")
    return Note(text)


def _to_look_at(leftover: Leftover) -> Note:
    what = f"{leftover.place}: {leftover.text}. It {leftover.why}."
    return Note(f"Look at {what} vfiod leaves it as it is.")


def _refresh(facts: Facts) -> tuple[Command, ...]:
    """The initramfs holds copies of module configuration, and loads modules by them."""
    if "update-initramfs" in facts.tools:
        return (("update-initramfs", "-u", "-k", "all"),)
    if "dracut" in facts.tools:
        return (("dracut", "--force", "--regenerate-all"),)
    if "mkinitcpio" in facts.tools:
        return (("mkinitcpio", "-P"),)
    return ()


def _reason(leftover: Leftover) -> str:
    return f"{leftover.text}: {leftover.why}"
