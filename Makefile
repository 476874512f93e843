# Everything a contributor needs: `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

export UV_PYTHON_DOWNLOADS ?= never

UV := $(shell command -v uv 2>/dev/null || echo .cache/uv/bin/uv)
PYTHON := .venv/bin/python
PACKAGES := shared $(wildcard packages/*)
FAST := tests/unit tests/contract
IMAGES_ENGINE ?= $(shell docker info > /dev/null 2>&1 && echo docker || echo podman)
COMPOSE ?= $(if $(filter docker,$(IMAGES_ENGINE)),docker compose,podman-compose)

.PHONY: help install demo sandbox test fast lint types lowest readme bench build images images-test up down compose-test \
	release-check clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.cache/uv/bin/uv:
	python3 -m venv .cache/uv && .cache/uv/bin/pip install --quiet 'uv>=0.9'

.venv/.installed: $(UV) pyproject.toml uv.lock $(addsuffix /pyproject.toml,$(PACKAGES))
	$(UV) sync --quiet --locked --all-packages
	@touch $@

tests/standins/node_modules/.installed: .venv/.installed tests/standins/package-lock.json
	@echo "installing the npm parts of the tests"
	PYTHONPATH=tests $(PYTHON) -m standins.npm ci
	@touch $@

install: .venv/.installed ## install everything into .venv
	@echo "Ready: .venv/bin/ringmain-* are the commands."

demo: .venv/.installed ## real Postgres, real data, real client; ARGS=--once ends by itself
	@PYTHONPATH=tests $(PYTHON) -m demo $(ARGS)

sandbox: .venv/.installed tests/standins/node_modules/.installed ## all five servers, their systems, an agent at work; ARGS=--once ends by itself
	@PYTHONPATH=tests $(PYTHON) -m sandbox $(ARGS)

.venv-langgraph/.installed: $(UV) tests/e2e/frameworks/requirements.txt
	$(UV) venv --quiet --clear .venv-langgraph
	$(UV) pip install --quiet --python .venv-langgraph --requirement tests/e2e/frameworks/requirements.txt
	@touch $@

test: lint types lowest tests/standins/node_modules/.installed .venv-langgraph/.installed ## run every check and every test
	$(PYTHON) -m pytest -n 2 --dist loadfile

fast: .venv/.installed ## unit and contract tests only
	$(PYTHON) -m pytest -n 2 $(FAST)

lint: .venv/.installed ## ruff: rules and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check --quiet .

types: .venv/.installed ## pyright, strict
	.venv/bin/pyright

lowest: .venv-lowest/.installed ## the fast tests with the oldest versions that we claim to support
	.venv-lowest/bin/python -m pytest -q -n 2 $(FAST)

.venv-lowest/.installed: $(UV) pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES))
	$(UV) venv --quiet --clear .venv-lowest
	$(UV) pip install --quiet --python .venv-lowest --resolution lowest-direct \
		$(foreach package,$(PACKAGES),--editable ./$(package)) --group test
	@touch $@

readme: .venv/.installed ## write anew what is generated: parts of READMEs, server.json, schema snapshots
	PYTHONPATH=tests $(PYTHON) -m contract.write

bench: .venv/.installed ## measure: ratios to the bare SDK, side by side; ARGS=--quick is shorter
	@PYTHONPATH=tests $(PYTHON) -m bench $(ARGS)

build release-check: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1580601600)

build: $(UV) ## wheels and sdists of all packages into dist/, the same bytes each time
	rm -rf dist
	$(UV) build --quiet --all-packages --no-sources --no-create-gitignore --out-dir dist \
		--build-constraints tests/release/build-constraints.txt --require-hashes

release-check: build .venv/.installed ## try what would be published, on each Python here; ARGS=--tag=v1.2.3
	@PYTHONPATH=tests $(PYTHON) -m release $(ARGS)

images: ## build the container image of every connector; ENGINE=podman, ARGS="slack github"
	@bash compose/image/build.sh $(ARGS)

images-test: .venv/.installed tests/standins/node_modules/.installed ## start the images that are built, call them, look into them; IMAGES_ENGINE=podman
	IMAGES_ENGINE=$(IMAGES_ENGINE) $(PYTHON) -m pytest tests/images

up: ## start connectors behind TLS with all that they need; CONNECTORS="slack github", else everything
	compose/prepare.sh
	$(COMPOSE) -f compose/compose.yaml $(foreach name,$(or $(CONNECTORS),all),--profile $(name)) up --build --detach

down: ## stop what `up` has started; volumes stay
	$(COMPOSE) -f compose/compose.yaml --profile all down

compose-test: .venv/.installed ## start compose.yaml with two replicas, call them, stop one, kill one; IMAGES_ENGINE=podman
	IMAGES_ENGINE=$(IMAGES_ENGINE) $(PYTHON) -m pytest tests/compose

clean: ## remove what the targets made
	rm -rf dist .venv .venv-lowest .venv-langgraph .cache .pytest_cache .ruff_cache tests/standins/node_modules
