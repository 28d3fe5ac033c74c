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


def test_an_unknown_study_names_those_there_are(tmp_path):
    tune(Hill(), lambda config: config.x, trials=2, storage=tmp_path / "s.journal", name="mine", direction="max")
    with pytest.raises(ConfigError, match="mine"):
        study_page(tmp_path, "other")
