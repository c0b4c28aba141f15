# Two commands do everything: make run, make test.  PORT=… and SYNDICATE_DATA=… move the service.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

export SYNDICATE_PORT ?= $(PORT)

.PHONY: help setup run test check golden bench bench-split train pictures lock clean
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make setup        the program and what it needs, in .venv
setup: .venv/ready

# No build isolation: pip would fetch builders that no lock file names.
.venv/ready: requirements.lock requirements-build.lock pyproject.toml | .venv/bin/pip
	$(PIP) install --require-hashes -r requirements-build.lock
	$(PIP) install --require-hashes --no-build-isolation -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/ready-dev: requirements-dev.lock .venv/ready
	$(PIP) install --require-hashes --no-build-isolation -r requirements-dev.lock
	@touch $@

# Debian's python3 comes without ensurepip; python3-venv brings it.
.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/install python3-venv
	$(PYTHON) -m venv .venv

## make run          set up, take in the sample newspaper, serve it on http://127.0.0.1:8000
run: .venv/ready
	@$(BIN)/syndicate --quiet ingest --no-mail samples/qinglan-*
	@SYNDICATE_DEVELOPMENT=$${SYNDICATE_DEVELOPMENT-1} exec $(BIN)/syndicate run

## make test         every test; what needs a missing program is skipped and says so
test: .venv/ready-dev
	$(BIN)/pytest -n 2 --dist loadgroup

## make check        format, lint, types, imports
check: .venv/ready-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

## make golden       rewrite the golden files; read the difference before you commit it
golden: .venv/ready-dev
	$(BIN)/pytest -n 0 --golden tests/render tests/split
	git --no-pager diff --stat tests/golden

## make bench        every figure, as ratios against the named peers in the same run
bench: .venv/ready-dev
	$(BIN)/python -m bench

## make bench-split  the split on every set of real issues that lies beside the project
bench-split: .venv/ready-dev
	$(BIN)/python -m bench.split

## make train        the split's weights anew, the same to the byte, from issues with truth: ISSUES="folder …"
ISSUES ?= ../shared/splitting/dev samples training
train: .venv/ready-dev
	$(BIN)/python -m syndicate.split.learn $(ISSUES)

## make pictures    the README's pictures anew (needs Chromium, newsboat, tmux)
pictures: .venv/ready-dev
	$(BIN)/python docs/pictures/take.py

## make lock         the lock files anew from pyproject.toml
lock: .venv/ready-dev
	$(LOCK) --upgrade -o requirements.lock pyproject.toml
	$(LOCK) --upgrade --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	$(LOCK) --upgrade --group build -o requirements-build.lock

LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-annotate --no-header --quiet

clean:
	rm -rf .venv
