"""A cascade: what each stage stops, what the uncertain get, and the recall that the audit states."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import drugai
from drugai.contracts import Predictions, Task
from drugai.errors import ConfigError
from drugai.molecules import MoleculeBatch, weight
from drugai.scoring import product_of, within
from drugai.screening import screen
from drugai.screening.cascade import AUDIT, Cascade, Stage, recall_of
from drugai.screening.filters import filter_terms
from drugai.screening.scorers import Recorder

SHARDS = {"shard_size": 300, "chunk": 128}


class Weighing:
    """Predicts molecular weight, times a factor; unsure of molecules with nitrogen. Remembers how many it saw."""

    def __init__(self, factor: float = 1.0) -> None:
        self.tasks = (Task("w", "regression"),)
        self.factor = factor
        self.seen = 0

    def predict(self, molecules: Sequence[str] | MoleculeBatch) -> Predictions:
        batch = MoleculeBatch.of(molecules)
        self.seen += len(batch)
        mean = (weight(batch) * self.factor).astype(np.float32)[:, None]
        std = np.array([[2.0 if "N" in smi else 1.0] for smi in batch.smiles], dtype=np.float32)
        return Predictions(self.tasks, mean, batch.reasons, std=std)

    def save(self, path: str | Path) -> Path:
        raise AssertionError("not saved here")


# methane 16, ethane 30, methylamine 31, propane 44, ethylamine 45, butane 58, an unclosed ring, iodomethane 142
SMILES = ["C", "CC", "CN", "CCC", "CCN", "CCCC", "c1ccccc", "CI"]


def cascade(**more: object) -> tuple[Cascade, Weighing, Weighing, Weighing]:
    cheap, full, ensemble = Weighing(), Weighing(2.0), Weighing(3.0)
    stages = [
        Stage("filters", filters=product_of(within("weight", 0, 100))),
        Stage("cheap", model=Recorder(cheap), threshold=31.0),
        Stage("full", model=Recorder(full)),
        Stage("ensemble", model=Recorder(ensemble), threshold=1.5, uncertain=0.5),
    ]
    scorer = Cascade(stages, "w", **more)  # type: ignore[arg-type]
    scorer.center, scorer.scale = 80.0, 30.0
    return scorer, cheap, full, ensemble


def test_stages_stop_in_their_order_and_the_uncertain_are_scored_again() -> None:
    scorer, cheap, full, ensemble = cascade()
    found = scorer.score(SMILES)
    assert (found.total > 0).tolist() == [False, False, True, True, True, True, False, False]
    assert (cheap.seen, full.seen, ensemble.seen) == (6, 4, 2)  # the filter stops iodomethane, the threshold methane and ethane; two have nitrogen
    np.testing.assert_allclose(found.raw["w"], [np.nan, np.nan, 31.057 * 3, 44.097 * 2, 45.085 * 3, 58.124 * 2, np.nan, np.nan], atol=0.01)
    assert np.argsort(-found.total)[:4].tolist() == [4, 5, 2, 3]  # 135, 116, 93, 88
    assert found.reasons[6].startswith("E_PARSE")
    assert found.parts["cheap"][:2].tolist() == [0.0, 0.0]
    assert np.isnan(found.parts["full"][0])


def test_audited_molecules_meet_the_full_model_whatever_the_cheap_one_says_and_are_no_hits_for_it() -> None:
    scorer, _, full, _ = cascade(audit=1)
    found = scorer.score(SMILES)
    assert full.seen == 6  # all that pass the filters
    np.testing.assert_allclose(found.raw[AUDIT][:2], [16.04 * 2, 30.07 * 2], atol=0.01)
    assert np.isnan(found.raw[AUDIT][7])  # a filter is a demand, not a guess: what it stops is not missed
    assert found.total[:2].tolist() == [0.0, 0.0]
    plain, *_ = cascade()
    np.testing.assert_array_equal(plain.score(SMILES).total, found.total)


def test_a_share_becomes_a_threshold_on_the_sample() -> None:
    stages = [Stage("cheap", model=Recorder(Weighing()), keep=0.5), Stage("full", model=Recorder(Weighing()))]
    scorer = Cascade(stages, "w")
    decided = scorer.decide(MoleculeBatch(["C" * k for k in range(1, 21)]))  # methane to icosane
    assert decided["thresholds"][1] is None
    assert int((scorer.score(["C" * k for k in range(1, 21)]).total > 0).sum()) == 10
    fresh = Cascade([Stage("cheap", model=Recorder(Weighing()), keep=0.5), Stage("full", model=Recorder(Weighing()))], "w")
    fresh.settle(**decided)
    np.testing.assert_array_equal(fresh.score(SMILES).total, scorer.score(SMILES).total)


def test_recall_by_hand() -> None:
    audit = np.array([float(k) for k in range(100)] + [np.nan] * 5)
    total = np.where(np.arange(105) % 4 == 0, 0.0, 0.5)  # a quarter is lost
    found = recall_of(audit, total, 1.0, 0.2)
    assert found is not None
    assert (found["audited"], found["top"], found["kept"], found["recall"]) == (100, 20, 15, 0.75)
    assert found["interval"][0] < 0.75 < found["interval"][1]
    assert recall_of(audit[:5], total[:5], 1.0, 0.2) is None


@pytest.mark.slow
def test_a_cascade_from_a_file_reports_its_stages_and_its_recall_and_is_the_same_for_two_workers(tmp_path: Path, library: Path, model: Path) -> None:
    file = tmp_path / "cascade.toml"
    file.write_text(
        '[[stage]]\nfilters = [{ kind = "property", property = "weight", transform = "step", high = 450, filter = true }]\n'
        f'[[stage]]\nmodel = "{model}"\nname = "quick"\nkeep = 0.4\n[[stage]]\nmodel = "{model}"\n'
    )
    hits = screen(library, file, out=tmp_path / "one", top=20, **SHARDS)
    screen(library, file, out=tmp_path / "two", top=20, workers=2, **SHARDS)
    for path in sorted((tmp_path / "one" / "shards").glob("*.parquet")):
        assert path.read_bytes() == (tmp_path / "two" / "shards" / path.name).read_bytes()
    stages = {entry["name"]: entry for entry in hits.summary["terms"]}
    assert stages["weight"]["reached"] == 700
    assert stages["quick"]["reached"] == stages["weight"]["passed"] < 700
    assert 0.3 < stages["quick"]["passed"] / stages["quick"]["reached"] < 0.5
    assert hits.summary["n_alive"] == stages["quick"]["passed"]
    # the cheap stage is the full model itself here: of its best nothing can be lost
    assert hits.summary["recall"]["recall"] == 1.0
    assert hits.summary["recall"]["audited"] == stages["weight"]["passed"]
    rows = [row for path in sorted((tmp_path / "one" / "shards").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    predicted = drugai.load_predictor(model).predict([row["smiles"] for row in rows]).mean[:, 0]
    best = sorted((row for row in rows if row["total"] > 0), key=lambda row: -row["total"])[:20]
    np.testing.assert_allclose([row["pActivity"] for row in best], [predicted[row["index"]] for row in best], atol=1e-5)


def test_filters_beside_a_model_stop_molecules_before_it(tmp_path: Path, library: Path, model: Path, molecules: list[str]) -> None:
    terms = filter_terms(windows=["weight=:450"], must_not=["[N+](=O)[O-]"], similar_to=molecules[:5], at_most=0.6)
    hits = screen(library, model, out=tmp_path / "run", top=30, filters=terms, **SHARDS)
    stages = {entry["name"]: entry for entry in hits.summary["terms"]}
    assert stages["pActivity"]["reached"] == hits.summary["n_alive"] < 700
    assert {"weight", "must_not_1", "similarity"} < set(stages)
    assert (weight(hits.smiles) <= 450).all()
    assert np.asarray(hits.table["similarity"]).max() <= 0.6
    with pytest.raises(ConfigError, match="holds another run: the filters"):
        screen(library, model, out=tmp_path / "run", top=30, filters=terms[:1], **SHARDS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[stage]]\nmodle = "x"\n', "did you mean 'model'"),
        ('[[stage]]\nkeep = 0.5\n', "either filters or a model"),
        ('[[stage]]\nmodel = "{model}"\nkeep = 1.5\n', r"keep=1.5 must lie in \(0, 1\]"),
        ('[[stage]]\nmodel = "{model}"\ndirection = "up"\n', "is not max or min"),
    ],
)
def test_a_cascade_that_cannot_be_is_refused_at_the_door(tmp_path: Path, library: Path, model: Path, text: str, words: str) -> None:
    (tmp_path / "c.toml").write_text(text.format(model=model))
    with pytest.raises(ConfigError, match=words):
        screen(library, tmp_path / "c.toml", out=tmp_path / "run")


def test_windows_and_limits_are_read_as_they_are_typed() -> None:
    found = filter_terms(windows=["logp=-1:5"], alerts=["PAINS"], must=["[OH]=1:3", "C=O"], must_not=["Br"])
    assert [term["kind"] for term in found] == ["property", "alerts", "substructure", "substructure", "forbidden"]
    assert (found[0]["low"], found[0]["high"]) == (-1.0, 5.0)
    assert (found[2]["smarts"], found[2]["low"], found[2]["high"]) == ("[OH]", 1, 3)
    assert (found[3]["smarts"], found[3]["low"]) == ("C=O", 1)
    with pytest.raises(ConfigError, match="expected PROPERTY=LOW:HIGH"):
        filter_terms(windows=["weight<500"])
    with pytest.raises(ConfigError, match="needs known actives"):
        filter_terms(at_most=0.5)
