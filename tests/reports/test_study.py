from dataclasses import dataclass

import pytest

from drugai.config import Config, tunable
from drugai.errors import ConfigError
from drugai.reports.study import study_page
from drugai.tuning import tune


@dataclass(frozen=True)
class Hill(Config):
    x: float = tunable(3.0, -5.0, 5.0)
    shape: str = tunable("<script>alert(1)</script>", choices=("<script>alert(1)</script>", "b"))


def test_the_page_shows_every_part_of_a_study_and_escapes_its_texts(tmp_path):
    tune(Hill(), lambda config: -((config.x - 1) ** 2), trials=14, storage=tmp_path / "s.journal", name="s", direction="max")
    text = study_page(tmp_path, "s").read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    for words in ("History", "Which parameters mattered", "Score against each parameter", "All parameters at once", "The best trials", "14", "more is better"):
        assert words in text
    assert text.count("<tr>") >= 11  # head and the ten best
    assert "They sum to 1" in text
    tune(Hill(), lambda config: config.x, trials=3, storage=tmp_path / "few.journal", name="few", direction="max")
    assert "there are 3 complete ones" in study_page(tmp_path, "few").read_text()


def test_an_unknown_study_names_those_there_are(tmp_path):
    tune(Hill(), lambda config: config.x, trials=2, storage=tmp_path / "s.journal", name="mine", direction="max")
    with pytest.raises(ConfigError, match="mine"):
        study_page(tmp_path, "other")


def test_pruned_and_failed_trials_and_the_workers_are_on_the_page(tmp_path):
    def sometimes(config, on_epoch):
        if config.x < -3:
            raise ValueError("no")
        for epoch in range(20):
            on_epoch(epoch, {"loss": config.x**2 + 1 / (epoch + 1)})
        return config.x**2

    study = tune(Hill(), sometimes, trials=25, storage=tmp_path / "s.journal", name="s", direction="min", sampler="random")
    assert {"COMPLETE", "PRUNED", "FAIL"} == set(study.counts())
    text = study_page(tmp_path, "s").read_text()
    for kind in ("ran", "cutoff", "broke"):
        assert f'<rect class="{kind}"' in text
    assert "a row a worker: 1" in text
    assert "of the epochs saved" in text


def test_two_objectives_have_a_front_on_their_page(tmp_path):
    tune(Hill(), lambda config: (config.x**2, (config.x - 2) ** 2), trials=15, storage=tmp_path / "s.journal", name="s", direction=["min", "min"], sampler="nsga2")
    text = study_page(tmp_path, "s").read_text()
    assert "Pareto front" in text
    assert "no other trial is better" in text


def test_a_study_without_a_complete_trial_still_has_a_page(tmp_path):
    from drugai.tuning import open_tuning

    study = open_tuning(Hill(), direction="min", storage=tmp_path / "s.journal", name="s")
    study.tell(study.ask(), None)
    assert "1 fail" in study_page(tmp_path, "s").read_text()


def test_a_score_with_a_unit_is_shown_with_it(tmp_path):
    class Score:
        metric, direction, unit = "rmse", "min", "mV"

        def __call__(self, config, **_):
            return (config.x - 1) ** 2

    tune(Hill(), Score(), trials=2, storage=tmp_path / "u.journal", name="u")
    text = study_page(tmp_path, "u").read_text()
    assert "best validation rmse [mV]" in text
    assert "validation rmse [mV] (less is better)" in text
