# `make demo` and `make test` need Python 3.11 or newer, pip and make; each makes .venv when there is none.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test front-end nightly versions mutants lint documents bench clean

demo: .venv/runtime
	$(BIN)/chainrule demo

test: .venv/development lint # one thread for matrices in each of the two processes: more would wait for each other
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --doctest-modules

front-end: # with Node 20: types, tests, and that the bundle of the view is what its source gives
	cd frontend && npm ci --silent && npm run check

test-view: .venv/hosts # the view in Chromium: on a page, from a file, in JupyterLab, Notebook and marimo
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest tests/viewer/browser

nightly: .venv/development # twenty times as many random examples; random Programs, which find most of a compiler's mistakes; interrupts; machine code for lesser CPUs
	$(BIN)/python -m pytest -n 2 -m hypothesis --hypothesis-profile=nightly
	CHAINRULE_EXAMPLES=2000 CHAINRULE_FITS=10000 CHAINRULE_INTERRUPTS=1000 $(BIN)/python -m pytest \
		tests/engines/test_equations.py tests/engines/test_memory_growth.py tests/engines/test_interrupts.py
	CHAINRULE_ENGINES=all $(BIN)/python -m pytest -n 2 tests/engines tests/training tests/test_answering.py tests/ops/test_indexing.py \
		tests/ops/test_public_operations.py tests/autodiff/test_loops.py tests/tracing/test_keeping.py
	for cpu in $$($(BIN)/python -c "from chainrule.engines.llvm.machine.machine import settings; print(*settings())"); do \
		CHAINRULE_CPU=$$cpu $(BIN)/python -m pytest -n 2 tests/engines tests/training || exit 1; done
	CHAINRULE_EXAMPLES=20000 $(BIN)/python -m pytest tests/test_silence.py tests/test_special_points.py
	CHAINRULE_CALLS=1000 $(BIN)/python -m pytest tests/ops/test_numpy_arguments.py
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.contractions --random 30 --least 0.6
	CHAINRULE_MUTATIONS=20000 $(BIN)/python -m pytest tests/test_model_files.py
	CHAINRULE_ENGINES=all CHAINRULE_KILLS=2000 $(BIN)/python -m pytest tests/training/test_checkpoints_killed.py
	$(BIN)/pip install --quiet --editable ".[dev,clusters,mlflow,tensorboard]" # 300 MB, for this alone
	CHAINRULE_ENGINES=all $(BIN)/python -m pytest tests/sklearn/test_clusters.py tests/test_scaling_document.py tests/tabular/test_processes.py tests/training/test_loggers.py
	$(BIN)/python tests/versions.py

versions: .venv/development # the tests with the oldest and the newest versions allowed, on every Python there is
	$(BIN)/python tests/versions.py

mutants: .venv/development # 150 small faults put into a copy of the sources, one at a time; hours on two cores
	$(BIN)/python tests/mutants.py

documents: .venv/development # every operation on one page; every stage of an example in the compiler's README
	$(BIN)/python tests/ops/catalogue.py
	$(BIN)/python tests/engines/llvm/story.py

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

.venv/hosts: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable ".[dev,hosts]"
	touch $@ .venv/development .venv/runtime

.venv/bench: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable ".[dev,bench]"
	touch $@ .venv/development .venv/runtime
