(* ::Package:: *)

BeginPackage["Optics`"]

(* The focal length of two thin lenses behind each other. *)
CombinedFocus[f1_, f2_, d_] := Module[{power},
  power = 1/f1 + 1/f2 - d/(f1 f2);
  1/power
]

Magnification[image_, object_] := -image/object

EndPackage[]
