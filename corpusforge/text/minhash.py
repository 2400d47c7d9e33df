"""MinHash signatures, bit-equal to datasketch 2 (scheme ``affine32``), and the hashes of their bands.

``datasketch.MinHash(hashvalues=signature, seed=seed, scheme=SCHEME)`` loads a signature.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpusforge.kernels import compiled
from corpusforge.text.mixing import mixed64

SCHEME = "affine32"
"""Each hash is mixed once, then permuted by ``a * hash + b`` modulo 2^32; ``a`` is odd, so no two become one."""

Signatures = NDArray[np.uint32]
_SHIFT1, _SHIFT2, _MIX1, _MIX2 = np.uint32(16), np.uint32(13), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_KEY, _CHECK = np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344)
_PRIME1, _PRIME2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_LEFT, _RIGHT = np.uint64(29), np.uint64(35)


@cache
def permutations(count: int, seed: int) -> NDArray[np.uint32]:
    """The parameters ``a`` (odd) and ``b`` that datasketch draws, shape (2, count).

    Drawn here because importing datasketch brings scipy, half a second for each worker; a test compares the two.
    """
    draw = np.random.RandomState(seed).randint  # numpy promises this stream for good (NEP 19)
    factors = draw(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return np.stack([factors, draw(0, 1 << 32, count, dtype=np.uint32)])


def signatures(hashes: NDArray[np.uint32], starts: NDArray[np.int64], count: int, seed: int) -> Signatures:
    """One row of ``count`` minima for each set ``hashes[starts[i]:starts[i + 1]]``; all ones for an empty set."""
    factors, terms = permutations(count, seed)
    result: Signatures = _signatures(hashes, starts, factors, terms)
    return result


def band_hashes(table: Signatures, bands: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """128 bits (``key``, ``check``) of each band of each signature, shape (signatures, bands).

    Equal for two texts if they agree in all rows of that band, else different but for a chance of 2^-128.
    """
    key, check = _band_hashes(table, bands)
    return key, check


@compiled
def _signatures(hashes: Any, starts: Any, factors: Any, terms: Any) -> Any:
    result = np.full((len(starts) - 1, len(factors)), np.uint32(0xFFFFFFFF), np.uint32)
    for i in range(len(result)):
        minima = result[i]
        for hashed in hashes[starts[i] : starts[i + 1]]:
            mixed = _mixed32(hashed)
            for k in range(len(minima)):
                minima[k] = min(minima[k], np.uint32(factors[k] * mixed + terms[k]))
    return result


@compiled
def _mixed32(value: Any) -> Any:
    """The 32-bit finalizer of MurmurHash3; numba widens products, so each is cut back to 32 bits."""
    value = np.uint32(np.uint32(value ^ (value >> _SHIFT1)) * _MIX1)
    value = np.uint32(np.uint32(value ^ (value >> _SHIFT2)) * _MIX2)
    return np.uint32(value ^ (value >> _SHIFT1))


@compiled
def _band_hashes(table: Any, bands: int) -> Any:
    rows = table.shape[1] // bands
    key, check = np.empty((len(table), bands), np.uint64), np.empty((len(table), bands), np.uint64)
    for i in range(len(table)):
        for band in range(bands):
            left, right = _KEY ^ np.uint64(band), _CHECK ^ np.uint64(band)
            for row in range(band * rows, (band + 1) * rows):
                value = np.uint64(table[i, row])
                left = (((left << _LEFT) | (left >> _RIGHT)) ^ value) * _PRIME1
                right = (((right << _LEFT) | (right >> _RIGHT)) ^ value) * _PRIME2
            key[i, band], check[i, band] = mixed64(left), mixed64(right)
    return key, check
