"""``drugai tune``: search a Config with Optuna."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drugai.errors import ConfigError

if TYPE_CHECKING:
    from drugai.tuning import Study

tune_app = typer.Typer(help="Search a Config with Optuna; the same command continues a study, and on another host joins it.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="folder of the study: journal, trial folders, page")]
Name = Annotated[str, typer.Option(help="of the study; the same name continues it")]
Trials = Annotated[int, typer.Option(help="the study's total")]
Minutes = Annotated[float, typer.Option(help="wall-clock budget of this call (0: none)")]
Jobs = Annotated[int, typer.Option(help="worker processes on this host")]
Seed = Annotated[int, typer.Option(help="of the study; trial seeds derive from it")]
Sampler = Annotated[str, typer.Option(help="tpe, gp, cmaes, qmc, nsga2 or random")]
Pruner = Annotated[str, typer.Option(help="median, hyperband, halving (by epoch), wilcoxon (by fold or seed) or none")]
Storage = Annotated[str | None, typer.Option(help="sqlite:///… or postgresql://… instead of a journal file in --out")]
SpaceFile = Annotated[Path | None, typer.Option("--space", help="TOML file that narrows or fixes fields")]
Set = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the starting Config; repeatable")]
Patience = Annotated[int, typer.Option(help="end after so many finished trials without a better one (0: never)")]
Keep = Annotated[int, typer.Option(help="of how many best trials the fitted model is kept")]
Smiles = Annotated[str | None, typer.Option(help="SMILES column")]


@dataclass(frozen=True)
class Asked:
    """The options that all studies share."""

    out: Path
    name: str
    trials: int
    minutes: float
    jobs: int
    seed: int
    sampler: str
    pruner: str
    storage: str | None
    space: Path | None
    patience: int
    keep: int = 1

    def run(self, config: Any, score: Any) -> Study:
        """Run the study with a progress line, and say what came out."""
        import logging

        from drugai.cli.printing import study_progress
        from drugai.tuning import read_space, tune

        report, close = study_progress(self.trials)
        logger = logging.getLogger("drugai")
        level = logger.level
        logger.setLevel(max(level, logging.WARNING))  # the epochs of each trial stand in its own log.jsonl
        try:
            study = tune(
                config, score, trials=self.trials, storage=self.storage or str(self.out / f"{self.name}.journal"), name=self.name, seed=self.seed, jobs=self.jobs,
                sampler=self.sampler, pruner=self.pruner, space=read_space(self.space) if self.space else None, minutes=self.minutes, patience=self.patience,
                folder=self.out / f"{self.name}.trials", keep=self.keep, on_progress=report,
            )  # fmt: skip
        finally:
            logger.setLevel(level)
            close()
        typer.echo(f"study {self.name}: " + ", ".join(f"{count} {state.lower()}" for state, count in study.counts().items()))
        if len(study.study.directions) > 1:
            typer.echo(f"Pareto front of {score.metric}:")
            for trial in study.study.best_trials:
                typer.echo(f"  trial {trial.number}: " + ", ".join(f"{value:.5g}" for value in trial.values))
            typer.echo(f"choose by weights: drugai study best {self.name} --out {self.out} --weights 0.8,0.2")
            return study
        first, best = study.study.trials[0], study.best_trial
        start = "not complete" if first.value is None else f"{first.value:.4f}"
        typer.echo(f"validation {score.metric}: starting config {start}, best {study.best_value:.4f} (trial {best.number})")
        typer.echo("best: " + ", ".join(f"{key}={value}" for key, value in best.params.items()))
        return study


def _starts(models: Sequence[str], settings: Sequence[str]) -> Any:
    """The starting Config, or one a model where there are several: ``--set gnn.epochs=30`` then names the model first."""
    from drugai.config import parse_settings
    from drugai.training import model_config

    values = parse_settings(settings)
    if len(models) == 1:
        return model_config(models[0], values)
    own: dict[str, dict[str, Any]] = {model: {} for model in models}
    for key, value in values.items():
        model, _, rest = key.partition(".")
        if model not in own or not rest:
            raise ConfigError(f"--set {key}: with several models the model comes first, for example {models[0]}.{key}")
        own[model][rest] = value
    return [model_config(model, own[model]) for model in models]


@tune_app.command("predictor")
def predictor(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    out: Out,
    name: Name = "study",
    trials: Trials = 50,
    minutes: Minutes = 0.0,
    jobs: Jobs = 1,
    model: Annotated[list[str] | None, typer.Option(help="a model's name (gnn by default); repeated, the model is a choice of the study")] = None,
    metric: Annotated[str | None, typer.Option(help="by default rmse, roc_auc or balanced_accuracy, by the kind of task")] = None,
    smiles: Smiles = None,
    target: Annotated[list[str] | None, typer.Option(help="target column; repeatable")] = None,
    split: Annotated[str, typer.Option(help="as for train")] = "scaffold",
    folds: Annotated[int, typer.Option(help="score by cross-validation over train and validation rows; with --pruner wilcoxon bad configs end early")] = 0,
    cost: Annotated[str | None, typer.Option(help="second objective: latency or size")] = None,
    seed: Seed = 0,
    sampler: Sampler = "tpe",
    pruner: Pruner = "median",
    storage: Storage = None,
    space: SpaceFile = None,
    set_: Set = None,
    patience: Patience = 0,
    keep: Keep = 1,
    refit: Annotated[bool, typer.Option(help="afterwards train the best and the starting Config, save the best, and open the test part once for both")] = False,
    weights: Annotated[str | None, typer.Option(help="with --cost and --refit: weights of the objectives that choose on the front, for example 0.8,0.2")] = None,
) -> None:
    """Tune a predictor on the train and validation parts; test rows are not seen."""
    from drugai.cli.printing import parse_weights
    from drugai.data import read_dataset
    from drugai.data import split as divide
    from drugai.training import cost_score, fold_score, validation_score

    if folds and cost:
        raise ConfigError("--folds and --cost cannot be combined; leave one out")
    if refit and cost and not weights:
        raise ConfigError("--refit needs one config: say --weights, one for the score and one for the cost, for example 0.8,0.2")
    found = read_dataset(data, smiles=smiles, targets=target or None)
    parts = divide(found, method=split, seed=seed)
    accuracy = validation_score(found, parts, metric)
    score = fold_score(found, parts, folds=folds, metric=metric, seed=seed) if folds else cost_score(accuracy, cost) if cost else accuracy
    asked = Asked(out, name, trials, minutes, jobs, seed, sampler, pruner, storage, space, patience, keep)
    study = asked.run(_starts(model or ["gnn"], set_ or []), score)
    if refit:
        from drugai.tuning.refit import refit_best

        typer.echo(str(refit_best(study, found, parts, accuracy, out / f"{name}.model", weights=parse_weights(weights) if cost else None)))


@tune_app.command("weights")
def weights(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    out: Out,
    model: Annotated[list[Path], typer.Option(help="folder of a trained model; repeat it")],
    name: Name = "weights",
    trials: Trials = 200,
    metric: Annotated[str | None, typer.Option(help="by default rmse or roc_auc, by the kind of task")] = None,
    smiles: Smiles = None,
    target: Annotated[list[str] | None, typer.Option(help="target column; repeatable")] = None,
    split: Annotated[str, typer.Option(help="as the models were trained")] = "scaffold",
    seed: Seed = 0,
    sampler: Sampler = "tpe",
) -> None:
    """Tune the weights with which trained models are averaged, on the validation part; the ensemble is saved as a model."""
    from drugai.data import read_dataset
    from drugai.data import split as divide
    from drugai.predictors import load_predictor
    from drugai.training import weights_score

    found = read_dataset(data, smiles=smiles, targets=target or None)
    parts = divide(found, method=split, seed=seed)
    members = [load_predictor(path) for path in model]
    foreign = [str(path) for path, member in zip(model, members, strict=True) if member.record.get("split", {}).get("checksum") not in (None, parts.checksum)]
    if foreign:
        raise ConfigError(f"{', '.join(foreign)}: trained on another split than --split {split} --seed {seed}, so these validation molecules may be training molecules")
    score = weights_score(members, found.take(parts.valid), metric=metric, names=[path.name for path in model])
    study = Asked(out, name, trials, 0.0, 1, seed, sampler, "none", None, None, 0, 0).run(score.start(), score)
    typer.echo(f"saved in {score.ensemble(study.best_config).save(out / f'{name}.model')}")


@tune_app.command("generator")
def generator(
    corpus: Annotated[Path, typer.Argument(help="file of molecules")],
    out: Out,
    name: Name = "study",
    trials: Trials = 20,
    minutes: Minutes = 0.0,
    jobs: Jobs = 1,
    smiles: Smiles = None,
    validity: Annotated[float, typer.Option(help="least share of valid samples; a config below it cannot win (0: no constraint)")] = 0.0,
    samples: Annotated[int, typer.Option(help="drawn to see that")] = 1000,
    seed: Seed = 0,
    sampler: Sampler = "tpe",
    pruner: Pruner = "median",
    storage: Storage = None,
    space: SpaceFile = None,
    set_: Set = None,
    patience: Patience = 0,
    keep: Keep = 1,
) -> None:
    """Tune a generator on the loss of held-out molecules, with the validity of its samples as a constraint."""
    from drugai.config import parse_settings
    from drugai.generation.fitting import GeneratorConfig
    from drugai.generation.likelihood import likelihood_score
    from drugai.generation.pretraining import read_molecules

    score = likelihood_score(read_molecules(corpus, smiles), seed, validity=validity, samples=samples)
    asked = Asked(out, name, trials, minutes, jobs, seed, sampler, pruner, storage, space, patience, keep)
    asked.run(GeneratorConfig().replace(**parse_settings(set_ or [])), score)


@tune_app.command("optimizer")
def optimizer(
    scorer: Annotated[Path, typer.Argument(help="TOML file of a scorer")],
    out: Out,
    name: Name = "study",
    trials: Trials = 30,
    minutes: Minutes = 0.0,
    jobs: Jobs = 1,
    budget: Annotated[int, typer.Option(help="molecules that each run may have scored")] = 1000,
    method: Annotated[str, typer.Option(help="genetic, reinvent or hybrid")] = "genetic",
    runs: Annotated[int, typer.Option(help="runs a trial, with the same seeds for all")] = 3,
    prior: Annotated[str | None, typer.Option(help="folder of a prior or name of a shipped one")] = None,
    start: Annotated[Path | None, typer.Option(help="file of molecules to start from")] = None,
    smiles: Smiles = None,
    seed: Seed = 0,
    sampler: Sampler = "tpe",
    pruner: Pruner = "wilcoxon",
    storage: Storage = None,
    space: SpaceFile = None,
    set_: Set = None,
    patience: Patience = 0,
) -> None:
    """Tune how molecules are searched for: area under the curve of the ten best at a fixed budget."""
    from drugai.config import parse_settings
    from drugai.generation.efficiency import efficiency_from_files, optimizer_config

    score = efficiency_from_files(scorer, budget=budget, method=method, seeds=range(seed, seed + runs), prior=prior, start=start, smiles=smiles)
    asked = Asked(out, name, trials, minutes, jobs, seed, sampler, pruner, storage, space, patience, 0)
    asked.run(optimizer_config(method).replace(**parse_settings(set_ or [])), score)


@tune_app.command("linker")
def linker(
    out: Out,
    tables: Annotated[Path | None, typer.Option(help="folder with drugs.csv, diseases.csv, indications.csv, cut by its splits_v1.json or by --split; by default the primer")] = None,
    name: Name = "study",
    trials: Trials = 20,
    minutes: Minutes = 0.0,
    jobs: Jobs = 1,
    regime: Annotated[list[str] | None, typer.Option(help="drug, disease or both: what is unseen; repeatable, drug and disease by default")] = None,
    split: Annotated[int, typer.Option(help="seed of the parts")] = 0,
    encoder: Annotated[str | None, typer.Option(help="folder of a text encoder in place of the packaged all-MiniLM-L6-v2")] = None,
    seed: Seed = 0,
    sampler: Sampler = "tpe",
    pruner: Pruner = "median",
    storage: Storage = None,
    space: SpaceFile = None,
    set_: Set = None,
    patience: Patience = 0,
) -> None:
    """Tune the linker on the mean of MRR and AP over validation rows; test rows are not seen."""
    from drugai.config import parse_settings
    from drugai.data.download import cache_folder
    from drugai.linking import LinkerConfig
    from drugai.linking.parts import find_benchmark
    from drugai.linking.study import link_score
    from drugai.models.text import MINILM, TextEncoder

    read = TextEncoder(encoder or MINILM, cache=cache_folder() / "embeddings")
    score = link_score(find_benchmark(tables, split), regimes=regime or ("drug", "disease"), split_seed=split, encoder=read)
    asked = Asked(out, name, trials, minutes, jobs, seed, sampler, pruner, storage, space, patience, 0)
    asked.run(LinkerConfig().replace(**parse_settings(set_ or [])), score)
