module Crossword (Grid, fits, place) where

import qualified Data.Map as Map

-- | A crossword in the making.
data Grid = Grid
  { cells :: Map.Map (Int, Int) Char
  , width :: Int
  }

class Placed a where
  cellOf :: a -> (Int, Int)

instance Placed Grid where
  cellOf _ = (0, 0)

-- | Whether a word fits with the letters that cross it.
fits :: Grid -> (Int, Int) -> String -> Bool
fits _ _ [] = True
fits grid (x, y) (letter : rest) =
  maybe True (== letter) (Map.lookup (x, y) (cells grid)) && fits grid (x + 1, y) rest

place :: Grid -> (Int, Int) -> String -> Grid
place grid (x, y) word =
  grid {cells = Map.union (cells grid) (Map.fromList (zip (map (\n -> (x + n, y)) [0 ..]) word))}
