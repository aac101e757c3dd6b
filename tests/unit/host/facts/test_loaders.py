"""The table of loaders: what each row must have to be of use."""

import pytest

from vfiod.host.facts.loaders import FILES, LOADERS, Loader, Syntax, Way


@pytest.mark.parametrize("loader", Loader)
def test_every_loader_has_a_row_with_files_and_a_place_to_tell(loader: Loader) -> None:
    row = LOADERS[loader]
    elsewhere = (Loader.ZFSBOOTMENU, Loader.EFI_STUB, Loader.MKINITCPIO_CMDLINE)
    assert bool(row.sources) is (loader not in elsewhere)
    assert row.place or loader is Loader.UNKNOWN


@pytest.mark.parametrize("loader", [x for x in Loader if LOADERS[x].way in (Way.DROP_IN, Way.LINE)])
def test_what_setup_writes_is_taken_up_by_a_program(loader: Loader) -> None:
    assert LOADERS[loader].refresh
    assert any(source.syntax is Syntax.SHELL for source in LOADERS[loader].sources)


@pytest.mark.parametrize("loader", Loader)
def test_variables_are_named_for_shell_alone(loader: Loader) -> None:
    for source in LOADERS[loader].sources:
        assert bool(source.variables) is (source.syntax is Syntax.SHELL)


def test_an_unknown_loader_has_every_file_looked_at() -> None:
    known = {p for source in LOADERS[Loader.UNKNOWN].sources for p in source.patterns}
    generated_or_special = {p for p in FILES if "dracut" in p or p.endswith("refind.conf")}
    assert set(FILES) - known == generated_or_special
