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

test: $(READY) ## every test; a missing server skips with its install line
	$(BIN)/pytest

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
