# Lectern, one command for each thing a person does. `make help` lists them.
#
# The environment is made once, in .venv; a stamp file in it remembers which lock was installed, so that a second call
# starts at once and a new lock installs again. pip takes wheels only, and only those whose checksums stand in the lock.

SHELL := bash
VENV ?= .venv
PORT ?= 8501
# One more than the two cores that tests are measured on: browser tests wait for the browser.
WORKERS ?= 3
PYTHON ?=
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
PYTEST := $(VENV)/bin/python -m pytest
ENVIRONMENT := $(VENV)/bin/python
APP_STAMP := $(VENV)/.installed-app
DEV_STAMP := $(VENV)/.installed-dev
SUPPLY := .venv-supply
SUPPLY_STAMP := $(SUPPLY)/.installed

# Compiled modules are kept, also where the environment says otherwise: tests start many processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help app test test-slow lint bench docs lock audit clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' \
	    | while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

app: $(APP_STAMP) ## Start the web page on 127.0.0.1 (PORT=8501)
	@echo "Lectern: http://127.0.0.1:$(PORT)   (stop with Ctrl-C)"
	@exec $(VENV)/bin/python -m streamlit run streamlit_app.py --server.port $(PORT)

test: $(DEV_STAMP) ## Lint and all tests but the slow ones (WORKERS=3 processes)
	@$(VENV)/bin/python -m tests.chromium
	$(VENV)/bin/ruff check .
	$(PYTEST) -m "not slow" -n $(WORKERS)

test-slow: $(DEV_STAMP) ## The slow tests
	$(PYTEST) -m slow -n $(WORKERS)

lint: $(DEV_STAMP) ## Lint only
	$(VENV)/bin/ruff check .

bench: $(DEV_STAMP) ## word2vec against gensim on the Wikipedia text, then the tables of README and docs
	$(VENV)/bin/python -m benchmarks.word2vec_vs_gensim --store
	$(VENV)/bin/python -m benchmarks.readme

docs: $(DEV_STAMP) ## Fill the generated parts of README and docs again
	$(VENV)/bin/python -m benchmarks.readme

lock: $(SUPPLY_STAMP) ## Resolve requirements*.txt into locks with checksums, and write the bill of materials
	$(SUPPLY)/bin/python -m benchmarks.supply lock

audit: $(SUPPLY_STAMP) ## Look up known weaknesses of everything in the locks (needs the index of packages)
	$(SUPPLY)/bin/python -m benchmarks.supply audit

clean: ## Remove the environment and all caches (keeps runs, data and presets)
	rm -rf $(VENV) $(SUPPLY) .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A command named python3.12 may exist and not run (version managers), and Debian's python3 may lack ensurepip: try each.
$(ENVIRONMENT):
	@for candidate in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
	    if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	        >/dev/null 2>&1; then found="$$candidate"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "Lectern needs Python 3.11, 3.12 or 3.13 with its venv module; none of them was found." >&2; \
	    echo "Install one (Debian and Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.12)" >&2; \
	    echo "or name it: make app PYTHON=/path/to/python3.12" >&2; \
	    exit 1; \
	fi; \
	echo "Making the environment $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The order-only prerequisite: a newer interpreter file alone is no reason to install again.
$(APP_STAMP): requirements.lock | $(ENVIRONMENT)
	@echo "Installing what Lectern needs (once; some minutes, about 3 GB on disk)"
	@$(PIP) install --require-hashes -r requirements.lock
	@touch $@

$(DEV_STAMP): requirements-dev.lock requirements.lock | $(ENVIRONMENT)
	@echo "Installing what Lectern and its tests need (once; some minutes, about 3 GB on disk)"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@ $(APP_STAMP)

$(SUPPLY_STAMP): requirements-supply.lock | $(ENVIRONMENT)
	@$(VENV)/bin/python -m venv --clear $(SUPPLY)
	@$(SUPPLY)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-supply.lock
	@touch $@
