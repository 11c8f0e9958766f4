# Everything here sets itself up: a virtual environment in .venv, from whatever Python 3.11 or newer is on PATH.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Where a name cannot be resolved for a moment, the network is at fault, and the test runs again.
RERUN := --reruns 2 --reruns-delay 30 --only-rerun "lookup address information|name resolution|EAI_AGAIN"
STAMP := $(VENV)/.installed-$(shell cksum < pyproject.toml | cut -d' ' -f1)

.PHONY: demo test test-engine test-full lint bench wheel-check clean

demo: $(STAMP)
	@$(BIN)/python -m tests.demo

test: $(STAMP)
	$(BIN)/pytest -n auto --dist loadfile -m "not engine" tests

test-engine: $(STAMP)
	$(BIN)/pytest $(RERUN) -m "engine and not full" tests

test-full: $(STAMP)
	$(BIN)/pytest $(RERUN) -m "engine" tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python -m tests.bench $(APP)

wheel-check: $(STAMP)
	TAG="$(TAG)" $(BIN)/python -m tests.wheel_check

$(STAMP): pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@rm -f $(VENV)/.installed-*
	@touch $@

clean:
	rm -rf $(VENV) .demo dist .pytest_cache .mypy_cache .ruff_cache
