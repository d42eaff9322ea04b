# make run    sets everything up and runs the main job: gateway, simulated carrier, a first message
# make test   sets everything up and passes the tests, on all cores; ARGS="-n 0" for one, as a debugger wants it
# make check  format, lint, types, walls
.PHONY: run test test-sip test-interop disorder check format setup bench fuzz timing clean

export UV_PROJECT_ENVIRONMENT ?= .venv
export UV_PYTHON_DOWNLOADS = never
PY = .venv/bin/python
ARGS ?=
STORE ?= sqlite

run: setup
	@.venv/bin/bocau dev $(ARGS)

# STORE=postgres: every gateway of tests/system keeps its store on a PostgreSQL that the tests start.
test: setup
	BOCAU_TEST_STORE=$(STORE) $(PY) -m pytest -n auto $(ARGS)

# Calls to SIPp; fails where there is none.
test-sip: setup
	@command -v sipp >/dev/null || { echo "sipp is not on PATH (Debian: apt-get install sip-tester)"; exit 1; }
	$(PY) -m pytest -q tests/sip tests/wire/sip tests/wire/rtp tests/rooms/deliver/sip tests/simulator/test_phone.py $(ARGS)

# Against programs of others: node-smpp and smpp34 are fetched into .interop; Kannel, if it is installed.
test-interop: setup
	-npm install --prefix .interop --no-audit --no-fund --silent smpp@0.5.1
	-python3 -m pip install -q --upgrade --target .interop/python smpp34==1.5.0
	$(PY) -m pytest tests/interop $(ARGS)

# 50,000 messages whose receipts come in every order; a thousand of them are part of `make test`.
disorder: setup
	BOCAU_DISORDER=50000 $(PY) -m pytest -q -s tests/simulation/test_disorder.py $(ARGS)

check: setup
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m pytest -q tests/architecture

format: setup
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

# The stamp is newer than the lock file and the project file once the environment matches them.
setup: .venv/.ready
.venv/.ready: uv.lock pyproject.toml tools/setup_environment.py
	@python3 tools/setup_environment.py
	@touch $@

bench: setup
	$(PY) -m bench $(ARGS)

fuzz: setup
	$(PY) -m pytest -q tests/wire tests/core tests/settings/test_lines.py tests/rooms/accept/test_checks.py tests/rooms/accept/test_generated.py --hypothesis-profile=long $(ARGS)
	BOCAU_FUZZ_EXAMPLES=200 $(PY) -m pytest -q tests/compat/test_schema.py $(ARGS)

# Whether the time of a refusal tells which of the keys was wrong: fails if it does. Wants a quiet machine.
timing: setup
	$(PY) -m bench keys --iterations 20000 $(ARGS)

clean:
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
