# Not at the root of the repository: a flake is found in a folder too, with all files of the
# repository around it:  nix build 'git+https://HOST/vfiod?dir=packaging/nix'
{
  description = "Hands a host's only GPU to a virtual machine and takes it back";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    {
      packages.x86_64-linux = rec {
        vfiod = nixpkgs.legacyPackages.x86_64-linux.callPackage ./package.nix { };
        default = vfiod;
      };
      nixosModules.default = import ./module.nix;
    };
}
