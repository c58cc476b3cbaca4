SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --warn-undefined-variables --no-print-directory

# The system's Python, 3.11 or newer; everything else runs in .venv.
PYTHON ?= python3
RUN := .venv/bin/python

# The variables of a run; docs and `python -m contract_tests --help` say what each means.
VENDOR ?= all
TARGET ?= mock
OUT ?= reports
SEED ?=
LIVE ?=
EXPLORE ?=
ONLY ?=
SHARD ?=
MINUTES ?=
GRPC_TARGET ?=
SURFACE ?=
THOROUGH ?=
FAIL_ON ?= breaking
PORT ?= 8025
GRPC_PORT ?= 8026
SEEDS ?= 200
# Processes that share the tests.
WORKERS ?= 2
SLUG ?=
DELETE ?=
NAME ?=
BASE ?=
REVISION ?=
PUBLISHED ?=
# 1: leave out vendors whose document's address nobody knows.
KNOWN ?=

.PHONY: help
help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo
	@echo "make contract VENDOR=all TARGET=mock OUT=reports [SURFACE=] [GRPC_TARGET=host:port] [SEED=] [EXPLORE=1|0] [THOROUGH=1] \
	[ONLY=id] [SHARD=i/n] [MINUTES=n] [FAIL_ON=additive]"

.PHONY: environment
environment:
	@$(PYTHON) scripts/make_environment.py

.PHONY: contract
contract: environment ## check vendors' contracts against the mock, an address, or the vendor
	@$(RUN) -m contract_tests --vendor '$(VENDOR)' --target '$(TARGET)' --out '$(OUT)' --seed '$(SEED)' --live '$(LIVE)' \
		--explore '$(EXPLORE)' --only '$(ONLY)' --shard '$(SHARD)' --minutes '$(MINUTES)' --grpc-target '$(GRPC_TARGET)' \
		--surface '$(SURFACE)' --thorough '$(THOROUGH)' --fail-on '$(FAIL_ON)'

.PHONY: live
live: environment ## run on the real account of every vendor whose key is set; LIVE=mutate consents to changes [VENDOR=]
	@$(RUN) -m scripts.check_accounts --vendor '$(VENDOR)' --live '$(LIVE)' --out '$(OUT)' --fail-on '$(FAIL_ON)'

.PHONY: plan
plan: environment ## print every request that a run on a real account would send, without sending any [VENDOR=] [LIVE=read]
	@$(RUN) -m scripts.print_plan --vendor '$(VENDOR)' --target '$(TARGET)' --live '$(LIVE)' --explore '$(EXPLORE)' \
		--surface '$(SURFACE)' --thorough '$(THOROUGH)' --only '$(ONLY)'

.PHONY: sweep
sweep: environment ## list what dead runs left on the vendor's account; DELETE=1 deletes it [VENDOR=] [TARGET=live]
	@$(RUN) -m scripts.sweep_accounts --vendor '$(VENDOR)' --target '$(TARGET)' --delete '$(DELETE)'

.PHONY: diff
diff: environment ## say what changed from one OpenAPI document to another, and whom it breaks [BASE= REVISION=]
	@$(RUN) -m scripts.compare_documents --base '$(BASE)' --revision '$(REVISION)'

.PHONY: drift
drift: environment ## say what vendors publish now, compared with what is stored, and whom that breaks [VENDOR=] [PUBLISHED=file-or-url]
	@$(RUN) -m scripts.watch_documents --vendor '$(VENDOR)' --published '$(PUBLISHED)' --known '$(KNOWN)' --out '$(OUT)' --fail-on '$(FAIL_ON)'

.PHONY: accept
accept: environment ## take over the document that make drift compared last: stored, corrected, client generated, or nothing changed [VENDOR=] [PUBLISHED=]
	@$(RUN) -m scripts.accept_document --vendor '$(VENDOR)' --published '$(PUBLISHED)'

.PHONY: rules
rules: environment ## write docs/rules.md: every rule of the comparison, with an example of each
	@$(RUN) -m scripts.list_rules

.PHONY: mock
mock: environment ## play every vendor (or VENDOR=) on PORT=8025, gRPC on GRPC_PORT=8026, until interrupted
	@$(RUN) -m contract_watch.mock --vendor '$(VENDOR)' --port '$(PORT)' --grpc-port '$(GRPC_PORT)'

.PHONY: test
test: environment check-contracts lint types check-generated ## everything that CI runs
	@$(RUN) -m pytest -n $(WORKERS)

.PHONY: prove-live
prove-live: environment ## prove on a stand-in that live runs do no harm: 10,000 exploring requests, 20 kills (a quarter of an hour)
	@PROVE_KILLS=20 PROVE_REQUESTS=10000 $(RUN) -m pytest -n $(WORKERS) tests/engine/account

.PHONY: prove-sets
prove-sets: environment ## prove on drawn schemas and values that a comparison hides nothing (some ten minutes)
	@SET_EXAMPLES=40000 $(RUN) -m pytest -n $(WORKERS) tests/diff/document/test_comparison_hides_no_value.py

.PHONY: lint
lint: environment ## ruff, in one go
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check

.PHONY: types
types: environment ## mypy --strict
	@$(RUN) -m mypy

.PHONY: new-contract
new-contract: environment ## write the skeleton of a contract [SLUG= NAME=]
	@$(RUN) -m scripts.new_contract --slug '$(SLUG)' --name '$(NAME)'

.PHONY: check-contracts
check-contracts: environment ## say what is still missing in a contract [VENDOR=]
	@$(RUN) -m scripts.check_contracts --vendor '$(VENDOR)'

.PHONY: generate
generate: environment ## write generated/ from the contracts
	@$(RUN) -m scripts.generate_clients

.PHONY: check-generated
check-generated: environment ## fail where generated/ is not what the contracts give
	@$(RUN) -m scripts.generate_clients --check

.PHONY: mutants
mutants: environment ## measure the suite with every mutant [ONLY=family|id] [SHARD=i/n]
	@$(RUN) -m contract_watch.mutants --vendor '$(VENDOR)' --only '$(ONLY)' --shard '$(SHARD)' --out '$(OUT)'

.PHONY: allowed
allowed: environment ## look for false alarms: changes that the documents allow [ONLY=kind|id] [SHARD=i/n] [SEEDS=200]
	@$(RUN) -m contract_watch.mutants.false_positives.command --vendor '$(VENDOR)' --only '$(ONLY)' --shard '$(SHARD)' --seeds '$(SEEDS)' --out '$(OUT)'

.PHONY: explore
explore: environment ## explore for MINUTES on all cores; each failure becomes a pytest case [TARGET=] [SHARD=i/n]
	@$(RUN) -m contract_watch.engine.exploring --vendor '$(VENDOR)' --target '$(TARGET)' --minutes '$(MINUTES)' --shard '$(SHARD)' \
		--seed '$(SEED)' --out '$(OUT)' --fail-on '$(FAIL_ON)' --live '$(LIVE)'

.PHONY: bench
bench: environment ## compare with what else there is, side by side; without VENDOR= writes docs/benchmarks.md
	@$(RUN) -m scripts.run_bench $(if $(filter-out all,$(VENDOR)),--vendor '$(VENDOR)',--out docs/benchmarks.md)

.PHONY: bench-documents
bench-documents: environment ## how long comparing two documents takes: three sizes, two shapes, and small pairs
	@$(RUN) -m tests.bench.document_comparison

.PHONY: lock
lock: environment ## pin the newest allowed dependencies in requirements.lock
	@$(PYTHON) -m venv .venv/lock && .venv/lock/bin/python -m pip install --quiet uv
	@.venv/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
		--extra dev --python-version 3.11 pyproject.toml --output-file requirements.lock

.PHONY: clean
clean: ## remove what can be made again
	@rm -rf .venv reports .mypy_cache .ruff_cache .pytest_cache .hypothesis
