(* Brackets of a text. *)

type bracket =
  | Round
  | Square

module Stack = struct
  (* What lies on top. *)
  let top stack = List.hd stack

  let push item stack = item :: stack
end

(** Whether the brackets close in the right order. *)
let rec is_balanced stack = function
  | [] -> stack = []
  | Round :: rest -> is_balanced (Stack.push Round stack) rest
  | Square :: rest -> is_balanced stack rest

exception Unbalanced of int

class counter = object
  method total = 1
end
