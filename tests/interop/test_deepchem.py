"""deepchem beside drugai: data both ways, featurizers and models by name, its silence."""

import subprocess
import sys

import numpy as np
import pytest

from drugai.catalogue import lookup
from drugai.contracts import Dataset, Split, Task
from drugai.errors import ConfigError, DatasetError
from drugai.molecules import MoleculeBatch

pytestmark = pytest.mark.slow

SMILES = ("CCO", "CC(=O)Oc1ccccc1C(=O)O", "c1ccccc", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C")  # ethanol, aspirin, an unclosed ring, caffeine


@pytest.fixture
def data() -> Dataset:
    y = np.array([[0.5, 1.0], [1.5, np.nan], [2.5, 0.0], [np.nan, 1.0]])
    return Dataset("four", SMILES, y, (Task("logS", "regression", "log mol/L"), Task("active", "binary")))


def test_importing_the_room_loads_no_deepchem_and_the_first_use_prints_nothing():
    code = (
        "import sys, logging, warnings; import drugai.interop as room; assert 'deepchem' not in sys.modules; before = list(warnings.filters); room.deepchem(); "
        "assert 'deepchem' in sys.modules; assert not logging.getLogger().handlers and logging.getLogger().level == logging.WARNING; assert warnings.filters == before"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


def test_a_data_set_goes_to_deepchem_and_back(data):
    from drugai.interop import from_deepchem, to_deepchem

    there = to_deepchem(data)
    assert list(there.ids) == list(SMILES)
    assert there.w.tolist() == [[1, 1], [1, 0], [1, 1], [0, 1]]  # 0 where nothing was measured
    assert there.y[1, 1] == 0.0
    back = from_deepchem(there, data.tasks, name="four")
    assert back.checksum == data.checksum


def test_row_weights_go_along_and_come_back(data):
    from drugai.interop import from_deepchem, to_deepchem

    heavy = Dataset("four", data.smiles, data.y, data.tasks, weights=np.array([1.0, 2.0, 0.5, 3.0]))
    assert from_deepchem(to_deepchem(heavy), data.tasks).weights.tolist() == [1.0, 2.0, 0.5, 3.0]


def test_kinds_are_inferred_from_the_values(data):
    from drugai.interop import from_deepchem, to_deepchem

    assert [task.kind for task in from_deepchem(to_deepchem(data)).tasks] == ["regression", "binary"]


def test_weights_that_differ_between_tasks_are_refused():
    from drugai.interop import deepchem, from_deepchem

    found = deepchem().data.NumpyDataset(np.zeros((1, 1)), np.array([[1.0, 2.0]]), np.array([[1.0, 2.5]]), np.array(["CCO"]))
    with pytest.raises(DatasetError, match="different weights for different tasks"):
        from_deepchem(found)


def test_a_fingerprint_is_a_feature_block_by_name():
    import drugai.interop
    from drugai.featurizers.blocks import featurize_blocks

    assert drugai.interop.FEATURIZERS
    matrix = featurize_blocks(SMILES, ["deepchem:CircularFingerprint"])
    assert matrix.shape == (4, 2048)
    assert np.isnan(matrix[2]).all()  # the row law: the unclosed ring keeps its row
    # RDKit's own Morgan bits of radius 2, which deepchem's class wraps; CCO has 6 environments: 3 atoms, 2 or 3 larger ones
    assert 0 < matrix[0].sum() <= 6


def test_a_featurizer_without_width_says_so_instead_of_giving_an_empty_table():
    from drugai.interop.featurizers import to_matrix

    batch = MoleculeBatch(["CCO"])
    with pytest.raises(ConfigError, match=r"no numbers here \(width 0"):
        to_matrix("MordredDescriptors", [None], ["E_FEATURIZE: deepchem:MordredDescriptors gave nothing"], batch)


def test_mordred_which_fails_silently_here_is_a_clear_error_or_real_numbers():
    from drugai.interop.featurizers import matrix_block

    try:
        matrix = matrix_block("MordredDescriptors")(MoleculeBatch(["CCO"]))
    except ConfigError as error:
        words = str(error)
    else:
        words = "MordredDescriptors" if matrix.shape[1] > 1000 else "too narrow"
    assert "MordredDescriptors" in words


def test_a_graph_featurizer_is_no_block_of_numbers_but_gives_graphs():
    from drugai.interop import featurize

    block = lookup("featurizer", "deepchem:MolGraphConvFeaturizer", {})
    with pytest.raises(ConfigError, match="gives graphs or tables"):
        block(MoleculeBatch(["CCO"]))
    graphs, reasons = featurize("deepchem:MolGraphConvFeaturizer", SMILES)
    assert graphs[0].num_nodes == 3  # ethanol's heavy atoms
    assert graphs[2] is None
    assert reasons[2].startswith("E_PARSE")


def test_an_unknown_featurizer_names_the_nearest():
    from drugai.interop import featurize

    with pytest.raises(ConfigError, match="CircularFingerprint"):
        featurize("CircularFingerprints", ["CCO"])


def test_a_model_by_name_fits_saves_and_loads(tmp_path):
    import drugai.interop
    from drugai.training.fit import fit_predictor, model_config

    smiles = tuple("C" * k + end for k in range(1, 11) for end in ("C", "O", "N", "C(=O)O"))
    carbons = np.array([[smi.count("C")] for smi in smiles], dtype=np.float32)
    data = Dataset("carbons", smiles, carbons, (Task("carbons", "regression"),))
    parts = Split(np.arange(28), np.arange(28, 34), np.arange(34, 40), "by hand")
    config = model_config("deepchem:MultitaskRegressor", {"epochs": 5, "layers": [64]})
    model = fit_predictor(config, data, parts, seed=1)
    found = model.predict([*smiles[:3], "c1ccccc"])
    assert found.reasons[3].startswith("E_PARSE")
    assert np.isnan(found.mean[3, 0])
    again = drugai.interop.load_deepchem(model.save(tmp_path / "model")).predict([*smiles[:3], "c1ccccc"])
    np.testing.assert_allclose(again.mean, found.mean, atol=1e-6)
    same = fit_predictor(config, data, parts, seed=1).predict(smiles[:3])
    np.testing.assert_array_equal(same.mean, found.mean[:3])  # the same seed, whatever was drawn in between
    assert sorted(file.suffix for file in (tmp_path / "model").iterdir()) == [".json", ".safetensors"]


def test_a_classifier_gives_probabilities_and_refuses_a_regression_task(data):
    from drugai.interop import DeepChemConfig

    smiles = tuple("C" * k + end for k in range(1, 11) for end in ("O", "N", "Cl"))
    y = np.array([[float(smi.endswith("N"))] for smi in smiles])  # amines
    amines = Dataset("amines", smiles, y, (Task("amine", "binary"),))
    model = DeepChemConfig(model="MultitaskClassifier", blocks=("morgan_bits",), layers=(64,), epochs=15).fit(amines, amines, seed=0)
    found = model.predict(smiles).mean[:, 0]
    assert ((found >= 0) & (found <= 1)).all()
    assert found[y[:, 0] == 1].min() > found[y[:, 0] == 0].max()
    with pytest.raises(ConfigError, match="for binary tasks"):
        DeepChemConfig(model="MultitaskClassifier").fit(data.select(["logS"]), data.select(["logS"]))


@pytest.mark.data
def test_moleculenet_loads_from_the_file_that_is_here():
    from drugai.data import locate
    from drugai.interop import load_moleculenet

    if locate("esol") is None:
        pytest.skip("ESOL is not on this machine")
    tasks, sets, _ = load_moleculenet("esol")
    assert tasks == ["measured log solubility in mols per litre"]
    assert sum(len(one) for one in sets) == 1128


def test_a_set_that_is_no_moleculenet_card_is_refused():
    from drugai.interop import load_moleculenet

    with pytest.raises(DatasetError, match="freesolv"):
        load_moleculenet("freesolve")


def test_the_command_line_trains_loads_and_predicts_with_a_model_of_deepchem(tmp_path):
    """Each command is a fresh process that has not imported the room."""
    (tmp_path / "mine.csv").write_text("smiles,carbons\n" + "".join(f"{'C' * k}{end},{k}\n" for k in range(1, 16) for end in ("O", "N", "Cl")))
    start = [sys.executable, "-c", "from drugai.cli import main; main()"]
    train = ["train", "mine.csv", "--model", "deepchem:MultitaskRegressor", "--set", "epochs=2", "--set", "layers=[16]", "--split", "random", "--out", "model"]
    for command in (train, ["predict", "model", "mine.csv", "--out", "out.csv"]):
        done = subprocess.run([*start, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 46
