# Every target does its own set-up; the environment lives in .venv.
VENV ?= .venv
PY := $(VENV)/bin/python
PYTHON ?= python3
JOBS ?= 2

.PHONY: setup demo test lint types layers unit bench validate docs lock clean

$(VENV)/.ready: pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --allow-existing --python $(PYTHON) $(VENV) && \
		VIRTUAL_ENV=$(VENV) uv pip install -e '.[dev]' -c constraints.txt; \
	else \
		$(PYTHON) -c 'import sys; sys.exit("quotalab needs Python 3.11 or newer; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None' && \
		$(PYTHON) -m venv $(VENV) && \
		$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt; \
	fi
	@touch $@

setup: $(VENV)/.ready

demo: setup
	$(PY) -m quotalab demo -o runs/demo

test: lint types layers unit

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: setup
	$(PY) -m mypy

layers: setup
	$(VENV)/bin/lint-imports

unit: setup
	$(PY) -m pytest -n $(JOBS) -m 'not slow'

bench: setup
	$(PY) -m benchmarks

validate: setup
	$(PY) tests/validate.py --jobs $(JOBS)

# One part of it: make validate-engine, -statistics, -allocation, -loop, -data or -others.
validate-%: setup
	$(PY) tests/validate.py --jobs $(JOBS) $*

docs: setup
	$(PY) -m mkdocs build --strict

# Refreshes the pinned versions; needs uv.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--no-emit-index-url --no-header --no-annotate -o constraints.txt

clean:
	rm -rf $(VENV) runs site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
