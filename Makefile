# Two commands: `make drill` runs the main job, `make test` runs all tests. Each sets up what it needs by itself.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	if $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV := --quiet --universal --generate-hashes --no-emit-index-url --no-header

.PHONY: drill test lint types engines unit soak bench splunk-app inspect locks build clean help

help:
	@echo "make drill       detect on real logs, decide, contain, prove, report: all on this machine"
	@echo "make test        lint, types, layers and all tests (engines that are missing are named and skipped)"
	@echo "make soak        property tests with 3,000 examples each: about an hour"
	@echo "make bench       the figures of docs/bench.md"
	@echo "make splunk-app  the Splunk package, in build/"
	@echo "make inspect     the Splunk package under Splunk AppInspect"
	@echo "make build       generate Splunk and Elastic content from detections/"

$(STAMP): packaging/locks/dev.txt setup.cfg
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed; install it and run make again"; exit 1; }
	@echo "setting up $(VENV) with $$($(PYTHON) --version)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r packaging/locks/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

drill: $(STAMP)
	@$(BIN)/tourniquet drill

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

# What the tests run on, fetched once a machine. Where it can't be had, the tests that need it say so.
engines: $(STAMP)
	@-$(BIN)/python packaging/appinspect.py --install & \
	$(BIN)/python -c "from tests.engines.install import install; install()" || true; wait

# One worker more than the two cores of the smallest machine: a third of the time a worker waits for an engine or a process.
unit: engines
	$(BIN)/pytest -n 3 --dist loadscope

test: $(STAMP)
	@$(MAKE) --no-print-directory -j3 lint types engines
	@$(MAKE) --no-print-directory unit

# Long campaigns: every property with 3,000 examples. Not part of test.
soak: $(STAMP)
	$(BIN)/pytest -n 2 --dist loadscope --hypothesis-profile soak -m "not engine"

bench: $(STAMP)
	$(BIN)/python -m tests.bench

build: $(STAMP)
	$(BIN)/tourniquet detections build
	$(BIN)/tourniquet detections latency
	$(BIN)/tourniquet policy build responders/policy/default_policy.yaml
	$(BIN)/tourniquet actions --markdown > docs/actions.md

splunk-app: $(STAMP)
	$(BIN)/python packaging/splunk_app.py

inspect: splunk-app
	$(BIN)/python packaging/appinspect.py build/tourniquet-*.spl

# Needs the network; run it when setup.cfg's extras or a packaging/locks/*.in change, and read the difference.
locks:
	$(PYTHON) -m venv build/.locks && build/.locks/bin/python -m pip install --quiet uv
	cd packaging/locks && for name in appinspect splunk splunk-sdist; do ../../build/.locks/bin/uv pip compile $(UV) $$name.in -o $$name.txt; done
	echo "setuptools>=77" | build/.locks/bin/uv pip compile $(UV) --python-version 3.11 --extra serve setup.cfg - -o packaging/locks/serve.txt
	echo "setuptools>=77" | build/.locks/bin/uv pip compile $(UV) --python-version 3.11 --extra serve --extra sync setup.cfg - -o packaging/locks/jobs.txt
	echo "setuptools>=77" | build/.locks/bin/uv pip compile $(UV) --python-version 3.11 --all-extras setup.cfg - -o packaging/locks/dev.txt

clean:
	rm -rf build drill-report .pytest_cache .mypy_cache .ruff_cache
