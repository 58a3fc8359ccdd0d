# The only place where commands are written down. `make help` lists them.
#
# Two environments, so that the light package is proven light:
#   .venv      pixelift as a user installs it: no torch
#   .venv-dev  torch, the linters and the tests
# Each is made once and renewed when pyproject.toml changes. PYTHON=... picks the interpreter.

PYTHON ?= python3
LIGHT  := .venv
DEV    := .venv-dev
BIN    := $(DEV)/bin

# The checks run against one torch. It is installed first and alone: the looser requirement of the
# `train` extra is then met, and pip does not look for a newer build with gigabytes of CUDA libraries.
TORCH  := torch==2.13.0

PIP    := -m pip install --quiet --quiet --disable-pip-version-check
FAST   := -m "not slow and not parity"
SOURCES := src tests tools benchmarks examples experiments notebooks

# Folder of the benchmark sets (Set5/HR and so on), which are not ours to ship.
BENCH  ?= ../shared/bench
# Folder of OpenCV's networks, and exported networks of ours to compare with, as NAME=FILE.onnx.
PEERS  ?= ../shared/peers
RUNS   ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test fast check static fix format lint contracts layout types generated tables bench notebooks wheel ci clean

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(LIGHT)/.installed  ## install the light package, super-resolve the bundled photo into demo/
	@$(LIGHT)/bin/python tools/demo.py

test: $(DEV)/.installed  ## run every test (installs what they need, torch included)
	@$(BIN)/python -m pytest

fast: $(DEV)/.installed  ## run the fast tests
	@$(BIN)/python -m pytest $(FAST)

check: static fast  ## format, lint, imports, layout, tables, types, fast tests: before every commit

static: format lint contracts layout generated types

fix: $(DEV)/.installed  ## format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix --exit-zero --quiet $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)

format: $(DEV)/.installed
	@$(BIN)/ruff format --check $(SOURCES)

lint: $(DEV)/.installed
	@$(BIN)/ruff check $(SOURCES)

contracts: $(DEV)/.installed
	@$(BIN)/lint-imports --no-logo --no-cache

layout: $(DEV)/.installed
	@$(BIN)/python tools/check_layout.py

types: $(DEV)/.installed  ## check the type hints
	@$(BIN)/mypy

generated: $(DEV)/.installed
	@$(BIN)/python tools/gen_tables.py --check

tables: $(DEV)/.installed  ## write the generated tables again
	@$(BIN)/python tools/gen_tables.py

bench: $(DEV)/.installed  ## measure speed, memory and quality into benchmarks/results (BENCH=FOLDER of the sets, RUNS="NAME=FILE.onnx ...")
	@$(BIN)/python benchmarks/speed.py
	@$(BIN)/python benchmarks/engines.py $(BENCH)
	@$(BIN)/python benchmarks/fps.py
	@$(BIN)/python benchmarks/quality.py $(BENCH)
	@$(BIN)/python $(PIP) --editable ".[bench]"
	@$(BIN)/python benchmarks/peers.py $(BENCH) $(PEERS) $(RUNS:%=--run %)
	@$(BIN)/python benchmarks/serving.py
	@$(BIN)/python benchmarks/fuzzing.py

notebooks: $(DEV)/.installed  ## run the notebooks from top to bottom
	@$(BIN)/python tools/run_notebooks.py

wheel: $(DEV)/.installed  ## build the wheel and try it in a bare environment
	@$(BIN)/python tools/check_wheel.py

ci:  ## what the build server runs, on a clean checkout
	@bash .ci/run

clean:  ## remove the environments and everything that the commands wrote
	rm -rf $(LIGHT) $(DEV) demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(LIGHT)/.installed: pyproject.toml
	@echo "Installing the light package (no torch) into $(LIGHT)"
	@$(call make_venv,$(LIGHT))
	@$(LIGHT)/bin/python $(PIP) --editable .
	@touch $@

$(DEV)/.installed: pyproject.toml
	@echo "Installing torch, the linters and the tests into $(DEV)"
	@$(call make_venv,$(DEV))
	@$(BIN)/python $(PIP) "$(TORCH)"
	@$(BIN)/python $(PIP) --editable ".[train,serve,video,onnxruntime,dev]"
	@touch $@

define make_venv
$(PYTHON) -c "import sys; sys.exit('Pixelift needs Python 3.11 or newer, this is ' + sys.version.split()[0] + '. Run: make PYTHON=python3.11 $(MAKECMDGOALS)' if sys.version_info < (3, 11) else 0)" && $(PYTHON) -m venv $(1)
endef
