# Two commands on a fresh machine with Python 3.11 and make: `make demo` and `make test`.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-slow lint docs notebooks clean install
.DEFAULT_GOAL := help

help:
	@echo "make demo       install, train on real measurements, screen a library, write the page runs/demo/index.html"
	@echo "make test       install and run the fast tests"
	@echo "make test-slow  run every test"
	@echo "make lint       ruff, mypy and the import contracts"
	@echo "make docs       install what the documentation needs and build it into site/"
	@echo "make notebooks  the tutorials as notebooks"

# constraints.txt pins torch to a release whose wheel is the CPU build on the machines we test on
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[text,report,dev]'
	touch $(STAMP)

install: $(STAMP)

demo: $(STAMP)
	$(BIN)/drugai demo --out runs/demo

test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow" -n 2

test-slow: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(STAMP)
	$(BIN)/ruff check drugai tests experiments docs
	$(BIN)/mypy drugai
	$(BIN)/lint-imports

$(VENV)/.docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $(VENV)/.docs

notebooks: $(VENV)/.docs
	$(BIN)/python docs/making/notebooks.py notebooks

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) build dist runs site .pytest_cache .mypy_cache .ruff_cache
