# Everything CorpusForge needs is set up by the target that needs it: a python3.11+, git and make are enough.
.DEFAULT_GOAL := help
.PHONY: help setup demo demo-train test test-train test-slow lint bench soak fuzz schemas clean

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1 \
	&& echo "$$p" && break; done)
STAMP := $(VENV)/.installed-$(shell cksum pyproject.toml constraints.txt | cksum | cut -d' ' -f1)

TRAIN_STAMP := $(VENV)/.train-$(shell cksum pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
TORCH := $(shell sed -n 's/^torch==/torch==/p' constraints.txt)

help:  ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP)  ## .venv with CorpusForge and its development tools

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no python3.11 to 3.14 with venv found; set PYTHON=/path/to/python3"; exit 1; }
	@echo "setting up $(VENV) with $(PYTHON) (a few minutes the first time) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=24"
	@echo "installing CorpusForge and its development tools ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@rm -f $(VENV)/.installed-* && touch $@
	@echo "$(VENV) is ready"

$(TRAIN_STAMP): $(STAMP)
	@echo "installing what training needs ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(TORCH) setuptools wheel ninja
	@DS_ACCELERATOR=cpu $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		--no-build-isolation -e '.[fit,train]'
	@rm -f $(VENV)/.train-* && touch $@

demo: $(STAMP)  ## make demo input, build a corpus of it on a local Ray, show the report
	@$(BIN)/python jobs/demo.py --root out

demo-train: $(TRAIN_STAMP)  ## from the demo corpus to a trained, exported, sampled tiny model
	@$(BIN)/python jobs/demo_train.py --root out

test: $(STAMP)  ## all tests but those of training and the slow ones
	@echo "running the tests (a few minutes) ..."
	@$(BIN)/python -m pytest

test-train: $(TRAIN_STAMP)  ## the tests of training
	@echo "running the tests of training (some minutes) ..."
	@$(BIN)/python -m pytest -m train

test-slow: $(STAMP)  ## tests that take minutes each: the image's install script into a fresh environment
	@$(BIN)/python -m pytest -m slow

lint: $(STAMP)  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## benchmarks against peers; needs the real data (see docs/benchmarks.md)
	@$(BIN)/python -m benchmarks.run

soak: $(STAMP)  ## kill workers, drivers and Ray at random and compare digests
	$(BIN)/python -m tests.soak

fuzz: $(STAMP)  ## property tests with new examples; build from 10 000 mutated pages and account for every one
	$(BIN)/python -m pytest --hypothesis-profile=search -m hypothesis
	$(BIN)/python -m tests.fuzz

schemas: $(STAMP)  ## write schemas/ anew
	$(BIN)/corpusforge schemas schemas

clean:  ## remove what was built, not the corpora in out/
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
