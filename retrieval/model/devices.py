"""Device and dtype of a model: the requested ones, or the best that the machine has.

Memory is checked before a model is loaded: a driver's out-of-memory message helps nobody.
"""

from __future__ import annotations

import torch

from retrieval.errors import ModelError

AUTO = "auto"
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
DEVICES = (AUTO, "cpu", "cuda", "cuda:N", "mps")
# Bytes needed beside the weights: activations of a small batch, and the libraries.
WORKING_MEMORY = {"cuda": 1_000_000_000, "mps": 1_000_000_000, "cpu": 300_000_000}


def choose_device(requested: str = AUTO) -> torch.device:
    """Raises ModelError for a device that this machine does not have."""
    if requested == AUTO:
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(requested)
    except RuntimeError:
        device = None
    if device is None or device.type not in WORKING_MEMORY:
        raise ModelError(f"There is no device '{requested}'; use one of {', '.join(DEVICES)}.")
    count = {"cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available()), "cpu": 1}[device.type]
    if not count:
        raise ModelError(
            f"torch {torch.__version__} finds no {device.type} device here: set C2LLM_DEVICE=cpu, or install the torch "
            "and the driver that fit the card."
        )
    if (device.index or 0) >= count:
        raise ModelError(f"There is no device '{requested}': this machine has {count}, counted from 0.")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device


def choose_dtype(requested: str, stored: str, device: torch.device) -> torch.dtype:
    """The requested dtype; else, on a GPU, that of the checkpoint, and on a CPU the fastest."""
    if requested != AUTO:
        if requested not in DTYPES:
            raise ModelError(f"There is no precision '{requested}'; use one of {AUTO}, {', '.join(DTYPES)}.")
        return DTYPES[requested]
    if device.type == "cpu":
        return torch.bfloat16 if cpu_multiplies_bf16() else torch.float32
    dtype = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(stored, torch.float32)
    if dtype == torch.bfloat16 and not _supports_bf16(device):
        return torch.float16 if device.type == "cuda" else torch.float32
    return dtype


def dtype_name(dtype: torch.dtype) -> str:
    return next(name for name, candidate in DTYPES.items() if candidate == dtype)


def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has bf16 instructions: without them bf16 is slower than float32 (tests/benchmarks/checkpoints.py)."""
    get_capabilities = getattr(torch.cpu, "get_capabilities", None)
    capabilities = get_capabilities() if get_capabilities else {}
    return any(bool(capabilities.get(name)) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def require_memory(needed: int, device: torch.device, what: str, alternative: str = "") -> None:
    """Raises ModelError if `needed` bytes of weights and a small batch do not fit on the device."""
    free = free_memory(device)
    total = needed + WORKING_MEMORY[device.type]
    if free is None or total <= free:
        return
    place, elsewhere = ("this machine", "") if device.type == "cpu" else (str(device), "C2LLM_DEVICE=cpu, ")
    alternative = alternative or f"{elsewhere}C2LLM_DTYPE=bf16, or a smaller model (c2llm model use embedded)"
    raise ModelError(f"{what} needs {total / 1e9:,.1f} GB and {place} has {free / 1e9:.1f} GB free: use {alternative}.")


def free_memory(device: torch.device) -> int | None:
    """Free bytes; None if the device does not report them."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    import psutil

    return int(psutil.virtual_memory().available)


def _supports_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return bool(torch.backends.mps.is_macos_or_newer(14, 0))
