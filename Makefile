# One command for everything people do here. Needs only Python >= 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test check services services-stop bench bench-wide score screenshots recordings clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(READY) ## open the recorded incident night-hiccup
	$(BIN)/halfawake demo

# Much of a run is waiting, so two parts run at a time. A test belongs to exactly one part: those on
# the servers that all share, in one process; those of the lab, each on servers of its own; the rest.
# What compares wall-clock times, or stages a race by them, comes last and alone.
TEST_PARTS := test-lab test-rest test-servers test-score
IN_ONE_PIECE := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

test: $(READY) ## every test; a missing server skips with its install line
	@code=0; \
	$(MAKE) --no-print-directory --keep-going --jobs=2 $(IN_ONE_PIECE) $(TEST_PARTS) || code=1; \
	$(MAKE) --no-print-directory test-alone || code=1; \
	exit $$code

# The programs that tests start read bytecode that is kept, instead of compiling all of it each time.
test $(TEST_PARTS) test-alone: export PYTHONDONTWRITEBYTECODE :=

.PHONY: $(TEST_PARTS) test-alone
test-lab: $(READY)
	$(BIN)/pytest -m 'not timing' tests/lab
test-rest: $(READY)
	$(BIN)/pytest -m 'not servers and not timing' --ignore=tests/lab --ignore=tests/score
test-servers: $(READY)
	$(BIN)/pytest -m 'servers and not timing' --ignore=tests/lab
test-score: $(READY)
	$(BIN)/pytest -m 'not servers and not timing' tests/score
test-alone: $(READY)
	$(BIN)/pytest -m timing

check: $(READY) ## format, lint, types, layer contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

services: $(READY) ## start real servers on loopback and print their addresses
	$(BIN)/python -m tests.servers start

services-stop: $(READY) ## stop them, by pid
	$(BIN)/python -m tests.servers stop

bench: $(READY) ## what is measured, against whom
	$(BIN)/python -m bench

bench-wide: $(READY) ## five million records on a real Elasticsearch; some ten minutes
	$(BIN)/python -m bench wide

score: $(READY) ## how right the detectors are, on recorded and generated nights; some twenty minutes
	$(BIN)/python -m tests.score

screenshots: $(READY) ## draw the demo incidents as SVG and PNG
	$(BIN)/python -m screenshots.make

recordings: $(READY) ## run the lab on real servers and record the demo incidents
	$(BIN)/python -m tests.lab record

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist
