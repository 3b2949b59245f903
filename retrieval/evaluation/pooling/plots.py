"""The report as pictures: scores by pooling, curves while training, where each model looks. Needs matplotlib (extra `eval`)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.errors import MissingExtraError
from retrieval.evaluation.pooling.runs import TrainingRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Apart also for those who do not see all colours (Okabe and Ito).
COLOURS = {"pma": "#0072B2", "mean": "#E69F00", "eos": "#009E73", "last": "#CC79A7", "even": "#56B4E9"}
SIZE, DOTS = (8.0, 3.6), 90  # inches, dots an inch: 20 to 40 kB a picture


def draw(report: Mapping[str, Any], runs: Sequence[TrainingRun], folder: Path) -> list[Path]:
    """Writes the pictures that there is something for; returns them."""
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtraError("Drawing the plots", "eval") from error
    matplotlib.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [_figure(folder / "scores.png", lambda axes: _scores(axes[0], report["scores"]), 1)]
    curves = [(run, _curve(run)) for run in runs]
    drawn.append(_figure(folder / "curves.png", lambda axes: _curves(axes, [c for c in curves if c[1]]), 2))
    if report["attention"]:
        drawn.append(_figure(folder / "kinds.png", lambda axes: _kinds(axes[0], report["attention"]), 1))
        drawn.append(_figure(folder / "looks.png", lambda axes: _looks(axes, report["attention"]), 2))
    return drawn


def _figure(path: Path, fill: Any, panels: int) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DOTS, layout="constrained")
    fill(list(figure.subplots(1, panels, squeeze=False)[0]))
    figure.savefig(path, metadata={"Software": None})
    return path


def _scores(axes: Axes, table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """One point a seed, a line at the mean."""
    for place, row in enumerate(table.values()):
        for number, (pooling, found) in enumerate(row.items()):
            x, colour = place + (number - (len(row) - 1) / 2) * 0.2, COLOURS[pooling]
            label = pooling if place == 0 else None
            axes.hlines(found["mean"], x - 0.08, x + 0.08, color=colour, linewidth=2)
            axes.scatter([x] * len(found["seeds"]), list(found["seeds"].values()), s=14, color=colour, label=label)
    axes.set_xticks(range(len(table)), [name.replace(": ", ":\n").replace(", ", ",\n") for name in table])
    axes.set_ylabel("MRR; NDCG@10 on the bench")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)


def _curve(run: TrainingRun) -> list[dict[str, float]]:
    path = run.folder / "curve.csv"
    if not path.is_file():
        return []
    with path.open(newline="") as handle:
        return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(handle)]


def _curves(axes: Sequence[Axes], curves: Sequence[tuple[TrainingRun, list[dict[str, float]]]]) -> None:
    named: set[str] = set()
    for run, rows in curves:
        pooling = run.variant.name
        label = None if pooling in named else pooling
        named.add(pooling)
        steps = [row["step"] for row in rows]
        axes[0].plot(steps, [row["mrr"] for row in rows], color=COLOURS[pooling], linewidth=1, label=label)
        if pooling == "pma":
            axes[1].plot(steps, [row["entropy"] for row in rows], color=COLOURS[pooling], linewidth=1)
    axes[0].set_ylabel("MRR, a few held-out pairs")
    axes[0].legend(frameon=False)
    axes[1].set_ylabel("entropy of PMA's weights (uniform = 1)")
    for panel in axes:
        panel.set_xlabel("step")


def _kinds(axes: Axes, attention: Mapping[str, Any]) -> None:
    kinds = list(dict.fromkeys(kind for found in attention.values() for kind in found["by kind"]))
    width = 0.8 / len(attention)
    for number, (name, found) in enumerate(attention.items()):
        lifts = [found["by kind"].get(kind, {}).get("lift", 0.0) for kind in kinds]
        places = [place + (number - (len(attention) - 1) / 2) * width for place in range(len(kinds))]
        axes.bar(places, lifts, width, label=name)
    axes.axhline(1, color="grey", linewidth=0.8)
    axes.set_xticks(range(len(kinds)), kinds)
    axes.set_ylabel("weight in parts of an equal share")
    axes.legend(frameon=False)


def _looks(axes: Sequence[Axes], attention: Mapping[str, Any]) -> None:
    for name, found in attention.items():
        lengths = found["by length"]
        axes[0].plot(list(lengths), [row["entropy"] for row in lengths.values()], marker="o", label=name)
        tenths = found["by place"]
        axes[1].plot(range(1, len(tenths) + 1), tenths, marker=".", label=name)
    axes[0].set_xlabel("tokens of the passage")
    axes[0].set_ylabel("entropy (uniform = 1)")
    axes[0].legend(frameon=False)
    axes[1].axhline(1, color="grey", linewidth=0.8)
    axes[1].set_xlabel("tenth of the passage")
    axes[1].set_ylabel("weight in parts of an equal share")
