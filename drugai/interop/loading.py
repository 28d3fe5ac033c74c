"""Load deepchem without what it prints, and without what it changes for others."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from drugai.errors import ConfigError


def deepchem() -> ModuleType:
    """The package deepchem, imported at the first call.

    Raises:
        ConfigError: It is not installed (it needs Python below 3.12), or does not load.
    """
    if "deepchem" in sys.modules:
        return sys.modules["deepchem"]
    with silenced():
        try:
            import deepchem as found
        except ImportError as error:
            raise ConfigError(f"deepchem does not load ({error}); pip install deepchem==2.8.0 on Python 3.11") from error
    module: ModuleType = found
    return module


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Within, warnings, log lines and prints of other libraries go nowhere; levels and filters are put back afterwards.

    deepchem tells through its own and the root logger that optional packages are missing, TensorFlow and DGL among them, which drugai never uses; it also
    prints. drugai's own log is left alone.
    """
    others = [logging.getLogger(name) for name in ("deepchem", "tensorflow", "torch_geometric")]
    root, levels = logging.getLogger(), [logger.level for logger in others]
    root_level, root_handlers = root.level, list(root.handlers)
    for logger in others:
        logger.setLevel(logging.CRITICAL)
    root.addHandler(null := logging.NullHandler())  # else the first logging.warning() of theirs configures the root logger for everyone
    root.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()), _quiet_rdkit():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(others, levels, strict=True):
            logger.setLevel(level)
        root.removeHandler(null)
        for handler in [handler for handler in root.handlers if handler not in root_handlers]:
            root.removeHandler(handler)
        root.setLevel(root_level)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within, the global generators that deepchem draws from start at ``seed``; afterwards they are where they were."""
    import random

    import numpy as np
    import torch

    python, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - deepchem draws from the global generator
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy_state)  # noqa: NPY002


@contextlib.contextmanager
def _quiet_rdkit() -> Iterator[Any]:
    from rdkit import rdBase

    with rdBase.BlockLogs() as block:
        yield block
