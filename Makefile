# Everything here sets itself up: a virtual environment in .venv, from whatever Python 3.11 or newer is on PATH.
PYTHON ?= python3
VENV := .venv
# Python is started many times: it compiles each module once.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
# Where a name cannot be resolved for a moment, the network is at fault, and the test runs again.
RERUN := --reruns 2 --reruns-delay 30 --only-rerun "lookup address information|name resolution|EAI_AGAIN"
# The packages of the development environment, by version and hash. `make lock` writes it.
LOCK := requirements-dev.txt
STAMP := $(VENV)/.installed-$(shell cat pyproject.toml $(LOCK) | cksum | cut -d' ' -f1)
# The tests of one file stay together: they share what it prepares. tests/conftest.py has the order.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-fast test-engine test-full lint bench wheel-check lock clean

demo: $(STAMP)
	@$(BIN)/python -m tests.demo

test-fast: $(STAMP)
	$(BIN)/pytest $(PARALLEL) -m "not engine and not slow and not thorough" tests

test: $(STAMP)
	$(BIN)/pytest $(PARALLEL) -m "not engine and not thorough" tests

test-engine: $(STAMP)
	$(BIN)/pytest $(PARALLEL) -m thorough tests
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

$(STAMP): pyproject.toml $(LOCK)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.installed-*
	@touch $@

# Not uv.lock, which has the address of the index that made it: docs/decisions/0045.
lock: $(STAMP)
	$(BIN)/uv lock --upgrade
	$(BIN)/uv export --quiet --frozen --all-extras --all-groups --no-emit-project --no-annotate --no-header \
		--output-file $(LOCK)
	@rm -f uv.lock

clean:
	rm -rf $(VENV) .demo dist .pytest_cache .mypy_cache .ruff_cache
