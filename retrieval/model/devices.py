"""Where a model computes and in which precision: what is asked for, or the best that the machine has.

Whether a model fits is looked at before it is loaded: what a driver says when memory runs out helps nobody.
"""

from __future__ import annotations

import torch

from retrieval.errors import ModelError

AUTO = "auto"
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
DEVICES = (AUTO, "cpu", "cuda", "cuda:N", "mps")
# Beside the weights: activations of a small batch, and what the libraries take for themselves.
WORKING_MEMORY = {"cuda": 1_000_000_000, "mps": 1_000_000_000, "cpu": 300_000_000}


def choose_device(wanted: str = AUTO) -> torch.device:
    """Raises ModelError where it is not there."""
    if wanted == AUTO:
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(wanted)
    except RuntimeError:
        device = None
    if device is None or device.type not in WORKING_MEMORY:
        raise ModelError(f"There is no device '{wanted}'; use one of {', '.join(DEVICES)}.")
    count = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}[device.type]
    if not count:
        raise ModelError(
            f"torch {torch.__version__} finds no {device.type} device here: set C2LLM_DEVICE=cpu, or install the torch "
            "and the driver that fit the card."
        )
    if (device.index or 0) >= count:
        raise ModelError(f"There is no device '{wanted}': this machine has {count}, counted from 0.")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def choose_dtype(wanted: str, stored: str, device: torch.device) -> torch.dtype:
    """What is asked for; else, on a GPU, what the checkpoint is stored in, and on a CPU what it multiplies fastest."""
    if wanted != AUTO:
        if wanted not in DTYPES:
            raise ModelError(f"There is no precision '{wanted}'; use one of {AUTO}, {', '.join(DTYPES)}.")
        return DTYPES[wanted]
    if device.type == "cpu":
        return torch.bfloat16 if cpu_multiplies_bf16() else torch.float32
    found = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(stored, torch.float32)
    if found == torch.bfloat16 and not _has_bf16(device):
        return torch.float16 if device.type == "cuda" else torch.float32
    return found


def short_name(dtype: torch.dtype) -> str:
    return next(name for name, known in DTYPES.items() if known == dtype)


def cpu_multiplies_bf16() -> bool:
    """In hardware: where it does not, bf16 is slower than float32 (see tests/benchmarks/checkpoints.py)."""
    known = getattr(torch.cpu, "get_capabilities", None)
    found = known() if known else {}
    return any(bool(found.get(name)) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def require_room(needed: int, device: torch.device, what: str, instead: str = "") -> None:
    """Raises ModelError where weights of so many bytes and a small batch do not fit on the device."""
    free = free_memory(device)
    total = needed + WORKING_MEMORY[device.type]
    if free is None or total <= free:
        return
    place, elsewhere = ("this machine", "") if device.type == "cpu" else (str(device), "C2LLM_DEVICE=cpu, ")
    instead = instead or f"{elsewhere}C2LLM_DTYPE=bf16, or a smaller model (c2llm model use embedded)"
    raise ModelError(f"{what} needs {total / 1e9:,.1f} GB and {place} has {free / 1e9:.1f} GB free: use {instead}.")


def free_memory(device: torch.device) -> int | None:
    """In bytes; None where the device does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    import psutil

    return int(psutil.virtual_memory().available)


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return bool(torch.backends.mps.is_macos_or_newer(14, 0))
