"""What `c2llm doctor` says of the libraries that run models: onnxruntime and its relatives, torch.

onnxruntime, onnxruntime-gpu and others install into one folder under one import name. Where two of them are installed the files of
the one that came last are used, and removing either takes the other's files along: the usual way to a GPU that stays idle.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from c2llm_lsp.cli.check_result import Finding
from c2llm_lsp.cli.common import Target

PLAIN, GPU = "onnxruntime", "onnxruntime-gpu"
# Distributions that hold the package `onnxruntime`; extensions and tools beside it do not.
RELATIVES = re.compile(r"onnxruntime(-(gpu|directml|openvino|qnn|silicon|training.*|rocm|migraphx|cann|vitisai))?")
ACCELERATED = ("CUDA", "ROCM", "MIGraphX", "CoreML", "Dml")


def onnxruntime(_: Target) -> Iterator[Finding]:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as runtime

    providers = [name.removesuffix("ExecutionProvider") for name in runtime.get_available_providers()]
    yield Finding(PLAIN, "ok", f"{runtime.__version__}; providers: {', '.join(providers)}")
    installed = relatives(metadata.distributions())
    if len(installed) > 1:
        yield mixed(installed, in_use(Path(runtime.__file__).parent))


def relatives(distributions: Iterable[metadata.Distribution]) -> tuple[str, ...]:
    """The installed distributions of onnxruntime."""
    names = {(one.metadata["Name"] or "").lower().replace("_", "-") for one in distributions}
    return tuple(sorted(name for name in names if RELATIVES.fullmatch(name)))


def in_use(package: Path) -> str:
    """Which distribution the package's files are of: it says so itself. "" where it does not."""
    try:
        text = (package / "capi" / "build_and_package_info.py").read_text(encoding="utf-8")
    except OSError:
        return ""
    match = re.search(r"package_name\s*=\s*['\"]([\w.-]+)['\"]", text)
    return match[1].lower().replace("_", "-") if match else ""


def mixed(installed: tuple[str, ...], used: str) -> Finding:
    """What it means that several are installed, and how to have the one that was meant."""
    preferred = next((name for name in (GPU, *installed) if name in installed and name != PLAIN), installed[0])
    others = " ".join(name for name in installed if name != preferred)
    files = f"the files of {used} are in use" if used else "it is not known whose files are in use"
    text = f"{' and '.join(installed)} are installed into one folder; {files}"
    if used == preferred:
        return Finding(PLAIN, "ok", f"{text}, which is what the extra 'gpu' asks for")
    # Removing one takes files of the other along, so that the wanted one must be laid anew.
    todo = f"pip uninstall -y {others} {preferred} && pip install {preferred}"
    return Finding(PLAIN, "note", f"{text}: the GPU stays idle", todo)


def torch(_: Target) -> Iterator[Finding]:
    """Only what is installed and a look at devices: nothing is computed."""
    if find_spec("torch") is None:
        yield Finding("torch", "ok", "not installed; checkpoints such as codefuse-ai/C2LLM-0.5B need the extra 'torch'")
        return
    import torch as library

    from retrieval.model.attention import best_kernel
    from retrieval.model.devices import choose_device, cpu_multiplies_bf16, free_memory

    device = choose_device()
    if device.type == "cpu":
        bf16 = "bf16 in hardware" if cpu_multiplies_bf16() else "no bf16 in hardware: fp32 is faster"
        yield Finding("torch", "ok", f"{library.__version__}; no GPU; {bf16}")
        return
    name = library.cuda.get_device_name(device) if device.type == "cuda" else "Apple GPU"
    free = f"{(free_memory(device) or 0) / 1e9:.1f} GB free"
    kernel, _kernel = best_kernel(device, library.bfloat16)
    yield Finding("torch", "ok", f"{library.__version__}; {device}: {name}, {free}; {kernel}")
