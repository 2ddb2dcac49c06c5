# Two commands do everything: `make book` and `make test`. Both set up first; set-up is cheap when nothing changed.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.deepfn-installed
PROFILE ?= quick
UV := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements.lock)

.DEFAULT_GOAL := help
.PHONY: help setup book test check format bench serve clean

help: ## what there is
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

setup: $(STAMP) ## the environment in .venv, exactly as locked

# The first Python that starts and is 3.11 or 3.12; PYTHON=... chooses another.
$(STAMP): requirements.lock pyproject.toml
	@python=""; \
	for candidate in $(PYTHON) python3.12 python3.11 python3 python; do \
	  if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then python="$$candidate"; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.11 or 3.12 is needed and none was found; install one, or name it: make PYTHON=/path/to/python"; exit 1; fi; \
	echo "setting up $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV) && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV) && \
	unset PYTHONDONTWRITEBYTECODE && \
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock && \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

book: setup ## run every chapter under PROFILE (quick) and build the book
	$(BIN)/deepfn run --profile $(PROFILE)
	$(BIN)/deepfn book

test: setup ## all tests
	$(BIN)/python -m pytest -n 2

check: setup ## style, names and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## put the sources into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure; writes artefacts/bench.json
	$(BIN)/deepfn bench

serve: setup ## the built book on http://127.0.0.1:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

clean: ## everything that was made, but not the environment
	@if [ -x $(BIN)/deepfn ]; then $(BIN)/deepfn clean --yes --artefacts artefacts; \
	elif [ -e artefacts ]; then echo "artefacts stays: what in it is the study's, deepfn clean knows; make setup first"; fi
	rm -rf _build book/chapters/[0-9][0-9]_*.ipynb .pytest_cache .ruff_cache
