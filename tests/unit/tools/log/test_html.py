"""The page: whole, alone, and safe whatever a guest is called."""

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from tests.fakes.record import BOOT, entries
from tests.fakes.scenes import SCENES
from vfiod.tools.log import format
from vfiod.tools.log import html as page
from vfiod.tools.log.story import Story, find_stories

HOSTILE = "<script>alert(1)</script>\"'&amp;\x1b[31m\u202e客人"


def stories(scene: str, directory: Path) -> list[Story]:
    return find_stories(entries(SCENES[scene](directory)), boot=BOOT)


def parsed(told: list[Story]) -> Any:
    return html.fromstring(page.render(told))


@pytest.mark.parametrize("scene", SCENES)
def test_every_step_is_drawn(scene: str, run_directory: Path) -> None:
    told = stories(scene, run_directory)
    steps = [step for story in reversed(told) for way in story.ways for step in way.steps]
    rows = parsed(told).xpath("//article//tbody/tr")
    assert [row.xpath("string(th)") for row in rows] == [step.text for step in steps]
    assert [row.get("class") == "failed" for row in rows] == [not step.done for step in steps]
    assert all(row.xpath("td/svg/rect") for row in rows)


@pytest.mark.parametrize("scene", ["returned", "stuck"])
def test_nothing_is_drawn_outside(scene: str, run_directory: Path) -> None:
    for rect in parsed(stories(scene, run_directory)).xpath("//tbody//rect[@rx]"):
        left, width = (float(rect.get(name).rstrip("%")) for name in ("x", "width"))
        assert 0 <= left <= 100
        assert left + width <= 100.01


def test_bars_begin_where_the_one_before_has_ended(run_directory: Path) -> None:
    (table, *_) = parsed(stories("returned", run_directory)).xpath("//article//tbody")
    ends = 0.0
    for rect in table.xpath(".//rect[@rx]"):
        left, width = (float(rect.get(name).rstrip("%")) for name in ("x", "width"))
        assert left >= ends - 0.02
        ends = left + width


def test_problem_and_remedy_are_there(run_directory: Path) -> None:
    tree = parsed(stories("stuck", run_directory))
    (article,) = tree.xpath("//article")
    assert article.get("class") == "stuck"
    assert "0000:01:00.1" in article.xpath("string(.//p[@class='problem'])")
    assert "sudo vfiod return" in article.xpath("string(.//p[@class='problem'][last()])")
    (before, *_) = article.xpath(".//table[1]/preceding::pre")
    assert before.text == "vfiod status"


def test_every_start_stands_in_the_table_on_top_and_is_linked(run_directory: Path) -> None:
    told = stories("interleaved", run_directory)
    tree = parsed(told)
    rows = tree.xpath("//table[@class='overview']/tbody/tr")
    heads = [format.head(story) for story in reversed(told)]
    assert [row.xpath("string(td[2])") for row in rows] == heads
    linked = [tree.get_element_by_id(link[1:]) for link in tree.xpath("//td/a/@href")]
    assert [article.xpath("string(.//h2)") for article in linked] == heads
    assert parsed(told[:1]).xpath("//table[@class='overview']") == []


def test_only_what_went_well_is_folded(run_directory: Path) -> None:
    told = [*stories("returned", run_directory), *stories("stuck", run_directory)]
    stuck, returned = parsed(told).xpath("//article")
    assert (stuck.get("class"), returned.get("class")) == ("stuck", "returned")
    assert stuck.xpath("details/@open")
    assert not returned.xpath("details/@open")
    assert parsed(told[:1]).xpath("//article/details/@open")


def test_host_time_zone_and_cards_are_named(run_directory: Path) -> None:
    place = page.Place("tower\x1b", {"0000:01:00.0": "AMD Ellesmere", "0000:05:00.0": "another"})
    tree = html.fromstring(page.render(stories("returned", run_directory), place))
    assert tree.xpath("string(//h1)") == "Handoffs of vfiod on tower\\x1b"
    assert "Times are " in tree.xpath("string(//body/p)")
    assert tree.xpath("//dl/*/text()") == ["0000:01:00.0", "AMD Ellesmere"]


def test_a_word_with_a_hyphen_stays_on_one_line(run_directory: Path) -> None:
    whole = parsed(stories("returned", run_directory)).xpath("//th/span[@class='whole']/text()")
    assert "vfio-pci" in whole


def test_newest_first(run_directory: Path) -> None:
    heads = parsed(stories("interleaved", run_directory)).xpath("//h2/text()")
    assert [head.split(":")[0] for head in heads] == ["other", "other", "win10"]


def test_a_hostile_name_stays_a_name(run_directory: Path) -> None:
    records = [
        {key: value.replace("win10", HOSTILE) for key, value in record.items()}
        for record in SCENES["returned"](run_directory)
    ]
    told = find_stories(entries(records), boot=BOOT)
    text = page.render(told).decode()
    tree = html.fromstring(text)
    assert tree.xpath("//script") == []
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert tree.xpath("string(//h2)").startswith("<script>alert(1)</script>\"'&amp;\\x1b[31m")
    assert "客人" in tree.xpath("string(//h2)")


def test_the_page_needs_nothing_else(run_directory: Path) -> None:
    """No script, no address, nothing that a browser would fetch; and it forbids both itself."""
    tree = parsed(stories("stuck", run_directory))
    text = page.render(stories("stuck", run_directory)).decode()
    assert not re.search(r"https?:|url\(|@import|javascript:", text)
    assert tree.xpath("//script|//link|//img|//iframe|//@src") == []
    assert [link for link in tree.xpath("//@href") if link[:1] != "#"] == []
    assert not [name for name in tree.xpath("//@*/..") if any(k[:2] == "on" for k in name.attrib)]
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'")


def test_light_and_dark(run_directory: Path) -> None:
    text = page.render(stories("refused", run_directory)).decode()
    light, dark = re.findall(r":root \{(.*?)\}", text, flags=re.DOTALL)
    names = [set(re.findall(r"(--\w+):", part)) for part in (light, dark)]
    assert names[0] == names[1]
    assert set(re.findall(r"var\((--\w+)\)", text)) <= names[0]


@pytest.mark.parametrize("seconds", [0.0, 0.0004, 0.09, 1.0, 3.7, 14.18, 61, 599])
def test_ticks_are_round_and_few(seconds: float) -> None:
    ticks = list(page.ticks(seconds))
    assert len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert all(tick <= seconds for tick in ticks)
    assert all(len(f"{tick:g}") <= 6 for tick in ticks)
