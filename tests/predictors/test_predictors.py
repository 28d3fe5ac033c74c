"""The Predictor's law, for every kind of predictor: row law, reasons, and the same answers after save and load."""

import json

import numpy as np
import pytest

from drugai.contracts import Dataset, Predictor, Task
from drugai.errors import ArtifactError, ConfigError
from drugai.molecules import MoleculeBatch
from drugai.predictors import BaggedConfig, EnsembleConfig, EnsemblePredictor, GNNConfig, GPConfig, LMConfig, MeanConfig, TreesConfig, load_predictor
from drugai.predictors.constant import MeanPredictor
from drugai.predictors.feature_scale import FeatureScale
from drugai.training.fit import fit_on

SMALL = {"epochs": 2, "net.width": 16, "net.head_width": 16}
TINY = {"net.layers": 2, "net.width": 32, "net.heads": 2, "net.inner": 64, "head_width": 0}
TREES = TreesConfig(blocks=("morgan",), members=2, rounds=20, threads=1)
CONFIGS = {
    "mean": MeanConfig(),
    "trees": TREES,
    "gnn": GNNConfig(members=2).replace(**SMALL),
    "dmpnn with descriptors": GNNConfig(features=("descriptors",)).replace(**SMALL, **{"net.encoder": "dmpnn", "net.pooling": "attention"}),
    "attentivefp": GNNConfig().replace(**SMALL, **{"net.encoder": "attentivefp"}),
    "lm": LMConfig(members=2, epochs=2).replace(**TINY),
    "lm over spellings with low-rank updates": LMConfig(mode="lora", epochs=1, spellings=2, consistency=0.5).replace(**TINY),
    "gp": GPConfig(counts=("morgan",), descriptors=("descriptors",), steps=5),
    "gp on landmarks": GPConfig(counts=("morgan",), descriptors=("descriptors",), landmarks=40, likelihood_rows=40, steps=5),
    "bagged": BaggedConfig(folds=3, trees=TREES, error_blocks=("morgan",), error_rounds=10),
    "ensemble": EnsembleConfig(trees=TREES, gp=GPConfig(counts=("morgan",), descriptors=(), steps=3), gnn=GNNConfig().replace(**SMALL), hybrid=GNNConfig(features=("descriptors",)).replace(**SMALL)),
}
QUERY = ["CC(=O)Oc1ccccc1C(=O)O", "c1ccccc", "", "CN1CCC[C@H]1c1cccnc1", "[Na+].[Cl-]", "C" * 3000]


@pytest.fixture(scope="module", params=list(CONFIGS))
def fitted(request, mixed, parts):
    return fit_on(CONFIGS[request.param], mixed.take(parts.train), mixed.take(parts.valid), seed=0)


def test_n_in_n_out_with_a_reason_for_each_bad_row(fitted):
    assert isinstance(fitted, Predictor)
    found = fitted.predict(QUERY)
    assert [text.split(":")[0] for text in found.reasons] == ["", "E_PARSE", "E_EMPTY", "", "", "E_TOO_LONG"]
    bad = np.array([bool(text) for text in found.reasons])
    assert np.isnan(found.mean[bad]).all()
    assert not np.isnan(found.mean[~bad]).any()
    assert ((found.mean[~bad, 1] >= 0) & (found.mean[~bad, 1] <= 1)).all()
    assert np.allclose(found.probabilities["grade"][~bad].sum(1), 1, atol=1e-5)


def test_the_same_answers_after_save_and_load(fitted, tmp_path):
    loaded = load_predictor(fitted.save(tmp_path / "model"))
    first, second = fitted.predict(QUERY), loaded.predict(QUERY)
    assert np.allclose(first.mean, second.mean, atol=1e-6, equal_nan=True)
    assert first.reasons == second.reasons
    assert (first.std is None) == (second.std is None)
    if first.std is not None:
        assert np.allclose(first.std, second.std, atol=1e-5, equal_nan=True)
    assert loaded.tasks == fitted.tasks


def test_batch_size_and_order_do_not_change_a_row(fitted, mixed):
    smiles = list(mixed.smiles[:40])
    together = fitted.predict(smiles).mean
    assert np.allclose(together, fitted.predict(smiles[::-1]).mean[::-1], atol=1e-4)
    assert np.allclose(together[:3], fitted.predict(smiles[:3]).mean, atol=1e-4)


def test_the_way_of_writing_does_not_change_a_prediction(fitted, mixed):
    from rdkit import Chem

    for smi in ("CN1CCC[C@H]1c1cccnc1", "C/C=C/C(=O)Oc1ccccc1C(=O)[O-]", mixed.smiles[0]):  # nicotine, a trans crotonate, a measured compound
        written = sorted(set(Chem.MolToRandomSmilesVect(Chem.MolFromSmiles(smi), 20, randomSeed=7)))
        assert len(written) > 10
        found = fitted.predict(written)
        for values in (found.mean, found.std) if found.std is not None else (found.mean,):
            assert np.ptp(values[:, :2], axis=0).max() < 1e-5


def test_no_rows_in_no_rows_out(fitted):
    assert fitted.predict([]).mean.shape == (0, 3)


def test_the_same_seed_gives_the_same_model_and_another_another(mixed, parts):
    def fit(seed):
        return fit_on(CONFIGS["gnn"], mixed.take(parts.train), mixed.take(parts.valid), seed=seed).predict(mixed.smiles[:20]).mean

    assert np.array_equal(fit(3), fit(3))
    assert not np.allclose(fit(3), fit(4))


def test_a_model_with_a_changed_byte_is_refused_by_name(mixed, parts, tmp_path):
    path = fit_on(TREES, mixed.take(parts.train), mixed.take(parts.valid)).save(tmp_path / "model")
    victim = path / "task_0_member_0.txt"
    victim.write_bytes(victim.read_bytes().replace(b"tree", b"trea", 1))
    with pytest.raises(ArtifactError, match=r"task_0_member_0\.txt.*changed"):
        load_predictor(path)


def test_a_predictor_of_an_unknown_kind_is_refused_in_words(mixed, parts, tmp_path):
    path = fit_on(MeanConfig(), mixed.take(parts.train), mixed.take(parts.valid)).save(tmp_path / "model")
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "kind": "predictor/oracle"}))
    with pytest.raises(ArtifactError, match="'oracle' is unknown"):
        load_predictor(path)


def test_ensemble_mean_is_the_weighted_mean_of_its_members(mixed, parts):
    members = [fit_on(config, mixed.take(parts.train), mixed.take(parts.valid)) for config in (MeanConfig(), TREES)]
    smiles = list(mixed.smiles[:10])
    ensemble = EnsemblePredictor(members, [1, 3])
    expected = 0.25 * members[0].predict(smiles).mean[:, :2] + 0.75 * members[1].predict(smiles).mean[:, :2]
    assert np.allclose(ensemble.predict(smiles).mean[:, :2], expected, atol=1e-5)
    with pytest.raises(ConfigError, match="weights"):
        EnsemblePredictor(members, [1, -1])
    with pytest.raises(ConfigError, match="each once"):
        EnsembleConfig(members=("trees", "trees"))


class _Blind(MeanPredictor):
    """Says the mean of what it can read, which is nothing with a bromine."""

    def predict_members(self, batch):
        outputs, reasons = super().predict_members(batch)
        blind = ["Br" in smi for smi in batch.smiles]
        outputs = np.where(np.array(blind)[None, :, None], np.nan, outputs)
        return outputs, tuple("E_FEATURIZE: no bromine" if no else why for no, why in zip(blind, reasons, strict=True))


def test_a_molecule_that_some_members_cannot_read_has_the_mean_of_the_others():
    tasks = (Task("a", "regression"),)
    members = [_Blind(tasks, np.array([1.0])), MeanPredictor(tasks, np.array([3.0])), MeanPredictor(tasks, np.array([4.0]))]
    found = EnsemblePredictor(members, [2, 1, 1]).predict(["CC", "CBr", "C1CC"])
    assert found.mean[:2, 0] == pytest.approx([2.25, 3.5])
    assert found.std[1, 0] < found.std[0, 0]
    assert np.isnan(found.mean[2, 0])
    assert not found.reasons[0]
    assert not found.reasons[1]
    assert found.reasons[2].startswith("E_PARSE")
    none = EnsemblePredictor(members[:1]).predict(["CBr"])
    assert none.reasons == ("E_FEATURIZE: no bromine",)
    assert np.isnan(none.mean).all()


def test_feature_scale_is_blind_to_missing_values_and_constants():
    scale = FeatureScale.fit(np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]], dtype=np.float32))
    assert scale.center.tolist() == [2.0, 5.0]
    assert np.allclose(scale.scale, [1.0, 1.0])
    assert scale(np.array([[100.0, np.nan]], dtype=np.float32)).tolist() == [[5.0, 0.0]]  # clipped at 5, missing is 0


def test_bf16_keeps_the_order_of_a_trained_network(activity, parts):
    from drugai.predictors.streaming import agrees

    train = activity.take(parts.train)
    model = fit_on(GNNConfig(epochs=30, learning_rate=3e-3, average=0.0).replace(**{"net.width": 32}), train, train)
    exact = model.predict(activity.smiles).mean
    quick = model.to(precision="bf16").predict(activity.smiles).mean
    assert np.corrcoef(exact[:, 0], quick[:, 0])[0, 1] > 0.999
    assert not agrees(exact, -quick)


def test_models_that_share_an_encoder_share_its_arithmetic_and_keep_their_predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from drugai.contracts import Task
    from drugai.models.gnn import GNN, GNNNetConfig
    from drugai.models.heads import Heads
    from drugai.predictors.gnn import GNNConfig, GNNPredictor
    from drugai.predictors.sharing import share_trunks

    torch.manual_seed(0)
    net = GNNNetConfig(encoder="gin", width=64, depth=2, head_width=64)

    def predictor(name: str, trunk: GNN | None) -> GNNPredictor:
        network = GNN(net, 1)
        if trunk is not None:
            network.encoder.load_state_dict(trunk.encoder.state_dict())
        task = Task(name, "regression")
        return GNNPredictor((task,), GNNConfig(net), [network], Heads((task,)))

    first = predictor("a", None)
    second, other = predictor("b", first.networks[0]), predictor("c", None)
    smiles = ["CCO", "c1ccccc1", "c1ccccc", "CC(=O)Oc1ccccc1C(=O)O"]  # ethanol, benzene, an unclosed ring, aspirin
    apart = [model.predict(smiles).mean for model in (first, second, other)]
    assert share_trunks([first, second, other]) == 2
    assert not other.trunks
    calls = []
    encode = GNNPredictor._encode
    monkeypatch.setattr(GNNPredictor, "_encode", lambda self, graphs, member: calls.append(member) or encode(self, graphs, member))
    batch = MoleculeBatch(smiles)
    together = [model.predict(batch).mean for model in (first, second, other)]
    assert len(calls) == 1
    for one, two in zip(apart, together, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5, equal_nan=True)


def test_a_molecule_that_one_fingerprint_cannot_take_is_a_row_with_a_reason():
    smiles = [f"{'C' * n}{end}" for n in range(1, 8) for end in ("O", "N", "Cl", "F")]
    data = Dataset("short", tuple(smiles), np.array([[len(smi)] for smi in smiles], dtype=np.float32), (Task("length", "regression"),))
    model = fit_on(TreesConfig(blocks=("avalon",), members=1, rounds=5, min_leaf=2, threads=1), data, data.take(range(6)))
    found = model.predict(["CCO", "CN1*(=O)c2*c*3c4c*c5*6c(*:*c(c7ccc(c2c37)C1=O)c64)C(=O)N(C)C5=O", "CCN"])
    assert found.reasons[1].startswith("E_FEATURIZE")
    assert np.isnan(found.mean[:, 0]).tolist() == [False, True, False]


def test_a_language_model_screens_a_library_and_keeps_its_rows(mixed, parts, tmp_path):
    import drugai
    from drugai.predictors.streaming import predict_file

    path = fit_on(CONFIGS["lm"], mixed.take(parts.train), mixed.take(parts.valid)).save(tmp_path / "model")
    (tmp_path / "lib.smi").write_text("CCO\nc1ccccc\nCC(=O)Oc1ccccc1C(=O)O\nC[U]\n")
    (tmp_path / "scorer.toml").write_text(f'combine = "geometric"\n[[term]]\nkind = "predicted"\nmodel = "{path}"\ntask = "p"\nlow = 3\nhigh = 9\n')
    drugai.screen(tmp_path / "lib.smi", tmp_path / "scorer.toml", top=3, out=tmp_path / "hits")
    summary = predict_file(path, tmp_path / "lib.smi", tmp_path / "out.csv")
    assert (summary.n, summary.reasons) == (4, {"E_PARSE": 1, "E_FEATURIZE": 1})
