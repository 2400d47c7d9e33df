"""One worker without Ray: ``torchrun --nproc-per-node N -m corpusforge.train RUN``, or alone as ``python -m``.

``RUN`` is a folder that ``corpusforge train`` has prepared.
"""

import json
import sys
from pathlib import Path

from corpusforge.train.config import from_json
from corpusforge.train.loop import train


def main() -> None:
    """Train the run in the folder that is named."""
    if len(sys.argv) != 2 or not Path(sys.argv[1], "config.json").is_file():
        sys.exit("usage: python -m corpusforge.train RUN, a folder with config.json and plan.json")
    folder = Path(sys.argv[1]).absolute()
    train(from_json(json.loads((folder / "config.json").read_bytes())), folder)


if __name__ == "__main__":
    main()
