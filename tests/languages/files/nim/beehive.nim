## One hive of bees.
import std/sequtils

type
  Frame* = object
    grams: int
  Hive* = ref object
    frames: seq[Frame]

## Weighs the honey in all frames of the hive.
proc honeyGrams*(hive: Hive): int =
  for frame in hive.frames:
    result += frame.grams

template eachFrame(hive: Hive, body: untyped) =
  for frame in hive.frames:
    body

iterator heavy*(hive: Hive): Frame =
  for frame in hive.frames:
    if frame.grams > 2_000:
      yield frame
