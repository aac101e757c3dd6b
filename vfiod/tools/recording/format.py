"""A machine in one text file: the files of /sys, /proc and /etc that decisions are made from.

The format is YAML: a key ``about``, then one key per directory, whose value maps names to
contents. Every scalar is text; ``!link TARGET`` is a symbolic link, ``!!binary`` is bytes in
base64. A file that exists but says nothing (or may not be read) is an empty text; a directory
with nothing of interest in it is an empty mapping.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

LINE = 60


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link, with its target as the machine has it."""

    target: str


Entry = str | bytes | Link


@dataclass(frozen=True, slots=True)
class Recording:
    """``tree`` maps absolute directories to names to contents; ``about`` says whose and how."""

    about: str
    tree: Mapping[str, Mapping[str, Entry]]


class _Loader(yaml.CSafeLoader):
    """Knows no numbers, times or truth values: 0000:01:00.0 stays what it is."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012


class _Dumper(yaml.SafeDumper):
    """Writes plain text plainly, since the loader takes nothing for a number."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012

    def analyze_scalar(self, scalar: str) -> Any:
        """A tab is no reason to quote: tables of /proc stay readable as blocks."""
        plain = scalar.replace("\t", " ") if "\n" in scalar else scalar
        analysis = super().analyze_scalar(plain)
        analysis.scalar = scalar
        return analysis


def load(text: str) -> Recording:
    """Read a recording. Raises ValueError, also for one that would reach out of its tree."""
    try:
        document = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"not a recording: {error}") from error
    if not isinstance(document, dict):
        raise ValueError("not a recording: no mapping of directories")
    about = document.pop("about", "")
    for directory, entries in document.items():
        _check(directory, entries)
    return Recording(about, document)


def dump(recording: Recording) -> str:
    """Write a recording; directories and names are sorted so that two of them can be compared."""
    tree = {
        directory: dict(sorted(entries.items()))
        for directory, entries in sorted(recording.tree.items())
    }
    return yaml.dump(
        {"about": recording.about} | tree, Dumper=_Dumper, sort_keys=False, width=96,
        allow_unicode=True,
    )  # fmt: skip


def materialise(recording: Recording, root: Path) -> None:
    """Build the tree below ``root``; absolute links are made to point into it."""
    for directory, entries in recording.tree.items():
        folder = root / directory.lstrip("/")
        folder.mkdir(parents=True, exist_ok=True)
        for name, entry in entries.items():
            _create(root, folder / name, entry)


def _create(root: Path, path: Path, entry: Entry) -> None:
    if isinstance(entry, Link):
        inside = entry.target.startswith("/")
        path.symlink_to(f"{root}{entry.target}" if inside else entry.target)
    elif isinstance(entry, bytes):
        path.write_bytes(entry)
    else:
        path.write_text(f"{entry}\n" if entry and not entry.endswith("\n") else entry)


def _check(directory: str, entries: object) -> None:
    """A recording may come with a bug report: nothing of it may end up elsewhere."""
    if not directory.startswith("/") or ".." in PurePosixPath(directory).parts:
        raise ValueError(f"not an absolute directory: {directory!r}")
    if not isinstance(entries, dict):
        raise ValueError(f"{directory}: not a mapping of names to contents")
    for name, entry in entries.items():
        if "/" in name or name in ("", ".", ".."):
            raise ValueError(f"{directory}: not the name of a file: {name!r}")
        if not isinstance(entry, Entry):
            raise ValueError(f"{directory}/{name}: not a text, bytes or a link")
        if isinstance(entry, Link) and _leaves(directory, entry.target):
            raise ValueError(f"{directory}/{name}: a link out of the tree: {entry.target}")


def _leaves(directory: str, target: str) -> bool:
    depth = 0
    for part in PurePosixPath(directory, target).parts[1:]:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_entries(dumper: yaml.SafeDumper, entries: dict[str, Any]) -> yaml.Node:
    """Small files of one directory share lines; a long text gets lines of its own."""
    short = all(isinstance(e, Link) or (isinstance(e, str) and len(e) < LINE and "\n" not in e)
                for e in entries.values())  # fmt: skip
    return dumper.represent_mapping("tag:yaml.org,2002:map", entries, flow_style=short)


def _represent_link(dumper: yaml.SafeDumper, link: Link) -> yaml.Node:
    return dumper.represent_scalar("!link", link.target)


def _construct_link(loader: _Loader, node: yaml.Node) -> Link:
    return Link(str(loader.construct_scalar(node)))  # type: ignore[arg-type]


_Loader.add_constructor("!link", _construct_link)
_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(dict, _represent_entries)
_Dumper.add_representer(Link, _represent_link)
