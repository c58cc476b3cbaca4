SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --warn-undefined-variables --no-print-directory

# The system's Python, 3.11 or newer; everything else runs in .venv.
PYTHON ?= python3
override RUN := .venv/bin/python

# The variables of a run; docs and `python -m contract_tests --help` say what each means.
VENDOR ?= all
# Directories with contracts, separated by colons; empty: contracts/.
CONTRACTS ?=
TARGET ?= mock
OUT ?= reports
SEED ?=
LIVE ?=
EXPLORE ?=
ONLY ?=
# The file that remembers every run; empty: history.sqlite in OUT.
HISTORY ?=
# The checks of a night, separated by commas; empty: all.
AXES ?=
# Minutes over which breaking findings on a vendor's server are asked for again; empty: 15.
RECHECK_MINUTES ?=
SHARD ?=
MINUTES ?=
GRPC_TARGET ?=
SURFACE ?=
THOROUGH ?=
FAIL_ON ?=
PORT ?= 8025
GRPC_PORT ?= 8026
# Addresses that the mock listens on, separated by commas; empty: both of loopback.
HOSTS ?=
# Names besides loopback's under which the mock may be controlled, separated by commas.
ALLOW_HOSTS ?=
# Not SECONDS, which means something else to bash.
FUZZ_SECONDS ?= 60
SEEDS ?= 200
CALLS ?= 100000
# Test processes: one more than the cores of a small machine, because some tests wait.
WORKERS ?= 3
# Which tests `make test-all` runs; empty: all.
TESTS ?=
SLUG ?=
DELETE ?=
NAME ?=
DOCUMENT ?=
OPERATIONS ?=
# 1: accept the shapes of the recorded runs.
ACCEPT ?=
BASE ?=
REVISION ?=
SERVERS ?=
ALL ?=
WAIVERS ?=
PUBLISHED ?=
# 1: leave out vendors whose document has no known address.
KNOWN ?=
# Vendors that must not be skipped, separated by commas.
REQUIRE ?=
# Vendors whose document must be compared in a night, separated by commas.
REQUIRE_DOCUMENTS ?=
# 0: a job of a night writes its results and history, no page, and notifies nobody.
PAGE ?=
# The address of a published night.json, and the hours after which the next one must be there.
URL ?=
MAX_HOURS ?= 36
# A Dask scheduler, tcp://host:8786; empty: this machine's cores.
SCHEDULER ?=
# The version of the client to release, or of the renderer to fetch.
VERSION ?=
# The interpreters that a release is verified on, separated by commas; empty: the lowest and the highest that are found.
PYTHONS ?=
# 1: verify a release with the libraries of .venv, where no package index can be reached.
OFFLINE ?=
# 1: accept a document although an action of the overlay does not fit it.
ANYWAY ?=

# A value is text, never make's or the shell's: commands read it from the environment, as "$$ONLY".
# make expands what its command line gives both where a recipe names it and where it is exported: ids of findings hold
# a server's words, and `make -n contract ONLY='$(shell …)'` ran them. So each value is replaced by its literal text.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(eval override $$(name) := $$(value $$(name)))))
export ACCEPT AXES CONTRACTS HISTORY RECHECK_MINUTES PYTHON VENDOR TARGET OUT SEED LIVE EXPLORE ONLY SHARD MINUTES GRPC_TARGET SURFACE THOROUGH FAIL_ON PORT GRPC_PORT \
	HOSTS ALLOW_HOSTS FUZZ_SECONDS \
	SEEDS CALLS WORKERS TESTS SLUG DELETE NAME DOCUMENT OPERATIONS BASE REVISION SERVERS ALL WAIVERS PUBLISHED KNOWN REQUIRE ANYWAY VERSION \
	PYTHONS OFFLINE SCHEDULER REQUIRE_DOCUMENTS PAGE URL MAX_HOURS

.PHONY: help
help: ## print this page
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' \
		Makefile
	@echo
	@echo "make contract VENDOR=all TARGET=mock OUT=reports [SURFACE=] [GRPC_TARGET=host:port] [SEED=] [EXPLORE=1|0] [THOROUGH=1] \
	[ONLY=id] [SHARD=i/n] [MINUTES=n] [HISTORY=file] [FAIL_ON=additive|warning] [REQUIRE=slug,slug] \
	[SCHEDULER=tcp://host:8786]"

.PHONY: environment
environment:
	@"$$PYTHON" scripts/make_environment.py

##@ Use

.PHONY: contract
contract: environment ## check vendors' contracts against the mock, a URL, or the vendor [VENDOR=] [TARGET=]
	@$(RUN) -m contract_tests --vendor="$$VENDOR" --target="$$TARGET" --out="$$OUT" --seed="$$SEED" --live="$$LIVE" \
		--explore="$$EXPLORE" --only="$$ONLY" --shard="$$SHARD" --minutes="$$MINUTES" --grpc-target="$$GRPC_TARGET" \
		--surface="$$SURFACE" --thorough="$$THOROUGH" --fail-on="$$FAIL_ON" \
		--require="$$REQUIRE" --history="$$HISTORY" --recheck-minutes="$$RECHECK_MINUTES" \
		--scheduler="$$SCHEDULER"

.PHONY: live
live: environment ## check the real account of every vendor whose key is set; LIVE=mutate allows changes [VENDOR=] [REQUIRE=]
	@$(RUN) -m scripts.check_accounts --vendor="$$VENDOR" --live="$$LIVE" --out="$$OUT" --fail-on="$$FAIL_ON" \
		--require="$$REQUIRE" --history="$$HISTORY" --recheck-minutes="$$RECHECK_MINUTES"

.PHONY: plan
plan: environment ## print every request that a live run would send; send none [VENDOR=] [LIVE=read]
	@$(RUN) -m scripts.print_plan --vendor="$$VENDOR" --target="$$TARGET" --live="$$LIVE" --explore="$$EXPLORE" \
		--surface="$$SURFACE" --thorough="$$THOROUGH" --only="$$ONLY"

.PHONY: vendors
vendors: environment ## print vendors and their variables as JSON, a matrix for CI [REQUIRE=]
	@$(RUN) -m scripts.list_vendors --require="$$REQUIRE"

.PHONY: overview
overview: environment ## join the tables of vendors below OUT into OUT/overview.md
	@$(RUN) -m scripts.join_overviews --out="$$OUT"

.PHONY: nightly
nightly: environment ## make all checks of a night and one page of them, OUT/index.html [VENDOR=] [AXES=] [LIVE=] [PAGE=0]
	@$(RUN) -m scripts.run_night --vendor="$$VENDOR" --axes="$$AXES" --live="$$LIVE" --out="$$OUT" --explore="$$EXPLORE" \
		--require="$$REQUIRE" --require-documents="$$REQUIRE_DOCUMENTS" --page="$$PAGE" --history="$$HISTORY" \
		--recheck-minutes="$$RECHECK_MINUTES" --scheduler="$$SCHEDULER"

.PHONY: night-page
night-page: environment ## write the page of the checks below OUT, and tell whom it concerns; check nothing [OUT=] [HISTORY=]
	@$(RUN) -m scripts.run_night --vendor="$$VENDOR" --only-page=1 --out="$$OUT" --require="$$REQUIRE" \
		--require-documents="$$REQUIRE_DOCUMENTS" --history="$$HISTORY"

.PHONY: merge-history
merge-history: environment ## add the runs of every history and report below OUT to HISTORY [OUT=] [HISTORY=]
	@$(RUN) -m scripts.merge_history --out="$$OUT" --history="$$HISTORY"

.PHONY: keep-issue
keep-issue: environment ## bring each vendor's issue on GitHub to the state of the night in OUT [OUT=]
	@$(RUN) -m scripts.keep_issue --out="$$OUT"

.PHONY: notify
notify: environment ## send the night in OUT to NOTIFY_URL [OUT=]
	@$(RUN) -m scripts.notify_night --out="$$OUT"

.PHONY: check-night
check-night: environment ## fail if the night in OUT, or at URL=https://…/night.json, is older than MAX_HOURS=36
	@$(RUN) -m scripts.check_last_night --out="$$OUT" --url="$$URL" --max-hours="$$MAX_HOURS"

.PHONY: sweep
sweep: environment ## list objects that killed runs left on the account; DELETE=1 deletes them [VENDOR=]
	@$(RUN) -m scripts.sweep_accounts --vendor="$$VENDOR" --target="$$TARGET" --delete="$$DELETE"

.PHONY: drift
drift: environment ## compare the document that a vendor publishes now with the stored one [VENDOR=] [PUBLISHED=file-or-url] [KNOWN=1]
	@$(RUN) -m scripts.watch_documents --vendor="$$VENDOR" --published="$$PUBLISHED" --known="$$KNOWN" --out="$$OUT" \
		--fail-on="$$FAIL_ON" --require="$$REQUIRE" --history="$$HISTORY"

.PHONY: accept
accept: environment ## store the document that make drift compared last and generate its client, or change nothing [VENDOR=] [ANYWAY=1]
	@$(RUN) -m scripts.accept_document --vendor="$$VENDOR" --published="$$PUBLISHED" --anyway="$$ANYWAY"

.PHONY: diff
ifeq ($(origin OUT),file)
diff: OUT := # no reports but where they are asked for
endif
diff: environment ## compare two OpenAPI documents [BASE= REVISION= ALL=1 SERVERS=ignore OUT= FAIL_ON= WAIVERS=]
	@$(RUN) -m scripts.compare_documents --base="$$BASE" --revision="$$REVISION" --servers="$$SERVERS" --all="$$ALL" \
		--out="$$OUT" --fail-on="$$FAIL_ON" --waivers="$$WAIVERS"

.PHONY: mock
mock: environment ## serve every vendor's mock on PORT=8025 and gRPC on GRPC_PORT=8026 until interrupted [VENDOR=] [HOSTS=] [ALLOW_HOSTS=]
	@$(RUN) -m contract_watch mock --vendor="$$VENDOR" --port="$$PORT" --grpc-port="$$GRPC_PORT" --host="$$HOSTS" \
		--allow-host="$$ALLOW_HOSTS"

.PHONY: explore
explore: environment ## explore for MINUTES on all cores; write each failure as a pytest case [TARGET=] [SHARD=i/n]
	@$(RUN) -m contract_watch.engine.command.explore --vendor="$$VENDOR" --target="$$TARGET" --minutes="$$MINUTES" --shard="$$SHARD" \
		--seed="$$SEED" --out="$$OUT" --fail-on="$$FAIL_ON" --live="$$LIVE" --scheduler="$$SCHEDULER"

##@ Add a vendor

.PHONY: shapes
shapes: environment ## compare recorded responses with the committed shapes; ACCEPT=1 commits them [VENDOR=] [HISTORY=]
	@$(RUN) -m scripts.review_shapes --vendor="$$VENDOR" --accept="$$ACCEPT" --history="$$HISTORY" --out="$$OUT"

.PHONY: new-contract
new-contract: environment ## write a contract, from a document if there is one [SLUG= NAME= DOCUMENT= OPERATIONS=]
	@$(RUN) -m scripts.new_contract --slug="$$SLUG" --name="$$NAME" --document="$$DOCUMENT" --operations="$$OPERATIONS" \
		--out="$$OUT"

.PHONY: check-contracts
check-contracts: environment ## list what is missing in a contract [VENDOR=]
	@$(RUN) -m scripts.check_contracts --vendor="$$VENDOR"

.PHONY: mutants
mutants: environment ## measure how many deliberate drifts the suite finds [VENDOR=] [ONLY=family|id] [SHARD=i/n] [THOROUGH=1]
	@$(RUN) -m contract_watch.mutants --vendor="$$VENDOR" --only="$$ONLY" --shard="$$SHARD" --out="$$OUT" \
		--scheduler="$$SCHEDULER" --thorough="$$THOROUGH"

.PHONY: false-positives
false-positives: environment ## look for false alarms: changes that the documents permit [ONLY=kind|id] [SHARD=i/n] [SEEDS=200]
	@$(RUN) -m contract_watch.mutants.false_positives --vendor="$$VENDOR" --only="$$ONLY" --shard="$$SHARD" --seeds="$$SEEDS" \
		--out="$$OUT" --scheduler="$$SCHEDULER"

##@ Maintain

# Tests start hundreds of processes: where no bytecode may be written, each would compile every module.
.PHONY: test
test: checks ## run everything that CI runs; whole runs are sampled
	@PYTHONDONTWRITEBYTECODE= $(RUN) -m pytest --numprocesses="$$WORKERS" --dist worksteal

.PHONY: test-all
test-all: checks ## run everything, without sampling (an hour) [TESTS=path]
	@set -f; PYTHONDONTWRITEBYTECODE= $(RUN) -m pytest --numprocesses="$$WORKERS" --dist worksteal -o faulthandler_timeout=3600 --all $$TESTS

# What needs no pytest, side by side: one of them alone leaves a core idle. macOS's make, 3.81, cannot sort their output.
.PHONY: checks
checks: environment
	@$(MAKE) -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) check-contracts lint types check-generated

.PHONY: lint
lint: environment ## run ruff; check the workflows against their schema and with zizmor, the Dockerfile with hadolint
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check
	@.venv/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@.venv/bin/zizmor --quiet --offline --pedantic --strict-collection .github
	@.venv/bin/hadolint Dockerfile

.PHONY: types
types: environment ## run mypy --strict
	@$(RUN) -m mypy

.PHONY: generate
generate: environment ## write generated/ from the contracts [VENDOR=]
	@$(RUN) -m scripts.generate_clients --vendor="$$VENDOR"

.PHONY: check-generated
check-generated: environment ## fail if generated/ does not match the contracts [VENDOR=]
	@$(RUN) -m scripts.generate_clients --vendor="$$VENDOR" --check

.PHONY: api
api: environment ## record the public API of the generated clients, unless a change breaks users unannounced [VENDOR=]
	@$(RUN) -m scripts.record_api --vendor="$$VENDOR"

.PHONY: docs
docs: environment ## build the documentation site of the clients in site/
	@$(RUN) -m scripts.build_docs --vendor="$$VENDOR"

.PHONY: release
release: environment ## build a client's sdist and wheel in dist/ and verify them [VENDOR= VERSION=] [PYTHONS=]
	@$(RUN) -m scripts.release_client --vendor="$$VENDOR" --version="$$VERSION" --pythons="$$PYTHONS"

.PHONY: release-package
release-package: environment ## check every mock, state the result in README.md, build contract-watch in dist/ [VERSION=] [PYTHONS=] [OFFLINE=1]
	@$(RUN) -m scripts.release_package --version="$$VERSION" --pythons="$$PYTHONS" --offline="$$OFFLINE"

.PHONY: rules
rules: environment ## write docs/rules.md, the rules of the document comparison
	@$(RUN) -m scripts.list_rules

.PHONY: page-assets
page-assets: environment ## replace the renderer of the mock's page by another version from npm, verified [VERSION=]
	@$(RUN) -m scripts.fetch_page_assets --version="$$VERSION"

.PHONY: prove-live
prove-live: environment ## prove on a fake vendor that live runs do no harm (15 minutes)
	@$(RUN) -m pytest --numprocesses="$$WORKERS" --dist worksteal --all tests/engine/account

.PHONY: prove-sets
prove-sets: environment ## prove on random schemas that a comparison hides nothing and cries about no rewrite (half an hour and more)
	@$(RUN) -m pytest --numprocesses="$$WORKERS" -o faulthandler_timeout=3600 --all tests/diff/document/test_comparison_hides_no_value.py tests/diff/document/test_rewrites_are_quiet.py

.PHONY: soak
soak: environment ## call the clients against a server that fails in every way; look for leaks [CALLS=100000]
	@$(RUN) -m scripts.soak_clients --calls="$$CALLS"

.PHONY: fuzz-mock
fuzz-mock: environment ## send a mock mutated raw bytes for FUZZ_SECONDS=60; look for crashes, hangs and lost state [VENDOR=] [SEED=]
	@$(RUN) -m scripts.fuzz_mock --vendor="$$VENDOR" --seconds="$$FUZZ_SECONDS" --seed="$$SEED" --out="$$OUT"

.PHONY: bench
bench: environment ## compare with other tools; without VENDOR= and ONLY= (words of a heading) write docs/benchmarks.md
	@case "$$VENDOR" in ''|all) set -- ;; *) set -- --vendor="$$VENDOR" ;; esac; \
		case "$$ONLY" in '') ;; *) set -- "$$@" --only="$$ONLY" ;; esac; \
		case "$$*" in '') set -- --out=docs/benchmarks.md ;; esac; \
		$(RUN) -m scripts.run_bench "$$@"

.PHONY: bench-clients
bench-clients: environment ## compare the clients with bare httpx and another generator's client [VENDOR=]
	@case "$$VENDOR" in ''|all) set -- ;; *) set -- --vendor="$$VENDOR" ;; esac; \
		$(RUN) -m scripts.bench.clients "$$@"

.PHONY: bench-growth
bench-growth: environment ## measure how runs grow with a contract, and the gain of a second worker (10 minutes)
	@$(RUN) -m scripts.measure_growth

.PHONY: bench-documents
bench-documents: environment ## measure how long comparing two documents takes
	@$(RUN) -m tests.bench.document_comparison

.PHONY: lock
lock: environment ## pin the newest allowed dependencies in requirements.lock, those of a run alone in requirements-run.lock
	@"$$PYTHON" -m venv .venv/lock && .venv/lock/bin/python -m pip install --quiet --only-binary :all: uv
	@.venv/lock/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate \
		--extra dev --python-version 3.11 pyproject.toml --output-file requirements.lock
	@.venv/lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--constraint requirements.lock --python-version 3.11 pyproject.toml --output-file requirements-run.lock

.PHONY: clean
clean: ## remove everything that can be made again
	@rm -rf .venv reports site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
