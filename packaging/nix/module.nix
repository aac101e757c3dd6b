# services.vfiod: nothing of it is there, nor starts, until it is enabled.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  cfg = config.services.vfiod;
in
{
  options.services.vfiod = {
    enable = lib.mkEnableOption "vfiod, which hands the only graphics card to a libvirt guest";

    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = "packaging/nix/package.nix";
      description = "The vfiod that is installed.";
    };

    configFile = lib.mkOption {
      type = lib.types.nullOr lib.types.path;
      default = null;
      description = ''
        A vfiod.yaml(5) that becomes /etc/vfiod/vfiod.yaml. Without one that file is made once, with
        no guest in it, and is yours and that of `vfiod init` to change.
      '';
    };
  };

  config = lib.mkIf cfg.enable {
    assertions = [
      {
        assertion = config.virtualisation.libvirtd.enable;
        message = "services.vfiod needs virtualisation.libvirtd.enable = true";
      }
    ];

    # The command with its manual pages, completions and polkit actions; what the hook, the daemon
    # and `vfiod doctor` start; names of devices.
    environment.systemPackages = [
      cfg.package
      pkgs.dbus
      pkgs.glib
      pkgs.hwdata
      pkgs.kmod
      pkgs.util-linux
    ];
    environment.pathsToLink = [ "/share/hwdata" ];
    environment.etc = {
      "systemd/catalog/vfiod.catalog".source = "${cfg.package}/lib/systemd/catalog/vfiod.catalog";
    }
    // lib.optionalAttrs (cfg.configFile != null) { "vfiod/vfiod.yaml".source = cfg.configFile; };
    systemd.tmpfiles.rules = lib.optionals (cfg.configFile == null) [
      "d /etc/vfiod 0755 root root -"
      "C /etc/vfiod/vfiod.yaml 0644 root root - ${cfg.package}/share/vfiod/vfiod.yaml"
    ];

    security.polkit.enable = true;
    services.dbus.packages = [ cfg.package ];

    systemd.packages = [ cfg.package ];
    systemd.services.vfiod.wantedBy = [ "multi-user.target" ];

    # libvirtd-config.service removes whatever else lies there.
    virtualisation.libvirtd.hooks.qemu."50-vfiod" = "${cfg.package}/share/vfiod/hooks/qemu";
  };
}
