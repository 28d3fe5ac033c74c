"""Screen a library of any size: shards of one file, supervised workers, resume, the best in order.

The run folder, which is also what the report page reads::

    OUT/
      run.json                   the plan: what was asked, and the hashes of everything that decides the result
      index.json                 where the shards begin in the library's file
      lock                       held while a run works here (freed by the system when its holder dies)
      shards/shard_00000.parquet every row of records [0, shard_size) in the library's order, the bad ones with their reason
      shards/shard_00000.json    the shard's manifest row: start, stop, sha256, bytes, n, n_bad, reasons, histogram, terms, seconds, cpu_seconds, plan
      hits.parquet, hits.csv     the best ``top`` rows (hits.sdf and others on request)
      summary.json               counts, histograms, rates of the whole library

``run.json``: ``format``, ``library`` {path, name, kind, sha256, bytes, records, smiles, ids}, ``scorer`` {kind: model | file | factory | object, sha256, and what a
worker rebuilds it from: path, task, direction, …}, ``models`` [{path, sha256, kind}], ``caps``, ``trusted``, ``shard_size``, ``chunk``, ``keep``,
``precision``, ``device``, ``center``, ``scale``, ``thresholds`` (of a cascade's stages), ``graphs`` (a store, which decides nothing), ``code`` {sha256, versions}, ``columns`` [{name, role, term, task, unit, model, key}], one entry a column of the shards.

Columns of a shard, in this order (roles in brackets): ``index`` int64, the record's number from 0 [index] · ``id`` [id] · ``smiles`` as in the file [smiles] · columns
carried over, strings [kept] · ``total`` float64 in [0, 1], 0 for a row that is dead or bad [total] · for each term ``<term>`` float32 raw value [raw] and
``<term>_score`` float32 desirability in [0, 1] [score] · for each task of each model ``<task>`` [mean], ``<task>_std`` [std], ``<task>_lower``, ``<task>_upper``
[lower, upper], ``<task>_p0`` … [probability] as far as there are any; a mean that is a term's raw value already stands there once, with role raw and its
task named · ``domain`` [domain] · ``reason``, "" for a row that is fine [reason]. A missing number is null (a term that a dead row skipped). When a model ranks alone
(``--rank-by``) there is one term, named as the task; its score and the total are ``1 / (1 + exp(-(x - center) / scale))`` for a regression task (center and
scale are the median and the spread of the library's first thousand, so the order is that of x), the probability for a binary one. A cascade (:mod:`drugai.screening.cascade`) has a term a stage, whose score is 1 for what it let through and 0 for what it stopped, the
final value as the last term, and ``full_model`` [audit], the full cascade's value of the audited molecules.

``hits.*``: ``rank`` from 1, the columns of a shard, then ``scaffold`` (Murcko, "" if acyclic), ``cluster`` (Butina at Tanimoto 0.65; 0 is the largest), and on
request ``diverse`` (order of the MaxMin pick from 1, 0: not picked), ``similarity`` and ``nearest_active``. Order: total descending, then index. Rows with a reason or a total of 0 are no hits.

``summary.json``: ``format``, ``library`` (name), ``scorer`` (words), ``n``, ``n_scored``, ``n_bad``, ``reasons`` {code: count}, ``n_alive`` (total > 0), ``top``,
``n_hits``, ``cutoff`` (total of the last hit), ``histogram`` {edges [51], counts [50], hits [50]} of totals of rows that are fine, ``columns`` {name: {min, max,
edges [41], counts [40], hits [40]}} of raw values and means, ``terms`` [{name, reached, passed, mean_score}] in the order of the columns, ``shards`` {n, computed, skipped},
``workers``, ``precision``, ``replaced`` (workers that died or were late), ``seconds``, ``rate`` (molecules a second of this run), ``cpu_seconds`` (all shards,
resumed ones too), ``peak_memory_mb`` (all processes), ``enrichment`` (only with labels), ``recall`` (only of a cascade: what it kept of the full model's best among the audited), ``files`` {csv, parquet, sdf}.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOMES = {
    "Hits": "drugai.screening.hits",
    "Plan": "drugai.screening.plan",
    "build_library": "drugai.screening.building",
    "propose": "drugai.screening.proposing",
    "read_hits": "drugai.screening.hits",
    "screen": "drugai.screening.run",
    "screen_shard": "drugai.screening.shard",
}

if TYPE_CHECKING:
    from drugai.screening.building import build_library as build_library
    from drugai.screening.hits import Hits as Hits
    from drugai.screening.hits import read_hits as read_hits
    from drugai.screening.plan import Plan as Plan
    from drugai.screening.proposing import propose as propose
    from drugai.screening.run import screen as screen
    from drugai.screening.shard import screen_shard as screen_shard


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drugai.screening' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
