"""Further rows beside the main table: what each choice is worth, also where it is nothing.

    DRUGAI_DATA=... python experiments/14_linking/rows.py towers      # losses, hard negatives, weights by sources, structure branch, width, inputs
    DRUGAI_DATA=... python experiments/14_linking/rows.py tuned       # an Optuna study over the whole linker on seed 0, its best config on all seeds
    DRUGAI_DATA=... python experiments/14_linking/rows.py encoder DIR # the fusion over another text encoder (``drugai link pretrain --out DIR``)
    DRUGAI_DATA=... python experiments/14_linking/rows.py few         # k known drugs of an unseen disease
    DRUGAI_DATA=... python experiments/14_linking/rows.py mechanism   # classes of unseen drugs voted by neighbours
    python experiments/14_linking/rows.py table                       # results/rows.json and rows.md from what is there

Each cell is one JSON file under results/cells; a killed run continues.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

from cells import cell  # noqa: E402
from run import CODE, both_ways, rounded  # noqa: E402

from drugai.artifact import write_text_atomically  # noqa: E402
from drugai.data.download import cache_folder  # noqa: E402
from drugai.linking.components import Memory  # noqa: E402
from drugai.linking.encoding import encode_diseases, encode_drugs  # noqa: E402
from drugai.linking.fitting import (  # noqa: E402
    LinkerConfig,
    choose_fusion,
    fit_final_towers,
    fit_inner_folds,
    fold_questions,
    knowledge_of,
    mean_steps,
    score_view,
    train_on_view,
)
from drugai.linking.fusion import fuse  # noqa: E402
from drugai.linking.mechanisms import drug_similarity, term_votes  # noqa: E402
from drugai.linking.protocol import Benchmark, read_benchmark  # noqa: E402
from drugai.linking.prototypes import with_examples  # noqa: E402
from drugai.linking.views import Diseases, Drugs, split_terms, without_structure  # noqa: E402
from drugai.metrics.retrieval import estimate_mean, macro, paired_mean_difference, per_query  # noqa: E402
from drugai.models.text import MINILM, TextEncoder  # noqa: E402
from drugai.runtime import generator  # noqa: E402

CELLS = HERE / "results" / "cells"
ASKS = {"drug": "drug", "disease": "disease", "both": "drug"}
TOWERS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "sigmoid loss": {"towers.loss": "sigmoid"},
    "margin loss": {"towers.loss": "margin"},
    "16 hard negatives": {"towers.hard_negatives": 16},
    "weights: sources^0.5": {"towers.weight_by_sources": 0.5},
    "structure branch 0.3": {"towers.structure": 0.3},
    "text alone, PCA 128": {"towers.inputs": "text", "towers.width": 128},
}
SHOTS = (0, 1, 3, 5)


def towers_cell(benchmark: Benchmark, drugs: Drugs, diseases: Diseases, regime: str, seed: int, changes: dict[str, Any]) -> dict[str, Any]:
    """The towers alone: valid picks the step, train and valid are learnt, test is ranked."""
    config = LinkerConfig().replace(**changes)
    _, steps = train_on_view(benchmark, benchmark.valid_view(regime, seed), drugs, diseases, config.towers, seed=seed, regime=regime)
    view = benchmark.test_view(regime, seed)
    towers = fit_final_towers(benchmark, view, drugs, diseases, config, steps, seed=seed)
    matrix = towers.score_views(drugs.take(view.asked_drugs), diseases.take(view.asked_diseases))
    labels, candidates = benchmark.asked(view)
    if ASKS[regime] == "disease":
        matrix, labels, candidates = matrix.T, labels.T, candidates.T
    return {"steps": steps, "queries": rounded(per_query(matrix, labels, candidates, seed))}


def fusion_cell(benchmark: Benchmark, drugs: Drugs, diseases: Diseases, regime: str, seed: int, config: LinkerConfig) -> dict[str, Any]:
    """The whole fusion under another config or encoder, as the main table's row."""
    inner = fit_inner_folds(benchmark, regime, drugs, diseases, config, seed=seed)
    fusion = choose_fusion(fold_questions(benchmark, inner, drugs, diseases, config), mean_steps(inner), regime=regime)
    view = benchmark.test_view(regime, seed)
    towers = fit_final_towers(benchmark, view, drugs, diseases, config, fusion.epochs, seed=seed)
    found = score_view(benchmark, view, drugs, diseases, config, towers=towers)
    labels, candidates = benchmark.asked(view)
    scores = both_ways(found, fusion.weights, fusion.reverse)[ASKS[regime]]
    if ASKS[regime] == "disease":
        scores, labels, candidates = scores.T, labels.T, candidates.T
    return {"inner": fusion.score, "queries": rounded(per_query(scores, labels, candidates, seed))}


def tune(benchmark: Benchmark, encoder: TextEncoder, trials: int) -> dict[str, Any]:
    """A study on the validation part of seed 0 alone; no test row."""
    import drugai
    from drugai.linking import link_score

    score = link_score(benchmark, regimes=("drug", "disease"), split_seed=0, encoder=encoder)
    before = score(LinkerConfig(), seed=0)
    study = drugai.tune(LinkerConfig(), score, trials=trials, storage=f"sqlite:///{cache_folder() / '14_linking.db'}", name=f"linker-{CODE}", seed=0)
    return {"trials": trials, "valid_before": before, "valid_best": score(study.best_config, seed=0), "config": study.best_config.to_dict()}


def few_cell(benchmark: Benchmark, drugs: Drugs, diseases: Diseases, seed: int) -> dict[str, Any]:
    """Unseen diseases with six drugs and more: k of them are told (three draws), the others are to be found among all that were not told."""
    config = LinkerConfig()
    inner = fit_inner_folds(benchmark, "disease", drugs, diseases, config, seed=seed)
    fusion = choose_fusion(fold_questions(benchmark, inner, drugs, diseases, config), mean_steps(inner), regime="disease")
    view = benchmark.test_view("disease", seed)
    towers = fit_final_towers(benchmark, view, drugs, diseases, config, fusion.epochs, seed=seed)
    found = score_view(benchmark, view, drugs, diseases, config, towers=towers)
    scores = fuse({name: matrix.T for name, matrix in found.items()}, fusion.reverse)  # [diseases, drugs]
    labels, candidates = (part.T for part in benchmark.asked(view))
    likeness = Memory(knowledge_of(benchmark, view, drugs, diseases), config.memory).drug_likeness.to(drugs)
    out: dict[str, Any] = {"queries": {}}
    asked = np.flatnonzero(labels.sum(1) >= 6)
    for k in SHOTS:
        rows: list[dict[str, np.ndarray]] = []
        for draw in range(3):
            random = generator(seed, f"examples {draw}")
            for row in asked:
                told = random.permutation(np.flatnonzero(labels[row]))[: max(SHOTS)]
                # the same five are never asked, whatever k, so that the rows can be compared
                left = candidates[row].copy()
                left[told] = False
                ranked = with_examples(scores[row], likeness, [int(one) for one in told[:k]])
                rows.append(per_query(ranked[None], (labels[row] & left)[None], left[None], seed))
        out["queries"][str(k)] = rounded({metric: np.concatenate([one[metric] for one in rows]) for metric in rows[0]})
    out["diseases"] = len(asked)
    return out


def mechanism_cell(benchmark: Benchmark, encoder: TextEncoder, seed: int) -> dict[str, Any]:
    """Terms of the class of drugs that training did not see (similar drugs neither), from mechanism and structure; popularity of the terms beside it."""
    drugs, diseases = encode_drugs(benchmark.tables.drugs, encoder, view="mechanism"), encode_diseases(benchmark.tables.diseases, encoder)
    config = LinkerConfig(view="mechanism")
    _, steps = train_on_view(benchmark, benchmark.valid_view("drug", seed), drugs, diseases, config.towers, seed=seed, regime="drug")
    view = benchmark.test_view("drug", seed)
    towers = fit_final_towers(benchmark, view, drugs, diseases, config, steps, seed=seed)
    terms = [split_terms(drug.drug_class) for drug in benchmark.tables.drugs]
    known, asked = drugs.take(view.known_drugs), drugs.take(view.asked_drugs)
    told = [terms[row] for row in view.known_drugs]
    vocabulary = sorted({term for found in terms for term in found})
    column = {term: place for place, term in enumerate(vocabulary)}
    labels = np.zeros((len(view.asked_drugs), len(vocabulary)), dtype=bool)
    for row, drug in enumerate(view.asked_drugs):
        labels[row, [column[term] for term in terms[drug]]] = True
    shapeless = without_structure(asked)
    textless = Drugs(asked.texts, np.zeros_like(asked.embeddings), asked.fingerprints, asked.classes, asked.terms, asked.words)
    similarities = {
        "text and structure, towers": drug_similarity(asked, known, towers),
        "text alone, towers": drug_similarity(shapeless, known, towers),
        "text alone, encoder": drug_similarity(shapeless, known, None),
        "structure alone": drug_similarity(textless, known, None),
    }
    popularity = np.zeros(len(vocabulary))
    for found in told:
        popularity[[column[term] for term in found]] += 1
    matrices = {"popularity": np.repeat(popularity[None], len(labels), axis=0)}
    for name, similarity in similarities.items():
        matrix = np.zeros(labels.shape)
        for row, voted in enumerate(term_votes(similarity, told)):
            matrix[row, [column[term] for term in voted]] = list(voted.values())
        matrices[name] = matrix
    return {"queries": {name: rounded(per_query(matrix, labels, None, seed)) for name, matrix in matrices.items()}}


def pooled(cells: list[dict[str, Any]], key: str | None = None) -> dict[str, Any]:
    """Mean over seeds and the interval over queries of MRR and AP."""
    good = [found["queries"] if key is None else found["queries"][key] for found in cells if "failed" not in found]
    arrays = [{metric: np.array([np.nan if value is None else value for value in values]) for metric, values in one.items()} for one in good]
    row: dict[str, Any] = {"seeds": len(arrays), "mean": {metric: float(np.mean([macro(one)[metric] for one in arrays])) for metric in arrays[0]}}
    for metric in ("MRR", "AP"):
        row[metric] = estimate_mean(np.concatenate([one[metric] for one in arrays])).to_dict()
    return row


def against(cells: dict[str, dict[str, Any]], others: dict[str, dict[str, Any]], key: str | None = None, other: str | None = None) -> dict[str, Any]:
    """Paired differences by query over the seeds that both have."""
    seeds = sorted(set(cells) & set(others))
    told: dict[str, Any] = {}
    for metric in ("MRR", "AP") if seeds else ():
        columns = []
        for part, name in ((cells, key), (others, other)):
            found = [part[seed]["queries"] if name is None else part[seed]["queries"][name] for seed in seeds]
            columns.append(np.concatenate([np.array([np.nan if value is None else value for value in one[metric]]) for one in found]))
        told[f"{metric}_difference"] = paired_mean_difference(*columns).to_dict()
    return told


def _by_seed(stored: dict[str, Any], prefix: str) -> dict[str, dict[str, Any]]:
    return {name.removeprefix(prefix): found for name, found in stored.items() if name.startswith(prefix) and "failed" not in found}


def table() -> None:
    """Everything stored → rows.json and rows.md; differences are paired with the first row of their kind (as shipped, k = 0, popularity)."""
    rows: list[dict[str, Any]] = []
    stored = {path.stem: json.loads(path.read_text()) for path in sorted(CELLS.glob("*.json"))}
    shipped = {
        regime: {seed: {"queries": cell["queries"]["fusion"][ASKS[regime]]} for seed, cell in _by_seed(stored, f"{regime}_mechanism_class_").items()} for regime in ASKS
    }
    for title, prefix in (("two towers: ", "towers_"), ("fusion: ", "fusion_")):
        names = dict.fromkeys(name[len(prefix) :].rsplit("__", 2)[0] for name in stored if name.startswith(prefix))
        for name in names:
            for regime in ("drug", "disease", "both"):
                cells = _by_seed(stored, f"{prefix}{name}__{regime}__")
                base = _by_seed(stored, f"towers_as shipped__{regime}__") if prefix == "towers_" else shipped[regime]
                if cells:
                    told = {} if name == "as shipped" else against(cells, base)
                    rows.append({"block": f"unseen {regime}" if regime != "both" else "both unseen", "row": title + name, **pooled(list(cells.values())), **told})
    for regime, of_seed in shipped.items():
        if of_seed:
            rows.append({"block": f"unseen {regime}" if regime != "both" else "both unseen", "row": "fusion: as shipped", **pooled(list(of_seed.values()))})
    shots, classes = _by_seed(stored, "few_"), _by_seed(stored, "class_")
    for k in map(str, SHOTS) if shots else ():
        told = against(shots, shots, k, "0") if k != "0" else {}
        rows.append({"block": "unseen disease with six and more drugs, k told", "row": f"k = {k}", **pooled(list(shots.values()), k), **told})
    for name in next(iter(classes.values()))["queries"] if classes else ():
        told = against(classes, classes, name, "popularity") if name != "popularity" else {}
        rows.append({"block": "class of an unseen drug from its mechanism", "row": name, **pooled(list(classes.values()), name), **told})
    lines = ["`python experiments/14_linking/rows.py table`; differences are paired by query, over the seeds that both have: two towers and fusion with `as shipped`, the others with their first row.\n"]
    for block in dict.fromkeys(row["block"] for row in rows):
        lines += [f"### {block}\n", "| row | seeds | queries | MRR [95 %] | H@1 | H@10 | R@10 | AP [95 %] | MRR − first | AP − first |", "|" + "---|" * 10]
        for row in rows:
            if row["block"] == block:
                mean, mrr, ap = row["mean"], row["MRR"], row["AP"]
                differences = " | ".join(_difference(row.get(f"{metric}_difference")) for metric in ("MRR", "AP"))
                lines.append(
                    f"| {row['row']} | {row['seeds']} | {mrr['n']} | {mean['MRR']:.3f} [{mrr['low']:.3f}, {mrr['high']:.3f}] | {mean['H@1']:.3f} | {mean['H@10']:.3f} | "
                    f"{mean['R@10']:.3f} | {mean['AP']:.3f} [{ap['low']:.3f}, {ap['high']:.3f}] | {differences} |"
                )
        lines.append("")
    if "tuning" in stored:
        lines.append("Optuna, {trials} trials on the validation part of seed 0: {valid_before:.3f} → {valid_best:.3f} there.\n".format(**stored["tuning"]))
    text = "\n".join(lines)
    print(text)
    notes = {key: stored[key] for key in ("tuning",) if key in stored}
    notes["code of cells"] = sorted({found["code"] for name, found in stored.items() if name.startswith(("towers_", "fusion_", "few_", "class_")) and "code" in found})
    write_text_atomically(HERE / "results" / "rows.json", json.dumps({"code": CODE, "command": "python experiments/14_linking/rows.py table", "rows": rows, **notes}, indent=1) + "\n")
    write_text_atomically(HERE / "results" / "rows.md", text)


def _difference(found: dict[str, float] | None) -> str:
    return f"{found['value']:+.3f} [{found['low']:+.3f}, {found['high']:+.3f}]" if found else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("towers", "tuned", "encoder", "few", "mechanism", "table"))
    parser.add_argument("folder", nargs="?", help="of the text encoder")
    parser.add_argument("--name", default="LoRA on the ontology's names", help="of the encoder's row")
    parser.add_argument("--regimes", nargs="*", default=["drug", "disease", "both"])
    parser.add_argument("--seeds", nargs="*", type=int, default=[0, 1, 2])
    parser.add_argument("--trials", type=int, default=12)
    options = parser.parse_args()
    if options.what == "table":
        table()
        return
    benchmark = read_benchmark()
    encoder = TextEncoder(options.folder or MINILM, cache=cache_folder() / "embeddings")
    drugs, diseases = encode_drugs(benchmark.tables.drugs, encoder), encode_diseases(benchmark.tables.diseases, encoder)
    if options.what == "few":
        for seed in options.seeds:
            cell(CELLS, f"few_{seed}", partial(few_cell, benchmark, drugs, diseases, seed), code=CODE)
        return
    if options.what == "mechanism":
        for seed in options.seeds:
            cell(CELLS, f"class_{seed}", partial(mechanism_cell, benchmark, encoder, seed), code=CODE)
        return
    config, name = LinkerConfig(), options.name
    if options.what == "tuned":
        tuned = cell(CELLS, "tuning", partial(tune, benchmark, encoder, options.trials), code=CODE)
        config, name = LinkerConfig.from_dict(tuned["config"]), f"tuned by Optuna ({tuned['trials']} trials)"
    for regime in options.regimes:
        for seed in options.seeds:
            if options.what == "towers":
                for told, changes in TOWERS.items():
                    if regime != "both":
                        cell(CELLS, f"towers_{told}__{regime}__{seed}", partial(towers_cell, benchmark, drugs, diseases, regime, seed, changes), code=CODE)
            else:
                cell(CELLS, f"fusion_{name}__{regime}__{seed}", partial(fusion_cell, benchmark, drugs, diseases, regime, seed, config), code=CODE)


if __name__ == "__main__":
    main()
