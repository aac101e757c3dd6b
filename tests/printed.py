"""The commands that vfiod prints or documents, as a person would type them.

They are found in documents, manual, message catalog, the packages' scripts and recorded outputs,
and in every text of the program, whose placeholders get an example. A line that begins with a
program is a command as a whole; within a sentence it ends where its arguments do.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.parsers import command_lines

ROOT = Path(__file__).parents[1]
MARKDOWN = ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md",
            "docs/hardware.md")  # fmt: skip
FORMS = (".github/ISSUE_TEMPLATE/problem.yml", ".github/ISSUE_TEMPLATE/hardware.yml")
SAID = ("config/vfiod.yaml", "debian/vfiod.prerm", "debian/vfiod.postinst",
        "packaging/before-removal", "packaging/vfiod.install", "Makefile")  # fmt: skip
VERBS = frozenset(line.split()[1] for line in command_lines())
AS_ROOT = frozenset(
    {"journalctl", "dmesg", "modprobe", "update-grub", "update-initramfs", "dracut", "mkinitcpio",
     "sysctl", "usermod", "semodule", "loginctl", "apt", "dnf", "pacman", "zypper", "chown",
     "chmod", "rm", "cp", "mv", "tail", "tee"}
)  # fmt: skip
PROGRAMS = ("vfiod", "virsh", "virt-viewer", "systemctl", "echo", *sorted(AS_ROOT, reverse=True))
# What may stand for a value, by a word of the expression that the program prints there.
EXAMPLES = {
    "uri": "qemu:///system", "address": "0000:01:00.0", "port": "192.168.122.50:3389",
    "verb": "edit", "unit": "gdm.service", "argv": "init win10", "change": "--edit",
    "bytes": "4096", "pages": "4096",
    "file": "/etc/vfiod/card.rom", "path": "/etc/vfiod/card.rom", "copy": "/root/copy1",
}  # fmt: skip
# How many plain words may follow a program before its other arguments, within a sentence.
LEAD = {"vfiod": 1, "virsh": 1, "systemctl": 2, "loginctl": 2, "apt": 2, "modprobe": 1}
# What is looked for in other people's scripts, not printed.
LOOKED_FOR = ("vfiod/host/facts/libvirtd.py",)
_PROGRAM = "|".join(PROGRAMS)
_COMMAND = re.compile(rf"(?P<sudo>sudo +)?(?<![\w-])(?P<program>{_PROGRAM}) +(?P<rest>[^`“”]*)")
# A word before it makes it something to type, not something that is spoken of.
_WITHIN = re.compile(
    r"(?:^|[:;(,] +|&& |\b(?P<order>run|try|type|says?|use|with|then|after|or|and|see):? )"
    rf"(?P<command>(?:sudo +)?(?:{_PROGRAM}) +.*)",
    re.IGNORECASE,
)
# An argument, not the next word of the sentence: an option, a NAME, a value with a digit or sign.
_ARGUMENT = re.compile(r"--?[a-zA-Z][\w=-]*|@?[A-Z][A-Z:_.]+@?|\S*[0-9=/:…<>$]\S*")
_REMARK = re.compile(r"\s+(?:#|\(or: ).*")


@dataclass(frozen=True, slots=True)
class Printed:
    """A command: where it stands, its program with all arguments, and whether sudo is before it."""

    where: str
    words: tuple[str, ...]
    sudo: bool

    @property
    def program(self) -> str:
        return self.words[0]

    def __str__(self) -> str:
        return f"{self.where}: {'sudo ' if self.sudo else ''}{' '.join(self.words)}"


def everything() -> list[Printed]:
    """All of them, from everywhere."""
    found = [*_from_documents(), *_from_manual(), *_from_recorded(), *_from_sources()]
    return list(dict.fromkeys(found))


def whole(line: str, where: str) -> Iterator[Printed]:
    """The commands of a line that is nothing else: parts between && and pipes are each one."""
    for part in re.split(r" (?:&&|\|) |; ", _REMARK.sub("", line.strip())):
        if match := _COMMAND.match(part):
            words = (match["program"], *_split(match["rest"]))
            yield Printed(where, words, match["sudo"] is not None)


def within(text: str, where: str) -> Iterator[Printed]:
    """The commands that a sentence tells somebody to type."""
    position = 0
    while match := _WITHIN.search(text, position):
        position = match.start("command") + 1
        found = _COMMAND.match(match["command"])
        if found is None:
            continue
        words = (found["program"], *_arguments(found["program"], found["rest"]))
        # "; vfiod keeps it awake" is no command; "run vfiod keeps" would be a wrong one.
        ordered = match["order"] in ("run", "type") or set(words[1:2]) & VERBS
        if words[0] != "vfiod" or ordered:
            yield Printed(where, words, found["sudo"] is not None)


def _split(rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError:
        return rest.split()


def _arguments(program: str, rest: str) -> Iterator[str]:
    """The words that belong to the command; a redirection is one of them."""
    lead = LEAD.get(program, 0) + rest.startswith("rom ")
    for word in rest.split():
        if program == "echo" and word not in ("|", ";"):
            yield word
            continue
        bare = word.rstrip(".,;:)")
        if re.fullmatch(r"[a-z][a-z-]*(\.service)?", bare) and lead:
            lead -= 1
        elif not _ARGUMENT.fullmatch(bare):
            return
        yield bare
        if word != bare:
            return


def _lines(text: str, where: str) -> Iterator[Printed]:
    """Of plain text: indented lines that begin with a program, and commands in the sentences."""
    for line in text.splitlines():
        command = _COMMAND.match(line.strip()) if line[:1] == " " else None
        if command and (command["program"] != "vfiod" or command["rest"].split()[0] in VERBS):
            yield from whole(line, where)
        else:
            yield from within(line.strip(), where)


def _from_documents() -> Iterator[Printed]:
    for name in (name for name in MARKDOWN if (ROOT / name).exists()):
        text = re.sub(r"(?ms)^```$.*?^```$", "", (ROOT / name).read_text())
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("    "):
                yield from whole(line, f"{name}:{number}")
        yield from _spans(re.sub(r"(?m)^    .*$", "", text), name)
    for name in FORMS:
        yield from _spans((ROOT / name).read_text(), name)
    for line in (ROOT / "systemd/vfiod.catalog").read_text().splitlines():
        yield from (whole if line[:1] == " " else within)(line, "systemd/vfiod.catalog")
    for name in (name for name in SAID if (ROOT / name).exists()):
        yield from within(" ".join(_sentences((ROOT / name).read_text())), name)


def _spans(text: str, name: str) -> Iterator[Printed]:
    for span in re.findall(r"`([^`]+)`", text):
        yield from whole(" ".join(span.split()), f"{name}, in the text")


def _sentences(text: str) -> list[str]:
    """What a script says, and the explanations of a file: without the marks of either."""
    said = r"""^(?:# |\s*@?echo ["'](?:vfiod: )?)(.*?)(?:["'](?: >&2)?)?$"""
    return re.findall(said, text, re.MULTILINE)


def _from_manual() -> Iterator[Printed]:
    for path in sorted((ROOT / "docs/man").iterdir()):
        text = path.read_text().replace("\\-", "-").replace("\\(dq", '"')
        text = re.sub(r"\\f[RBI]", "", text.partition(".SH DESCRIPTION")[2])
        examples = re.findall(r"^\.EX\n(.*?)^\.EE", text, re.M | re.S)
        tags = re.findall(r"^\.TP(?: \d+)?\n\.[BI] (.*)$", text, re.M)
        for line in [*tags, *"\n".join(examples).splitlines()]:
            yield from whole(line, path.name)


def _from_recorded() -> Iterator[Printed]:
    for path in sorted((ROOT / "tests/data").glob("h*/**/*.txt")):
        # Lines that were wrapped at the margin; and what setup runs itself.
        text = re.sub(r"(?<=\w)\n(?=\S)", " ", path.read_text())
        text = re.sub(r"(?ms)^Then these are run:.*?^$", "", text)
        yield from _lines(text, str(path.relative_to(ROOT)))


def _from_sources() -> Iterator[Printed]:
    for path in sorted({*(ROOT / "vfiod").rglob("*.py")} - {ROOT / name for name in LOOKED_FOR}):
        for line, text in texts(path):
            yield from _lines(text, f"{path.relative_to(ROOT)}:{line}")


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """All texts of a module but docstrings: the line of each, with examples for what varies."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    inner = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    docs = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if id(node) in inner | docs:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, re.sub(r"\{(\w+)\}", lambda m: example(m[1]), node.value)
        elif isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(_part(part) for part in node.values)


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.FormattedValue):
        return example(ast.unparse(node.value))
    return str(node.value) if isinstance(node, ast.Constant) else ""


def bare_names() -> Iterator[str]:
    """Texts of the program, and lines of the message catalog: a null byte is a name as it is."""
    yield from (ROOT / "systemd/vfiod.catalog").read_text().splitlines()
    for path in sorted((ROOT / "vfiod").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                yield "".join(_unless_quoted(part) for part in node.values)


def _unless_quoted(node: ast.expr) -> str:
    is_name = isinstance(node, ast.FormattedValue) and _part(node) == "win10"
    return "\0" if is_name and "quote(" not in ast.unparse(node) else _part(node)


def example(expression: str) -> str:
    """A value such as the expression may have."""
    found = [value for word, value in EXAMPLES.items() if word in expression.lower()]
    return found[0] if found else "win10"
