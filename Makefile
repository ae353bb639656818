# Two commands do everything on a fresh Debian machine: `make demo` and `make test`.
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python

# These touch no network, so that they may run side by side; all others run one by one, since
# their peers and their clocks share the machine. One of them that fails is run once more (ADR 7).
PURE := $(addprefix tests/,wire protocol quality passive inventory plan diagnosis case model watch store \
	fuzz reports packaging scenarios)

.PHONY: demo test check bench fuzz lock clean

demo: $(VENV)/.runtime
	$(BIN)/nethealth demo -o out

test: $(VENV)/.development
	sh tools/system-packages test
	$(MAKE) check
	$(BIN)/pytest -n 2 --dist loadfile $(PURE)
	$(BIN)/pytest --reruns 1 -raR $(addprefix --ignore=,$(PURE))

check: $(VENV)/.development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.development
	sh tools/system-packages test
	$(PY) tests/bench/run.py

# RUNS executions of each codec, led by coverage; what breaks a codec is kept in tests/fuzz/found.
RUNS := 200000
fuzz: $(VENV)/.development
	$(PY) -m tests.fuzz.run $(RUNS)

$(PY):
	sh tools/system-packages demo
	python3 -m venv $(VENV)

$(VENV)/.runtime: $(PY) requirements.lock pyproject.toml
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/.development: $(PY) requirements-dev.lock pyproject.toml
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(VENV)/.runtime $@

# Resolve the newest versions that pyproject.toml allows; needs uv.
lock:
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --group dev --extra fast pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) out
