# Two commands matter: `make run` starts a personal node, `make test` runs all tests.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: run test native check lint types contracts format bench oracles clean

run: $(VENV)/run.stamp
	$(BIN)/picomesh up

# What watches real clocks and sockets is tested one at a time; all the rest on all cores.
ALONE = tests/node/peers tests/node/http $(wildcard tests/node/test_*.py)
test: $(VENV)/dev.stamp native
	$(BIN)/pytest -q -n auto $(ALONE:%=--ignore=%) $(TESTS)
	$(BIN)/pytest -q $(ALONE) $(TESTS)

# The engine's busiest modules, compiled where there is a C compiler; made anew when the engine has changed.
native: $(VENV)/dev.stamp
	$(BIN)/python -m pico_native --optional

check: lint types contracts test

lint: $(VENV)/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/dev.stamp native
	for name in engine http children startup append peers didcomm krl; do $(BIN)/python -m benchmarks.$$name || exit 1; done

# Other implementations of DIDComm, which the tests and benchmarks ask: tests/didcomm/oracles
oracles: .oracles/sicpa.stamp .oracles/node.stamp

.oracles/sicpa.stamp: tests/didcomm/oracles/requirements.txt
	test -x .oracles/sicpa/bin/python || $(PYTHON) -m venv .oracles/sicpa
	.oracles/sicpa/bin/python -m pip install --quiet -r tests/didcomm/oracles/requirements.txt
	touch $@

.oracles/node.stamp: tests/didcomm/oracles/package.json
	mkdir -p .oracles/node
	cp tests/didcomm/oracles/package.json .oracles/node/
	if command -v npm >/dev/null; then npm install --prefix .oracles/node --silent --no-audit --no-fund; \
	else echo "npm is not installed: the tests against didcomm-node are skipped"; fi
	touch $@

$(VENV)/run.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@ $(VENV)/run.stamp

clean:
	rm -rf $(VENV) .oracles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache engine/pico_native/built
