"""What draws a guest's emulated screen with OpenGL of the host."""

import pytest

from tests.fakes import pcs
from vfiod.guest import domain

NODE = "/dev/dri/by-path/pci-0000:01:00.0-render"


def parse(inside: str, *words: str) -> domain.Domain:
    xml = pcs.xml(()).replace("</devices>", f"{inside}</devices>")
    return domain.parse(pcs.told(xml, *words))


def named(found: domain.Domain) -> list[tuple[tuple[str, ...], str]]:
    return [(one.paths, one.element) for one in found.opened[1:]]


@pytest.mark.parametrize("kind", ["spice", "egl-headless", "dbus"])
def test_a_node_that_the_definition_names(kind: str) -> None:
    inside = f"<graphics type='{kind}'><gl enable='yes' rendernode='{NODE}'/></graphics>"
    found = parse(inside)
    assert named(found) == [((NODE,), f"<graphics type='{kind}'>")]
    assert found.renderer == ""


def test_a_node_of_a_program_that_draws() -> None:
    model = f"<model type='virtio'><acceleration accel3d='yes' rendernode='{NODE}'/></model>"
    assert named(parse(f"<video>{model}</video>")) == [((NODE,), "<video>")]
    told = parse("", "-display", f"egl-headless,rendernode={NODE}")
    assert named(told) == [((NODE,), "<qemu:commandline>")]
    assert told.renderer == ""


@pytest.mark.parametrize(
    ("inside", "renderer"),
    [
        ("<graphics type='egl-headless'/>", "<graphics type='egl-headless'>"),
        ("<graphics type='vnc'/><graphics type='egl-headless'><gl/></graphics>",
         "<graphics type='egl-headless'>"),
        ("<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>",
         "<graphics type='spice'>"),
        ("<graphics type='spice'><gl enable='no'/></graphics>", ""),
        ("<graphics type='spice'><gl enable='no' rendernode='/dev/dri/renderD128'/></graphics>",
         ""),
        ("<graphics type='spice'/>", ""),
        ("<graphics type='sdl'><gl enable='yes'/></graphics>", ""),
        ("<graphics type='vnc'/><video><model type='virtio'/></video>", ""),
    ],
)  # fmt: skip
def test_whichever_node_there_is(inside: str, renderer: str) -> None:
    found = parse(inside)
    assert found.renderer == renderer
    assert named(found) == []


def test_what_only_qemu_is_told_of() -> None:
    for words in (("-display", "egl-headless"), ("-spice", "port=5900,gl=on")):
        assert parse("", *words).renderer == "<qemu:commandline>"
    for words in (("-display", "none"), ("-spice", "port=5900,gl=off"), ("-display", "gtk")):
        assert parse("", *words).renderer == ""


@pytest.mark.parametrize(
    ("inside", "words", "window"),
    [
        ("<graphics type='sdl' display=':0.0'/>", (), "<graphics type='sdl'>"),
        ("<graphics type='vnc'/><graphics type='sdl'/>", (), "<graphics type='sdl'>"),
        ("", ("-display", "gtk,gl=on"), "-display gtk"),
        ("", ("-display", "sdl"), "-display sdl"),
        ("", ("-display", "{'type':'gtk'}"), "-display gtk"),
        ("", ("-display", "none", "-display", "gtk"), "-display gtk"),
        ("", ("-display", "gtk", "-display", "none"), ""),
        ("", ("-display", "egl-headless"), ""),
        ("", ("-sdl",), "-sdl"),
        ("<graphics type='spice'/>", (), ""),
    ],
)
def test_a_window_on_the_host_s_desktop(inside: str, words: tuple[str, ...], window: str) -> None:
    assert parse(inside, *words).window == window
