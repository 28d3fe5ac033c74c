"""``drugai tune`` and ``drugai study``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

tune_app = typer.Typer(help="Search a Config with Optuna; the same command continues a study.", no_args_is_help=True)
study_app = typer.Typer(help="Studies: list, show, best, export, plot.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="folder that holds the journal of its studies")]


@tune_app.command("predictor")
def predictor(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    out: Out,
    name: Annotated[str, typer.Option(help="of the study; the same name continues it")] = "study",
    trials: Annotated[int, typer.Option(help="the study's total")] = 50,
    minutes: Annotated[float, typer.Option(help="wall-clock budget of this call (0: none)")] = 0.0,
    jobs: Annotated[int, typer.Option(help="worker processes on this host")] = 1,
    model: Annotated[str, typer.Option(help="trees, gnn or ensemble")] = "gnn",
    metric: Annotated[str | None, typer.Option(help="by default rmse, roc_auc or balanced_accuracy, by the kind of task")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    target: Annotated[list[str] | None, typer.Option(help="target column; repeatable")] = None,
    split: Annotated[str, typer.Option(help="as for train")] = "scaffold",
    seed: int = 0,
    sampler: Annotated[str, typer.Option(help="tpe, gp, cmaes, qmc, nsga2 or random")] = "tpe",
    pruner: Annotated[str, typer.Option(help="median, hyperband, halving or none")] = "median",
    storage: Annotated[str | None, typer.Option(help="sqlite:///… or postgresql://… instead of a journal file in --out")] = None,
    space: Annotated[Path | None, typer.Option(help="TOML file that narrows or fixes fields")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the starting Config; repeatable")] = None,
    patience: Annotated[int, typer.Option(help="end after so many trials without a better one (0: never)")] = 0,
    refit: Annotated[bool, typer.Option(help="afterwards train the best and the starting Config, save the best, and open the test part once for both")] = False,
) -> None:
    """Tune a predictor on the train and validation parts; test rows are not seen."""
    from drugai.config import parse_settings
    from drugai.data import read_dataset
    from drugai.data import split as divide
    from drugai.training import model_config, validation_score
    from drugai.tuning import read_space, tune

    found = read_dataset(data, smiles=smiles, targets=target or None)
    parts = divide(found, method=split, seed=seed)
    start = model_config(model, parse_settings(set_ or []))
    score = validation_score(found, parts, metric)
    study = tune(
        start, score, trials=trials, storage=storage or str(out / f"{name}.journal"), name=name, seed=seed, jobs=jobs, sampler=sampler, pruner=pruner,
        space=read_space(space) if space else None, minutes=minutes, patience=patience,
    )  # fmt: skip
    first = study.study.trials[0].value
    typer.echo(f"study {name}: {study.counts()}")
    typer.echo(f"validation {score.metric}: starting config {first:.4f}, best {study.best_value:.4f} (trial {study.study.best_trial.number})")
    typer.echo("best: " + ", ".join(f"{key}={value}" for key, value in study.study.best_params.items()))
    if refit:
        from drugai.tuning.refit import refit_best

        typer.echo(str(refit_best(study, found, parts, score, out / f"{name}.model")))


@study_app.command("list")
def list_studies(out: Out) -> None:
    """The studies of a folder."""
    from drugai.cli.printing import table
    from drugai.tuning.reading import find_studies

    rows = [(entry.name, str(sum(entry.counts.values())), ", ".join(f"{key} {count}" for key, count in entry.counts.items()), entry.best) for entry in find_studies(out)]
    typer.echo(table(("study", "trials", "states", "best"), rows, right=(1,)))


@study_app.command()
def show(name: str, out: Out, json_out: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """Counts by state, the best trials, and which parameters mattered."""
    import json

    from drugai.tuning.reading import describe_study, study_summary

    summary = study_summary(out, name)
    typer.echo(json.dumps(summary, indent=1) if json_out else describe_study(summary))


@study_app.command()
def best(name: str, out: Out) -> None:
    """The best Config, as TOML for --config."""
    from drugai.tuning.reading import best_as_toml

    typer.echo(best_as_toml(out, name))


@study_app.command()
def export(name: str, out: Out, to: Annotated[Path, typer.Option(help=".csv, .tsv or .parquet")]) -> None:
    """Every trial as a row of a table."""
    from drugai.molecules import write_table
    from drugai.tuning.reading import study_columns

    write_table(to, study_columns(out, name))
    typer.echo(f"→ {to}")


@study_app.command()
def plot(name: str, out: Out, to: Annotated[Path | None, typer.Option(help="HTML file; NAME.html in --out by default")] = None) -> None:
    """The study's page: history, importances, slices, parallel coordinates, time line, leaderboard."""
    from drugai.reports.study import study_page

    typer.echo(str(study_page(out, name, to)))


@tune_app.command("generator")
def generator(
    corpus: Annotated[Path, typer.Argument(help="file of molecules")],
    out: Out,
    name: Annotated[str, typer.Option(help="of the study; the same name continues it")] = "study",
    trials: Annotated[int, typer.Option(help="the study's total")] = 20,
    minutes: Annotated[float, typer.Option(help="wall-clock budget of this call (0: none)")] = 0.0,
    jobs: Annotated[int, typer.Option(help="worker processes on this host")] = 1,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    seed: int = 0,
    space: Annotated[Path | None, typer.Option(help="TOML file that narrows or fixes fields")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the starting Config, for example loop.epochs=2; repeatable")] = None,
) -> None:
    """Tune a generator on the loss of held-out molecules."""
    from drugai.config import parse_settings
    from drugai.generation.fitting import GeneratorConfig
    from drugai.generation.likelihood import likelihood_score
    from drugai.generation.pretraining import read_molecules
    from drugai.tuning import read_space, tune

    score = likelihood_score(read_molecules(corpus, smiles), seed)
    study = tune(
        GeneratorConfig().replace(**parse_settings(set_ or [])), score, trials=trials, storage=str(out / f"{name}.journal"), name=name, seed=seed, jobs=jobs,
        minutes=minutes, space=read_space(space) if space else None,
    )  # fmt: skip
    typer.echo(f"study {name}: {study.counts()}; best {score.metric} {study.best_value:.4f} (trial {study.study.best_trial.number})")
    typer.echo("best: " + ", ".join(f"{key}={value}" for key, value in study.study.best_params.items()))
