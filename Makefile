# What Baton does for itself. Needs Python 3.11 or newer, git and make; everything else is put into
# .venv, and nothing outside this folder is changed. Another Python: make PYTHON=python3.13 …

PYTHON ?= python3
BIN := .venv/bin
# What projects and the engine need; the tests of both run there.
ENGINE := $(CURDIR)/.cache/every-project/.venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := uv pip compile --upgrade --quiet --generate-hashes --universal --python-version 3.11 \
  --no-emit-index-url --no-annotate --no-header
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help style release release-check environment demo test test-system prove check benchmarks fleet wheel pictures derive pins

help:  ## what there is
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

demo: .venv/ready  ## a flights project from nothing to one prediction
	python tools/demo.py

test: .venv/ready environment  ## what Baton promises, tried for real
	$(ENGINE)/pytest -n 3 --dist worksteal --durations 10 handoff/tests
	pytest -n 3 --dist worksteal -m "not long" --ignore tests/system --durations 10 tests

test-system: .venv/system  ## the same with containers and pipelines (as root)
	pytest --durations 10 tests/system

prove: .venv/ready environment  ## the same with many projects: a slice of them (FULL=1: all)
	$(ENGINE)/pytest -n 2 -m long --durations 10 handoff/tests
	pytest -n 3 --dist worksteal -m long --ignore tests/system --durations 10 tests

check: style  ## two minutes: style, types, layers, the wheel and the quick tests
	pytest -n 2 --dist worksteal -m "not slow and not long" --ignore tests/system tests

style: .venv/ready environment
	ruff format --check . && ruff check . && mypy
	python tools/wheel.py --check
	cd handoff && $(ENGINE)/ruff format --check . && $(ENGINE)/ruff check . && $(ENGINE)/mypy
	cd handoff && PYTHONPATH=src $(ENGINE)/lint-imports --no-logo

release-check: .venv/ready wheel  ## what the next release would cost projects; the tag to set if nothing
	python tools/derive.py --check
	python tools/release.py

release: .venv/ready  ## prepare a release: wheel, checks, the changelog's date; names the tag to set
	python tools/release.py --release

environment: .venv/ready
	python -m tests.environment

benchmarks: .venv/ready  ## measure again, side by side with the alternatives
	python -m benchmarks

fleet: .venv/ready  ## the state of the projects that REPOS=FILE lists, a repository a line; reads only
	python tools/fleet.py $(REPOS) --json fleet.json --html fleet.html

wheel: .venv/ready  ## build the engine into what projects receive
	python tools/wheel.py

pictures: .venv/system  ## take the screens in the handbook again (VS Code in a browser)
	python -m tests.system.pictures

derive: .venv/ready  ## write what follows from copier.yml, ownership.yml, roles, practices, faults and incidents
	python tools/derive.py

pins: .venv/ready  ## the newest versions: of Baton's own tools, and of what the standards are proved with
	$(COMPILE) --output-file requirements/dev.txt requirements/dev.in
	$(COMPILE) --output-file requirements/system.txt requirements/system.in
	python tools/pins.py

.venv/ready: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("Baton needs Python 3.11 or newer: make PYTHON=python3.13, for example." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear .venv
	$(INSTALL) --requirement requirements/dev.txt
	@touch $@

.venv/system: .venv/ready requirements/system.txt
	$(INSTALL) --requirement requirements/system.txt
	@touch $@
