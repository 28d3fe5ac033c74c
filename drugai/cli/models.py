"""``drugai train``, ``evaluate`` and ``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    data: Annotated[str, typer.Argument(help="card's name or file (CSV, TSV, SMILES, SDF, Parquet, gzipped or not)")],
    out: Annotated[Path, typer.Option(help="folder for the model")],
    model: Annotated[str, typer.Option(help="trees (boosted), gp (Gaussian process), gnn (graph network), lm (encoder of SMILES), bagged (trees over folds), ensemble, auto (tries several and weighs them), mean (the baseline), deepchem:MultitaskRegressor or deepchem:MultitaskClassifier")] = "gnn",
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
    target: Annotated[list[str] | None, typer.Option(help="target column; repeatable; inferred where one numeric column is left")] = None,
    split: Annotated[str, typer.Option(help="scaffold, scaffold_balanced, random, butina, time, group or given")] = "scaffold",
    fractions: Annotated[str, typer.Option(help="train, valid, test")] = "0.8,0.1,0.1",
    column: Annotated[str | None, typer.Option(help="column for the splits time, group and given")] = None,
    seed: Annotated[int, typer.Option(help="of the split and the training")] = 0,
    minutes: Annotated[float | None, typer.Option(help="time for --model auto, or the most that --model gnn and lm may take")] = None,
    censored: Annotated[str, typer.Option(help=">10 or <0.1 in a target: refuse, bounds (learn from them by a bounded loss: trees, gnn, lm) or drop")] = "refuse",
    descriptors: Annotated[str | None, typer.Option(help="COL,COL: numeric columns that trees and gnn see beside the molecule; predict then needs them too")] = None,
    weights: Annotated[str | None, typer.Option(help="column with the weight of each row in training; a column called weight does nothing by its name")] = None,
    balanced: Annotated[bool, typer.Option("--balanced", help="give both classes of a binary task the same weight in all")] = False,
    config: Annotated[Path | None, typer.Option(help="TOML file with fields of the model's Config")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the Config, for example net.depth=4; repeatable")] = None,
    tensorboard: Annotated[Path | None, typer.Option(help="folder for TensorBoard event files")] = None,
) -> None:
    """Train a predictor on measured molecules. A killed run continues when started again."""
    import logging
    import tomllib

    from drugai.cli.printing import epoch_progress, parse_fractions, tries_table
    from drugai.config import parse_settings
    from drugai.errors import ConfigError
    from drugai.training.fit import model_config
    from drugai.training.run import train_predictor

    start = model_config(model)
    if config is not None:
        if not config.is_file():
            raise ConfigError(f"{config}: no such config file")
        try:
            start = start.replace(**tomllib.loads(config.read_text()))
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{config}: not valid TOML ({error})") from None
    start = start.replace(**parse_settings(set_ or []))
    if minutes is not None:
        if not hasattr(start, "minutes"):
            raise ConfigError(f"--minutes is for models that can use any time (auto, gnn, lm), not for {model}")
        start = start.replace(minutes=minutes)
    if start.kind == "auto":  # hundreds of epochs of networks over folds would hide the lines that say what was tried
        logging.getLogger("drugai.training.loop").setLevel(logging.WARNING)
    on_epoch, close = epoch_progress(getattr(start, "epochs", getattr(getattr(start, "gnn", None), "epochs", 1)))
    try:
        run = train_predictor(
            data, out, config=start, smiles=smiles, targets=target or None, method=split, fractions=parse_fractions(fractions), column=column, seed=seed,
            censored=censored, descriptors=[name.strip() for name in (descriptors or "").split(",") if name.strip()], weights=weights, balanced=balanced,
            on_epoch=on_epoch, tensorboard=tensorboard,
        )  # fmt: skip
    finally:
        close()
    for note in run.notes:
        typer.echo(f"note: {note}")
    if "auto" in run.predictor.record:
        typer.echo(tries_table(run.predictor.record["auto"]))
    n = run.predictor.record["split"]["n"]
    typer.echo(f"{run.predictor.describe()}; {split} split: train {n[0]}, valid {n[1]}, test {n[2]}")
    typer.echo(f"validation  {run.validation}")
    typer.echo(f"saved in {run.path}; `drugai evaluate {run.path} --part test` opens the test part")


def evaluate(
    model: Annotated[Path, typer.Argument(help="a model's folder")],
    data: Annotated[str | None, typer.Argument(help="other measured molecules; by default the model's own data")] = None,
    part: Annotated[str, typer.Option(help="train, valid or test of the model's own data")] = "test",
    smiles: Annotated[str | None, typer.Option(help="SMILES column of DATA")] = None,
    censored: Annotated[str, typer.Option(help=">10 or <0.1 in a target of DATA: refuse, or drop (scores rest on measured values)")] = "refuse",
    json_out: Annotated[Path | None, typer.Option("--json", help="also write the numbers to this file")] = None,
    breakdown: Annotated[bool, typer.Option("--breakdown", help="also the error by scaffold frequency, by distance to the training molecules, on activity cliffs")] = False,
) -> None:
    """Score a model with 95 % bootstrap intervals."""
    import json

    from drugai.artifact import write_text_atomically
    from drugai.training.run import break_down_saved, evaluate_saved

    found = evaluate_saved(model, data, part=part, smiles=smiles, censored=censored)
    typer.echo(f"{'' if data else part + '  '}{found}")
    numbers = found.to_dict()
    if breakdown:
        groups = break_down_saved(model, found, data, part=part, smiles=smiles)
        numbers["breakdown"] = groups.to_dict()
        typer.echo(str(groups))
    if json_out is not None:
        write_text_atomically(json_out, json.dumps(numbers, indent=1) + "\n")


def predict(
    model: Annotated[Path, typer.Argument(help="a model's folder")],
    data: Annotated[str, typer.Argument(help="card's name or file; read as a stream")],
    out: Annotated[Path, typer.Option(help="table to write: .csv, .tsv, .parquet, the text ones also .gz")],
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
    max_errors: Annotated[int | None, typer.Option(help="exit with status 3 when more rows than this could not be used")] = None,
    trusted: Annotated[bool, typer.Option(help="the SMILES are RDKit's own canonical ones: read without sanitization, about twice as fast")] = False,
    interval: Annotated[float | None, typer.Option(help="coverage, for example 0.9: adds interval or class set of every task, similarity to training, in or out of domain")] = None,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16; auto takes bf16 only where the first thousand molecules agree with fp32")] = "auto",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda …")] = "auto",
    explain: Annotated[str | None, typer.Option(help="top:N: what each atom adds to the N highest predictions, in a table beside OUT and on the page")] = None,
    report: Annotated[Path | None, typer.Option(help="page to write: structures, values, intervals, explanations; one HTML file")] = None,
) -> None:
    """Predict every row of a file: n rows in, n rows out, in order; a bad row has a reason."""
    from drugai.predictors.streaming import predict_file

    if explain is None and report is None:
        summary = predict_file(model, data, out, smiles=smiles, trusted=trusted, precision=precision, device=device, level=interval)
        typer.echo(str(summary))
    else:
        from drugai.predictors.loading import load_predictor
        from drugai.reports.explained import Gathered, parse_explain, tell

        gathered = Gathered(parse_explain(explain) if explain is not None else 0)
        predictor = load_predictor(model)
        summary = predict_file(predictor, data, out, smiles=smiles, trusted=trusted, precision=precision, device=device, level=interval, on_part=gathered.add)
        typer.echo(str(summary))
        for path in tell(predictor, model, gathered, table=out, page=report, source=Path(data).name) if gathered.n else []:
            typer.echo(f"→ {path}")
    if max_errors is not None and summary.n_errors > max_errors:
        typer.echo(f"{summary.n_errors} rows could not be used, more than --max-errors {max_errors}", err=True)
        raise typer.Exit(3)


def embed(
    model: Annotated[Path, typer.Argument(help="folder of a model with an encoder (graph network, language model, ensemble with one), or an encoder alone: its folder, or encoder_small or graph_encoder_small, which ship")],
    data: Annotated[str, typer.Argument(help="card's name or file; read as a stream")],
    out: Annotated[Path, typer.Option(help="table to write: .csv, .tsv, .parquet")],
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
) -> None:
    """Write the embedding of every row by a model's encoder; a bad row is empty and has a reason."""
    from drugai.predictors.embedding import embed_file

    typer.echo(str(embed_file(model, data, out, smiles=smiles)))


def distill(
    model: Annotated[Path, typer.Argument(help="the teacher's folder")],
    data: Annotated[str, typer.Argument(help="library without values: a file or a card's name; best like what will be screened")],
    out: Annotated[Path, typer.Option(help="folder for the student")],
    smiles: Annotated[str | None, typer.Option(help="SMILES column; inferred by its name if not given")] = None,
    limit: Annotated[int, typer.Option(help="most molecules to take, from the beginning")] = 100_000,
    set_: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE of the student's Config, for example net.width=64; repeatable")] = None,
    seed: Annotated[int, typer.Option(help="of parts and training")] = 0,
) -> None:
    """Train a small, fast student on what a costly model says of a library; its fidelity is printed and kept."""
    from drugai.cli.printing import epoch_progress, table
    from drugai.config import parse_settings
    from drugai.training.distilling import distill_saved, student_config

    config = student_config().replace(**parse_settings(set_ or []))
    on_epoch, close = epoch_progress(config.epochs)
    try:
        student = distill_saved(model, data, out, smiles=smiles, limit=limit, config=config, seed=seed, on_epoch=on_epoch)
    finally:
        close()
    told = student.record["distilled"]
    rows = [[name, f"{each['spearman']:.3f}", f"{each['r2']:.3f}", f"{each['top']:.0%}"] for name, each in told["fidelity"].items()]
    typer.echo(table(["task", "Spearman", "R²", "of the teacher's top 1 %"], rows, right=(1, 2, 3)))
    typer.echo(f"on held-out molecules; {told['used']:,} of {told['library']:,} taught → {out}")


def calibrate(
    model: Annotated[Path, typer.Argument(help="a model's folder; it is written again")],
    data: Annotated[str | None, typer.Argument(help="measured molecules that it was not trained on; by default its own validation part")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column of DATA")] = None,
) -> None:
    """Add what intervals and the applicability domain need; training does it already from the validation part."""
    from drugai.training.run import calibrate_saved

    found = calibrate_saved(model, data, smiles=smiles).record["calibration"]
    typer.echo(f"calibrated on {found['n']} molecules of {found['data']}; outside the domain: similarity to the nearest training molecule under {found['domain_limit']:.2f}")


def compare(
    data: Annotated[str, typer.Argument(help="card's name or file")],
    model: Annotated[list[str], typer.Option(help="a model's name; repeat it")],
    out: Annotated[Path, typer.Option(help="JSON file of the scores; the same command continues a comparison that was stopped")],
    folds: Annotated[int, typer.Option(help="k: one fold tests, the next ends training, k − 2 are learnt from")] = 5,
    repeats: Annotated[int, typer.Option(help="different cuts into folds")] = 1,
    method: Annotated[str, typer.Option("--split", help="random, or scaffold: ring systems stay in one fold")] = "random",
    metric: Annotated[str | None, typer.Option(help="by default rmse, roc_auc or balanced_accuracy, by the kind of task")] = None,
    smiles: Annotated[str | None, typer.Option(help="SMILES column")] = None,
    target: Annotated[list[str] | None, typer.Option(help="target column; repeatable")] = None,
    seed: Annotated[int, typer.Option(help="of cuts and fits")] = 0,
    set_: Annotated[list[str] | None, typer.Option("--set", help="MODEL.KEY=VALUE, for example gnn.epochs=30; repeatable")] = None,
) -> None:
    """Compare models on the same folds, with paired differences, 95 % intervals and p-values."""
    from drugai.config import parse_settings
    from drugai.data import read_dataset
    from drugai.errors import ConfigError
    from drugai.training import compare_models, model_config

    own: dict[str, dict[str, object]] = {name: {} for name in model}
    for key, value in parse_settings(set_ or []).items():
        name, _, rest = key.partition(".")
        if name not in own or not rest:
            raise ConfigError(f"--set {key}: the model comes first, for example {model[0]}.{key}")
        own[name][rest] = value
    found = read_dataset(data, smiles=smiles, targets=target or None)
    typer.echo(str(compare_models(found, {name: model_config(name, own[name]) for name in model}, folds=folds, repeats=repeats, method=method, metric=metric, seed=seed, out=out)))
