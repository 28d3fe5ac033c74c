"""Ask the shipped linker the written queries: is the first disease of the expected area?

    python experiments/14_linking/ask.py
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

from drugai.artifact import write_text_atomically
from drugai.linking import load_linker

HERE = Path(__file__).resolve().parent


def main() -> None:
    linker = load_linker()
    areas = {disease.id: disease.area for disease in linker.tables.diseases}
    rows = []
    with (HERE / "queries.csv").open(newline="") as stream:
        for query in csv.DictReader(stream):
            hits = linker.rank(query["query"], top=3).hits
            rows.append({**query, "first": hits[0].name, "right": areas[hits[0].id] == query["expected"], "among_three": query["expected"] in {areas[hit.id] for hit in hits}})
    share = {"queries": len(rows), "first_right": sum(row["right"] for row in rows), "among_three": sum(row["among_three"] for row in rows)}
    for row in rows:
        print(f"{'right' if row['right'] else 'wrong'}  {row['expected']:15s} {row['first']:40s} {row['query']}")
    print(share)
    write_text_atomically(HERE / "results" / "queries.json", json.dumps({**share, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
