# Everything that is done to this project, by name. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
CLIENT = env -u RUSTC_WORKSPACE_WRAPPER $(CARGO) run --quiet --manifest-path openapi/clients/rust/Cargo.toml --target-dir target/clients/rust --

.PHONY: help run test check format lint openapi docs openapi-check lint-openapi clients browser chaos fuzz contract deny dist bench

help: ## List what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: ## Build and start the service on SQLite, with the demo company in an empty database
	SAMPHAN_DEMO=$${SAMPHAN_DEMO:-true} $(CARGO) run -p samphan -- serve

# Two to a core: a test waits for moments, for commits and for its database as much as it computes.
test contract: export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))
test: ## Run every test: unit, property, and API tests on SQLite and on PostgreSQL
	tests/postgres.sh $(CARGO) test --workspace --quiet

# The compiler that lints also builds here: otherwise all dependencies would be compiled once to lint and once to test.
check deny: export RUSTC_WORKSPACE_WRAPPER = clippy-driver
check deny: export CLIPPY_ARGS = -Dwarnings
check: format ## What CI runs: format, lints, document drift, tests (those of `contract` among them), and the docs page where Chromium is there
	$(CARGO) build --workspace --all-targets --quiet
	@$(MAKE) --no-print-directory openapi-check test
	@BROWSER_INSTALL=no openapi/browser/run.sh || { [ $$? = 2 ] && echo "NOT RUN: the docs page in a browser, which needs Chromium and Node.js (make browser installs Chromium)"; }

deny: ## Dependencies: licences and sources against deny.toml (by cargo deny where it is installed, else by a test), and what comes in twice
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny check bans licenses sources; \
	else $(CARGO) test --workspace --quiet --test samphan security::dependencies; fi
	$(CARGO) tree --workspace --duplicates --depth 0

format: ## Is everything formatted
	$(CARGO) fmt --all --check

lint: ## Lints, warnings refused
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings

openapi: ## Write the published document anew, and the client made of it
	$(CARGO) run --quiet -p samphan -- openapi > openapi/openapi.json
	$(CARGO) run --quiet -p samphan -- openapi --form older > openapi/openapi-3.0.json
	$(CARGO) run --quiet -p samphan -- openapi --form operations > openapi/operations.txt
	$(CLIENT)

docs: ## Write docs/operations/configuration.md anew from the program's options; a test compares it
	$(CARGO) run --quiet -p samphan -- configuration > docs/operations/configuration.md.new
	mv docs/operations/configuration.md.new docs/operations/configuration.md

openapi-check: ## Is the published document what the code says
	@diff <($(CARGO) run --quiet -p samphan -- openapi) openapi/openapi.json >/dev/null || { echo "openapi/openapi.json is not what the code says: make openapi"; exit 1; }
	@diff <($(CARGO) run --quiet -p samphan -- openapi --form older) openapi/openapi-3.0.json >/dev/null || { echo "openapi/openapi-3.0.json is not what the code says: make openapi"; exit 1; }
	@diff <($(CARGO) run --quiet -p samphan -- openapi --form operations) openapi/operations.txt || { echo "openapi/operations.txt is not what the code says: make openapi"; exit 1; }
	@$(CLIENT) --check || { echo "crates/erp-simulator/src/api.rs is not what the document says: make openapi"; exit 1; }

contract: openapi-check ## Prove the document: its rules, its examples, the router, and that nothing of the last release is broken
	tests/postgres.sh $(CARGO) test --workspace --quiet --test samphan -- contract:: walks::

lint-openapi: ## Lint the document with Redocly and Spectral (needs npm)
	openapi/lint/run.sh openapi/openapi.json

clients: ## Generate, compile and run a client of each language against a server of their own (needs npm, python3, javac)
	openapi/clients/with-server.sh openapi/openapi.json

browser: ## Try the docs page and the event stream in a real browser, against a server of their own (needs npm, Chromium)
	openapi/browser/run.sh

chaos: ## Kill the service fifty times under load on each database, and PostgreSQL twenty times; bounded, some ten minutes
	SAMPHAN_TEST_KILLS=50 tests/postgres.sh $(CARGO) test --workspace --quiet --test samphan -- failure --nocapture

fuzz: ## Fuzz the API with schemathesis on SQLite and PostgreSQL, for some 20 minutes (needs python3; FUZZ_EXAMPLES=100 for a night)
	tests/postgres.sh openapi/fuzz/run.sh

dist: ## Make a release in target/dist: archive, checksums, bill of materials, files of the container image; then try them
	packaging/dist.sh
	packaging/check.sh

bench: ## Measure a release build on generated data, beside bare loops over the same SQL; then builds and tests themselves
	tests/bench/run.sh
	tests/bench/work.sh
