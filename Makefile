# `make demo` runs the main job on real digits, `make explore` shows it in the browser, `make demo-series` runs on
# real series, `make test` the default test suite.
PYTHON ?= python3
VENV := .venv
LOWEST := .venv-lowest
LOWEST_EXTRAS := .venv-lowest-extras
PIP := $(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt

# one process for each core, and all tests of a file in one process, since they share trained models
PYTEST := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto --dist loadfile

.PHONY: demo explore demo-series test test-extras test-slow test-lowest test-lowest-extras check docs notebooks clean

demo: $(VENV)/demo.done
	$(VENV)/bin/unwarp demo --out runs/demo

# after `make demo`
explore: $(VENV)/explore.done
	$(VENV)/bin/unwarp explore runs/demo

demo-series: $(VENV)/series.done
	$(VENV)/bin/unwarp demo --series --out runs/series

test: $(VENV)/dev.done
	$(PYTEST)

# the tests that are skipped without the extras
test-extras: $(VENV)/extras.done
	$(PYTEST) $$(grep -rlE "importorskip|find_spec" --include="*.py" tests) src/unwarp/estimators src/unwarp/training

test-slow: $(VENV)/extras.done
	$(PYTEST) -m slow

# some of the tests with the lowest declared versions; their own warnings are no errors
test-lowest: $(LOWEST)/demo.done
	OMP_NUM_THREADS=1 $(LOWEST)/bin/python -m pytest -n auto --dist loadfile -o filterwarnings=default \
	  tests/doors tests/metrics tests/plots tests/analysis tests/data/test_arrays.py tests/data/test_schema.py

# tests of files, exports, sweeps, tracking and the explorer with the lowest versions of the extras
test-lowest-extras: $(LOWEST_EXTRAS)/all.done
	OMP_NUM_THREADS=1 $(LOWEST_EXTRAS)/bin/python -m pytest -n auto --dist loadfile -o filterwarnings=default \
	  tests/data/formats tests/distributed tests/app/explorer tests/training/test_mlflow.py tests/training/test_tensorboard.py \
	  tests/estimators/test_export.py tests/estimators/test_export_formats.py tests/estimators/test_hub.py \
	  tests/estimators/test_sweep.py tests/estimators/test_sweep_study.py

check: $(VENV)/dev.done
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

# the site, without a warning: open runs/site/index.html
docs: $(VENV)/docs.done
	$(VENV)/bin/python -m sphinx --fail-on-warning --keep-going --fresh-env --quiet docs runs/site

# the tutorials as notebooks in runs/notebooks, each run in at most three minutes
notebooks: $(VENV)/notebooks.done
	mkdir -p runs/notebooks
	for page in docs/tutorials/*.md; do \
	  $(VENV)/bin/jupytext --quiet --to ipynb --set-kernel python3 --output runs/notebooks/$$(basename $$page .md).ipynb $$page || exit 1; \
	done
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto -p no:cacheprovider --nbmake --nbmake-timeout=180 --overwrite runs/notebooks

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[demo]'
	@touch $@

$(VENV)/explore.done: $(VENV)/demo.done
	$(PIP) -e '.[explore]'
	@touch $@

$(LOWEST)/demo.done: pyproject.toml constraints-lowest.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/pip install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[demo]' pytest pytest-xdist hypothesis
	@touch $@

$(LOWEST_EXTRAS)/all.done: pyproject.toml constraints-lowest-extras.txt
	$(PYTHON) -m venv $(LOWEST_EXTRAS)
	$(LOWEST_EXTRAS)/bin/pip install --quiet --disable-pip-version-check -c constraints-lowest-extras.txt -e '.[all]' pytest pytest-xdist hypothesis
	@touch $@

$(VENV)/series.done: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[series]'
	@touch $@

$(VENV)/dev.done: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/demo.done

$(VENV)/extras.done: $(VENV)/dev.done
	$(PIP) -e '.[all]'
	@touch $@ $(VENV)/series.done $(VENV)/explore.done

$(VENV)/docs.done: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[docs]'
	@touch $@

$(VENV)/notebooks.done: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) -e '.[notebooks]'
	@touch $@

clean:
	rm -rf $(VENV) $(LOWEST) $(LOWEST_EXTRAS) runs
