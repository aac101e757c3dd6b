"""What the documents for contributors point at exists; where names change they must follow."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = ("CONTRIBUTING.md", "NEWS.md", "SECURITY.md", "docs/architecture.md", "docs/dbus.md",
         "docs/design/keep.md", "docs/hardware.md", "README.md", "README.zh-CN.md",
         "tests/README.md")  # fmt: skip
PATH = re.compile(r"(?<![\w/.-])((?:vfiod|tests|docs|config|hooks|debian)/[\w./-]*\w)")
# Not those that go up to the project's own pages beside its files.
LINK = re.compile(r"\]\((?!\.\./)([^):]+)\)")


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_document_names_exists(page: str) -> None:
    text = (ROOT / page).read_text()
    named = [ROOT / name for name in PATH.findall(text)]
    linked = [(ROOT / page).parent / name for name in LINK.findall(text)]
    assert [str(path) for path in (*named, *linked) if not path.exists()] == []


def test_the_floors_are_those_of_the_contract() -> None:
    floors = re.findall(r"^\| \d \| (.+?) \|", (ROOT / "docs/architecture.md").read_text(), re.M)
    rooms = [set(re.findall(r"`(\w+)`", floor)) for floor in floors]
    contract = (ROOT / "pyproject.toml").read_text().partition("layers = [")[2].partition("]")[0]
    layers = [set(re.findall(r"\w+", layer)) for layer in contract.splitlines() if layer.strip()]
    assert rooms == layers[1:]  # __main__ is on top of all


@pytest.mark.parametrize("form", ["problem.yml", "hardware.yml", "config.yml"])
def test_issue_forms_are_well_formed(form: str) -> None:
    fields = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE" / form).read_text()).get("body", [])
    for one in fields:
        assert one["attributes"]["label"]
        assert all(isinstance(option, str) for option in one["attributes"].get("options", []))


@pytest.mark.parametrize("form", ["problem.yml", "hardware.yml"])
def test_the_form_asks_for_the_report(form: str) -> None:
    assert "--report" in (ROOT / ".github/ISSUE_TEMPLATE" / form).read_text()
