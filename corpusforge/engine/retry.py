"""How often a unit is tried, and which record is left out after it has killed its workers."""

from collections import Counter
from dataclasses import dataclass, field

from corpusforge.engine.guard import Death

TRIES = 3
"""Attempts at a unit before it is listed as failed; leaving out a killer record starts the count anew."""
OWN_DEATHS = 2
"""Crashes at one record after which it is dropped."""
KILLS = 3
"""Kills from outside (SIGKILL) at one record after which it is dropped: one more, since chance may do it twice."""
LOSSES = 10
"""Nodes that may go away under a unit before that counts against the unit: spot nodes go in numbers."""


@dataclass
class History:
    """What happened to the attempts at one unit."""

    causes: list[str] = field(default_factory=list)
    skip: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    losses: int = 0
    crashes: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)

    def raised(self, cause: str) -> bool:
        """Note an exception; say whether to try again."""
        return self._again(cause)

    def lost(self, cause: str) -> bool:
        """Note the loss of a whole node, which is hardly ever the unit's doing; say whether to try again."""
        self.losses += 1
        if self.losses > LOSSES:
            return self._again(cause)
        self.causes.append(cause)
        return True

    def died(self, death: Death) -> bool:
        """Note a death; say whether to try again."""
        place = death.place
        again = self._again(death.cause())
        if not place or place in self.skip:
            return again
        (self.crashes if death.own_fault else self.kills)[place] += 1
        if self.crashes[place] >= OWN_DEATHS or self.kills[place] >= KILLS:
            self.skip[place] = "extract.too_dear" if death.too_dear else "extract.killed_worker"
            self.tries = 0
            return True
        return again

    def _again(self, cause: str) -> bool:
        self.causes.append(cause)
        self.tries += 1
        return self.tries < TRIES
