# `make` lists the targets. Whichever runs first makes the virtual environment in .venv.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
BASE_PYTHON := $(shell for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	if command -v $$candidate >/dev/null 2>&1 && $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$candidate; break; fi; done)
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak dev lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(BIN)/python:
	@test -n "$(BASE_PYTHON)" || { echo "Python 3.11 or newer is needed; none was found. Set PYTHON=/path/to/python3.11." >&2; exit 2; }
	$(BASE_PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(RUNTIME) ## 31 business days of a simulated bank, reconciled; prints the verdict
	@$(BIN)/jiko demo

WORKERS ?= 2

test: $(DEVELOPMENT) ## every test on two processes (WORKERS=1 for one), with the minutes each room took
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

lint: $(DEVELOPMENT) ## ruff, mypy in strict mode, the import rules
	@$(BIN)/ruff check jiko_pipeline jiko_pipeline_tests
	@$(BIN)/ruff format --check jiko_pipeline jiko_pipeline_tests
	@$(BIN)/mypy

bench: $(DEVELOPMENT) ## measure; figures and ratios, no verdict
	@$(BIN)/python -m jiko_pipeline_tests.bench

soak: $(DEVELOPMENT) ## the long form of the sweeps
	@$(BIN)/python -m pytest -m soak --timeout=0

dev: $(RUNTIME) ## the Dagster UI on http://127.0.0.1:3000
	@$(BIN)/dagster dev -w workspace.yaml

LOCK := $(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	--no-emit-options --no-header --no-annotate --no-strip-extras --allow-unsafe

lock: $(DEVELOPMENT) ## resolve the requirements anew
	@$(BIN)/python -m pip install --quiet pip-tools
	@$(LOCK) -o requirements.txt pyproject.toml
	@sed -E 's/^([A-Za-z0-9._-]+)\[[^]]*\]==/\1==/' requirements.txt > $(VENV)/constraints.txt
	@$(LOCK) --extra postgres -c $(VENV)/constraints.txt -o requirements-postgres.txt pyproject.toml
	@$(LOCK) --extra dev --extra postgres -c $(VENV)/constraints.txt -o requirements-dev.txt pyproject.toml

clean: ## remove what make and the pipeline made, the data directory included
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@chmod -R u+w data 2>/dev/null || true
	@find data -mindepth 1 ! -name .gitkeep -exec rm -rf {} + 2>/dev/null || true
