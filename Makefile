# `make` lists the targets. Everything that is built goes to build/.
SHELL := /bin/sh
PYTHON := /usr/bin/python3
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
DEB := build/vfiod_$(VERSION)_all.deb
COCKPIT_DEB := build/cockpit-vfiod_$(VERSION)_all.deb
SDIST := build/vfiod-$(VERSION).tar.gz
RPM := build/vfiod-$(VERSION)-1.noarch.rpm
ARCHPKG := build/vfiod-$(VERSION)-1-any.pkg.tar.zst
VENV := build/venv
UNIT := $(VENV)/bin/python -m pytest -q -n 3 --dist worksteal tests --ignore=tests/lab --ignore=tests/packages
LAB := $(VENV)/bin/python -m pytest tests/lab --durations 12

RUNTIME := python3 python3-gi gir1.2-glib-2.0 python3-libvirt python3-pydbus python3-systemd \
	python3-yaml python3-psutil \
	python3-evdev python3-lxml python3-rich pci.ids virtinst dbus dbus-bin polkitd kmod systemd
BUILD := build-essential debhelper dh-python pybuild-plugin-pyproject python3-all \
	python3-setuptools fakeroot lintian
# What the tests look at; the rest is to run them, or for the gate of style.
TESTED := python3-dbusmock seabios ipxe-qemu qemu-utils man-db python3-argcomplete fish zsh \
	systemd-journal-remote desktop-file-utils
TEST := $(TESTED) python3-venv shellcheck hyperfine
PACKAGING := rpm rpmlint secilc nix-bin makepkg pacman-package-manager libarchive-tools zstd
LABTOOLS := qemu-system-x86 ovmf mmdebstrap e2fsprogs mtools openssh-client util-linux
# The page in Cockpit is opened in a browser.
BROWSER := cockpit-ws cockpit-bridge cockpit-system chromium

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1 \t/p' Makefile | expand -t 20

.PHONY: deps
deps: ## install what building and testing need (Debian 12 or 13)
	@missing=; for name in $(RUNTIME) $(BUILD) $(TEST) $(PACKAGING) $(BROWSER) $(LABTOOLS); do \
		dpkg-query -W -f '$${db:Status-Status}' $$name 2>/dev/null | grep -qx installed || \
			missing="$$missing $$name"; \
	done; \
	[ -z "$$missing" ] || { \
		root=; [ "$$(id -u)" = 0 ] || root=sudo; \
		echo "installing$$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		$$root apt-get -qq update && \
		$$root apt-get -qq -y --no-install-recommends install $$missing >/dev/null; }

.PHONY: venv
venv: $(VENV)/.stamp ## Python tools in build/venv, over Debian's own libraries

$(VENV)/.stamp: pyproject.toml
	$(PYTHON) -m venv --system-site-packages $(VENV)
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["dev"], sep="\n")' > $(VENV)/requirements.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $(VENV)/requirements.txt
	touch $@

.PHONY: unit
unit: venv ## the tests that need no lab, in a minute
	$(UNIT) -m 'not long'

.PHONY: lint
lint: venv ## style, types, import floors, shell scripts, unit file
	$(VENV)/bin/python -m pytest -q tests/test_gate.py

# Rebuilt only if something that goes in has changed, so that an unchanged tree keeps its file.
SOURCES = find Makefile pyproject.toml LICENSE README.md NEWS.md vfiod hooks systemd config debian docs \
	packaging cockpit -type f ! -name '*.py[co]' ! -name '*~' | LC_ALL=C sort

.PHONY: deb
deb: ## build/vfiod_VERSION_all.deb, and cockpit-vfiod beside it
	@set -e; mkdir -p build; \
	new=$$($(SOURCES) | while IFS= read -r file; do stat -c '%n %a' "$$file"; \
		sha256sum "$$file"; done | sha256sum); \
	if [ -f $(DEB) ] && [ -f $(COCKPIT_DEB) ] && [ "$$new" = "$$(cat $(DEB).inputs 2>/dev/null)" ]; then \
		echo "$(DEB) is up to date"; exit 0; fi; \
	rm -rf build/deb && mkdir -p build/deb/vfiod; \
	$(SOURCES) | tar --mtime="@$$(dpkg-parsechangelog -S Timestamp)" -cf - -T - | \
		tar -xf - -C build/deb/vfiod; \
	(cd build/deb/vfiod && PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		dpkg-buildpackage -us -uc -b) > build/deb/log 2>&1 || \
		{ tail -n 40 build/deb/log; echo "see build/deb/log"; exit 1; }; \
	mv build/deb/vfiod_$(VERSION)_all.deb $(DEB); \
	mv build/deb/cockpit-vfiod_$(VERSION)_all.deb $(COCKPIT_DEB); \
	echo "$$new" > $(DEB).inputs; \
	echo $(DEB)

$(SDIST): FORCE
	@mkdir -p build
	@$(SOURCES) | tar --mtime="@$$(date +%s -r pyproject.toml)" --owner=0 --group=0 \
		--transform 's,^,vfiod-$(VERSION)/,' -czf $@ -T -

.PHONY: FORCE
FORCE:

.PHONY: rpm
rpm: $(SDIST) ## build/vfiod-VERSION-1.noarch.rpm, for Fedora and openSUSE
	@rm -rf build/rpm && mkdir -p build/rpm
	@rpmbuild -bb --nodeps --define '_topdir $(CURDIR)/build/rpm' \
		--define '_sourcedir $(CURDIR)/build' --define '_rpmdir $(CURDIR)/build/rpm' \
		--define 'vfiod_version $(VERSION)' packaging/vfiod.spec > build/rpm/log 2>&1 || \
		{ tail -n 40 build/rpm/log; echo "see build/rpm/log"; exit 1; }
	@mv build/rpm/noarch/*vfiod-$(VERSION)-1.noarch.rpm build
	@echo $(RPM)

# makepkg will not run as root, and needs no more than a directory of its own.
.PHONY: archpkg
archpkg: $(SDIST) ## build/vfiod-VERSION-1-any.pkg.tar.zst, for Arch and its children
	@set -e; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	sed 's/@VERSION@/$(VERSION)/' packaging/PKGBUILD > "$$work/PKGBUILD"; \
	cp packaging/vfiod.install $(SDIST) "$$work"; \
	as=; [ "$$(id -u)" != 0 ] || { chown -R nobody "$$work"; \
		as='setpriv --reuid nobody --regid nogroup --clear-groups'; }; \
	(cd "$$work" && env -i HOME="$$work" PATH=/usr/bin:/bin PKGEXT=.pkg.tar.zst \
		$$as makepkg --nodeps --skipinteg) > build/archpkg.log 2>&1 || \
		{ tail -n 40 build/archpkg.log; echo "see build/archpkg.log"; exit 1; }; \
	cp "$$work/"*vfiod-$(VERSION)-1-any.pkg.tar.zst build; \
	echo $(ARCHPKG)

.PHONY: lintian
lintian: deb ## Debian's own checks of the package
	lintian --fail-on error,warning --allow-root $(DEB) $(COCKPIT_DEB)

.PHONY: distros
distros: deps venv ## the tests that need no lab, with the packages of Debian 12, 13 and sid
	$(VENV)/bin/python -m tests.distros --packages '$(RUNTIME) $(TESTED)' $(DISTROS)

.PHONY: packages
packages: deps venv ## RPM, Arch package, NixOS module, source: made, installed, removed
	$(VENV)/bin/python -m pytest -q tests/packages

.PHONY: lab
lab: deps venv deb ## leave an emulated PC running to be used by hand; says how
	$(VENV)/bin/python -m tests.lab up --deb $(DEB)

.PHONY: labtest
labtest: deps venv deb ## all tests in the emulated PC; SUITE=trixie or sid: not Debian 12
	$(LAB) --suite $(or $(SUITE),bookworm) --deb $(DEB)

.PHONY: check
check: deps venv deb lintian ## everything: tests, package, the lab with Debian 12, a round trip with 13
	$(UNIT)
	$(MAKE) distros DISTROS=--others
	$(MAKE) packages
	$(LAB) -m 'not long' --suite bookworm --deb $(DEB)
	$(LAB) -m 'roundtrip and not long' --suite trixie --deb $(DEB)

.PHONY: demo
demo: deps venv deb ## pictures of one handoff and return, in build/demo
	$(VENV)/bin/python -m tests.lab demo --deb $(DEB) --out build/demo

.PHONY: soak
soak: deps venv deb ## 50 round trips in one boot of the emulated PC, with faults at random
	$(VENV)/bin/python -m tests.lab soak --deb $(DEB)

.PHONY: bench
bench: deps venv deb ## what vfiod costs and how fast it is, beside other ways; build/bench
	@tests/hook/bench
	@$(VENV)/bin/python -m tests.dbus.bench
	$(VENV)/bin/python -m tests.lab figures --deb $(DEB)
	$(VENV)/bin/python -m tests.lab bench --deb $(DEB) --out build/bench

prefix = /usr/local
DESTDIR =
bindir = $(prefix)/bin
datadir = $(prefix)/share
unitdir = $(prefix)/lib/systemd/system
userunitdir = $(prefix)/lib/systemd/user
# polkit, D-Bus and the catalog look in fixed places, and QEMU's AppArmor profile allows one.
# Where each of them may be elsewhere, as on NixOS, every place can be given.
local = $(filter-out /usr,$(prefix))
policydir = $(if $(local),/etc/dbus-1/system.d,/usr/share/dbus-1/system.d)
activationdir = $(datadir)/dbus-1/system-services
interfacedir = $(datadir)/dbus-1/interfaces
icondir = $(datadir)/icons/hicolor/scalable/apps
ICONS = vfiod-windows.svg vfiod-linux.svg vfiod-guest.svg
# Desktops look into this one whatever the prefix is.
autostartdir = /etc/xdg/autostart
# What `vfiod init` writes there: see vfiod/tools/init/launcher.py.
launcherdir = /usr/local/share/applications
# And vfiod/tools/init/login_entry.py: display managers look into these whatever the prefix is.
sessiondirs = /usr/share/wayland-sessions /usr/share/xsessions \
	/usr/local/share/wayland-sessions /usr/local/share/xsessions
greetd = /etc/greetd/environments
actiondir = /usr/share/polkit-1/actions
catalogdir = $(if $(local),/etc/systemd/catalog,/usr/lib/systemd/catalog)
romdir = /usr/share/vgabios/vfiod
confdir = /etc/vfiod
# Compiled into libvirt as $SYSCONFDIR/libvirt.
libvirtdir = /etc/libvirt
mandir = $(datadir)/man
docdir = $(datadir)/doc/vfiod
bashdir = $(datadir)/bash-completion/completions
fishdir = $(datadir)/fish/vendor_completions.d
zshdir = $(datadir)/zsh/$(if $(local),site-functions,vendor-completions)
# Cockpit looks in every XDG_DATA_DIRS, so any prefix of the usual ones will do.
cockpitdir = $(datadir)/cockpit/vfiod
# vfiod's alone: an update of the distribution's Python leaves it where it is.
pythondir = $(prefix)/lib/vfiod
HOOK = $(libvirtdir)/hooks/qemu.d/50-vfiod

# The program, vfiod's own data and libvirt's hooks, as the sources name them and as they are here.
relocate = sed 's,/usr/bin/vfiod,$(bindir)/vfiod,; s,/usr/share/vfiod,$(datadir)/vfiod,; \
	s,/etc/libvirt,$(libvirtdir),'

# data FILE,DIRECTORY[,MODE]: install it with the place of the program put in
define data
install -d $(DESTDIR)$(2)
$(relocate) $(1) | install -m $(or $(3),644) /dev/stdin $(DESTDIR)$(2)/$(notdir $(1))

endef

.PHONY: install install-data install-python uninstall has-python has-pythondir
install: install-python install-data ## DESTDIR= prefix=/usr/local
	@[ -n "$(DESTDIR)" ] || { journalctl --update-catalog; systemctl daemon-reload; \
		systemctl try-restart vfiod.service; } || true
	@echo 'vfiod: begin with "vfiod doctor"; then: sudo systemctl reload dbus && sudo systemctl enable --now vfiod'

install-data:
	$(call data,hooks/qemu,$(datadir)/vfiod/hooks,755)
	$(call data,packaging/vfiod.cil,$(datadir)/vfiod/selinux)
	$(call data,packaging/remove-roms,$(datadir)/vfiod,755)
	$(if $(unitdir),$(call data,systemd/vfiod.service,$(unitdir)))
	$(call data,systemd/org.vfiod1.service,$(activationdir))
	$(call data,systemd/vfiod.catalog,$(catalogdir))
	$(call data,config/org.vfiod1.conf,$(policydir))
	$(call data,config/org.vfiod1.policy,$(actiondir))
	$(call data,config/org.vfiod1.xml,$(interfacedir))
	$(call data,config/vfiod-notify.desktop,$(autostartdir))
	$(call data,config/vfiod-reopen.desktop,$(autostartdir))
	$(call data,systemd/user/vfiod-reopen.service,$(userunitdir))
	$(call data,systemd/user/vfiod.conf,$(userunitdir)/graphical-session.target.d)
	$(foreach icon,$(ICONS),$(call data,config/icons/$(icon),$(icondir)))
	$(call data,docs/man/vfiod.1,$(mandir)/man1)
	$(call data,docs/man/vfiod.yaml.5,$(mandir)/man5)
	$(call data,docs/man/vfiod.service.8,$(mandir)/man8)
	$(call data,README.md,$(docdir))
	$(call data,NEWS.md,$(docdir))
	$(call data,docs/faults.md,$(docdir))
	$(call data,config/completions/vfiod.bash,$(bashdir))
	$(call data,config/completions/vfiod.fish,$(fishdir))
	$(call data,config/completions/_vfiod,$(zshdir))
	$(if $(romdir),install -d $(DESTDIR)$(romdir))
	install -d $(DESTDIR)$(confdir)
	test -e $(DESTDIR)$(confdir)/vfiod.yaml || \
		install -m 644 config/vfiod.yaml $(DESTDIR)$(confdir)/vfiod.yaml

.PHONY: install-cockpit
install-cockpit: ## the page for Cockpit, as it is; DESTDIR= prefix=/usr/local
	cd cockpit && find . -type f ! -name '*~' -exec install -D -m 644 {} $(DESTDIR)$(cockpitdir)/{} \;

has-python:
	@$(PYTHON) -c '' || { \
		echo '$(PYTHON) does not run: install python3, or name another: make PYTHON=...' >&2; \
		exit 1; }

has-pythondir:
	@[ -n "$(strip $(pythondir))" ] || { echo 'pythondir= is empty' >&2; exit 1; }

install-python: has-python has-pythondir
	find vfiod -name '*.py' -exec install -D -m 644 {} $(DESTDIR)$(pythondir)/{} \;
	$(relocate) vfiod/paths.py | install -m 644 /dev/stdin $(DESTDIR)$(pythondir)/vfiod/paths.py
	printf '%s\n' '#!$(PYTHON)' 'import sys' 'sys.path.insert(0, "$(pythondir)")' \
		'from vfiod.cli.main import main' 'sys.exit(main())' | \
		install -D -m 755 /dev/stdin $(DESTDIR)$(bindir)/vfiod
	@[ -n "$(DESTDIR)" ] || $(PYTHON) -m compileall -q $(pythondir)

uninstall: has-pythondir ## what install put there; the configuration stays
	@[ ! -e $(DESTDIR)/run/vfiod/journal.json ] || \
		{ echo 'a guest has the devices; first run: sudo vfiod return --shutdown 60'; exit 1; }
	-[ -n "$(DESTDIR)" ] || systemctl disable --now vfiod
	! grep -qsxF '# Installed by vfiod.service' $(DESTDIR)$(HOOK) || rm $(DESTDIR)$(HOOK)
	rm -f $(DESTDIR)$(libvirtdir)/hooks/.50-vfiod.* $(DESTDIR)$(libvirtdir)/hooks/qemu.d/.50-vfiod.*
	for file in $(DESTDIR)$(launcherdir)/vfiod-*.desktop $(sessiondirs:%=$(DESTDIR)%/vfiod-*.desktop); do \
		! grep -qs '^X-Vfiod-Guest=' "$$file" || rm "$$file"; done
	! grep -qs '^$(bindir)/vfiod session ' $(DESTDIR)$(greetd) || \
		sed -i '\,^$(bindir)/vfiod session ,d' $(DESTDIR)$(greetd)
	rm -rf $(DESTDIR)$(datadir)/vfiod $(DESTDIR)$(docdir) $(DESTDIR)$(pythondir)/vfiod
	-rmdir $(DESTDIR)$(pythondir)
	packaging/remove-roms $(DESTDIR)
	rm -f $(DESTDIR)$(bindir)/vfiod $(DESTDIR)$(unitdir)/vfiod.service \
		$(DESTDIR)$(activationdir)/org.vfiod1.service $(DESTDIR)$(catalogdir)/vfiod.catalog \
		$(DESTDIR)$(policydir)/org.vfiod1.conf $(DESTDIR)$(actiondir)/org.vfiod1.policy \
		$(DESTDIR)$(autostartdir)/vfiod-notify.desktop $(DESTDIR)$(autostartdir)/vfiod-reopen.desktop \
		$(DESTDIR)$(userunitdir)/vfiod-reopen.service \
		$(DESTDIR)$(userunitdir)/graphical-session.target.d/vfiod.conf \
		$(DESTDIR)$(interfacedir)/org.vfiod1.xml $(ICONS:%=$(DESTDIR)$(icondir)/%) \
		$(DESTDIR)$(mandir)/man1/vfiod.1 $(DESTDIR)$(mandir)/man5/vfiod.yaml.5 \
		$(DESTDIR)$(mandir)/man8/vfiod.service.8 $(DESTDIR)$(bashdir)/vfiod.bash \
		$(DESTDIR)$(fishdir)/vfiod.fish $(DESTDIR)$(zshdir)/_vfiod
	rm -rf $(DESTDIR)$(cockpitdir)

.PHONY: clean
clean: ## remove build/ and caches
	rm -rf build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find vfiod tests -name __pycache__ -prune -exec rm -rf {} +
