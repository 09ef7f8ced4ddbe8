# `make demo` and `make test` need Python 3.11 or newer, pip and make; each makes .venv when there is none.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint bench clean

demo: .venv/runtime
	$(BIN)/chainrule demo

test: .venv/development lint
	$(BIN)/python -m pytest -n 2 --doctest-modules

lint: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/bench
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/runtime: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable ".[plot]"
	touch $@

.venv/development: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@ .venv/runtime

.venv/bench: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable ".[dev,bench]"
	touch $@ .venv/development .venv/runtime
