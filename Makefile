# Everything starts here. `make book` and `make test` need Python 3.11 and nothing else.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
PROFILE ?= laptop
GRID ?= sweeps/seeds.yaml
EXECUTOR ?= local
JOBS ?= $(if $(filter local,$(EXECUTOR)),$(CORES))
# Anything but empty and 0: no author, address, repository, commit, machine or path in the book.
ANONYMOUS ?=
HIDDEN := $(if $(filter-out 0,$(ANONYMOUS)),--anonymous)
VENV := .venv
BIN := $(VENV)/bin
# One thread a process: parallelism is by process (oversubscription costs up to ten times).
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export TOKENIZERS_PARALLELISM := false

.PHONY: help env book appendix sweep test lint bench twins lab explore clean

help:  ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

env: $(VENV)/.ready  ## the environment, from requirements.lock

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; assert sys.version_info[:2] == (3, 11), f"Python 3.11 is needed, this is {sys.version.split()[0]}: call make PYTHON=/path/to/python3.11"'
	$(PYTHON) -m venv $(VENV)
	@# torch first and alone: a resolver that meets it later may swap in another build.
	$(BIN)/python -m pip install --quiet --no-compile "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet --no-compile -r requirements.lock
	@# pip compiles on one core; some files of templates and old Python compile nowhere.
	@$(BIN)/python -m compileall -q -j $(CORES) $(VENV)/lib >/dev/null 2>&1 || true
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

book: env  ## every notebook of PROFILE (laptop) executed, the static book built
	@$(BIN)/python -m crlib.book.make --profile $(PROFILE) --cores $(CORES) $(HIDDEN)

appendix: book  ## the book as PDF, and as LaTeX with macros and figures for the paper: build/appendix
	@$(BIN)/python -m crlib.appendix.make --profile $(PROFILE) $(HIDDEN)

sweep: env  ## the points of a grid (GRID=sweeps/NAME.yaml), here or with EXECUTOR=slurm JOBS=100
	@$(if $(filter command,$(origin PROFILE)),echo 'make sweep: the profile stands in the grid, "profile: $(PROFILE)"' >&2; exit 2)
	@$(BIN)/python -m crlib.sweep.make "$(GRID)" $(if $(JOBS),--jobs $(JOBS)) --executor $(EXECUTOR)

test: env  ## lint, types, unit tests, notebooks on the smoke profile, book build, browser
	$(BIN)/ruff check .
	$(BIN)/ruff format --check crlib tests benchmarks
	$(BIN)/mypy
	@# In the order of the folders: sorted by size, the cluster's test, which mostly waits, came last.
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile --no-loadscope-reorder

bench: env  ## measure speed beside its limits and peers; results in build/bench and a page of the book
	$(BIN)/python -m benchmarks.run

twins: env  ## train the shipped models again (hours on a CPU; resumes when interrupted)
	$(BIN)/python -m crlib.extractors.train --all --jobs $(CORES)

lab: env  ## JupyterLab on the notebooks, the explorers in front
	$(BIN)/jupyter lab --ip=127.0.0.1 --LabApp.default_url=/lab/tree/explore/geometry.ipynb notebooks

explore: env  ## the explorers as a dashboard, on this machine only
	JUPYTER_PATH=$(CURDIR)/crlib/explore/share $(BIN)/voila --Voila.ip=127.0.0.1 --template=crlib notebooks/explore

clean:  ## remove all that was generated (the environment stays)
	rm -rf build .snakemake
