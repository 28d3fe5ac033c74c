"""Opening a prior by its folder or, for one that lies in the package, by its name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from drugai.artifact import is_artifact
from drugai.errors import ArtifactError, unknown
from drugai.generation.prior import Prior

DEFAULT = "prior_moses"
WIDE = "prior_wide"
"""The default for work around given molecules: it also spells charges, stereo marks and more elements."""
_PREFIX = "prior_"


def shipped_generators() -> dict[str, Path]:
    """Name → folder of the priors that lie in the package."""
    root = Path(str(resources.files("drugai"))) / "shipped"
    found = sorted(root.glob(f"{_PREFIX}*")) if root.is_dir() else []
    return {folder.name: folder for folder in found if is_artifact(folder)}


def load_generator(source: str | Path | None = None, *, given: bool = False) -> Prior:
    """Open a prior.

    Args:
        source: A folder that :meth:`Prior.save` wrote, the name of a shipped prior (with or without ``prior_``), or None for the default: ``prior_moses``, which writes the
            cleaner molecules.
        given: With no ``source``, take ``prior_wide`` instead: the work starts from given molecules, and it spells more of them.

    Raises:
        ArtifactError: There is no such folder or name (the nearest one is named), or the folder is damaged.
    """
    shipped = shipped_generators()
    if source is None:
        if not shipped:
            raise ArtifactError("no prior lies in this installation; train one with fit_generator() and pass its folder")
        return Prior.load(shipped.get(WIDE if given else DEFAULT) or next(iter(shipped.values())))
    if Path(source).exists():
        return Prior.load(source)
    name = str(source)
    for candidate in (name, _PREFIX + name):
        if candidate in shipped:
            return Prior.load(shipped[candidate])
    if "/" in name or "\\" in name:
        raise ArtifactError(f"{source}: no such folder; pass a saved prior or one of the shipped: {', '.join(shipped) or 'none'}")
    raise unknown("shipped prior", name, list(shipped), ArtifactError)
