"""All the chemistry: libraries in and out, parsing, standardization, fingerprints, descriptors, scaffolds, alerts, similarity, drawing.

Imported plainly, not lazily: ``descriptors`` and ``standardize`` are both a file and a function here, and under a lazy facade the file would win.
"""

from drugai.molecules.alerts import ALERT_SETS, find_alerts, has_alerts
from drugai.molecules.batch import MoleculeBatch, parse_failure
from drugai.molecules.caps import Caps, check_mol, check_text, clean_text
from drugai.molecules.columns import infer_id_column, infer_smiles_column
from drugai.molecules.descriptors import DESCRIPTOR_NAMES, FULL_DESCRIPTOR_NAMES, descriptors
from drugai.molecules.drawing import draw_svg
from drugai.molecules.fingerprint_index import FingerprintIndex
from drugai.molecules.fingerprints import FINGERPRINT_KINDS, fingerprint
from drugai.molecules.fragments import count_brics_fragments, count_ring_systems, count_scaffolds
from drugai.molecules.indexing import LibraryIndex, count_molecules, index_library
from drugai.molecules.properties import PROPERTIES, logp, qed, synthetic_accessibility, tpsa, weight
from drugai.molecules.reading import LibraryChunk, Table, column_names, read_library, read_table
from drugai.molecules.scaffolds import murcko_scaffolds
from drugai.molecules.side_columns import with_columns
from drugai.molecules.similarity import butina, nearest, pick_maxmin, tanimoto
from drugai.molecules.standardize import Standardized, standardize
from drugai.molecules.writing import write_table

__all__ = [
    "ALERT_SETS",
    "Caps",
    "DESCRIPTOR_NAMES",
    "FINGERPRINT_KINDS",
    "FULL_DESCRIPTOR_NAMES",
    "FingerprintIndex",
    "LibraryChunk",
    "LibraryIndex",
    "MoleculeBatch",
    "PROPERTIES",
    "Standardized",
    "Table",
    "butina",
    "check_mol",
    "check_text",
    "clean_text",
    "column_names",
    "count_brics_fragments",
    "count_molecules",
    "count_ring_systems",
    "count_scaffolds",
    "descriptors",
    "draw_svg",
    "find_alerts",
    "fingerprint",
    "has_alerts",
    "index_library",
    "infer_id_column",
    "infer_smiles_column",
    "logp",
    "murcko_scaffolds",
    "nearest",
    "parse_failure",
    "pick_maxmin",
    "qed",
    "read_library",
    "read_table",
    "standardize",
    "synthetic_accessibility",
    "tanimoto",
    "tpsa",
    "weight",
    "write_table",
    "with_columns",
]
