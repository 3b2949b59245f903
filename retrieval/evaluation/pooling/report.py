"""What came out, as tables: means over seeds with their spread, differences seed by seed, and where each model looks."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

Scores = Mapping[str, Mapping[int, Mapping[str, float]]]  # pooling -> seed -> measure -> score


def compared(scores: Scores, measures: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Measure -> pooling -> mean, spread, each seed's score, and the differences to the first pooling seed by seed."""
    first = next(iter(scores), "")
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for measure in measures:
        table[measure] = {}
        for pooling, seeds in scores.items():
            values = {seed: float(found[measure]) for seed, found in seeds.items() if measure in found}
            if not values:
                continue
            row: dict[str, Any] = {"seeds": values, **_summary(list(values.values()))}
            same = [seed for seed in values if measure in scores[first].get(seed, {})]
            if pooling != first and same:
                differences = [values[seed] - float(scores[first][seed][measure]) for seed in same]
                row[f"against {first}"] = _summary(differences) | {"beyond noise": beyond_noise(differences)}
            table[measure][pooling] = row
    return table


def beyond_noise(differences: Sequence[float]) -> bool:
    """Whether all seeds agree and the mean is more than twice its standard error. With three seeds that is a hint, no proof."""
    if len(differences) < 2 or len({value > 0 for value in differences}) > 1:
        return False
    error: float = statistics.stdev(differences) / math.sqrt(len(differences))
    return abs(statistics.mean(differences)) > 2 * error


def markdown(report: Mapping[str, Any]) -> str:
    """The report as a page of tables."""
    parts = ["# Poolings on one backbone", _plan(report["plan"]), _scores(report["scores"]), _steps(report)]
    for name, found in report["attention"].items():
        parts += [f"## Where {name} looks", _looks(found), _kinds(found["by kind"])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(values: Sequence[float]) -> dict[str, float]:
    return {"mean": statistics.mean(values), "spread": statistics.stdev(values) if len(values) > 1 else 0.0}


def _plan(plan: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in plan.items())


def _scores(table: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    poolings = list(dict.fromkeys(pooling for row in table.values() for pooling in row))
    lines = [f"| | {' | '.join(poolings)} |", f"|---|{'---|' * len(poolings)}"]
    for measure, row in table.items():
        cells = [_score(row[pooling]) if pooling in row else "" for pooling in poolings]
        lines.append(f"| {measure} | {' | '.join(cells)} |")
    seeds = max((len(found["seeds"]) for row in table.values() for found in row.values()), default=0)
    return "\n".join(lines) + (
        f"\n\nMean ± standard deviation of at most {seeds} seeds. * differs from the first by more than the noise: "
        "all seeds agree, and the mean difference is more than twice its standard error."
    )


def _score(found: Mapping[str, Any]) -> str:
    differs = any(isinstance(value, Mapping) and value.get("beyond noise") for value in found.values())
    return f"{found['mean']:.3f} ± {found['spread']:.3f}{' *' if differs else ''}"


def _steps(report: Mapping[str, Any]) -> str:
    steps = report.get("cpu_seconds_a_step") or {}
    told = ", ".join(f"{pooling} {seconds:.2f}" for pooling, seconds in steps.items())
    return f"CPU seconds a step: {told}." if told else ""


def _looks(found: Mapping[str, Any]) -> str:
    lines = [
        "| | passages | tokens | entropy | last token | its lift | heaviest token's lift |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in {"all": found["all"], **found["by length"], **found["by language"]}.items():
        lines.append(
            f"| {name} | {row['passages']} | {row['tokens']:.0f} | {row['entropy']:.3f} | {row['last']:.3f} | "
            f"{row['last, lift']:.2f} | {row['heaviest, lift']:.1f} |"
        )
    heads = found.get("heads")
    told = f"\n\nEntropy of each head alone: {', '.join(f'{share:.3f}' for share in heads)}." if heads else ""
    return "\n".join(lines) + told


def _kinds(found: Mapping[str, Mapping[str, float]]) -> str:
    lines = ["| kind of token | share of the weight | share of the tokens | lift |", "|---|---|---|---|"]
    for kind, row in sorted(found.items(), key=lambda item: -item[1]["lift"]):
        lines.append(f"| {kind} | {row['weight']:.3f} | {row['tokens']:.3f} | {row['lift']:.2f} |")
    return "\n".join(lines)
