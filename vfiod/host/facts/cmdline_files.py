"""Kernel options in the files that loaders are written from. Pure: contents in, options out.

The same reader looks at the files as they are and at drafts of them.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vfiod.host.facts.loaders import LOADERS, Loader, Source, Syntax
from vfiod.host.facts.textfiles import Line, joined_assignments, lines_of

Files = Mapping[str, bytes]
_LIMINE = re.compile(r"(?:kernel_)?cmdline\s*[:=]\s*(.*)", re.IGNORECASE)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_NIX_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|#[^\n]*')
_NIX_LIST = re.compile(r"\bkernelParams\s*=[^;\[]*\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the kernel's command line and the file that asks for it.

    ``syntax`` is that of the file; ``is_generated``: a program writes that file anew.
    """

    text: str
    file: str
    line: int
    syntax: Syntax = field(default=Syntax.WORDS, compare=False)
    is_generated: bool = field(default=False, compare=False)


def configured(loader: Loader, files: Files) -> tuple[Option, ...]:
    """Options for the next boot; ``files`` are contents by absolute path."""
    found: list[Option] = []
    for source in LOADERS[loader].sources:
        if not (source.is_fallback and found):
            options = _READERS[source.syntax](source, _of(source, files))
            found += [
                Option(o.text, o.file, o.line, source.syntax, source.is_generated) for o in options
            ]
    return tuple(found)


def last_reset(loader: Loader, files: Files, variable: str) -> Line | None:
    """The last line that gives ``variable`` a value without taking up what it had."""
    found = None
    for source in LOADERS[loader].sources:
        if source.syntax is Syntax.SHELL:
            for line, name, value in _assignments(_of(source, files)):
                if name == variable and not _takes_up(name, value):
                    found = line
    return found


def split_options(text: str) -> list[str]:
    """Options of a command line. Only double quotes group (kernel: lib/cmdline.c)."""
    options, current, quoted = [], "", False
    for character in text:
        quoted ^= character == '"'
        if character.isspace() and not quoted:
            options.append(current)
            current = ""
        else:
            current += character
    return [option for option in (*options, current) if option]


def assignment(text: str) -> tuple[str, str] | None:
    """Name and value of a shell assignment; None for any other line. ``+`` stays with the name.

    A name may have an index, as those of limine-entry-tool do, which also allows a blank after =.
    """
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        return None
    if not words:
        return None
    name, equals, value = words[0].removeprefix("export ").partition("=")
    bare, bracket, _ = name.removesuffix("+").partition("[")
    if bracket and not value:
        value = " ".join(words[1:])
    return (name, value) if equals and bare.isidentifier() else None


def _of(source: Source, files: Files) -> list[tuple[str, bytes]]:
    """The files of a source, in its order."""
    found: dict[str, bytes] = {}
    for pattern in source.patterns:
        for path in sorted(files):
            if fnmatchcase(path.lstrip("/"), pattern):
                found.setdefault(path, files[path])
    return list(found.items())


def _lines(files: list[tuple[str, bytes]]) -> Iterator[Line]:
    for path, data in files:
        yield from lines_of(path, data)


def _assignments(files: list[tuple[str, bytes]]) -> Iterator[tuple[Line, str, str]]:
    for line in joined_assignments(_lines(files)):
        found = assignment(line.text)
        if found:
            yield line, found[0], found[1]


def _takes_up(name: str, value: str) -> bool:
    variable = name.removesuffix("+")
    return name.endswith("+") or f"${variable}" in value or f"${{{variable}}}" in value


def _shell(source: Source, files: list[tuple[str, bytes]]) -> Iterator[Option]:
    """These files are run as shell: a later assignment replaces an earlier one.

    Unless it takes the former value up, as the drop-ins do: ``X="$X more"`` or ``X+=" more"``.
    Another variable that a value names is looked up, as far as it was set here.
    """
    found: dict[str, list[Option]] = {}
    for line, name, value in _assignments(files):
        variable = name.removesuffix("+")
        fresh = []
        for option in _options(line, value):
            if option.text not in (f"${variable}", f"${{{variable}}}"):
                fresh += found.get(option.text.strip("${}"), []) if "$" in option.text else []
                fresh.append(option)
        found[variable] = (found.get(variable, []) if _takes_up(name, value) else []) + fresh
    for wanted in source.variables:
        for variable, options in found.items():
            if variable.partition("[")[0] == wanted:
                yield from options


def _words(_: Source, files: list[tuple[str, bytes]]) -> Iterator[Option]:
    for line in _lines(files):
        yield from _options(line, line.text)


def _entry(_: Source, files: list[tuple[str, bytes]]) -> Iterator[Option]:
    for line in _lines(files):
        key, _blank, value = line.text.partition(" ")
        if key == "options":
            bare = value.removeprefix('"').removesuffix('"') if value.startswith('"') else value
            yield from _options(line, bare)


def _limine(_: Source, files: list[tuple[str, bytes]]) -> Iterator[Option]:
    for line in _lines(files):
        match = _LIMINE.fullmatch(line.text)
        if match:
            yield from _options(line, match[1])


def _refind(_: Source, files: list[tuple[str, bytes]]) -> Iterator[Option]:
    for line in _lines(files):
        quoted = _QUOTED.findall(line.text)
        if len(quoted) > 1:
            yield from _options(line, quoted[1].replace('""', '"'))


def _kernelstub(_: Source, files: list[tuple[str, bytes]]) -> Iterator[Option]:
    """kernelstub(1) keeps a JSON document; ``user`` holds what is in force."""
    for path, data in files:
        try:
            options = json.loads(data or b"{}")["user"]["kernel_options"]
        except (ValueError, KeyError, TypeError):
            continue
        words = options.split() if isinstance(options, str) else options
        lines = data.decode("utf-8", "replace").splitlines()
        for word in filter(None, map(str, words)):
            numbers = [number for number, line in enumerate(lines, 1) if f'"{word}"' in line]
            yield Option(word, path, numbers[-1] if numbers else 1)


def _nix(_: Source, files: list[tuple[str, bytes]]) -> Iterator[Option]:
    """Texts of the lists that kernelParams is set to; what is computed is not seen."""
    for path, data in files:
        whole = data.decode("utf-8", "replace")
        text = _NIX_TOKEN.sub(lambda m: "" if m[0].startswith("#") else m[0], whole)
        for found in _NIX_LIST.finditer(text):
            for word in _QUOTED.finditer(found[1]):
                line = text.count("\n", 0, found.start(1) + word.start()) + 1
                yield from (Option(option, path, line) for option in split_options(word[1]))


def _options(line: Line, text: str) -> list[Option]:
    return [Option(word, line.file, line.number) for word in split_options(text)]


_READERS: Mapping[Syntax, Callable[[Source, list[tuple[str, bytes]]], Iterator[Option]]] = {
    Syntax.SHELL: _shell,
    Syntax.WORDS: _words,
    Syntax.ENTRY: _entry,
    Syntax.LIMINE: _limine,
    Syntax.REFIND: _refind,
    Syntax.KERNELSTUB: _kernelstub,
    Syntax.NIX: _nix,
}
