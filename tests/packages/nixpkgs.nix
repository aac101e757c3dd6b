# As much of nixpkgs as vfiod's package, module and flake speak of, by nixpkgs's own names: what is
# asked for and is not here is an error. Then what the tests look at.
let
  lib = {
    mkEnableOption = text: {
      default = false;
      description = text;
    };
    mkOption = option: option;
    mkIf = condition: value: if condition then value else { };
    optionals = condition: list: if condition then list else [ ];
    optionalAttrs = condition: set: if condition then set else { };
    makeSearchPathOutput =
      output: folder: packages:
      builtins.concatStringsSep ":" (map (package: "${package}/${folder}") packages);
    types = {
      package = "package";
      path = "path";
      nullOr = type: type;
    };
    licenses.mit = "MIT";
  };

  named =
    names:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = "/nix/store/${name}";
      }) names
    );

  libraries = named [
    "evdev"
    "libvirt"
    "lxml"
    "psutil"
    "pydbus"
    "pygobject3"
    "pyyaml"
    "rich"
    "systemd-python"
  ];

  pkgs =
    named [
      "dbus"
      "glib"
      "gobject-introspection"
      "hwdata"
      "kmod"
      "makeWrapper"
      "util-linux"
    ]
    // {
      inherit lib;
      stdenv.mkDerivation = attributes: attributes // { outPath = "/nix/store/vfiod"; };
      python3.withPackages = choose: builtins.deepSeq (choose libraries) "/nix/store/python";
      callPackage =
        file: arguments:
        let
          function = import file;
        in
        function (builtins.intersectAttrs (builtins.functionArgs function) pkgs // arguments);
    };

  flake = (import ../../packaging/nix/flake.nix).outputs {
    self = { };
    nixpkgs.legacyPackages.x86_64-linux = pkgs;
  };

  # A machine's configuration: the options' defaults and what is set, given back to the module.
  machine =
    {
      libvirtd ? true,
      ...
    }@set:
    let
      module = flake.nixosModules.default { inherit config lib pkgs; };
      defaults = builtins.mapAttrs (name: option: option.default) module.options.services.vfiod;
      config = {
        services.vfiod = defaults // set;
        virtualisation.libvirtd.enable = libvirtd;
      };
    in
    module.config;

  package = flake.packages.x86_64-linux.default;
in
{
  out = builtins.placeholder "out";
  inherit (package) makeFlags installTargets postInstall version;
  plain = machine { };
  enabled = machine { enable = true; };
  declared = machine {
    enable = true;
    configFile = "/somewhere/vfiod.yaml";
  };
  alone = machine {
    enable = true;
    libvirtd = false;
  };
}
