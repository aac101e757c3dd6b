"""Editing other people's configuration text: one line at a time, every other byte as it was.

Text goes in and out as bytes; what is not UTF-8 passes through unharmed.
"""

import re
from collections.abc import Mapping, Sequence

from vfiod.host.facts.cmdline_files import assignment, split_options

MARK = "# taken out by vfiod setup: "
HEAD = b"# Written by `vfiod setup`, taken out again by `vfiod setup --undo`.\n"


def comment_out(data: bytes, line: int, span: int, keep: str = "") -> bytes:
    """Make a comment of ``span`` lines from ``line`` (counted from 1); ``keep`` follows it."""
    lines = _lines(data)
    for index in range(line - 1, line - 1 + span):
        lines[index] = MARK + lines[index]
    if keep:
        lines.insert(line - 1 + span, keep)
    return _bytes(lines)


def add_lines(data: bytes | None, lines: Sequence[str]) -> bytes | None:
    """Add lines to a file of setup's own, new or not; None if another's file has its name."""
    if data is not None and not data.startswith(HEAD):
        return None
    former = HEAD if data is None else data
    present = _lines(former)
    fresh = [line for line in lines if line not in present]
    return former.removesuffix(b"\n") + b"\n" + _bytes([*fresh, ""])


def append_lines(data: bytes, lines: Sequence[str]) -> bytes:
    """Add lines at the end of somebody's file."""
    former = data if not data or data.endswith(b"\n") else data + b"\n"
    return former + _bytes([*lines, ""])


def replace_option(data: bytes, line: int, option: str, keep: str = "") -> bytes | None:
    """Take one kernel option out of the command line that begins at ``line``.

    ``keep`` takes its place if it is not empty. None if that cannot be done with certainty:
    then nothing but the option would have to change, and something else would.
    """
    lines = _lines(data)
    end = line
    while end < len(lines) and lines[end - 1].endswith("\\"):
        end += 1
    before = "\n".join(lines[line - 1 : end])
    after = _without(before, option, keep)
    wanted = list(_options(before))
    if option not in wanted or after is None:
        return None
    place = wanted.index(option)
    wanted[place : place + 1] = [keep] if keep else []
    if list(_options(after)) != wanted:
        return None
    return _bytes([*lines[: line - 1], *after.split("\n"), *lines[end:]])


def change_words(data: bytes, remove: Mapping[str, str], add: Sequence[str]) -> bytes:
    """Change words between blanks: ``remove`` says what takes the place of each, or nothing.

    Comments stay as they are; ``add`` goes to the end of the last line that is none. A line of
    which nothing is left goes.
    """
    before = _lines(data)
    after = [line if _is_comment(line) else _changed(line, remove) for line in before]
    lines = [new for old, new in zip(before, after, strict=True) if new or not old] or [""]
    if not add:
        return _bytes(lines)
    places = [n for n, line in enumerate(lines) if line.strip() and not _is_comment(line)]
    place = places[-1] if places else len(lines) - 1
    lines[place] = " ".join([*filter(None, [lines[place].rstrip()]), *add])
    return _bytes(lines if lines[-1] == "" else [*lines, ""])


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _changed(line: str, remove: Mapping[str, str]) -> str:
    parts = re.split(r"(\s+)", line)
    kept: list[str] = []
    for word, blank in zip(parts[::2], [*parts[1::2], ""], strict=True):
        replaced = remove.get(word, word)
        if replaced or word not in remove:
            kept += [replaced, blank]
    text = "".join(kept)
    return line if text == line else text.strip(" \t")


def _without(text: str, option: str, keep: str) -> str | None:
    """One blank goes with the option, so that none is left at an end or doubled."""
    start = r"""(?P<start>^\s*(?:options|[A-Za-z_]+(?:\[\w*\])?\+?=)?|\s|["'])"""
    pattern = rf"""{start}(?P<option>{re.escape(option)})(?=[\s"']|$)(?P<blank>[ \t]?)"""
    match = re.search(pattern, text)
    if match is None:
        return None
    head, tail = text[: match.start("option")], text[match.end("option") :]
    if keep:
        return head + keep + tail
    if match["blank"]:
        return head + tail[1:]
    return head.removesuffix(" ") + tail


def _options(text: str) -> Sequence[str]:
    found = assignment(text.replace("\\\n", ""))
    return split_options(found[1] if found else text)


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "surrogateescape").split("\n")


def _bytes(lines: Sequence[str]) -> bytes:
    return "\n".join(lines).encode("utf-8", "surrogateescape")
