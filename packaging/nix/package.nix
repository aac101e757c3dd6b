# What is installed, and where, the Makefile knows; here are the places that NixOS has.
{
  lib,
  stdenv,
  python3,
  makeWrapper,
  glib,
  gobject-introspection,
}:

let
  python = python3.withPackages (
    packages: with packages; [
      evdev
      libvirt
      lxml
      psutil
      pydbus
      pygobject3
      pyyaml
      rich
      systemd-python
    ]
  );
  changelog = builtins.readFile ../../debian/changelog;
in
stdenv.mkDerivation {
  pname = "vfiod";
  version = builtins.head (builtins.match "vfiod [(]([^)]*)[)].*" changelog);
  src = ../..;
  nativeBuildInputs = [ makeWrapper ];
  dontBuild = true;

  makeFlags = [
    "PYTHON=${python}/bin/python3"
    "prefix=${placeholder "out"}"
    "policydir=${placeholder "out"}/share/dbus-1/system.d"
    "actiondir=${placeholder "out"}/share/polkit-1/actions"
    "catalogdir=${placeholder "out"}/lib/systemd/catalog"
    "zshdir=${placeholder "out"}/share/zsh/site-functions"
    "autostartdir=${placeholder "out"}/etc/xdg/autostart"
    # The module copies the configuration to /etc; ROMs are put into /var.
    "confdir=${placeholder "out"}/share/vfiod"
    "romdir="
    "libvirtdir=/var/lib/libvirt"
  ];
  # `install` would also tell the systemd of the machine that builds.
  installTargets = [
    "install-python"
    "install-data"
  ];
  postInstall = ''
    wrapProgram $out/bin/vfiod --prefix GI_TYPELIB_PATH : ${
      lib.makeSearchPathOutput "out" "lib/girepository-1.0" [
        glib
        gobject-introspection
      ]
    }
  '';

  meta = {
    description = "Hands a host's only GPU to a virtual machine and takes it back";
    license = lib.licenses.mit;
    platforms = [ "x86_64-linux" ];
    mainProgram = "vfiod";
  };
}
