"""The tables of the panel and its model card, from stored results and the measured test values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from comparing import paired_molecules

from drugai.metrics.property import direction
from drugai.predictors.admet_panel import AdmetPanel

WITHIN = 0.05
OTHERS = Path(__file__).resolve().parents[1] / "03_tdc_admet" / "results" / "cells"
"""One-task models of further seeds."""


def _read(folder: Path, name: str) -> dict[str, Any] | None:
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else None


def holds(metric: str, panel: float, single: float) -> bool:
    """Whether the panel is within 5 % of the one-task model or better."""
    return panel <= single * (1 + WITHIN) if direction(metric) == "min" else panel >= single * (1 - WITHIN)


def tables(folder: Path, endpoints: Sequence[Mapping[str, Any]], truth: Callable[[Mapping[str, Any]], np.ndarray], seeds: Sequence[int]) -> str:
    """Test results, coverage and rate as Markdown; ``truth`` gives an endpoint's ``[n]`` measured test values, for the paired intervals. The first of the seeds is that of what ships."""
    lines = ["| endpoint | metric | held-out scaffolds | panel, test [95 %] | one-task trees, test [95 %] | panel − one-task [95 %] | within 5 % or better |", "|" + "---|" * 7]
    kept = counted = 0
    for entry in endpoints:
        fit, panel, single = (_read(folder, f"{entry['name']}_{kind}") for kind in ("fit", "panel", "single"))
        told = ["not run" if found is None else found["failed"] if "failed" in found else _estimate(found["test"]) for found in (panel, single)]
        verdict = difference = "-"
        if panel and single and "failed" not in panel and "failed" not in single:
            good = holds(entry["metric"], panel["test"]["value"], single["test"]["value"])
            first, second = (np.array(found["predictions"])[:, None] for found in (panel, single))
            apart = paired_molecules(entry["metric"], truth(entry)[:, None], first, second)
            difference = f"{apart.value:+.3f} [{apart.low:+.3f}, {apart.high:+.3f}]"
            verdict, kept, counted = "yes" if good else "**no**", kept + good, counted + 1
        held = f"{fit['held_out']:.3f}" if fit and "failed" not in fit else "not run"
        lines.append(f"| {entry['name']} | {entry['metric']} | {held} | {told[0]} | {told[1]} | {difference} | {verdict} |")
    text = "\n".join(lines) + f"\n\nWithin 5 % of the one-task model or better: {kept} of {counted}.\n"
    text += "\n" + elsewhere_table(folder, endpoints)
    text += "\n" + seeds_table(folder, endpoints, seeds)
    text += "\n" + coverage_table(folder, endpoints)
    rate = _read(folder, "rate")
    if rate and "failed" not in rate:
        text += "\n" + rate_table(rate)
    return text


def elsewhere_table(folder: Path, endpoints: Sequence[Mapping[str, Any]]) -> str:
    """Of endpoints that learn from others: test molecules that those were grown on, and the test result with what their held-out boosters say of them."""
    lines = ["| endpoint | test molecules measured for an auxiliary endpoint | panel, test [95 %] | with held-out outputs for these [95 %] |", "|" + "---|" * 4]
    for entry in endpoints:
        found = _read(folder, f"{entry['name']}_panel")
        if found and "test_held_out" in found:
            lines.append(f"| {entry['name']} | {found['measured_elsewhere']} of {found['test']['n']} | {_estimate(found['test'])} | {_estimate(found['test_held_out'])} |")
    return "\n".join(lines) + "\n"


def seeds_table(folder: Path, endpoints: Sequence[Mapping[str, Any]], seeds: Sequence[int]) -> str:
    """The same comparison with the mean over several seeds of both; those of the one-task model are in 03_tdc_admet."""
    lines = [f"| endpoint | metric | panel, seeds {', '.join(map(str, seeds))} | one-task trees, the same seeds | within 5 % or better |", "|" + "---|" * 5]
    kept = counted = 0
    for entry in endpoints:
        names = [entry["name"] + "_panel" + (f"_{seed}" if seed != seeds[0] else "") for seed in seeds]
        found = {"panel": [_read(folder, name) for name in names], "single": [_read(OTHERS, f"{entry['data']}_trees_{seed}") for seed in seeds]}
        values = {kind: np.array([cell["test"]["value"] for cell in cells if cell and "failed" not in cell]) for kind, cells in found.items()}
        if any(len(of_kind) < len(seeds) for of_kind in values.values()):
            lines.append(f"| {entry['name']} | {entry['metric']} |" + " - |" * 3)
            continue
        good = holds(entry["metric"], values["panel"].mean(), values["single"].mean())
        kept, counted = kept + good, counted + 1
        told = " | ".join(f"{of_kind.mean():.3f} ± {of_kind.std(ddof=1):.3f}" for of_kind in values.values())
        lines.append(f"| {entry['name']} | {entry['metric']} | {told} | {'yes' if good else '**no**'} |")
    return "\n".join(lines) + f"\n\nOver {len(seeds)} seeds within 5 % of the one-task model or better: {kept} of {counted}.\n"


def coverage_table(folder: Path, endpoints: Sequence[Mapping[str, Any]]) -> str:
    """How often the truth lies in the 90 % interval or class set, in and out of the domain."""
    lines = ["| endpoint | n test | in domain | covered, asked 90 % | in domain | out of domain | median width, or share with one class |", "|" + "---|" * 7]
    for entry in endpoints:
        found = _read(folder, f"{entry['name']}_coverage")
        if found is None or "failed" in found:
            lines.append(f"| {entry['name']} | {'not run' if found is None else found['failed']} |" + " - |" * 5)
            continue
        shares = ["-" if found["covered"][name] is None else f"{found['covered'][name]:.2f}" for name in ("all", "in", "out")]
        size = f"{found['width']:.2f}" if "width" in found else f"{found['one_class']:.0%}"
        lines.append(f"| {entry['name']} | {found['n']} | {found['in_domain']} | " + " | ".join(shares) + f" | {size} |")
    return "\n".join(lines) + "\n"


def rate_table(rate: Mapping[str, Any]) -> str:
    """Molecules a second of both, with start and without."""
    lines = ["| program | molecules run | CPU-seconds with start | CPU-seconds for 1,000 | molecules a CPU-second beyond the start | load | columns |", "|" + "---|" * 7]
    for name in ("drugai", "admet_ai"):
        found = rate[name]
        lines.append(
            f"| {name} | {found['n_few']:,} and {found['n']:,} | {found['seconds_few']:.1f} and {found['seconds']:.1f} | {found['seconds_of_1000']:.1f} | {found['marginal']:.0f} | {found['load']:.1f} | {found['columns']} |"
        )
    whole = rate["admet_ai"]["seconds_of_1000"] / rate["drugai"]["seconds_of_1000"]
    return "\n".join(lines) + f"\n\ndrugai ÷ admet_ai: {whole:.1f} on 1,000 molecules with start, {rate['drugai']['marginal'] / rate['admet_ai']['marginal']:.1f} beyond it (CPU-seconds, one thread, one run).\n"


def card_text(panel: AdmetPanel, folder: Path) -> str:
    """The panel's model card."""
    config = panel.record["settings"]
    learning = {endpoint.task.name: endpoint.card["learns_from"] for endpoint in panel.endpoints if endpoint.card["learns_from"]}
    lines = [
        "# ADMET panel", "",
        f"{len(panel.endpoints)} endpoints by boosted trees ({sum(len(one.trees) for one in panel.endpoints):,} of at most {config['leaves']} leaves) on {', '.join(config['blocks'])}.", "",
        f"- **Recipe**: `{panel.record['recipe']}`: {config['folds']} folds of whole scaffolds an endpoint, a booster for each, stopped by its own fold; the mean counts. Train and validation",
        "  parts of TDC's given splits alone. The test sets have been opened after three fits: the first, one after a fingerprint was mended, and the present one, in which some endpoints learn from others.",
        f"- **Learning from others**: {', '.join(learning)}, whose molecules are few, also learn from the outputs of {', '.join(next(iter(learning.values())))}.",
        "- **Intervals and probabilities** are calibrated on what the folds held out (molecules of scaffolds that the booster had not seen).",
        "- **Domain**: Tanimoto similarity (circular fingerprints of 512 bits) to the nearest training molecule of the endpoint; the limit is where 95 of 100 held-out molecules are nearer.",
        f"- **Percentile**: share of {panel.record['approved_drugs']:,} approved drugs (ChEMBL) with a lower predicted value.",
        "- **Not for**: peptides beyond 2,000 characters, polymers, metals, mixtures; no dose, no species but those of the data; a value outside its domain is a guess.", "",
        "| endpoint | what was measured | unit | n train | metric | test [95 %] | covered at 90 % | data |", "|" + "---|" * 8,
    ]  # fmt: skip
    for endpoint in panel.endpoints:
        card = endpoint.card
        covered = _read(folder, f"{endpoint.task.name}_coverage")
        share = f"{covered['covered']['all']:.2f}" if covered and "failed" not in covered else "-"
        unit = "probability" if endpoint.task.kind == "binary" else endpoint.task.unit or "-"
        lines.append(f"| {endpoint.task.name} | {card['measured']} ({card['reading']}) | {unit} | {card['n_train']:,} | {card['metric']} | {_estimate(card['test'])} | {share} | {card['data']}: {'; '.join(card['source'])}; {card['licence']} |")
    return "\n".join(lines) + "\n"


def _estimate(found: Mapping[str, float]) -> str:
    return f"{found['value']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"
