"""Peak speed of devices, and the share of it that a run uses (model FLOP/s utilisation, MFU)."""

import re
from dataclasses import dataclass
from typing import Any

HOPPER = "NVIDIA H100 datasheet (its figures with sparsity, halved)"


@dataclass(frozen=True)
class Peak:
    """A device: the words its driver's name has, and dense FLOP/s by dtype.

    ``fp32`` is without tensor cores, ``tf32`` with them; ``without`` are words of other devices.
    """

    device: str
    words: str
    flops: dict[str, float]
    source: str
    without: str = ""


PEAKS = (
    Peak(
        "B200",
        "b200",
        {"bf16": 2250e12, "fp16": 2250e12, "fp8": 4500e12},
        "NVIDIA DGX B200 datasheet (sparse FP8)",
    ),
    Peak("H200 NVL", "h200 nvl", {"bf16": 835.5e12, "fp16": 835.5e12, "fp8": 1671e12}, "NVIDIA H200 datasheet, halved"),
    Peak("H200 SXM", "h200", {"bf16": 989e12, "fp16": 989e12, "fp8": 1979e12, "tf32": 494e12, "fp32": 67e12}, HOPPER),
    Peak("H100 NVL", "h100 nvl", {"bf16": 835.5e12, "fp16": 835.5e12, "fp8": 1671e12}, HOPPER),
    Peak("H100 PCIe", "h100 pcie", {"bf16": 756e12, "fp16": 756e12, "fp8": 1513e12, "fp32": 51e12}, HOPPER),
    Peak("H100 SXM", "h100", {"bf16": 989e12, "fp16": 989e12, "fp8": 1979e12, "tf32": 494e12, "fp32": 67e12}, HOPPER),
    Peak("H800 SXM", "h800", {"bf16": 989e12, "fp16": 989e12, "fp8": 1979e12}, HOPPER, "pcie"),
    Peak("A100", "a100", {"bf16": 312e12, "fp16": 312e12, "tf32": 156e12, "fp32": 19.5e12}, "NVIDIA A100 datasheet"),
    Peak("A800", "a800", {"bf16": 312e12, "fp16": 312e12, "tf32": 156e12, "fp32": 19.5e12}, "NVIDIA A100 datasheet"),
    Peak("A40", "a40", {"bf16": 149.7e12, "fp16": 149.7e12, "tf32": 74.8e12, "fp32": 37.4e12}, "NVIDIA A40 datasheet"),
    Peak("A30", "a30", {"bf16": 165e12, "fp16": 165e12, "tf32": 82e12, "fp32": 10.3e12}, "NVIDIA A30 datasheet"),
    Peak("A10", "a10", {"bf16": 125e12, "fp16": 125e12, "tf32": 62.5e12, "fp32": 31.2e12}, "NVIDIA A10 datasheet"),
    Peak("L40S", "l40s", {"bf16": 362e12, "fp16": 362e12, "fp8": 733e12, "fp32": 91.6e12}, "NVIDIA L40S datasheet"),
    Peak("L40", "l40", {"bf16": 181e12, "fp16": 181e12, "fp8": 362e12, "fp32": 90.5e12}, "NVIDIA L40 datasheet"),
    Peak("L4", "l4", {"bf16": 121e12, "fp16": 121e12, "fp8": 242e12, "fp32": 30.3e12}, "NVIDIA L4 datasheet, halved"),
    Peak("V100 PCIe", "v100 pcie", {"fp16": 112e12, "fp32": 14e12}, "NVIDIA V100 datasheet"),
    Peak("V100 SXM2", "v100 sxm2", {"fp16": 125e12, "fp32": 15.7e12}, "NVIDIA V100 datasheet"),
    Peak("T4", "t4", {"fp16": 65e12, "fp32": 8.1e12}, "NVIDIA T4 datasheet"),
    Peak(
        "RTX 4090",
        "rtx 4090",
        {"bf16": 165.2e12, "fp16": 165.2e12, "tf32": 82.6e12, "fp32": 82.6e12},
        "NVIDIA Ada whitepaper, sums in fp32",
        "d",
    ),
    Peak(
        "RTX 3090",
        "rtx 3090",
        {"bf16": 71e12, "fp16": 71e12, "tf32": 35.6e12, "fp32": 35.6e12},
        "NVIDIA Ampere GA102 whitepaper, sums in fp32",
        "ti",
    ),
    Peak("MI300X", "mi300x", {"bf16": 1307.4e12, "fp16": 1307.4e12, "fp8": 2614.9e12}, "AMD Instinct MI300X datasheet"),
)
"""Dense peaks as their makers print them; the first that fits counts. A device that is not here has no MFU.

Makers tell many figures with 2:4 sparsity; the dense one is half of it.
"""
PARTS_OF_DEVICES = {"laptop", "mobile", "mig", "max"}
"""Words of names whose device is slower than its namesake."""
DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "float8": "fp8", "half": "fp16", "float": "fp32"}


def peak_of(name: str, dtype: Any) -> tuple[float, str] | None:
    """Dense peak FLOP/s of one device and what it is, by the name its driver gives (``NVIDIA H100 80GB HBM3``).

    ``dtype`` is ``bf16``, ``fp16``, ``tf32``, ``fp32`` or ``fp8``; ``bfloat16`` and ``torch.bfloat16`` do too.
    None where no figure is known for sure: another device, a slice of one, or a dtype it has no unit for.
    """
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    wanted = str(dtype).removeprefix("torch.").lower()
    if words & PARTS_OF_DEVICES:
        return None
    for peak in PEAKS:
        if set(peak.words.split()) <= words:
            flops = peak.flops.get(DTYPES.get(wanted, wanted))
            return (flops, peak.device) if flops and not set(peak.without.split()) & words else None
    return None


def flops_per_token(trained: int, layers: int, width: int, sequence: int, frozen: int = 0) -> float:
    """FLOP of one token forward and backward: 6 N + 12 · layers · width · sequence (PaLM, Chowdhery et al. 2022, B).

    N are the ``trained`` weights that are multiplied: not embeddings, which are looked up, but the matrix before the
    softmax, also where it is one with an embedding. A ``frozen`` weight costs 4: 2 forward and 2 for the gradient of
    what goes into it, none for its own. ``width`` is heads times the size of a head. Attention counts in full, also
    where it is causal and a kernel computes half of it, as the paper and most published figures do. Recomputed
    activations do not count: MFU is about the model's work.
    """
    return 6.0 * trained + 4.0 * frozen + 12.0 * layers * width * sequence


def mfu(tokens_per_second: float, flops_per_token: float, peak: float, devices: int) -> float:
    """Share of the peak, of 1; ``tokens_per_second`` go through the model on all devices, whether they are predicted or
    only read, and ``peak`` is in FLOP/s of one."""
    return tokens_per_second * flops_per_token / (peak * devices)
