"""From the demo corpus to a trained, exported and sampled tiny model: ``python jobs/demo_train.py --root out``."""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from corpusforge import api

CONFIG = Path(__file__).parent / "configs" / "demo.yaml"
PROMPT = "今日は"


def main() -> None:
    """Build the demo corpus where there is none, train on it, export the model, and let it write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("out"))
    root = parser.parse_args().root
    if not (root / "demo").is_dir():
        subprocess.run([sys.executable, Path(__file__).parent / "demo.py", "--root", root], check=True)
    config = api.read_training(CONFIG, {"data.sources.web.corpus": str(root / "demo" / "dev")})
    run = api.train_run(config, root / "runs")
    model = root / "runs" / f"{config.run}-model"
    shutil.rmtree(model, ignore_errors=True)
    print(f"model:   {api.train_export(run, model)}")
    print(f"report:  {api.train_report([run])}")
    for text in api.train_sample(model, PROMPT, tokens=40, count=3):
        print(f"sample:  {PROMPT + text!r}")
    print(f"more:    {api.program()} train sample {model} {PROMPT}")
    print(f"curves:  {api.program()} train report {run}")
    print(f"own:     copy {CONFIG}, change run and data, then {api.program()} train pretrain FILE --root {run.parent}")


if __name__ == "__main__":
    main()
