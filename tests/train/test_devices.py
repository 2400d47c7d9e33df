"""Peaks of devices by the names that drivers give, and the share of them that a run uses."""

import pytest

from corpusforge.train.devices import flops_per_token, mfu, peak_of


@pytest.mark.parametrize(
    ("name", "dtype", "flops", "device"),
    [
        ("NVIDIA H100 80GB HBM3", "bf16", 989e12, "H100 SXM"),
        ("NVIDIA H100 PCIe", "bf16", 756e12, "H100 PCIe"),
        ("NVIDIA H100 NVL", "bf16", 835.5e12, "H100 NVL"),
        ("NVIDIA H200", "torch.bfloat16", 989e12, "H200 SXM"),
        ("NVIDIA A100-SXM4-80GB", "bfloat16", 312e12, "A100"),
        ("NVIDIA A100 80GB PCIe", "tf32", 156e12, "A100"),
        ("Tesla V100-SXM2-16GB", "fp16", 125e12, "V100 SXM2"),
        ("NVIDIA L4", "bf16", 121e12, "L4"),
        ("NVIDIA L40S", "bf16", 362e12, "L40S"),
        ("NVIDIA GeForce RTX 4090", "bf16", 165.2e12, "RTX 4090"),
        ("NVIDIA B200", "bf16", 2250e12, "B200"),
        ("AMD Instinct MI300X", "bf16", 1307.4e12, "MI300X"),
    ],
)
def test_a_known_device_has_its_dense_peak(name: str, dtype: str, flops: float, device: str) -> None:
    assert peak_of(name, dtype) == (flops, device)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("cpu", "bf16"),
        ("", "bf16"),
        ("Tesla V100-SXM2-16GB", "bf16"),
        ("NVIDIA A10G", "bf16"),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "bf16"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "bf16"),
        ("NVIDIA GeForce RTX 4090 D", "bf16"),
        ("NVIDIA H100 80GB HBM3", "int3"),
    ],
)
def test_nothing_is_guessed(name: str, dtype: str) -> None:
    assert peak_of(name, dtype) is None


def test_a_published_run_has_its_published_utilisation() -> None:
    # PaLM 540B: 238.3e3 tokens/s on 6,144 TPU v4 of 275e12 FLOP/s; 118 layers, 48 heads of 256, 2,048 tokens: 46.2 %.
    each = flops_per_token(540_350_000_000, 118, 48 * 256, 2048)
    assert mfu(238_300, each, 275e12, 6144) == pytest.approx(0.462, abs=0.002)


def test_a_frozen_weight_costs_two_thirds_of_a_trained_one() -> None:
    assert flops_per_token(0, 0, 0, 2048, frozen=900) == flops_per_token(600, 0, 0, 2048) == 3600
    assert flops_per_token(5, 2, 64, 100, frozen=7) == 6 * 5 + 4 * 7 + 12 * 2 * 64 * 100
