"""deepchem's featurizers and models in the catalogue. Registering a name costs nothing; deepchem loads when the name is used."""

from __future__ import annotations

from functools import partial

from drugai.catalogue import register
from drugai.interop.featurizers import FEATURIZERS, GRAPHS, matrix_block
from drugai.interop.models import MODELS, DeepChemPredictor, make_config


def register_names() -> None:
    """Make ``deepchem:<class>`` a choice of featurizers (feature blocks) and models.

    Graph featurizers have names too, so that asking for one says why it cannot be a block of numbers; :func:`drugai.interop.featurize` gives their graphs.
    """
    for name in (*FEATURIZERS, *GRAPHS):
        register("featurizer", f"deepchem:{name}", matrix_block(name))
    for name in MODELS:
        register("model", f"deepchem:{name}", partial(make_config, name))
    register("predictor", "deepchem", DeepChemPredictor.unpack)
