# The two commands of a new user: `make run` and `make test`. Everything else serves them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export FRONTDESK_DATA_DIR ?= $(CURDIR)/.desk

.PHONY: help run setup test check starter examples bench clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | sort

run: $(VENV)/ready $(FRONTDESK_DATA_DIR)/demo-imported  ## set everything up and serve on http://127.0.0.1:8000
	$(BIN)/frontdesk serve $(ARGS)

setup: $(VENV)/ready  ## virtual environment, pinned dependencies, encoder

test: $(VENV)/ready  ## run all tests, in two processes
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: $(VENV)/ready  ## linters, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

starter: $(VENV)/installed  ## train the starter bundle from the project's own messages, about two hours, and its model card
	rm -rf .starter
	$(BIN)/python -m training.words
	$(BIN)/frontdesk train training/starter/messages --name starter --output .starter --method fine-tune --average 2 --noise \
		--task intent --task urgency --task channel=best_channel
	rm -rf models/starter
	mv .starter models/starter
	$(BIN)/frontdesk evaluate models/starter training/starter/test --report .starter-report \
		--task intent --task urgency --task channel=best_channel
	mv .starter-report/model-card.md docs/starter-card.md
	rm -rf .starter-report

examples: $(VENV)/ready  ## record real requests and responses for the OpenAPI pages and the README
	$(BIN)/python -m docs.record_examples

bench: $(VENV)/ready  ## the benchmarks on speed and memory, about ten minutes
	$(BIN)/python -m benchmarks.encoder
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.http
	$(BIN)/python -m benchmarks.knowledge

clean:  ## remove the environment and the demo desk; the cache of encoders stays
	rm -rf $(VENV) $(FRONTDESK_DATA_DIR)

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# The doctor rebuilds and converts the encoder on its first visit, and says what is wrong if anything is.
$(VENV)/ready: $(VENV)/installed
	mkdir -p $(FRONTDESK_DATA_DIR)
	$(BIN)/frontdesk doctor
	touch $@

$(FRONTDESK_DATA_DIR)/demo-imported: $(VENV)/ready $(shell find kb/demo/articles kb/demo/macros -type f 2>/dev/null)
	mkdir -p $(FRONTDESK_DATA_DIR)
	$(BIN)/frontdesk kb import kb/demo/articles kb/demo/macros
	touch $@
