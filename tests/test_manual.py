"""The manual and the program agree, in both directions."""

import argparse
import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from tests.parsers import command_lines, options, words
from vfiod.config.performance import PERFORMANCE_KEYS
from vfiod.config.schema import DEVICE_KEYS, GUEST_KEYS, LIMIT_KEYS, TOP_KEYS, Config, Limits

MAN = Path(__file__).parents[1] / "docs" / "man"
TAG = "(?: {7}| {5})"  # groff's indentation of a tagged paragraph, before 1.24 and since


def page(name: str) -> dict[str, str]:
    """The sections of a page as plain text, each paragraph on one line."""
    command = ["groff", "-man", "-Tutf8", "-rLL=2000n", "-P-cbou", str(MAN / name)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    parts = re.split(r"^(\S[A-Z ]+)$", text.replace("\N{HYPHEN}", "-"), flags=re.MULTILINE)
    return {title.strip(): body for title, body in zip(parts[1::2], parts[2::2], strict=True)}


VFIOD = page("vfiod.1")


def synopsis() -> dict[str, str]:
    """The synopsis: the command of each line, and what follows it."""
    lines = [line.strip() for line in VFIOD["SYNOPSIS"].splitlines() if line.strip()]
    found = [re.match(r"(vfiod(?: [a-z-]+)*) ?(.*)", line) for line in lines]
    assert all(found), lines
    return {match[1]: match[2] for match in found if match}


def test_the_synopsis_has_every_verb_and_no_other() -> None:
    assert sorted(synopsis()) == sorted(command_lines())


@pytest.mark.parametrize(("line", "parser"), command_lines().items(), ids=command_lines())
def test_the_synopsis_has_every_argument_and_no_other(
    line: str, parser: argparse.ArgumentParser
) -> None:
    told = synopsis()[line]
    assert set(re.findall(r"--[a-z-]+", told)) == options(parser)
    assert set(re.findall(r"\b[A-Z][A-Z_:]*[A-Z]\b", told)) == words(parser)


def test_each_verb_is_explained() -> None:
    heads = re.findall(
        rf"^{TAG}([a-z][a-z -]*?)(?: [A-Z[{{].*| {{2,}}.*)?$", VFIOD["COMMANDS"], re.MULTILINE
    )
    missing = {line.split()[1] for line in command_lines()} - {head.split()[0] for head in heads}
    assert missing == set()


def test_each_option_is_explained_and_none_is_invented() -> None:
    body = " ".join(text for title, text in VFIOD.items() if title != "SYNOPSIS")
    body = re.sub(r"^ *virsh .*$", "", body, flags=re.MULTILINE)
    explained = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", body))
    known = {option for parser in command_lines().values() for option in options(parser)}
    assert known - explained == set()
    assert explained - known == set()


def test_every_exit_status_of_the_help_is_explained() -> None:
    from vfiod.cli.main import EPILOG

    told = set(re.findall(rf"^{TAG}(\d+)\b", VFIOD["EXIT STATUS"], re.MULTILINE))
    assert told == set(re.findall(r"^ +(\d+) \w", EPILOG, re.MULTILINE))


def test_vfiod_yaml_names_every_key_and_no_other() -> None:
    """Keys stand in bold, as tags and within the text; so do values and commands, known here."""
    source = (MAN / "vfiod.yaml.5").read_text()
    keys = source[source.index(".SH KEYS") : source.index(".SH PERFORMANCE")]
    tags = set(re.findall(r"^\.TP\n\.B (\S+)$", keys, re.MULTILINE))
    bold = {word for line in re.findall(r"^\.B[R]? (.*)$", keys, re.MULTILINE)
            for word in re.findall(r"[a-z_]{3,}", line)}  # fmt: skip
    assert tags == set(TOP_KEYS)
    assert {*GUEST_KEYS, *DEVICE_KEYS, *LIMIT_KEYS} - bold == set()
    performance = source[source.index(".SH PERFORMANCE") : source.index(".SH EXAMPLE")]
    assert set(re.findall(r"^\.TP\n\.B (\S+)$", performance, re.MULTILINE)) == {*PERFORMANCE_KEYS}
    values = {"terminate", "log", "out", "refuse", "unsaved", "wait", "reboot", "and", "or"}
    values |= {"never", "ask", "always"}
    assert bold - {*TOP_KEYS, *GUEST_KEYS, *DEVICE_KEYS, *LIMIT_KEYS} - values == set()


def test_vfiod_yaml_tells_every_default() -> None:
    keys = page("vfiod.yaml.5")["KEYS"]
    for f in dataclasses.fields(Limits):
        assert re.search(rf"^ +{f.name} \({f.default:g}\)", keys, re.MULTILINE), f.name
    for name in set(TOP_KEYS) - {"guests", "limits"}:
        told = re.search(
            rf"^{TAG}{name}\b.*?Default: (.*?)[.,](?: |$)", keys, re.DOTALL | re.MULTILINE
        )
        default = getattr(Config(), name)
        assert told, name
        value = f"{default:g}" if isinstance(default, float) else getattr(default, "value", default)
        assert told[1] == (str(value).lower() if default else told[1])
        assert default or told[1] in ("none", "false")


@pytest.mark.parametrize("path", sorted(MAN.iterdir()), ids=lambda path: path.name)
@pytest.mark.parametrize("width", [60, 80])
def test_nothing_that_is_searched_for_is_hyphenated(path: Path, width: int) -> None:
    command = ["groff", "-man", "-Tutf8", f"-rLL={width}n", "-P-cbou", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "\N{HYPHEN}\n" not in text
    assert not re.search(r"\w  +\w+  +\w+  +\w", text), "justified"
