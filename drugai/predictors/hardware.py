"""What this machine computes fast."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def has_fast_bf16(device: str = "cpu") -> bool:
    """Whether bfloat16 matrix products are faster than float32 there: AMX or AVX-512 BF16 on a CPU, Ampere or later among GPUs."""
    if device.startswith("cuda"):
        import torch

        return bool(torch.cuda.is_bf16_supported())
    if device != "cpu":
        return False
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.is_file():
        return False
    flags = next((line for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), "")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def pick_inference_device(name: str = "auto") -> str:
    """``cpu``, ``cuda`` … for prediction; ``auto`` takes the GPU where there is one."""
    import torch

    from drugai.errors import ConfigError

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} was asked for but torch sees no CUDA GPU; use auto or cpu")
    return name
