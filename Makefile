PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup run test test-long lint check fmt bench
.NOTPARALLEL:

setup: $(STAMP)

$(STAMP): pyproject.toml .ci/requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Seta needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.11" % sys.version_info[:2])'
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes -r .ci/requirements-dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q dsl compiler runtime
	@$(BIN)/python -c 'from dsl.grammar import keep_tables; keep_tables()'
	@touch $@

# The command takes the shell's place, so that signals and exit code are its own; the receiver ends once it is gone.
run: setup
	@{ trap exit HUP TERM; trap 'kill $$! 2>/dev/null' EXIT; \
	$(BIN)/python tests/receiver.py --port 8401 & \
	while kill -0 $$$$ 2>/dev/null; do sleep 0.2; done; } & \
	exec $(BIN)/seta serve --flows flows --allow-outbound 127.0.0.1:8401

# Two at a time: most of the tests wait for a process, a clock or a disk.
test: setup
	@$(BIN)/pytest -n 2 --dist worksteal

test-long: setup
	@$(BIN)/pytest -m long

lint: setup
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy

check: lint test

fmt: setup
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: setup
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.check
	@$(BIN)/python -m tests.bench.phones
	@$(BIN)/python -m tests.bench.client
	@$(BIN)/python -m tests.bench.replay
