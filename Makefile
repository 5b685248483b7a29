# `make run` and `make test` install what they need. `make help` lists all targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run token test test-long seeded-bugs mutants pay audit bench bench-small lint types build deploy logs sam-local openapi lock clean

UV_VERSION := 0.13.9

# The first Python that is new enough and can create virtual environments; .python-version selects pyenv's. Make
# searches for it only when something must be installed.
PYTHON = $(shell for candidate in python3 python3.13 python3.14 python3.12 python3.11 /usr/bin/python3; do \
	$$candidate -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$candidate && break; done)

# sam and the Python that it uses are in .venv/bin. local/ imports the layer.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/layers/common/python
export SAM_CLI_TELEMETRY := 0

# The environments of samconfig.toml, with their stack names.
STACK_dev := storefront-dev
STACK_prod := storefront
ENVIRONMENT = $(or $(filter dev prod,$(ENV)),$(error specify the environment, dev or prod: make $@ ENV=dev))

help: ## list all targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 13

run: .venv/installed-run ## serve the API on http://127.0.0.1:3000 until Ctrl-C, without Docker
	@python -m local

token: .venv/installed-run ## print an access token for `AUTH=on make run`: of the CUSTOMER=…, or the shop's; more in ARGS=…
	@python -m local.tokens $(if $(CUSTOMER),--customer $(CUSTOMER)) $(value ARGS)

test: .venv/installed .venv/checkov/installed ## run every test; those for Docker where an engine answers
	@python -m pytest --numprocesses=logical --maxprocesses=8 $(ARGS)

test-long: .venv/installed ## search for faults, for the better part of an hour; SEED=… makes the same choices
	@seed=$${SEED:-$$RANDOM}; echo "The seed is $$seed: \`make test-long SEED=$$seed\` repeats this run."; \
		TEST_LONG=1 TEST_SEED=$$seed python -m pytest -m long --timeout=7200 --hypothesis-seed=$$seed

seeded-bugs: .venv/installed ## check that the tests find five seeded bugs, one at a time
	@python -m tests.seeded_bugs

mutants: .venv/mutants ## check that the tests find hundreds of small changes to the payment code
	@python -m tests.mutants

pay: .venv/installed-run ## report ORDER=… as paid, or another SCENARIO=…, to `make run` or URL=…, in SCHEME=…; more in ARGS=…
	@python -m local.webhook_simulator $(or $(SCENARIO),paid) $(or $(ORDER),$(error name the order: make pay ORDER=…)) $(if $(URL),--url $(URL)) \
		$(if $(SCHEME),--scheme $(SCHEME)) $(value ARGS)

audit: .venv/installed-run ## look for rows that contradict each other, in the database of DATABASE_URL or of `make run`
	@python -m local.audit

BENCH_ENVIRONMENTS := $(patsubst %,.venv/%/installed,peer-fastapi peer-flask plots)

bench: $(BENCH_ENVIRONMENTS) ## measure the performance against pgbench and two peers, for 40 minutes: benchmarks/REPORT.md
	@python -m benchmarks

bench-small: $(BENCH_ENVIRONMENTS) ## run a short benchmark, and fail if a count exceeds its limit
	@python -m benchmarks --small

lint: .venv/installed ## check style and formatting with ruff
	@ruff check .
	@ruff format --check .

types: .venv/installed ## check types with mypy
	@mypy

build: .venv/installed-run ## validate the template, and build the functions and the layer into .aws-sam/
	@sam validate --lint
	@sam build

deploy: .venv/installed-run ## deploy to ENV=dev or ENV=prod, configured in samconfig.toml; ARGS=… adds options for sam
	@$(MAKE) --no-print-directory build
	@sam deploy --config-env $(ENVIRONMENT) $(value ARGS)

logs: .venv/installed-run ## follow the log of ENV=dev or ENV=prod; ARGS=… adds options for sam
	@sam logs --tail --cw-log-group /storefront/$(STACK_$(ENVIRONMENT))/functions $(value ARGS)

sam-local: .venv/installed-run ## serve the API with `sam local start-api`, in Docker
	@python -m local.sam_local

openapi: .venv/installed ## generate docs/openapi.json and the API reference from the code
	@python -m openapi

lock: .venv/installed ## update the pinned requirements from pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group dev pyproject.toml --output-file requirements/dev.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements/dev.txt --group run pyproject.toml --output-file requirements/run.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements/dev.txt pyproject.toml --output-file layers/common/python/requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements/dev.txt --group mutants --output-file requirements/mutants.txt
	@for group in checkov peer-fastapi peer-flask plots; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
			--group $$group --output-file requirements/$$group.txt || exit 1; \
	done

clean: ## remove installed and built files, but not the data in .local/
	@rm -rf .venv .aws-sam .bench

# Installs the target's first prerequisite into the environment $(1). uv takes seconds where pip takes minutes; pip is
# the fallback where only pip is configured for the machine's package index. Bytecode is compiled now because some
# machines set PYTHONDONTWRITEBYTECODE, and every start would compile again.
install = .venv/bin/uv pip install --quiet --compile-bytecode --require-hashes --requirement $< --python $(1)/bin/python \
	|| $(1)/bin/python -m pip install --quiet --no-deps --require-hashes --requirement $<

# For `make run`.
.venv/installed-run: requirements/run.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is required (Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "Installing into .venv with $$($(PYTHON) --version) …" >&2
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(call install,.venv)
	@touch $@

# For everything else.
.venv/installed: requirements/dev.txt .venv/installed-run
	@echo "Installing the development tools into .venv …" >&2
	@$(call install,.venv)
	@touch $@

# Separate environments: checkov and aws-sam-cli pin different versions of boto3, and only `make bench` needs the peers.
.venv/%/installed: requirements/%.txt .venv/installed
	@$(PYTHON) -m venv --clear .venv/$*
	@$(call install,.venv/$*)
	@touch $@

# The peers are measured with Lambda's Python version.
.venv/peer-%/installed: PYTHON = python3.13

.venv/mutants: requirements/mutants.txt .venv/installed
	@$(call install,.venv)
	@touch $@
