"""Train the prior that ships, on the molecules of MOSES, within a budget of wall-clock minutes. A killed run goes on where it was.

python experiments/11_moses/train_prior.py --out runs/prior --minutes 95
python experiments/11_moses/train_prior.py --out runs/longer --minutes 70 --from prior_moses --set first_chapter=10
python experiments/11_moses/train_prior.py --out runs/wide --minutes 80 --corpus moses:50000,zinc,chembl,natural --from prior_moses --extend
python experiments/11_moses/train_prior.py --out runs/wide_refined --minutes 14 --corpus chembl --from runs/wide/prior --set loop.learning_rate=5e-4
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from drugai.config import parse_settings
from drugai.errors import ConfigError, unknown
from drugai.featurizers.tokens import Vocabulary
from drugai.generation import load_generator
from drugai.generation.corpus import Corpus, encode_corpus
from drugai.generation.fitting import GeneratorConfig, fit_generator
from drugai.molecules import MoleculeBatch
from drugai.runtime import configure_logging, defer_interrupts, generator

SOURCES = {
    "moses": ("moses/train.csv.gz",),
    "zinc": ("libraries/zinc250k_jtnn_valid.txt", "libraries/zinc250k_jtnn_test.txt", "libraries/zinc_qed_mols.txt", "libraries/zinc_drd2_mols.txt", "libraries/zinc_10K.smi"),
    "chembl": ("libraries/chembl.validation.smi", "libraries/chembl_20_chiral.smi.gz", "libraries/chembl.smi.gz"),
    "natural": ("libraries/znp.50k.smi.gz",),
}
"""Files below the folder that DRUGAI_DATA names."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run: corpus, checkpoint, curve and the prior itself")
    parser.add_argument("--corpus", default="moses", help=f"names by commas: {', '.join(SOURCES)}; `moses:250000` takes so many of them, drawn with the seed")
    parser.add_argument("--minutes", type=float, default=95.0)
    parser.add_argument("--from", dest="start", default=None, help="a prior to go on from (folder or shipped name) instead of random weights")
    parser.add_argument("--extend", action="store_true", help="make room in the vocabulary of --from for what the corpus has and it does not")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any key of GeneratorConfig, as model.width=512")
    arguments = parser.parse_args()
    configure_logging(json_lines=True)
    corpus = _corpus(arguments.out / "corpus", arguments.corpus.split(","), arguments.seed)
    config = GeneratorConfig().replace(**{"threads": 1, "loop.epochs": 1000, "loop.minutes": arguments.minutes, **parse_settings(arguments.set)})
    start = None if arguments.start is None else load_generator(arguments.start)
    if start is not None:
        if arguments.extend:
            start.extend_vocabulary(corpus.smiles(np.arange(len(corpus))))
        corpus = in_vocabulary(corpus, start.vocabulary)
        config = config.replace(**{f"model.{key}": value for key, value in start.config.to_dict().items()})
    curve = arguments.out / "curve.jsonl"
    with defer_interrupts() as interrupted:
        prior = fit_generator(
            config,
            corpus,
            seed=arguments.seed,
            start=start,
            checkpoint=arguments.out / "checkpoint",
            checkpoint_every=180.0,
            on_epoch=lambda epoch, scores: _append(curve, {"chapter": epoch, **scores}),
            should_stop=interrupted,
        )
        if not interrupted():
            prior.save(arguments.out / "prior")


def _corpus(folder: Path, names: list[str], seed: int) -> Corpus:
    if not (folder / "corpus.json").is_file():
        found: dict[str, None] = {}
        for asked in names:
            name, _, count = asked.partition(":")
            if name not in SOURCES:
                raise unknown("corpus", name, list(SOURCES))
            molecules = molecules_of(name)
            if count:
                molecules = [molecules[row] for row in generator(seed, "part of", name).permutation(len(molecules))[: int(count)]]
            found.update(dict.fromkeys(molecules))
        encode_corpus(list(found), check=False).save(folder)
    return Corpus.load(folder)


def molecules_of(name: str) -> list[str]:
    """The molecules of one source in the order of its files."""
    return [smi for file in SOURCES[name] for smi in _molecules(Path(os.environ["DRUGAI_DATA"]) / file, canonical=name != "moses")]


def _molecules(file: Path, *, canonical: bool) -> list[str]:
    """The first word of each line; MOSES as it is published, others in RDKit's canonical form without what cannot be read or is in several parts."""
    data = file.read_bytes()
    text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("ascii")
    lines = [line.split()[0] for line in text.splitlines() if line.strip()]
    if not canonical:
        return lines[1:]  # a head
    found = []
    for begin in range(0, len(lines), 10_000):
        found += [smi for smi in MoleculeBatch(lines[begin : begin + 10_000]).canonical if smi and "." not in smi]
    return found


def in_vocabulary(corpus: Corpus, vocabulary: Vocabulary) -> Corpus:
    """The corpus in the ids of a prior that it shall train further."""
    missing = [token for token in corpus.vocabulary.tokens if token not in vocabulary]
    if missing:
        raise ConfigError(f"the prior does not hold {', '.join(missing)}, which the corpus has; extend its vocabulary first")
    ids = np.array([vocabulary.tokens.index(token) for token in corpus.vocabulary.tokens], dtype=corpus.flat.dtype)
    return replace(corpus, vocabulary=vocabulary, flat=ids[corpus.flat])


def _append(file: Path, entry: dict[str, float]) -> None:
    with open(file, "a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
