"""Runs inside chemprop's virtual environment: CPU seconds of its default featurizer on a file of SMILES, after a warm-up."""

import json
import sys
import time

from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from chemprop.utils import make_mol

path, repeats = sys.argv[1], int(sys.argv[2])
with open(path) as stream:
    smiles = stream.read().split()
featurize = SimpleMoleculeMolGraphFeaturizer()
for smi in smiles[:200]:
    featurize(make_mol(smi))
seconds = []
for _ in range(repeats):
    start = time.process_time()
    for smi in smiles:
        featurize(make_mol(smi))
    seconds.append(time.process_time() - start)
print(json.dumps({"seconds": seconds, "n": len(smiles)}))
