{ lib, stdenv, cups }:

let
  version = "2.4";
  # Where drivers of printers lie.
  driverPath = model: "${cups}/share/${model}.ppd";
in
stdenv.mkDerivation {
  pname = "label-printer";
  inherit version;
  buildInputs = [ cups ];
}
