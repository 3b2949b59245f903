"""A repository of documented functions, each with words of its own that its comment, name and body share in part."""

from __future__ import annotations

from pathlib import Path

FUNCTIONS = 6  # a file
FIRST = """amber birch cedar delta ember flint grove heron inlet jasper kelp larch maple nectar ocean pearl quartz river
    slate tulip""".split()
SECOND = """anchor basket candle drawer engine funnel garden hammer island jacket kettle ladder mirror needle oven pillow
    quiver rocket""".split()


def words(number: int) -> tuple[str, str]:
    return FIRST[number % len(FIRST)], SECOND[(number // len(FIRST)) % len(SECOND)]


def function(number: int) -> str:
    first, second = words(number)
    return f'''def make_{first}_{second}(size, limit):
    """Gives the {second} of {first} that is wanted here."""
    {first} = [{second} for {second} in range(size) if {second} < limit + {number}]
    total_{number} = sum({first}) * {number} - limit
    return {first}, total_{number}
'''


def repository(root: Path, *, files: int) -> Path:
    (root / "pkg").mkdir(parents=True)
    for file in range(files):
        numbers = range(file * FUNCTIONS, (file + 1) * FUNCTIONS)
        text = "\n\n".join(function(number) for number in numbers)
        (root / "pkg" / f"part_{file}.py").write_text(f'"""Part {file}."""\n\n\n{text}')
    return root
