"""After a study: the winner and the starting config fitted once more, and the test part opened once for both."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from drugai.contracts import Dataset, Split
from drugai.metrics.property import Estimate, paired_difference
from drugai.training.evaluation import ValidationScore, score_predictions
from drugai.training.fit import fit_predictor
from drugai.tuning.study import Study


@dataclass(frozen=True)
class Refit:
    """Validation and test scores of the starting and the tuned config, on the same split."""

    metric: str
    default_valid: float
    default_test: float
    tuned_valid: float
    tuned_test: float
    difference: Estimate
    trials: int
    path: Path

    @property
    def selection_bias(self) -> float:
        """Test score of the winner minus its validation score: the winner of many was also lucky on the validation part."""
        return self.tuned_test - self.tuned_valid

    def __str__(self) -> str:
        return (
            f"{self.metric}            validation   test\n"
            f"  starting config  {self.default_valid:10.4f} {self.default_test:10.4f}\n"
            f"  tuned            {self.tuned_valid:10.4f} {self.tuned_test:10.4f}\n"
            f"  tuned − starting on test {self.difference} (95 %, paired bootstrap); winner of {self.trials} trials, test − validation {self.selection_bias:+.4f}\n"
            f"  saved in {self.path}"
        )


def refit_best(study: Study, data: Dataset, split: Split, score: ValidationScore, out: str | Path) -> Refit:
    """Fit starting and best config with their trials' seeds, save the best, score both on the test part."""
    default = fit_predictor(study.base, data, split, seed=study.seed_of(0))
    best = study.study.best_trial
    tuned = fit_predictor(study.best_config, data, split, seed=int(best.user_attrs["seed"]))
    test = data.take(split.test)
    first, second = default.predict(test.smiles), tuned.predict(test.smiles)
    tuned.record["study"] = {"name": study.study.study_name, "trial": best.number, "trials": len(study.study.trials), "validation": study.best_value}
    path = tuned.save(out)
    return Refit(
        score.metric,
        score.score(default),
        score_predictions(first, test, score.metric),
        score.score(tuned),
        score_predictions(second, test, score.metric),
        paired_difference(score.metric, test.y[:, 0], second.mean[:, 0], first.mean[:, 0]),
        len(study.study.trials),
        path,
    )
