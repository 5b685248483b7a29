"""Draws the plots of results.json. Runs in a separate environment, which has matplotlib.

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


def handlers(results: dict[str, Any], folder: Path) -> None:
    figure, axes = plt.subplots(2, (len(results["handlers"]) + 1) // 2, figsize=(16, 7))
    lines: dict[str, Any] = {}
    for axis, (workload, by_processes) in zip(axes.flat, results["handlers"].items(), strict=False):
        systems = next(iter(by_processes.values()))
        for system in sorted(systems, key=list(COLORS).index):
            points = [measured[system] for measured in by_processes.values()]
            rates = [point["rate"] for point in points]
            spread = [
                [point["rate"] - point["lowest"] for point in points],
                [point["highest"] - point["rate"] for point in points],
            ]
            lines[system] = axis.errorbar(
                list(by_processes), rates, spread, marker="o", capsize=3, color=COLORS[system]
            )
        axis.set(title=workload, xlabel="processes", ylabel="requests per second", ylim=(0, None))
    for axis in axes.flat[len(results["handlers"]) :]:
        axis.axis("off")
    figure.legend([lines[system] for system in COLORS], list(COLORS), loc=(0.82, 0.15))
    _save("handlers", folder)


def cold(results: dict[str, Any], folder: Path) -> None:
    _, axis = plt.subplots(figsize=(9, 4))
    for row, (name, start) in enumerate(results["cold"].items()):
        color = COLORS.get(name, COLORS["database layer"])
        axis.barh(row, start["import"], color=color)
        axis.barh(row, start["response"] - start["import"], left=start["import"], color=color, alpha=0.5)
        axis.plot(start["response_range"], [row, row], color="black", marker="|")
    axis.set_yticks(range(len(results["cold"])), list(results["cold"]))
    axis.invert_yaxis()
    axis.set(xlabel="ms until the import ends, and (lighter) until the first response; black: lowest to highest")
    _save("cold", folder)


def lists(results: dict[str, Any], folder: Path) -> None:
    _, axes = plt.subplots(1, 2, figsize=(14, 5), sharey=True)
    for axis, (table, pages) in zip(axes, results["lists"].items(), strict=True):
        for name, by_rows in pages.items():
            style = "--" if name.startswith("cursor") else "-"
            times = [measured["p50"] for measured in by_rows.values()]
            axis.plot([int(rows) for rows in by_rows], times, style, marker="o", label=name)
        axis.set(title=table, xscale="log", yscale="log", xlabel="rows in the table", ylabel="ms (median)")
        axis.legend(fontsize=8)
    _save("lists", folder)


def network(results: dict[str, Any], folder: Path) -> None:
    workloads = results["network"]
    _, axis = plt.subplots(figsize=(13, 4))
    for place, system in enumerate(("storefront", "fastapi", "flask")):
        positions = [number + (place - 1) * 0.27 for number in range(len(workloads))]
        measured = [systems[system] for systems in workloads.values()]
        bars = axis.bar(positions, [one["p50"] for one in measured], 0.27, label=system, color=COLORS[system])
        axis.bar_label(bars, [str(one["round_trips"]) for one in measured], fontsize=8)
    axis.set_xticks(range(len(workloads)), [name.replace(", ", ",\n") for name in workloads])
    axis.set(title="With a network latency of 2 ms (numbers: round trips)", ylabel="ms (median)")
    axis.legend()
    _save("network", folder)


def rush(results: dict[str, Any], folder: Path) -> None:
    if not (measured := results.get("rush")):
        return
    names = {"direct": "one session each", "pooled": "a pool of sessions", "beside": "beside other requests"}
    _, (orders, times) = plt.subplots(1, 2, figsize=(14, 4.5))
    for kind, name in names.items():
        clients = [int(number) for number in measured[kind]]
        style = "o--" if kind == "beside" else "o-"
        orders.plot(clients, [seen["orders"] for seen in measured[kind].values()], style, label=name)
        times.plot(clients, [seen["placed"]["p99"] for seen in measured[kind].values()], style, label=name)
    for system in ("storefront", "fastapi", "flask"):
        rates = [by_system[system] for by_system in measured["handlers"].values()]
        processes = [int(number) for number in measured["handlers"]]
        orders.plot(processes, rates, "s:", color=COLORS[system], label=f"{system}, complete handlers")
    orders.set(xlabel="clients that order one product", ylabel="orders per second", xscale="log", ylim=(0, None))
    times.set(xlabel="clients that order one product", ylabel="ms (p99 of an order)", xscale="log", ylim=(0, None))
    orders.legend()
    times.legend()
    _save("rush", folder)


def soak(results: dict[str, Any], folder: Path) -> None:
    samples = results["soak"]["samples"]
    seconds = [sample["second"] for sample in samples]
    _, axis = plt.subplots(figsize=(9, 4))
    for function in samples[-1]["memory"]:
        axis.plot(seconds, [sample["memory"][function] for sample in samples], label=f"memory of {function}, MiB")
    axis.plot(seconds, [sample["connections"] for sample in samples], ":", color="black", label="database connections")
    axis.set(xlabel="seconds", ylim=(0, None))
    axis.legend()
    _save("soak", folder)


def _save(name: str, folder: Path) -> None:
    plt.tight_layout()
    plt.savefig(folder / f"{name}.png", dpi=80, metadata={"Software": None})
    plt.close()


def main(results_file: Path, folder: Path) -> None:
    results = json.loads(results_file.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    for draw in (handlers, cold, lists, network, rush, soak):
        draw(results, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
