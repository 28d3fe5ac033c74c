"""What ``drugai generate`` calls: samples, decorated scaffolds, linkers, neighbours, or samples of a fine-tuned prior, with everything from files and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drugai.errors import ConfigError, count_reasons, unknown
from drugai.generation.finetune import FineTuneReport, fine_tune
from drugai.generation.loading import load_generator
from drugai.generation.pretraining import read_molecules
from drugai.molecules import MoleculeBatch

ENGINES = ("prior", "edits")


@dataclass(frozen=True, eq=False)
class Generated:
    """Molecules and what there is to say of them.

    Attributes:
        smiles: Raw samples, or different molecules that keep what was given.
        words: The yield of a constrained run, ``""`` of a free one.
        report: Of fine-tuning, or None.
        left_out: Reasons of given molecules that could not be used, counted.
    """

    smiles: list[str]
    words: str = ""
    report: FineTuneReport | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)


def generate_molecules(
    n: int,
    *,
    prior: str | Path | None = None,
    scaffold: str | None = None,
    link: str | None = None,
    prefix: str | None = None,
    around: str | Path | None = None,
    tuned_on: str | Path | None = None,
    engine: str = "prior",
    min_similarity: float = 0.4,
    smiles: str | None = None,
    seed: int = 0,
    temperature: float = 1.0,
    top_p: float = 1.0,
    unique: bool = False,
) -> Generated:
    """New molecules, free or with a part that is given.

    Args:
        n: How many.
        prior: Folder or name of a prior; by default ``prior_moses``, and ``prior_wide`` where molecules or fragments are given.
        scaffold: SMILES with attachment points to be decorated.
        link: Two fragments with one point each to be joined.
        prefix: Text that every SMILES begins with.
        around: A SMILES, or a file of molecules, whose neighbours are wanted.
        tuned_on: File of actives on which the prior is fine-tuned first.
        engine: ``prior`` (the language model) or ``edits`` (of the graph; no model) for ``scaffold``, ``link`` and ``around``.
        min_similarity: Least similarity of a neighbour.
        smiles: SMILES column of the file.
        seed, temperature, top_p, unique: As of :meth:`Prior.sample`.

    Raises:
        ConfigError: More than one part is given, or the engine cannot do what is asked.
    """
    asked = {"scaffold": scaffold, "link": link, "prefix": prefix, "around": around, "fine-tune": tuned_on}
    given = [f"--{name}" for name, value in asked.items() if value is not None]
    if len(given) > 1:
        raise ConfigError(f"{' and '.join(given)} cannot be combined; give one of them")
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if engine == "edits":
        return _by_edits(n, scaffold, link, around, min_similarity, smiles, seed)
    from drugai.generation import constrained

    found = load_generator(prior, given=any(value is not None for value in (scaffold, link, around, tuned_on)))
    settings: dict[str, Any] = {"seed": seed, "temperature": temperature, "top_p": top_p}
    if scaffold is not None:
        made = constrained.decorate(found, scaffold, n, **settings)
    elif link is not None:
        made = constrained.link(found, link, n, **settings)
    elif around is not None:
        batch = _molecules(around, smiles)
        made = constrained.regrow(found, batch, n, min_similarity=min_similarity, **settings)
        return Generated(made.smiles, str(made), None, count_reasons(batch.reasons))
    else:
        report, left_out = None, {}
        if tuned_on is not None:
            batch = MoleculeBatch(read_molecules(tuned_on, smiles))
            left_out = count_reasons(batch.reasons)
            found, report = fine_tune(found, [smi for smi, good in zip(batch.smiles, batch.valid, strict=True) if good], seed=seed)
        return Generated(found.sample(n, unique=unique, prefix=prefix or "", **settings), "", report, left_out)
    return Generated(made.smiles, str(made))


def _by_edits(n: int, scaffold: str | None, link: str | None, around: str | Path | None, min_similarity: float, smiles: str | None, seed: int) -> Generated:
    from drugai.generation import neighbours

    if scaffold is not None:
        made = neighbours.edit_scaffold(scaffold, n, seed=seed)
    elif link is not None:
        made = neighbours.edit_linker(link, n, seed=seed)
    elif around is not None:
        batch = _molecules(around, smiles)
        made = neighbours.edit_around(batch, n, seed=seed, min_similarity=min_similarity)
        return Generated(made.smiles, str(made), None, count_reasons(batch.reasons))
    else:
        raise ConfigError("the engine of graph edits starts from something: give --around, --scaffold or --link")
    return Generated(made.smiles, str(made))


def _molecules(source: str | Path, smiles: str | None) -> MoleculeBatch:
    """A file of molecules, or one molecule as SMILES."""
    if Path(source).is_file():
        return MoleculeBatch(read_molecules(source, smiles))
    batch = MoleculeBatch([str(source)])
    if batch.reasons[0]:
        raise ConfigError(f"{str(source)!r} is neither a file nor a molecule ({batch.reasons[0]})")
    return batch
