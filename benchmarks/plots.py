"""Draws what results.json holds. Runs in an environment of its own, which has matplotlib.

python plots.py RESULTS FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("agg")

from matplotlib import pyplot as plt

COLORS = {
    "pgbench": "#888888",
    "pgbench, prepared": "#bbbbbb",
    "storefront": "#1b6ca8",
    "database layer": "#7fb3d5",
    "fastapi": "#d1495b",
    "flask": "#edae49",
}


def handlers(found: dict[str, Any], folder: Path) -> None:
    kinds = list(found["handlers"])
    _, axes = plt.subplots(2, (len(kinds) + 1) // 2, figsize=(16, 7))
    for axis, kind in zip(axes.flat, kinds, strict=False):
        by_processes = found["handlers"][kind]
        names = next(iter(by_processes.values()))
        for name in sorted(names, key=list(COLORS).index):
            points = [by_processes[processes][name] for processes in by_processes]
            rates = [point["rate"] for point in points]
            spread = [
                [point["rate"] - point["lowest"] for point in points],
                [point["highest"] - point["rate"] for point in points],
            ]
            axis.errorbar(list(by_processes), rates, spread, marker="o", capsize=3, label=name, color=COLORS[name])
        axis.set(title=kind, xlabel="processes", ylabel="a second", ylim=(0, None))
    axes.flat[0].legend()
    _save("handlers", folder)


def cold(found: dict[str, Any], folder: Path) -> None:
    names = {
        "storefront": "as deployed",
        "warm": "bytecode checked by time",
        "compiles": "without bytecode",
        "fastapi": "FastAPI peer",
        "flask": "Flask peer",
    }
    _, axis = plt.subplots(figsize=(9, 4))
    for row, name in enumerate(names):
        one = found["cold"][name]
        color = COLORS.get(name, COLORS["database layer"])
        axis.barh(row, one["import"], color=color)
        axis.barh(row, one["answer"] - one["import"], left=one["import"], color=color, alpha=0.5)
        axis.plot(one["answer_range"], [row, row], color="black", marker="|")
    axis.set_yticks(range(len(names)), list(names.values()))
    axis.invert_yaxis()
    axis.set(xlabel="ms: import, and (lighter) the first answer from the database; lowest to highest")
    _save("cold", folder)


def lists(found: dict[str, Any], folder: Path) -> None:
    _, axes = plt.subplots(1, 2, figsize=(14, 5), sharey=True)
    for axis, (relation, pages) in zip(axes, found["lists"].items(), strict=True):
        for name, sizes in pages.items():
            style = "--" if name.startswith("cursor") else "-"
            axis.plot(
                [int(rows) for rows in sizes], [one["p50"] for one in sizes.values()], style, marker="o", label=name
            )
        axis.set(title=relation, xscale="log", yscale="log", xlabel="rows", ylabel="ms, median")
        axis.legend(fontsize=8)
    _save("lists", folder)


def network(found: dict[str, Any], folder: Path) -> None:
    _, axis = plt.subplots(figsize=(11, 4))
    systems = ("storefront", "fastapi", "flask")
    for place, system in enumerate(systems):
        positions = [kind + (place - 1) * 0.27 for kind in range(len(found["network"]))]
        entries = [one[system] for one in found["network"].values()]
        bars = axis.bar(positions, [one["p50"] for one in entries], 0.27, label=system, color=COLORS[system])
        axis.bar_label(bars, [str(one["round_trips"]) for one in entries], fontsize=8)
    axis.set_xticks(range(len(found["network"])), list(found["network"]))
    axis.set(ylabel="ms, median, with 2 ms of network; round trips above")
    axis.legend()
    _save("network", folder)


def soak(found: dict[str, Any], folder: Path) -> None:
    samples = found["soak"]["samples"]
    seconds = [sample["second"] for sample in samples]
    _, axis = plt.subplots(figsize=(9, 4))
    for function in samples[-1]["memory"]:
        axis.plot(seconds, [sample["memory"][function] for sample in samples], label=f"{function}, MiB")
    axis.plot(seconds, [sample["connections"] for sample in samples], ":", color="black", label="connections of all")
    axis.set(xlabel="seconds", ylim=(0, None))
    axis.legend()
    _save("soak", folder)


def _save(name: str, folder: Path) -> None:
    plt.tight_layout()
    plt.savefig(folder / f"{name}.png", dpi=80, metadata={"Software": None})
    plt.close()


def main(results: Path, folder: Path) -> None:
    found = json.loads(results.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (handlers, cold, lists, network, soak):
        draw(found, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
