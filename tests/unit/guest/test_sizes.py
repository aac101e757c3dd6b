"""Memory of a domain, and the size of its pages."""

import pytest

from tests.unit.guest.test_domain import refused, xml
from vfiod.guest.domain import parse

UNITS = {
    "": 2**10,
    " unit=''": 2**10,
    " unit='b'": 1,
    " unit='bytes'": 1,
    " unit='KB'": 10**3,
    " unit='k'": 2**10,
    " unit='KiB'": 2**10,
    " unit='MB'": 10**6,
    " unit='M'": 2**20,
    " unit='MiB'": 2**20,
    " unit='GB'": 10**9,
    " unit='G'": 2**30,
    " unit='GiB'": 2**30,
    " unit='TB'": 10**12,
    " unit='T'": 2**40,
    " unit='tib'": 2**40,
}

REFUSED = [
    (xml(memory=""), "has no <memory>"),
    (xml(memory="<memory/>"), "not a size in <memory>: ''"),
    (xml(memory="<memory>0</memory>"), "not a size in <memory>: '0'"),
    (xml(memory="<memory>-1</memory>"), "not a size in <memory>: '-1'"),
    (xml(memory="<memory>1.5</memory>"), "not a size in <memory>: '1.5'"),
    (xml(memory="<memory>\u0661</memory>"), "not a size in <memory>: '\u0661'"),
    (xml(memory=f"<memory>{5000 * '9'}</memory>"), "not a size in <memory>: '999"),
    (xml(memory="<memory unit='E'>8</memory>"), "not a size in <memory>: '8'"),
    (xml(memory="<memory unit='KiBi'>1</memory>"), "unknown unit in <memory>: 'KiBi'"),
    (xml(memory="<memory unit='x'>1</memory>"), "unknown unit in <memory>: 'x'"),
    (
        xml(
            memory="<memory>1</memory><memoryBacking><hugepages><page/></hugepages></memoryBacking>"
        ),
        "not a size in <page>: ''",
    ),
]


@pytest.mark.parametrize(("unit", "factor"), UNITS.items())
def test_units_of_memory(unit: str, factor: int) -> None:
    assert parse(xml(memory=f"<memory{unit}> 3\n</memory>")).memory_bytes == 3 * factor


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ("<hugepages/>", None),
        ("<hugepages><page size='2048'/></hugepages>", 2**21),
        ("<hugepages><page size='1' unit='G' nodeset='0'/></hugepages>", 2**30),
        ("<hugepages><page size='1' unit='G' nodeset='0'/><page size='2048'/></hugepages>", 2**21),
    ],
)
def test_hugepages(pages: str, expected: int | None) -> None:
    read = parse(xml(memory=f"<memory>1</memory><memoryBacking>{pages}</memoryBacking>"))
    assert (read.hugepages, read.hugepage_bytes) == (True, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [("<source type='memfd'/>", True), ("<source type='file'/>", False), ("", False)],
)
def test_memory_that_needs_no_file_system(source: str, *, expected: bool) -> None:
    read = parse(xml(memory=f"<memory>1</memory><memoryBacking>{source}</memoryBacking>"))
    assert read.memfd is expected


def test_locked_memory_alone_is_not_hugepages() -> None:
    backing = "<memory>1</memory><memoryBacking><locked/></memoryBacking>"
    assert not parse(xml(memory=backing)).hugepages


@pytest.mark.parametrize(("text", "expected"), REFUSED, ids=[e[:50] for _, e in REFUSED])
def test_what_is_refused(text: str, expected: str) -> None:
    assert expected in refused(text)
