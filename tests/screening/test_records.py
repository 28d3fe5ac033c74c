"""Reading around records that must not be touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from drugai.molecules import column_names, infer_id_column, write_table
from drugai.screening.plan import Library, Plan
from drugai.screening.records import read_chunks


@pytest.mark.parametrize("name", ["l.csv", "l.sdf"])
@pytest.mark.parametrize("skip", [set(), {3}, {2, 3, 9}, {0, 19}])
def test_skipped_records_keep_their_row_and_the_chunks_stay_where_they_were(tmp_path: Path, name: str, skip: set[int]) -> None:
    chains = ["C" * (k + 1) for k in range(20)]  # methane to icosane
    path = write_table(tmp_path / name, {"id": [f"m{k}" for k in range(20)], "smiles": chains, "note": [str(k) for k in range(20)]})
    ids = infer_id_column(column_names(path), "smiles")
    plan = Plan(Library(str(path), name, name[-3:], "", 0, 20, "smiles", ids), {"kind": "object"}, keep=("note",), chunk=4)
    verdicts = dict.fromkeys(skip, "E_CRASH: died")
    parts = list(read_chunks(plan, 2, 20, chunk=4, skip=verdicts))
    assert [(part.start, len(part)) for part in parts] == [(2, 4), (6, 4), (10, 4), (14, 4), (18, 2)]
    rows = {part.start + k: (part.smiles[k], part.ids[k], part.columns["note"][k], part.reasons[k]) for part in parts for k in range(len(part))}
    assert sorted(rows) == list(range(2, 20))
    for row, (smi, one, note, why) in rows.items():
        assert why == verdicts.get(row, "")
        if row not in skip:
            assert (smi, one, note) == (chains[row], f"m{row}", str(row))
