"""Sound servers that the definition has QEMU play through."""

import pytest

from tests.fakes import pcs
from vfiod.guest import domain

PULSE = "/run/user/1000/pulse/native"
PIPEWIRE = "/run/user/1000/pipewire-0"


def servers(inside: str, *words: str, env: str = "") -> list[tuple[tuple[str, ...], str]]:
    xml = pcs.told(pcs.xml(()).replace("</devices>", f"{inside}</devices>"), *words)
    xml = xml.replace("</qemu:commandline>", f"{env}</qemu:commandline>")
    return [(one.paths, one.element) for one in domain.parse(xml).opened if one.is_sound]


@pytest.mark.parametrize(
    ("inside", "path"),
    [
        (f"<audio id='1' type='pulseaudio' serverName='{PULSE}'/>", PULSE),
        (f"<audio id='1' type='pulseaudio' serverName='unix:{PULSE}'/>", PULSE),
        (f"<audio id='1' type='pulseaudio' serverName='{{b1}}unix:{PULSE}'/>", PULSE),
        ("<audio id='1' type='pipewire' runtimeDir='/run/user/1000'/>", PIPEWIRE),
        ("<audio id='1' type='pipewire' runtimeDir='/run/user/1000/'/>", PIPEWIRE),
    ],
)
def test_one_that_libvirt_knows_of(inside: str, path: str) -> None:
    assert servers(inside) == [((path,), "<audio>")]


@pytest.mark.parametrize(
    ("words", "env", "path"),
    [
        (("-audiodev", f"pa,id=a,server=unix:{PULSE}"), "", PULSE),
        (("-audiodev", f"{{'driver':'pa','id':'a','server':'{PULSE}'}}"), "", PULSE),
        (("-audio", f"pa,model=hda,server={PULSE}"), "", PULSE),
        (("-audiodev", "pa,id=a"), f"<qemu:env name='PULSE_SERVER' value='unix:{PULSE}'/>", PULSE),
        (("-audiodev", "pipewire,id=a"),
         "<qemu:env name='XDG_RUNTIME_DIR' value='/run/user/1000'/>", PIPEWIRE),
        (("-audiodev", "driver=pipewire,id=a"),
         "<qemu:env name='XDG_RUNTIME_DIR' value='/x'/>"
         "<qemu:env name='PIPEWIRE_RUNTIME_DIR' value='/run/user/1000'/>", PIPEWIRE),
    ],
)  # fmt: skip
def test_one_that_only_qemu_is_told_of(words: tuple[str, ...], env: str, path: str) -> None:
    assert servers("", *words, env=env) == [((path,), "<qemu:commandline>")]


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<audio id='1' type='none'/>", ()),
        ("<audio id='1' type='pulseaudio'/>", ()),
        ("<audio id='1' type='pulseaudio' serverName='tcp:192.168.1.2:4713'/>", ()),
        ("<audio id='1' type='pipewire'/>", ()),
        ("", ("-audiodev", "none,id=a")),
        ("", ("-audiodev", "pa,id=a")),
        ("", ("-audiodev", "pa,id=a,server=192.168.1.2")),
        ("", ("-audiodev", "pipewire,id=a")),
    ],
)
def test_what_is_no_socket_of_the_host(inside: str, words: tuple[str, ...]) -> None:
    assert servers(inside, *words) == []
