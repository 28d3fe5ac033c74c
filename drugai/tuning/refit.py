"""After a study: the winner and the starting config fitted once more, and the test part opened once for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drugai.contracts import Dataset, Split
from drugai.metrics.property import Estimate, paired_difference
from drugai.training.evaluation import ValidationScore, held_back, score_predictions
from drugai.training.fit import fit_predictor
from drugai.tuning.study import Study, choose_trial


@dataclass(frozen=True)
class Refit:
    """Validation and test scores of the starting and the tuned config, on the same split.

    Attributes:
        metric: What is measured.
        default_valid, default_test, tuned_valid, tuned_test: Means over the tasks.
        differences: Task → tuned − starting on the test part with its 95 % interval (paired bootstrap).
        trials: Of the study.
        trial: The winner's number.
        path: Where the tuned predictor is saved.
    """

    metric: str
    default_valid: float
    default_test: float
    tuned_valid: float
    tuned_test: float
    differences: Mapping[str, Estimate]
    trials: int
    trial: int
    path: Path

    @property
    def selection_bias(self) -> float:
        """Test score of the winner minus its validation score, less the same of the starting config: what is left beside the parts' difference is luck of the draw."""
        return (self.tuned_test - self.tuned_valid) - (self.default_test - self.default_valid)

    def __str__(self) -> str:
        lines = [
            f"{self.metric:18s} validation       test",
            f"  starting config  {self.default_valid:10.4f} {self.default_test:10.4f}",
            f"  tuned            {self.tuned_valid:10.4f} {self.tuned_test:10.4f}   (trial {self.trial})",
        ]
        lines += [f"  tuned − starting on test, {task}: {found} (95 %, paired bootstrap)" for task, found in self.differences.items()]
        lines += [
            f"  selection bias: the winner of {self.trials} trials was chosen on the validation part, so its score there flatters it. From validation to test it moves",
            f"  by {self.tuned_test - self.tuned_valid:+.4f}, the starting config by {self.default_test - self.default_valid:+.4f}: {self.selection_bias:+.4f} is due to the choice.",
            f"  saved in {self.path}",
        ]
        return "\n".join(lines)


def refit_best(study: Study, data: Dataset, split: Split, score: ValidationScore, out: str | Path, *, weights: Sequence[float] | None = None) -> Refit:
    """Fit starting and best config with their trials' seeds, save the best, score both on the test part.

    Args:
        study: A finished study.
        data, split: What it was tuned on, test rows included.
        score: The validation score, for both.
        out: Folder of the saved predictor.
        weights: Of several objectives; they choose on the Pareto front.
    """
    first = study.study.trials[0]
    best = study.best_trial if weights is None else choose_trial(study.study, weights)
    default = fit_predictor(held_back(study.config_of(first)), data, split, seed=study.seed_of(0))
    tuned = fit_predictor(held_back(study.config_of(best)), data, split, seed=int(best.user_attrs["seed"]))
    test = data.take(split.test)
    before, after = default.predict(test.smiles), tuned.predict(test.smiles)
    tuned.record["study"] = {"name": study.study.study_name, "trial": best.number, "trials": len(study.study.trials), "validation": list(best.values)}
    path = tuned.save(out)
    differences = {
        task.name: paired_difference(score.metric, test.y[:, column], after.mean[:, column], before.mean[:, column]) for column, task in enumerate(test.tasks)
    }
    return Refit(
        score.metric, score.score(default), score_predictions(before, test, score.metric), score.score(tuned), score_predictions(after, test, score.metric),
        differences, len(study.study.trials), best.number, path,
    )  # fmt: skip
