# Everything a person needs: `make demo` and `make test` set up what they use.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test check format lint types imports bench docs clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "dspx needs Python 3.10 or newer; try: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

demo: $(STAMP) ## signature → evaluation → compile → comparison, on an embedded model or yours
	@$(BIN)/python -m examples.demo

test: $(STAMP) ## the whole test suite
	$(BIN)/python -m pytest -n 2

check: $(STAMP) format lint types imports test ## everything that main must pass

format: $(STAMP)
	$(BIN)/ruff format --check .

lint: $(STAMP)
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/pyright

imports: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP) ## the speed suite, against DSPy 3.4.1 and the floors
	$(BIN)/python -m benchmarks

docs: $(STAMP) ## run every snippet of the docs
	$(BIN)/python -m pytest tests/docs

clean: ## remove the environment and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
