"""A model's card: what it was trained on, how good it is beside its baselines, and what to beware of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from markupsafe import Markup

from drugai.contracts import Dataset, Task
from drugai.errors import ArtifactError, ConfigError
from drugai.metrics.property import DEFAULT_METRICS, Estimate, paired_difference
from drugai.predictors.base import TrainedPredictor
from drugai.reports.page import environment, interval
from drugai.reports.svg import parity, roc
from drugai.training.evaluation import PRIMARY, Evaluation

MOST_POINTS = 2000
FORMAT = 1


@dataclass(frozen=True)
class Contender:
    """One model of the comparison: its metrics on the validation and on the evaluated part, and its difference to the chosen model."""

    name: str
    words: str
    chosen: bool
    scores: dict[str, dict[str, Estimate]]
    validation: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    difference: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ModelCard:
    """What a page says of a model.

    Attributes:
        title, words: Name, and one line on what it is.
        facts: Label → text: data, checksums, split, sizes.
        tasks: What it predicts.
        part: The part that was evaluated, in words.
        contenders: The model and its baselines, best known first.
        points: Task → {measured, predicted, std, and the others' predictions} of the evaluated part.
        caveats: Sentences.
    """

    title: str
    words: str
    facts: Mapping[str, str]
    tasks: tuple[Task, ...]
    part: str = ""
    contenders: tuple[Contender, ...] = ()
    points: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()

    def metrics(self, task: Task) -> list[str]:
        """Names of the metrics that some contender has for a task."""
        found: dict[str, None] = {}
        for contender in self.contenders:
            for scores in (contender.scores, contender.validation):
                found.update(dict.fromkeys(scores.get(task.name, {})))
        return list(found)

    def plot(self, task: Task) -> Markup:
        """Parity plot of a regression task, ROC curve of a binary one; empty without an evaluation."""
        points = self.points.get(task.name)
        if not points or not len(points["measured"]):
            return Markup("")
        if task.kind == "regression":
            return parity(points["measured"], points["predicted"], unit=task.unit, name=task.name, std=points.get("std"))
        if task.kind == "binary":
            others = {name: (points["measured"], values) for name, values in points.get("others", {}).items()}
            return roc({self.title: (points["measured"], points["predicted"]), **others})
        return Markup("")

    def to_html(self) -> Markup:
        """A section for a page (or a cell of a notebook)."""
        return Markup(environment().get_template("model_card.html").render(card=self, primary=PRIMARY))  # the template escapes

    def to_markdown(self) -> str:
        """The same for a README."""
        lines = [f"# {_line(self.title)}", "", _line(self.words), "", *(f"- {_line(label)}: {_line(text)}" for label, text in self.facts.items()), ""]
        for task in self.tasks:
            metrics = self.metrics(task)
            if not metrics:
                continue
            lines += [f"## {_line(task.label)}, {_line(self.part)}", "", "| model | " + " | ".join(metrics) + " |", "|---" * (len(metrics) + 1) + "|"]
            for one in self.contenders:
                cells = [interval(one.scores[task.name][name]) if name in one.scores.get(task.name, {}) else "–" for name in metrics]
                lines.append(f"| {'**' if one.chosen else ''}{_line(one.name)}{'**' if one.chosen else ''} | " + " | ".join(cells) + " |")
            lines += ["", "Values with 95 % bootstrap intervals over molecules.", ""]
        return "\n".join([*lines, *(f"- {_line(text)}" for text in self.caveats)]).rstrip() + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; :meth:`from_dict` takes them back."""
        out: dict[str, Any] = _plain({"format": FORMAT, **asdict(self)})
        return out

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelCard:
        """From :meth:`to_dict`, also after JSON.

        Raises:
            ArtifactError: A later format, or no card.
        """
        if int(values.get("format", 0)) > FORMAT:
            raise ArtifactError(f"model card: format {values['format']} is newer than this drugai reads ({FORMAT}); upgrade drugai")
        try:
            contenders = tuple(
                Contender(one["name"], one["words"], one["chosen"], _scores(one["scores"]), _scores(one["validation"]), _estimates(one["difference"]))
                for one in values["contenders"]
            )
            tasks = tuple(Task(**task) for task in values["tasks"])
            return cls(values["title"], values["words"], values["facts"], tasks, values["part"], contenders, values["points"], tuple(values["caveats"]))
        except (KeyError, TypeError) as error:
            raise ArtifactError(f"model card: damaged ({error})") from None


def make_card(
    predictor: TrainedPredictor,
    evaluations: Mapping[str, Evaluation] | Evaluation | None = None,
    *,
    chosen: str | None = None,
    measured: Dataset | None = None,
    validations: Mapping[str, Evaluation] | None = None,
    words: Mapping[str, str] | None = None,
    part: str = "test part",
    title: str = "",
    caveats: Sequence[str] = (),
) -> ModelCard:
    """The card of a predictor.

    Args:
        predictor: The model; its record names data, split and sizes.
        evaluations: The model's own evaluation, or name → evaluation of the model and its baselines on the same molecules.
        chosen: The predictor's name among them; the first if not given.
        measured: The molecules they were evaluated on, for the plot and the paired differences.
        validations: Name → evaluation on the validation part.
        words: Name → what that model is.
        part: What was evaluated.
        title: Head of the card; the model's name if not given.
        caveats: Sentences to add.
    """
    record = predictor.record
    found = {"this model": evaluations} if isinstance(evaluations, Evaluation) else dict(evaluations or {})
    name = chosen or next(iter(found), "this model")
    if found and name not in found:
        raise ConfigError(f"chosen={name!r} is not among the evaluations: {', '.join(found)}")
    contenders = [
        Contender(
            key,
            (words or {}).get(key, predictor.describe() if key == name else ""),
            key == name,
            {task: dict(scores) for task, scores in one.scores.items()},
            {task: dict(scores) for task, scores in validations[key].scores.items()} if validations and key in validations else {},
            _differences(found[name], one, measured) if measured is not None and key != name else {},
        )
        for key, one in found.items()
    ]
    if not contenders and "validation" in record:
        contenders = [Contender(name, predictor.describe(), True, {}, _scores(record["validation"]["scores"]))]
    points = _points(found, name, measured) if found and measured is not None else {}
    return ModelCard(title or name, predictor.describe(), facts_of(record), predictor.tasks, part if found else "", tuple(contenders), points, tuple(caveats))


def facts_of(record: Mapping[str, Any]) -> dict[str, str]:
    """What a predictor's record says of its data and split, in words."""
    data, split, source = record.get("data", {}), record.get("split", {}), record.get("source", {})
    out: dict[str, str] = {}
    if data:
        out["Data"] = f"{source.get('data', data.get('name', ''))}" + (f", {data['n']:,} measured molecules" if "n" in data else "")
    if "checksum" in data:
        out["Data checksum"] = f"sha256 {data['checksum'][:16]}…"
    if split:
        out["Split"] = f"{split['method']}, seed {split['seed']}, checksum {split['checksum'][:16]}…"
        out["Sizes"] = "train {:,}, validation {:,}, test {:,}".format(*split["n"])
    if record.get("left_out"):
        out["Left out of training"] = ", ".join(f"{count} {code}" for code, count in record["left_out"].items())
    if "seed" in record:
        out["Seed of training"] = str(record["seed"])
    if "fit_cpu_seconds" in record:
        out["Training"] = f"{record['fit_cpu_seconds']:.0f} CPU seconds"
    return out


def _differences(own: Evaluation, other: Evaluation, measured: Dataset) -> dict[str, Estimate]:
    """Primary metric of ``other`` minus that of ``own`` on the same molecules."""
    tasks = own.predictions.tasks
    data = measured.select([task.name for task in tasks])
    return {
        task.name: paired_difference(PRIMARY[task.kind], data.y[:, k], other.predictions.mean[:, k], own.predictions.mean[:, k]) for k, task in enumerate(tasks)
    }


def _points(found: Mapping[str, Evaluation], name: str, measured: Dataset) -> dict[str, dict[str, Any]]:
    own = found[name].predictions
    data = measured.select([task.name for task in own.tasks])
    out: dict[str, dict[str, Any]] = {}
    for k, task in enumerate(own.tasks):
        rows = np.flatnonzero(~np.isnan(data.y[:, k]) & ~np.isnan(own.mean[:, k]))
        if len(rows) > MOST_POINTS:  # evenly over the part: the plot shows the shape, the table the numbers
            rows = rows[np.linspace(0, len(rows) - 1, MOST_POINTS).astype(int)]
        out[task.name] = {"measured": data.y[rows, k].round(5).tolist(), "predicted": own.mean[rows, k].round(5).tolist()}
        if own.std is not None:
            out[task.name]["std"] = own.std[rows, k].round(5).tolist()
        if task.kind == "binary":
            out[task.name]["others"] = {key: one.predictions.mean[rows, k].round(5).tolist() for key, one in found.items() if key != name}
    return out


def _scores(values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Estimate]]:
    return {task: _estimates(scores) for task, scores in values.items()}


def _estimates(values: Mapping[str, Any]) -> dict[str, Estimate]:
    out = {}
    for name, one in values.items():
        value, low, high = (float("nan") if one[key] is None else float(one[key]) for key in ("value", "low", "high"))
        out[name] = Estimate(value, low, high, one["n"])
    return out


def _plain(value: Any) -> Any:
    """As JSON can hold it: NaN, the value of a metric on a degenerate part, is null."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and value != value else value


def _line(text: str) -> str:
    """One line of Markdown that cannot open a tag or a table cell."""
    return " ".join(text.replace("<", "&lt;").replace("|", "\\|").split())


__all__ = ["DEFAULT_METRICS", "Contender", "ModelCard", "facts_of", "make_card"]
