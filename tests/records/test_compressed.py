"""The door to plain bytes: every compression, one stream or several, under any name, whole or damaged."""

import bz2
import gzip
import io
import lzma
import random
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusforge.decoders import SUFFIXES
from corpusforge.records.compressed import BLOCK, PLAIN, Damaged, blocks, kind_of, with_compressions

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": zstandard.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lz4": lz4.frame.compress,
}
NAMES = {kind: f"a.txt{suffix}" for suffix, kind in SUFFIXES.items()}
CHANCE = random.Random(5)
WORDS = [f"word{number} ".encode() for number in range(500)]
TEXT = b"".join(CHANCE.choice(WORDS) for _ in range(40_000))


def unpacked(data: bytes, name: str = "a.txt") -> tuple[bytes, str | None]:
    """The plain bytes, and the reason why there are no more."""
    file = io.BytesIO(data)
    out = []
    try:
        for block in blocks(file, kind_of(file, name)):
            assert 0 < len(block) <= BLOCK
            out.append(block)
    except Damaged as damage:
        return b"".join(out), damage.reason
    return b"".join(out), None


@pytest.mark.parametrize("kind", PACK)
@settings(max_examples=25, deadline=None)
@given(streams=st.lists(st.binary(max_size=2000), min_size=1, max_size=4), padding=st.integers(0, 3))
def test_streams_one_after_another_are_one_text(kind: str, streams: list[bytes], padding: int) -> None:
    zeros = bytes(4 * padding)
    packed = b"".join(PACK[kind](stream) + zeros for stream in streams)
    assert kind_of(io.BytesIO(packed), "named-otherwise.txt") == kind
    assert unpacked(packed) == (b"".join(streams), None)


@pytest.mark.parametrize("kind", PACK)
def test_a_truncated_stream_gives_what_was_whole_and_says_so(kind: str) -> None:
    packed = PACK[kind](TEXT)
    first = PACK[kind](b"a stream before it\n")
    for cut in (len(packed) - 1, len(packed) // 2, 20):
        out, reason = unpacked(first + packed[:cut])
        assert reason == "damaged_compression"
        assert out.startswith(b"a stream before it\n")
        assert TEXT.startswith(out[19:])
    assert len(unpacked(PACK["gzip"](TEXT)[:-1])[0]) == len(TEXT)


@pytest.mark.parametrize("kind", PACK)
def test_flipped_bytes_are_noticed(kind: str) -> None:
    packed = bytearray(PACK[kind](TEXT))
    for at in (len(packed) // 3, len(packed) // 2):
        broken = packed[:at] + bytes(b ^ 0x55 for b in packed[at : at + 40]) + packed[at + 40 :]
        out, reason = unpacked(bytes(broken))
        assert reason == "damaged_compression" or out == TEXT
        if kind == "gzip":
            assert len(out) > len(TEXT) // 10, "what stands before the damage is given"


@pytest.mark.parametrize("kind", PACK)
def test_garbage_behind_a_stream_is_damage(kind: str) -> None:
    assert unpacked(PACK[kind](b"whole") + b"and then something else") == (b"whole", "damaged_compression")


def test_what_the_bytes_say_counts() -> None:
    assert unpacked(b"plain text, although it is called so", "a.txt.gz") == (
        b"plain text, although it is called so",
        None,
    )
    assert unpacked("日本語のテキスト".encode(), "a.jsonl.zst")[1] is None
    for kind, name in NAMES.items():
        packed = PACK[kind](b"text")
        assert unpacked(packed[:2], name) == (b"", "damaged_compression"), "too short to be known"
        assert unpacked(b"\0" + packed[1:], name) == (b"", "damaged_compression")
    assert kind_of(io.BytesIO(b""), "a.txt.gz") == "gzip"
    assert kind_of(io.BytesIO(b"BZh9 is how a line may begin"), "a.txt") == PLAIN


def test_frames_to_skip_are_skipped() -> None:
    skip = b"\x50\x2a\x4d\x18" + (6).to_bytes(4, "little") + b"notes!"
    assert unpacked(skip + zstandard.compress(b"one") + skip + zstandard.compress(b"two")) == (b"onetwo", None)


def test_a_window_beyond_the_limit_is_refused_by_name() -> None:
    options = zstandard.ZstdCompressionParameters.from_level(1, window_log=28, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=options).compressobj()
    packed = packer.compress(b"a long window\n" * 10) + packer.flush()
    assert unpacked(packed) == (b"", "large_window")
    wide = blocks(io.BytesIO(packed), "zstd", window_bytes=1 << 28)
    assert b"".join(wide) == b"a long window\n" * 10
    assert unpacked(lzma.compress(b"x", preset=9))[1] is None
    with pytest.raises(Damaged, match="large_window"):
        list(blocks(io.BytesIO(lzma.compress(b"x", preset=9)), "xz", window_bytes=1 << 20))


def test_a_bomb_comes_in_small_blocks() -> None:
    for kind, pack in PACK.items():
        file = io.BytesIO(pack(bytes(64 << 20)))
        stream = blocks(file, kind_of(file, "bomb"))
        most = max(len(block) for block in stream)
        assert most <= 17 << 20, kind


def test_an_error_of_the_file_is_no_damage() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise OSError(5, "Input/output error")
            return super().read(size)

    for kind, pack in PACK.items():
        stream = blocks(Failing(pack(CHANCE.randbytes(3 * BLOCK))), kind)
        with pytest.raises(OSError, match="Input/output error"):
            list(stream)


def test_suffixes_with_compressions() -> None:
    assert with_compressions(".txt")[:3] == (".txt", ".txt.gz", ".txt.zst")


@pytest.mark.parametrize("said", [MemoryError(), zstandard.ZstdError("Allocation error : not enough memory")])
def test_a_lack_of_memory_is_no_damage(said: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Starved:
        eof, needs_input, unused_data = False, True, b""

        def decompress(self, data: bytes, max_length: int) -> bytes:
            raise said

    monkeypatch.setattr("corpusforge.records.compressed.decoder", lambda *_: Starved())
    with pytest.raises(MemoryError):
        unpacked(gzip.compress(b"text"))
