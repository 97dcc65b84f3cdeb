# make run      set everything up and serve the app on http://127.0.0.1:8000 (PORT= changes it)
# make run-scale  the same app as replicas under Ray Serve, on this machine (docs/scale.md)
# make test     set everything up, a browser included, and run all tests, in a process for each core (17 minutes on two)
# make check    the same without the tests marked slow, for while you work
# make test-scale  test the replicas under a real Ray Serve, which plain `make test` leaves out (4 minutes)
# make lint     ruff, mypy, Biome for scripts and style sheets, and an audit for known vulnerabilities
# make train    train the models anew (MNIST= and STROKES= name files; without, MNIST is downloaded)
# make bench    measure how fast it is, and how large (JSON= names a file for the figures)
# make soak     ten minutes of many visitors, then a verdict (SECONDS= changes it)
# make fuzz     five minutes of malformed pictures and model files (SECONDS= changes it)
# make test-notebook  layerglass.show in a real JupyterLab and a real marimo
# make lock     pin the newest versions that pyproject.toml allows

PORT ?= 8000

# The first of these that runs and is a version that TensorFlow has wheels for.
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(FITS)' 2>/dev/null && echo $$python && break; done)
UV_VERSION := 0.13.9

VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

.PHONY: run run-scale test test-scale test-notebook check lint train bench soak fuzz lock clean

run: $(VENV)/.installed
	$(BIN)/layerglass serve --port $(PORT)

# Ray's usage statistics would be sent to its makers. A request whose replica has gone is sent to another one.
run-scale: $(VENV)/.scaled
	PATH="$(CURDIR)/$(BIN):$$PATH" RAY_USAGE_STATS_ENABLED=0 RAY_SERVE_ENABLE_HA_PROXY=1 RAY_SERVE_THROUGHPUT_OPTIMIZED=1 \
		RAY_SERVE_HAPROXY_RETRY_ON="conn-failure empty-response" serve run deploy/serve.yaml

PYTEST := $(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

test: $(VENV)/.tested
	$(BIN)/python -m tests.browser.chromium
	$(PYTEST)

# Ray's cluster takes every core, so that these tests run one after another.
test-scale: $(VENV)/.tested $(VENV)/.scaled
	$(BIN)/python -m pytest tests/scale

check: $(VENV)/.tested
	$(BIN)/python -m tests.browser.chromium
	$(PYTEST) -m "not slow"

test-notebook: $(VENV)/.shown
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest tests/notebook/frontends/in_jupyterlab.py tests/notebook/frontends/in_marimo.py

lint: $(VENV)/.tested
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m vendoring.lint
	$(BIN)/python -m vendoring.audit

train: $(VENV)/.installed
	$(BIN)/layerglass train $(if $(MNIST),--mnist $(MNIST)) $(if $(STROKES),--strokes $(STROKES))

bench: $(VENV)/.benched
	$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m benchmarks $(if $(JSON),--json $(JSON))

soak: $(VENV)/.benched
	$(BIN)/python -m benchmarks.soak $(if $(SECONDS),--seconds $(SECONDS))

fuzz: $(VENV)/.benched
	$(BIN)/python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS))

lock: $(UV)
	$(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade --quiet \
		pyproject.toml --output-file requirements.txt
	$(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade --quiet \
		--group dev --constraint requirements.txt --output-file tests/requirements.txt
	$(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade --quiet \
		--group bench --group fuzz --constraint requirements.txt --constraint tests/requirements.txt \
		--output-file benchmarks/requirements.txt
	$(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade --quiet \
		--group notebook --constraint requirements.txt --constraint tests/requirements.txt \
		--output-file tests/notebook/requirements.txt
	$(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade --quiet \
		--extra scale --constraint requirements.txt --constraint tests/requirements.txt \
		pyproject.toml --output-file deploy/requirements-scale.txt
	$(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade --quiet \
		--extra store --constraint requirements.txt --constraint tests/requirements.txt \
		pyproject.toml --output-file deploy/requirements-store.txt
	$(UV) pip compile --universal --generate-hashes --no-header --python-version 3.11 --upgrade --quiet \
		--constraint requirements.txt --excludes deploy/without-tensorflow.txt \
		pyproject.toml --output-file deploy/requirements-lite.txt

clean:
	rm -rf $(VENV) static/vendor dist

$(UV):
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || \
		{ echo "Layerglass needs Python 3.11, 3.12 or 3.13: make PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.installed: $(UV) requirements.txt pyproject.toml vendoring/build.py vendoring/package-lock.json
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

$(VENV)/.tested: $(VENV)/.installed tests/requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement tests/requirements.txt
	touch $@

$(VENV)/.shown: $(VENV)/.tested tests/notebook/requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement tests/notebook/requirements.txt
	touch $@

$(VENV)/.scaled: $(VENV)/.installed deploy/requirements-scale.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement deploy/requirements-scale.txt
	touch $@

# tf-explain brings a package named tests, so it lies beside the environment's own packages.
$(VENV)/.benched: $(VENV)/.tested benchmarks/requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement benchmarks/requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --target $(VENV)/tf-explain tf-explain==0.3.1
	touch $@
