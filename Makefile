# Everything a contributor needs: `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

export UV_PYTHON_DOWNLOADS ?= never

UV := $(shell command -v uv 2>/dev/null || echo .cache/uv/bin/uv)
PYTHON := .venv/bin/python
PACKAGES := shared $(wildcard packages/*)
FAST := tests/unit tests/contract

.PHONY: help install demo test fast lint types lowest readme bench clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

test: lint types lowest tests/standins/node_modules/.installed ## run every check and every test
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

readme: .venv/.installed ## write the generated parts of the READMEs and the schema snapshots anew
	PYTHONPATH=tests $(PYTHON) -m contract.write

bench: .venv/.installed ## measure: ratios to the bare SDK, side by side; ARGS=--quick is shorter
	@PYTHONPATH=tests $(PYTHON) -m bench $(ARGS)

clean: ## remove what the targets made
	rm -rf .venv .venv-lowest .cache .pytest_cache .ruff_cache tests/standins/node_modules
