# The table of contents: what a person does with this checkout.
# Only Python 3.11+, git and make are taken for granted; the rest is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
ROOMS := --extra gateway --extra inference --extra reports --extra cli --extra cpu

.DEFAULT_GOAL := help
.PHONY: help install up test lint proto train evaluate bench clean

help: ## Say what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(VENV)/.installed ## Install the services into .venv

up: $(VENV)/.installed ## Start gateway, inference and reports on embedded defaults
	@exec $(BIN)/dermserve up

# Three on two cores: tests wait for processes a third of their time. In the order of the folders:
# what a folder's tests share, as services and a browser, is started once a process, not once a file.
# Hundreds of processes start: none shall compile again what the one before it has compiled.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.browser $(VENV)/.perf_analyzer lint ## Check style, types and contracts, then run every test
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-for-tests ## Check style, types, import contracts and generated code
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy

proto: $(VENV)/.installed-for-tests ## Generate services/pb from proto/
	PATH=$(CURDIR)/$(BIN):$$PATH $(BIN)/python -m grpc_tools.protoc -Iservices/pb=proto \
	  --python_out=. --pyi_out=. --grpc_python_out=. --mypy_grpc_out=quiet:. proto/*.proto

train: $(VENV)/.installed-for-tests ## Make both models from the training data, as the recipe says
	$(BIN)/python -m weights.training recipe

evaluate: $(VENV)/.installed-for-tests ## Measure the shipped models and render their cards
	$(BIN)/python -m weights.evaluate

bench: $(VENV)/.installed-for-tests ## Measure floor, overload and metrics; on a GPU that too
	$(BIN)/python -m benchmarks.floor
	$(BIN)/python -m benchmarks.overload
	$(BIN)/python -m benchmarks.instrumentation
	$(BIN)/python -m benchmarks.gpu

clean: ## Forget what was installed and generated, keep records and pictures
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache

$(UV):
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet 'uv>=0.9'

# --inexact: installing for `up` leaves alone what was installed for `test`.
$(VENV)/.installed: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --frozen --inexact --no-default-groups $(ROOMS)
	@touch $@

$(VENV)/.installed-for-tests: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --frozen --inexact --all-groups $(ROOMS)
	@touch $@ $(VENV)/.installed

$(VENV)/.browser: $(VENV)/.installed-for-tests
	$(BIN)/python -m tests.chromium
	@touch $@

$(VENV)/.perf_analyzer: $(VENV)/.installed-for-tests
	$(BIN)/python -m benchmarks.perf_analyzer
	@touch $@
