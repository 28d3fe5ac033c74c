"""A saved predictor by its folder."""

from __future__ import annotations

from pathlib import Path

from drugai.artifact import read_artifact
from drugai.catalogue import lookup
from drugai.errors import ArtifactError, ConfigError
from drugai.predictors.base import TrainedPredictor
from drugai.predictors.packing import Stored

SHIPPED = Path(__file__).resolve().parent.parent / "shipped"


def load_predictor(path: str | Path) -> TrainedPredictor:
    """Load a predictor. Nothing of the folder is executed; every checksum is verified first.

    Args:
        path: Its folder; ``admet`` is the panel that ships, where no folder of this name stands.

    Raises:
        ArtifactError: The folder is missing, damaged or no predictor.
    """
    if str(path) == "admet" and not Path(path).exists():
        path = SHIPPED / "admet"
    stored = Stored.of(read_artifact(path, "predictor"))
    predictor = unpack(stored)
    if predictor.record.pop("calibrated", False):
        from drugai.predictors.calibration import Calibration

        predictor.calibration = Calibration.from_arrays(stored.arrays("calibration"), stored.tasks)
    predictor.record.setdefault("path", str(path))
    return predictor


def unpack(stored: Stored) -> TrainedPredictor:
    """Rebuild a predictor of any kind. Each kind imports what it needs: trees need no torch."""
    if stored.kind == "gnn":
        from drugai.predictors.gnn import GNNPredictor

        return GNNPredictor.unpack(stored)
    if stored.kind == "trees":
        from drugai.predictors.trees import TreesPredictor

        return TreesPredictor.unpack(stored)
    if stored.kind == "gp":
        from drugai.predictors.gaussian_process import GPPredictor

        return GPPredictor.unpack(stored)
    if stored.kind == "lm":
        from drugai.predictors.language import LanguagePredictor

        return LanguagePredictor.unpack(stored)
    if stored.kind == "mean":
        from drugai.predictors.constant import MeanPredictor

        return MeanPredictor.unpack(stored)
    if stored.kind == "admet":
        from drugai.predictors.admet_panel import AdmetPanel

        return AdmetPanel.unpack(stored)
    if stored.kind == "ensemble":
        from drugai.predictors.ensemble import EnsemblePredictor

        return EnsemblePredictor.unpack(stored, unpack)
    if stored.kind == "bagged":
        from drugai.predictors.bagged import BaggedPredictor

        return BaggedPredictor.unpack(stored, unpack)
    try:
        rebuild = lookup("predictor", stored.kind, {})  # kinds that a user or another library registered
    except ConfigError:
        raise ArtifactError(
            f"{stored.artifact.path}: a predictor of kind {stored.kind!r} is unknown to this version of drugai; upgrade, train again, "
            f'or register("predictor", {stored.kind!r}, …) if it is your own'
        ) from None
    predictor: TrainedPredictor = rebuild(stored)
    return predictor
