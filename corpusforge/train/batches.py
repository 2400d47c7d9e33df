"""Which samples each step takes: the global batch is a schedule, and does not depend on how many workers read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Batches:
    """``sizes`` gives the samples of a step from each step on, ``{0: 32, 1000: 64}``; ``skips`` the samples left out
    before a step, such as those behind a spike of the loss."""

    sizes: Mapping[int, int]
    skips: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        steps = list(self.sizes)
        if steps[:1] != [0] or any(b <= a for a, b in pairwise(steps)):
            raise ValueError(f"batch sizes begin at step 0 and rise from there; these begin at {steps}")
        wrong = {step: size for step, size in self.sizes.items() if size < 1}
        if wrong:
            raise ValueError(f"a step takes at least one sample; these take {wrong}")

    def size(self, step: int) -> int:
        """The samples of a step."""
        return self.sizes[max(begin for begin in self.sizes if begin <= step)]

    def first(self, step: int) -> int:
        """The first sample of a step, which is also the samples consumed or skipped before it."""
        begins = [*self.sizes, step]
        taken = sum(
            size * (min(end, step) - begin)
            for (begin, end), size in zip(pairwise(begins), self.sizes.values(), strict=True)
            if begin < step
        )
        return taken + sum(samples for at, samples in self.skips if at <= step)


@dataclass(frozen=True)
class Share:
    """What one of ``world`` workers takes of a batch: micro-batches of ``micro`` samples, dealt in turn."""

    rank: int
    world: int
    micro: int

    def rounds(self, size: int) -> int:
        """Micro-batches that each worker takes of a batch of ``size``; the last may be filled up with nothing."""
        return -(-size // (self.micro * self.world))

    def parts(self, size: int) -> list[tuple[int, int]]:
        """(offset, samples) of each micro-batch of this worker; none are left where the batch has ended."""
        starts = ((turn * self.world + self.rank) * self.micro for turn in range(self.rounds(size)))
        return [(min(start, size), max(0, min(self.micro, size - start))) for start in starts]


def order_of(size: int, world: int, micro: int) -> Sequence[int]:
    """For rows gathered worker by worker, the offset in the batch of each; those behind its end are ``size``."""
    rounds = Share(0, world, micro).rounds(size)
    return [
        min(size, (turn * world + rank) * micro + row)
        for rank in range(world)
        for turn in range(rounds)
        for row in range(micro)
    ]
