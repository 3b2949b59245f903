(* Fractions. *)
structure Rational =
struct
  type t = int * int

  fun gcd (a, 0) = a
    | gcd (a, b) = gcd (b, a mod b)

  (* Adds two fractions and reduces the result. *)
  fun add ((a, b), (c, d)) =
    let
      val n = a * d + c * b
      val m = b * d
      val g = gcd (n, m)
    in
      (n div g, m div g)
    end
end
