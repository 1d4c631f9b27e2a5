# What a user, a developer and CI run. `make help` lists it.

# The Python that the environment is made with, and where it is made.
PYTHON ?= python3
VENV ?= .venv
ST_VENV ?= .venv-spacy-transformers
LOWEST_VENV ?= .venv-lowest
# More options for pip, e.g. PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu" for torch without CUDA.
PIP_FLAGS ?=
# Overrides of the variables in project.yml, e.g. VARS="--vars.encoder distilbert/distilbert-base-uncased".
VARS ?=
# Options of the fuzzer.
FUZZ ?=
# Kinds of torture, and how often each is done.
TORTURE ?= save to_disk disk_full damage train annotate soak
TIMES ?= 20
# The Python of the machine that `gpu-kit` is for.
KIT_PYTHON ?= 3.12
# Processes that the tests are spread over, one thread each.
WORKERS ?= 2

BIN = $(VENV)/bin
ST_BIN = $(ST_VENV)/bin
LOWEST_BIN = $(LOWEST_VENV)/bin
TESTS = -m pytest -n $(WORKERS) --dist worksteal

# Output in the order in which it happens, also into a file.
export PYTHONUNBUFFERED = 1
test test-slow test-spacy-transformers test-lowest: export OMP_NUM_THREADS = 1

.DELETE_ON_ERROR:
.PHONY: help install assets run large shared portable final gpu seeds bench bench-env lint test test-slow test-dist
.PHONY: clean test-spacy-transformers test-lowest fuzz torture gpu-kit

help:  ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-24s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## Make the environment, with the versions of constraints.txt.

$(VENV)/.installed: constraints.txt setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable ".[dev]"
	touch $@

$(ST_VENV)/.installed: constraints-spacy-transformers.txt setup.cfg pyproject.toml
	$(PYTHON) -m venv $(ST_VENV)
	$(ST_BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints-spacy-transformers.txt \
		--editable ".[spacy-transformers]" hypothesis pytest pytest-timeout pytest-xdist
	touch $@

$(VENV)/.bench: $(VENV)/.installed
	$(BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints.txt --editable ".[bench]"
	touch $@

$(ST_VENV)/.bench: $(ST_VENV)/.installed
	$(ST_BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints-spacy-transformers.txt \
		--editable ".[bench-peers]"
	touch $@

$(LOWEST_VENV)/.installed: constraints-lowest.txt setup.cfg pyproject.toml
	$(PYTHON) -m venv $(LOWEST_VENV)
	$(LOWEST_BIN)/python -m pip install $(PIP_FLAGS) --constraint constraints-lowest.txt \
		--editable ".[datasets,evaluate]" hypothesis pytest pytest-timeout pytest-xdist seqeval
	touch $@

assets: install  ## Make the encoder and find the data: what the slow tests use, and skip where it is missing.
	$(BIN)/python -m spacy project run encoder .
	$(BIN)/python -m spacy project run data .

run: install  ## Find the data, train, evaluate, package, install, write pages. A second run skips what has not changed.
	$(BIN)/python -m spacy project run all . $(VARS)

large: install  ## The same with the large encoder: more accurate, and slower.
	$(BIN)/python -m spacy project run large . $(VARS)

shared: install  ## What `run` does, with one encoder that several components share.
	$(BIN)/python -m spacy project run shared . $(VARS)

portable: install  ## The best recipe that Hugging Face can open: trained, scored, exported and checked.
	$(BIN)/python -m spacy project run portable . $(VARS)

final: install  ## The recipe fitted once more, on train and dev together, for use; scored, packaged and installed.
	$(BIN)/python -m spacy project run final . $(VARS)

gpu: install  ## What `run` does, with DistilBERT from the Hugging Face Hub and on the first GPU (torch with CUDA; no CuPy).
	$(BIN)/python -m spacy project run all . --vars.device cuda:0 --vars.encoder distilbert/distilbert-base-uncased $(VARS)

seeds: run  ## Train and score with five seeds, and print the table of scores (ten minutes or more).
	$(BIN)/python scripts/run_seeds.py configs/wnut17.cfg metrics/seeds.json --encoder assets/encoder

bench-env: $(VENV)/.bench $(ST_VENV)/.bench  ## Make the environments that speed is measured in, ours and the peers'.

bench: portable bench-env  ## Measure speed and memory beside the peers, into bench/results/ (over an hour).
	$(BIN)/python -m bench all

gpu-kit: assets  ## Make build/gpu-kit/: tests and measurements for a machine with a GPU and no network (KIT_PYTHON=3.12).
	$(BIN)/python scripts/make_gpu_kit.py --python $(KIT_PYTHON)

lint: install  ## Check style and types.
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

test: install  ## Run the tests that need no more than a few minutes in all.
	$(BIN)/python $(TESTS)

fuzz: install  ## Judge made-up inputs of every kind: FUZZ="--minutes 10 --kinds tags,rows" (scripts/fuzz.py --help).
	$(BIN)/python scripts/fuzz.py $(FUZZ)

torture: install  ## Kill, damage, fill up and soak what docs/reliability.md promises: TORTURE="save to_disk" TIMES=200.
	for kind in $(TORTURE); do $(BIN)/python scripts/torture.py $$kind --times $(TIMES) || exit 1; done

test-slow: install  ## Run the slow tests.
	$(BIN)/python $(TESTS) -m "slow and not gpu"

test-dist: install  ## Build the sdist and the wheel, and test each outside the source tree.
	$(BIN)/python scripts/check_dist.py

test-spacy-transformers: $(ST_VENV)/.installed  ## Test with spacy-transformers, in a separate environment.
	$(ST_BIN)/python -c "import spacy_transformers"
	$(ST_BIN)/python $(TESTS) tests/beside_spacy_transformers tests/compat tests/pipeline tests/training \
		--ignore tests/pipeline/test_seqeval_scorer.py --ignore-glob "tests/training/test_*process*" \
		--ignore tests/training/test_resume.py

test-lowest: $(LOWEST_VENV)/.installed  ## Test with the lowest supported versions, in a separate environment (Python 3.11).
	$(LOWEST_BIN)/python $(TESTS) tests/compat tests/wordpieces tests/models tests/pipeline tests/training tests/export \
		tests/hub tests/cli

clean:  ## Remove what the project made. The environments and the downloaded data stay.
	rm -rf build dist corpus training metrics packages installed project.lock assets/data assets/data.json
	find . -name __pycache__ -not -path "./.venv*" -prune -exec rm -rf {} +
