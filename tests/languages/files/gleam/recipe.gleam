import gleam/list

/// What is cooked.
pub type Recipe {
  Recipe(name: String, guests: Int, grams: List(Int))
}

/// Scales the ingredients of a recipe to more guests.
pub fn scale(recipe: Recipe, guests: Int) -> Recipe {
  let grams = list.map(recipe.grams, fn(gram) { gram * guests / recipe.guests })
  Recipe(..recipe, guests: guests, grams: grams)
}

fn is_empty(recipe: Recipe) -> Bool {
  list.is_empty(recipe.grams)
}
