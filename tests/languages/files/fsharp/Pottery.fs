module Workshop.Pottery

open System

/// What a pot is made of.
type Clay =
    | Porcelain
    | Stoneware of grams: int

/// Burns pots.
type Kiln(degrees: float) =
    /// How long the kiln must cool down before it is opened.
    member this.CoolingHours(outside: float) : float =
        Math.Log((degrees - outside) / 20.0) * 3.5

    static member Cold = Kiln(20.0)

let shrink clay size =
    match clay with
    | Porcelain -> size * 0.85
    | Stoneware _ -> size * 0.9
