import numpy as np
import pytest

from drugai.errors import ConfigError
from drugai.scoring import (
    Budgeted,
    build_scorer,
    function_term,
    mean_of,
    no_alerts,
    predicted,
    product_of,
    property_term,
    qed,
    similar_to,
    substructure,
    within,
)
from drugai.scoring.transforms import DoubleSigmoid, Gaussian, MaxGaussian, MinGaussian, Ramp, Sigmoid, Step, ValueMap, Window

ASPIRIN, NICOTINE, CATECHOL_PAINS, BAD = "CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "Oc1ccccc1O", "c1ccccc"
MOLECULES = [ASPIRIN, BAD, NICOTINE, "", CATECHOL_PAINS, "CCO", "CCN(CC)C(=O)c1ccccc1"]


def test_min_and_max_gaussian_are_the_right_way_round():
    # GuacaMol: MinGaussian is full at and below its mean, MaxGaussian at and above it
    x = np.array([0.0, 1.0, 2.0])
    assert MinGaussian(1, 1)(x).tolist() == pytest.approx([1, 1, np.exp(-0.5)])
    assert MaxGaussian(1, 1)(x).tolist() == pytest.approx([np.exp(-0.5), 1, 1])
    assert Gaussian(1, 1)(x).tolist() == pytest.approx([np.exp(-0.5), 1, np.exp(-0.5)])


def test_ramps_steps_and_windows_by_hand():
    x = np.array([5.0, 6.0, 7.0, 8.0, 9.0])
    assert Ramp(6, 8)(x).tolist() == [0, 0, 0.5, 1, 1]
    assert Ramp(6, 8, "min")(x).tolist() == [1, 1, 0.5, 0, 0]
    assert Step(6, 8)(x).tolist() == [0, 1, 1, 1, 0]
    assert Window(6, 8, margin=2)(x).tolist() == [0.5, 1, 1, 1, 0.5]
    assert Sigmoid(6, 8)(np.array([7.0]))[0] == pytest.approx(0.5)
    assert DoubleSigmoid(0, 10)(np.array([5.0]))[0] > 0.99
    assert ValueMap({1: 0.5, 2: 1.0})(np.array([1.0, 2.0, 3.0])).tolist() == [0.5, 1, 0]
    with pytest.raises(ConfigError, match="low < high"):
        Ramp(8, 6)


def test_totals_lie_in_0_1_and_unreadable_rows_get_0_and_a_reason():
    found = product_of(qed(), no_alerts("PAINS", "BRENK"), within("weight", 100, 500)).score(MOLECULES)
    assert len(found) == len(MOLECULES)
    assert ((found.total >= 0) & (found.total <= 1)).all()
    assert [text.split(":")[0] for text in found.reasons] == ["", "E_PARSE", "", "E_EMPTY", "", "", ""]
    assert found.total[1] == found.total[3] == 0
    assert found.total[2] > 0


@pytest.mark.parametrize("combine", [product_of, mean_of])
def test_short_circuits_change_no_total(combine):
    terms = [property_term("logp", Ramp(1, 4), weight=2), qed(), within("weight", 100, 500), no_alerts("PAINS")]
    quick = combine(*terms).score(MOLECULES).total
    everything = [[combine(term).score([smi]) for term in terms] for smi in MOLECULES]
    for row, found in enumerate(everything):
        if any(one.reasons[0] for one in found):
            assert quick[row] == 0
            continue
        logp, drug, weight, alerts = (one.parts[term.name][0] for one, term in zip(found, terms, strict=True))
        mean = (logp**2 * drug) ** (1 / 3) if combine is product_of else (2 * logp + drug) / 3
        assert quick[row] == pytest.approx(mean * weight * alerts, abs=1e-9)


def test_rows_do_not_depend_on_their_neighbours():
    scorer = product_of(qed(), no_alerts(), similar_to([ASPIRIN]))
    together = scorer.score(MOLECULES).total
    assert together.tolist() == [scorer.score([smi]).total[0] for smi in MOLECULES]


def test_substructures_and_similarity():
    assert substructure(["c1ccccc1"]).values(_batch([ASPIRIN, "CCO"]))[0].tolist() == [1, 0]
    assert similar_to([ASPIRIN]).values(_batch([ASPIRIN]))[0].tolist() == [1.0]
    with pytest.raises(ConfigError, match="SMARTS"):
        substructure(["c1cc("])
    with pytest.raises(ConfigError, match="cannot read"):
        similar_to([BAD])


def _batch(smiles):
    from drugai.molecules import MoleculeBatch

    return MoleculeBatch(smiles)


def test_a_function_that_raises_costs_that_molecule_alone():
    def mine(smiles):
        if any("N" in smi for smi in smiles):
            raise RuntimeError("no nitrogen, please")
        return [0.5] * len(smiles)

    found = product_of(function_term(mine, "mine")).score([ASPIRIN, NICOTINE, "CCO"])
    assert found.total.tolist() == pytest.approx([0.5, 0, 0.5])
    assert "RuntimeError: no nitrogen" in found.reasons[1]


def test_nan_of_a_term_is_a_reason_that_names_the_term():
    found = mean_of(function_term(lambda smiles: [float("nan")] * len(smiles), "broken"), qed()).score([ASPIRIN])
    assert found.total[0] == 0
    assert "'broken'" in found.reasons[0]


def test_predicted_term_needs_ends_for_a_regression_and_names_the_tasks(activity, parts):
    from drugai.predictors import MeanConfig
    from drugai.training import fit_predictor

    model = fit_predictor(MeanConfig(), activity, parts)
    value = float(model.predict(["CCO"]).mean[0, 0])
    assert product_of(predicted(model, "pActivity", low=value - 1, high=value + 1)).score(["CCO"]).total[0] == pytest.approx(0.5, abs=1e-6)
    with pytest.raises(ConfigError, match="low and high"):
        predicted(model)
    with pytest.raises(ConfigError, match="the tasks are: pActivity"):
        predicted(model, "pIC50", low=0, high=1)


def test_a_scorer_from_plain_values_and_its_errors():
    scorer = build_scorer({"combine": "geometric", "term": [
        {"kind": "qed"}, {"kind": "alerts", "sets": ["PAINS"]}, {"kind": "property", "property": "logp", "transform": "gaussian", "mean": 2, "sigma": 1},
        {"kind": "forbidden", "smarts": "[Br]"}, {"kind": "similarity", "smiles": [ASPIRIN], "low": 0.1, "high": 0.9},
    ]})  # fmt: skip
    assert scorer.score([NICOTINE]).total.shape == (1,)
    with pytest.raises(ConfigError) as error:
        build_scorer({"term": [{"kind": "qedd"}, {"kind": "alerts", "set": ["PAINS"]}, {"kind": "predicted", "model": "x"}]})
    assert all(words in str(error.value) for words in ("did you mean 'qed'", "did you mean 'sets'", "load_predictor"))


def test_budget_counts_unique_canonical_molecules_and_repeats_are_free():
    calls = []

    def count(smiles):
        calls.extend(smiles)
        return [0.5] * len(smiles)

    scorer = Budgeted(product_of(function_term(count, "f")), budget=3)
    first = scorer.score(["CCO", "OCC", BAD, NICOTINE])  # ethanol twice
    assert scorer.used == 2
    assert first.total.tolist() == pytest.approx([0.5, 0.5, 0, 0.5])
    scorer.score(["CCO", "C(O)C"])
    assert len(calls) == 2
    beyond = scorer.score(["CCC", "CCCC"])
    assert scorer.left == 0
    assert beyond.reasons == ("", "E_VALUE: the budget is spent")
