# Two commands: `make demo` to see it, `make test` to check it. `make help` lists the rest.
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := .ci/requirements.txt
INSTALLED := $(VENV)/.installed
PACKAGES := models service protos/relatedpapers protos/examples/python tests

.PHONY: help setup demo test lint format bench soak protos lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv and install the locked packages (only when the lock or pyproject.toml changed)

# Wheels alone, each with a hash of the lock. The project is built by the locked setuptools, so no
# build fetches anything. Without --no-compile Python would compile thousands of files nobody imports.
$(INSTALLED): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: $(PYTHON) is not Python 3.11 or newer with venv; name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "Making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing the locked packages"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: --require-hashes -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## train on the sample corpus and serve it until Ctrl-C
	@exec $(BIN)/related-papers demo

test: setup lint ## set up, then lint, types, import contracts and every test
	@echo "== tests"
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

lint: setup ## check style, types and import contracts
	@echo "== style"
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; echo "make format mends this" >&2; exit 1; }
	@echo "== types"
	@$(BIN)/mypy $(PACKAGES)
	@echo "== import contracts"
	@$(BIN)/lint-imports --no-logo --no-cache

format: setup ## lay the code out and mend what can be mended
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format .

bench: setup ## measure on ../shared/datasets (about an hour; leave the machine alone)
	@for each in training top_k search serving web pages methods cache feedback readers updater trending digest quality online; do $(BIN)/python -m tests.benchmarks.$$each || exit; done

soak: setup ## what readers' events are promised, at full size: kills, replays, two servers (minutes)
	@$(BIN)/python -m pytest -m soak -rP tests/soak

protos: setup ## regenerate the stubs beside the .proto files
	@$(BIN)/python protos/generate.py

lock: setup ## write the lock file anew from pyproject.toml; FLAGS=--upgrade also takes newer versions
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --only-binary :all: --all-extras \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  $(FLAGS) pyproject.toml --output-file $(LOCK)

clean: ## remove .venv and every cache
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
