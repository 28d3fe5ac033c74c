"""A small panel of two endpoints, and the panel that ships."""

import json
from dataclasses import replace

import numpy as np
import pytest

import drugai
from drugai.contracts import Dataset, Task
from drugai.errors import ConfigError
from drugai.featurizers.blocks import featurize_blocks
from drugai.molecules import MoleculeBatch, fingerprint, tanimoto
from drugai.predictors.admet_file import admet_file
from drugai.predictors.admet_panel import load_panel, with_auxiliary
from drugai.predictors.loading import SHIPPED
from drugai.predictors.nearest_measured import NearestMeasured, pack_bits
from drugai.predictors.packed_trees import PackedTrees
from drugai.training.admet import AdmetConfig, EndpointPlan, FoldFit, build_panel, fit_folds, merge_replicates

CONFIG = AdmetConfig(blocks=("morgan",), folds=3, rounds=40, patience=10)
DRUGS = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "CC(=O)Nc1ccc(O)cc1"]  # aspirin, caffeine, ibuprofen, paracetamol
BAD = "c1ccccc"


@pytest.fixture(scope="module")
def panel(activity):
    high = (activity.y > np.median(activity.y)).astype(np.float32)
    decades = Dataset("decades", activity.smiles, 10.0 ** (9 - activity.y), (Task("IC50", "regression", "nM"),))
    plans = [
        (EndpointPlan("IC50", decades.tasks[0], scale="log10", loss="mae", card={"measured": "IC50"}), decades),
        (EndpointPlan("active", Task("active", "binary")), Dataset("active", activity.smiles, high, (Task("active", "binary"),))),
    ]
    return build_panel([fit_folds(plan, data, CONFIG) for plan, data in plans], MoleculeBatch(DRUGS), CONFIG)


def test_n_rows_in_are_n_rows_out_with_reasons(panel):
    profile = panel.profile([DRUGS[0], BAD, "", DRUGS[1]])
    assert [bool(why) for why in profile.predictions.reasons] == [False, True, True, False]
    assert np.isnan(profile.predictions.mean[1:3]).all()
    columns = profile.to_columns()
    assert all(len(values) == 4 for values in columns.values())
    assert columns["IC50_domain"].tolist()[1] == ""
    assert columns["active_set"][1] == ""
    assert len(panel.profile([])) == 0


def test_intervals_hold_the_value_and_widen_with_the_level(panel, activity):
    narrow, wide = (panel.profile(activity.smiles[:30], level=level).predictions for level in (0.5, 0.9))
    assert (narrow.lower[:, 0] < narrow.mean[:, 0]).all()
    assert (narrow.mean[:, 0] < narrow.upper[:, 0]).all()
    assert (wide.upper[:, 0] > narrow.upper[:, 0]).all()
    assert (wide.lower[:, 0] > 0).all()  # a concentration has no negative end
    with pytest.raises(ConfigError, match="between 0 and 1"):
        panel.profile(DRUGS, level=90)


def test_probabilities_are_probabilities_and_sets_name_classes(panel, activity):
    said = panel.profile(activity.smiles[:50]).predictions
    assert ((said.mean[:, 1] >= 0) & (said.mean[:, 1] <= 1)).all()
    assert set(said.sets["active"]) <= {"", "0", "1", "0 1"}


def test_a_training_molecule_is_in_the_domain_and_a_strange_one_is_not(panel, activity):
    profile = panel.profile([activity.smiles[0], "[Na+].[Cl-]"])
    assert profile.similarity[0].tolist() == [1.0, 1.0]
    assert not profile.in_domain[1].any()


def test_percentiles_are_places_among_the_drugs(panel):
    profile = panel.profile(DRUGS)
    order = np.argsort(profile["IC50"])
    assert (np.diff(profile.percentile[order, 0]) >= 0).all()
    assert np.nanmin(profile.percentile) >= 0
    assert np.nanmax(profile.percentile) <= 100


def test_saved_and_loaded_it_says_the_same_by_its_own_and_by_the_common_door(panel, tmp_path, activity):
    panel.save(tmp_path / "panel")
    again = drugai.load_predictor(tmp_path / "panel")
    first, second = (one.profile(activity.smiles[:20]).to_columns() for one in (panel, again))
    for name, values in first.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(values, second[name], rtol=1e-5)
        else:
            assert values.tolist() == second[name].tolist()
    assert again.predict(DRUGS).mean.shape == (4, 2)
    assert again.predict(DRUGS, level=0.8).level == 0.8


def test_chunks_and_order_change_nothing(panel, activity, tmp_path):
    smiles = [*activity.smiles[:30], BAD]
    whole = panel.profile(smiles)
    backwards = panel.profile(smiles[::-1])
    np.testing.assert_allclose(whole.predictions.mean, backwards.predictions.mean[::-1], rtol=1e-6)
    path = tmp_path / "l.smi"
    path.write_text("\n".join(smiles) + "\n")
    for chunk in (7, 1000):
        summary = admet_file(path, tmp_path / f"{chunk}.csv", chunk=chunk, panel=panel)
        assert (summary.n, summary.n_errors) == (31, 1)
    assert (tmp_path / "7.csv").read_text() == (tmp_path / "1000.csv").read_text()


def test_parquet_and_an_empty_file(panel, tmp_path):
    import pyarrow.parquet as pq

    (tmp_path / "l.csv").write_text("SMILES\nCCO\n" + BAD + "\n")
    admet_file(tmp_path / "l.csv", tmp_path / "o.parquet", panel=panel, endpoints=["active"])
    table = pq.read_table(tmp_path / "o.parquet").to_pydict()
    assert list(table)[:3] == ["id", "smiles", "active"]
    assert table["reason"][1].startswith("E_PARSE")
    with pytest.raises(ConfigError, match="did you mean 'active'"):
        panel.select(["actve"])


def test_the_nearest_measured_molecule_is_that_of_rdkit(activity):
    batch, few = MoleculeBatch(activity.smiles), MoleculeBatch(DRUGS)
    found = NearestMeasured(pack_bits(batch), (np.arange(10), np.arange(5, 160))).similarity(few)
    exact = tanimoto(*(fingerprint(one, "morgan", bits=512, radius=2) for one in (few, batch)))
    np.testing.assert_allclose(found, np.stack([exact[:, :10].max(1), exact[:, 5:].max(1)], axis=1), atol=1e-6)


def test_replicates_become_one_molecule_with_their_median():
    data = Dataset("d", ("CCO", "OCC", "C(O)C", "CC"), np.array([[1], [2], [9], [4]], dtype=np.float32), (Task("y", "regression"),))
    merged = merge_replicates(data)
    assert sorted(zip(merged.smiles, merged.y[:, 0].tolist(), strict=True)) == [("CC", 4.0), ("CCO", 2.0)]


def test_a_fit_is_kept_whole(activity, tmp_path):
    plan = EndpointPlan("p", Task("p", "regression"), card={"title": "activity"})
    fit = fit_folds(plan, activity, CONFIG)
    again = FoldFit.load(fit.save(tmp_path / "fit"))
    assert again.plan == plan
    assert again.score("rmse") == fit.score("rmse")
    assert again.data.smiles == fit.data.smiles


def test_the_page_shows_every_row(panel, tmp_path):
    from drugai.reports.admet import Gathered, admet_page

    (tmp_path / "l.csv").write_text("SMILES,id\nCCO,a\n" + BAD + ",<script>alert(1)</script>\n")
    gathered = Gathered()
    admet_file(tmp_path / "l.csv", tmp_path / "o.csv", panel=panel, on_part=gathered.add)
    text = admet_page(gathered, tmp_path / "page.html").read_text()
    assert "IC50" in text
    assert "E_PARSE" in text
    assert "<script>alert(1)" not in text


@pytest.fixture(scope="module")
def chain(activity):
    """Fits of a class endpoint and of one that learns from it."""
    high = (activity.y > np.median(activity.y)).astype(np.float32)
    active = fit_folds(EndpointPlan("active", Task("active", "binary")), Dataset("active", activity.smiles, high, (Task("active", "binary"),)), CONFIG)
    plan = EndpointPlan("pIC50", Task("pIC50", "regression"), auxiliary=("active",))
    return active, fit_folds(plan, activity.take(np.arange(0, len(activity), 2)), CONFIG, auxiliary=[active])


def test_an_endpoint_learns_from_the_outputs_of_another(chain, activity, tmp_path):
    active, learnt = chain
    panel = build_panel(chain, MoleculeBatch(DRUGS), CONFIG)
    features = featurize_blocks(MoleculeBatch(activity.smiles[:40]), CONFIG.blocks)
    behind = with_auxiliary(features, [active.trees(features)])
    assert behind.shape == (40, features.shape[1] + 1)
    assert (learnt.trees.feature == features.shape[1]).any()  # the output is asked for, and its copies are one column
    assert learnt.trees.feature.max() == features.shape[1]
    np.testing.assert_allclose(panel.predict(activity.smiles[:40]).mean[:, 1], learnt.values(behind), rtol=1e-5)
    for some in (panel, panel.select(["pIC50"])):  # whoever asks for one endpoint alone gets the same value, also from disk
        again = drugai.load_predictor(some.save(tmp_path / str(len(some.tasks))))
        assert [task.name for task in again.tasks] == [task.name for task in some.tasks]
        np.testing.assert_allclose(again.profile(activity.smiles[:40])["pIC50"], learnt.values(behind), rtol=1e-5)
    assert FoldFit.load(learnt.save(tmp_path / "fit")).plan == learnt.plan


def test_who_asks_for_no_auxiliary_output_pays_for_none(chain, activity, monkeypatch):
    asked = []
    original = PackedTrees.__call__
    monkeypatch.setattr(PackedTrees, "__call__", lambda self, matrix: asked.append(self) or original(self, matrix))
    panel = build_panel(chain, MoleculeBatch(DRUGS), CONFIG)
    for names, trees in ((["active"], 1), (["pIC50"], 2), (["active", "pIC50"], 2)):
        asked.clear()
        panel.select(names).predict(activity.smiles[:5])
        assert len(asked) == trees


def test_a_molecule_that_an_auxiliary_endpoint_was_grown_on_has_its_held_out_output(chain, activity):
    active, _ = chain
    smiles = [*active.data.smiles[:5], "CCO"]
    features = featurize_blocks(MoleculeBatch(smiles), CONFIG.blocks)
    found = active.not_grown_on(smiles, features)
    np.testing.assert_array_equal(found[:5], active.held[:5])
    assert found[5] == active.trees(features)[5]
    assert (found[:5] != active.trees(features)[:5]).any()


def test_a_wrong_chain_of_endpoints_is_an_error(chain, activity):
    active, learnt = chain
    with pytest.raises(ConfigError, match="p learns from active; given: none"):
        fit_folds(EndpointPlan("p", Task("p", "regression"), auxiliary=("active",)), activity, CONFIG)
    with pytest.raises(ConfigError, match="part of it"):
        build_panel([learnt], MoleculeBatch(DRUGS), CONFIG)
    with pytest.raises(ConfigError, match="learn from none themselves"):
        build_panel([active, learnt, replace(active, plan=replace(active.plan, name="other", auxiliary=("pIC50",)))], MoleculeBatch(DRUGS), CONFIG)


def test_a_long_list_of_endpoints_begins_with_their_number():
    from drugai.reports.admet import _outside

    assert _outside(["a", "b"], 18) == "a, b"
    assert _outside(["a", "b", "c", "d", "e"], 18) == "5 of 18: a, b, c, d, e"


shipped = pytest.mark.skipif(not (SHIPPED / "admet").is_dir(), reason="no panel ships in this build")


@shipped
def test_the_panel_that_ships_has_18_endpoints_with_cards_intervals_and_domain():
    panel = load_panel()
    assert len(panel.endpoints) >= 18
    for endpoint in panel.endpoints:
        assert {"measured", "data", "n_train", "metric", "test"} <= set(endpoint.card)
    profile = drugai.admet([*DRUGS, BAD])
    columns = profile.to_columns()
    for endpoint in panel.endpoints:
        name = endpoint.task.name
        assert np.isfinite(columns[name][:4]).all()
        assert np.isfinite(profile.similarity[:4]).all()
        if endpoint.task.kind == "regression":
            assert (columns[f"{name}_lower"][:4] <= columns[name][:4]).all()
            assert (columns[name][:4] <= columns[f"{name}_upper"][:4]).all()


@shipped
def test_the_panel_that_ships_is_small_and_holds_no_pickle():
    files = list((SHIPPED / "admet").iterdir())
    assert sum(file.stat().st_size for file in files) <= 10e6
    assert {file.suffix for file in files} <= {".json", ".safetensors", ".md"}
    assert json.loads((SHIPPED / "admet" / "manifest.json").read_text())["kind"] == "predictor/admet"


@shipped
def test_the_panel_that_ships_knows_plain_chemistry():
    # hexadecane dissolves less than glucose; warfarin binds plasma proteins more than glucose; terfenadine blocks hERG more than glucose
    profile = drugai.admet(["CCCCCCCCCCCCCCCC", "OCC1OC(O)C(O)C(O)C1O", "CC(=O)CC(C1=CC=CC=C1)C1=C(O)C2=CC=CC=C2OC1=O", "CC(C)(C)c1ccc(cc1)C(O)CCCN1CCC(CC1)C(O)(c1ccccc1)c1ccccc1"])
    assert profile["solubility"][0] < profile["solubility"][1] - 4
    assert profile["ppb"][2] > profile["ppb"][1] + 20
    assert profile["herg"][3] > profile["herg"][1] + 0.3
