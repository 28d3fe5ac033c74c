from drugai.generation import GeneratorConfig
from drugai.generation.likelihood import likelihood_score
from drugai.tuning import tune


def test_a_study_lowers_the_loss_of_a_tiny_generator_and_the_score_repeats(activity, tmp_path):
    score = likelihood_score(list(activity.smiles))
    config = GeneratorConfig().replace(**{"model.width": 32, "model.embedding": 16, "model.layers": 1, "loop.epochs": 2, "samples": 0, "batch": 32, "threads": 1})
    assert score(config) == score(config)
    space = {"loop.learning_rate": [1e-3, 2e-2], "batch": 32, "loop.weight_decay": 1e-2, "loop.warmup": 0.0, "model.dropout": 0.0}
    known = {key: value for key, value in space.items() if key in config.ranges() or key in ("batch",)}
    fixed = {key: config.to_dict()["model"][key.partition(".")[2]] for key in config.ranges() if key.startswith("model.") and key not in known}
    study = tune(config, score, trials=3, storage=tmp_path / "g.journal", name="g", space={**fixed, **known})
    assert study.best_value <= study.study.trials[0].value
    assert study.counts()["COMPLETE"] + study.counts().get("PRUNED", 0) == 3
