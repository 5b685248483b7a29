# `make run` and `make test` install what they need. `make help` lists all targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run token test test-long screenshots seeded-bugs mutants pay audit bench bench-small bench-products lint types build deploy logs sam-local openapi schema lock clean

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
STACK_small := storefront-small
STACK_prod := storefront
ENVIRONMENT = $(or $(filter dev small prod,$(ENV)),$(error specify the environment, dev, small or prod: make $@ ENV=dev))

# `make` commands in the tests must not get the variables of `make test`.
MAKEOVERRIDES :=
unexport ARGS SEARCH

# The console's, and the file by which npm knows what it installed.
LIBRARIES := layers/common/node_modules/.package-lock.json

# Each worker runs its own PostgreSQL.
WORKERS := --numprocesses=logical --maxprocesses=8

##@ Start here

run: .venv/installed-run $(LIBRARIES) ## serve the API on http://127.0.0.1:3000 until Ctrl-C; needs no Docker
	@python -m local

test: .venv/installed .venv/checkov/installed ## run all tests; SEARCH=full searches for faults as CI does, ARGS=… adds pytest options
	@python -m pytest $(WORKERS) --search=$(or $(SEARCH),quick) $(value ARGS)

help: ## list the targets
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-13s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##@ Use the API of `make run`

token: .venv/installed-run ## print an access token for `AUTH=on make run`; CUSTOMER=… makes it a customer's, ARGS=… adds options
	@python -m local.tokens $(if $(CUSTOMER),--customer $(CUSTOMER)) $(value ARGS)

pay: .venv/installed-run ## report ORDER=… as paid, or SCENARIO=…, to `make run` or URL=…; SCHEME=… selects the signature, ARGS=… adds options
	@python -m local.webhook_simulator $(or $(SCENARIO),paid) $(or $(ORDER),$(error specify the order: make pay ORDER=…)) \
		$(if $(URL),--url $(URL)) $(if $(SCHEME),--scheme $(SCHEME)) $(value ARGS)

audit: .venv/installed-run ## find contradictions between rows, in the database of `make run` or DATABASE_URL=…
	@python -m local.audit

##@ Change the code

lint: .venv/installed ## check style and formatting with ruff
	@ruff check .
	@ruff format --check .

types: .venv/installed ## check types with mypy
	@mypy

openapi: .venv/installed ## generate docs/openapi.json and the API reference from the code
	@python -m openapi

schema: .venv/installed ## generate docs/reference/schema.sql from the migrations
	@python -m local.schema

lock: .venv/installed ## update the pinned requirements from pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group dev pyproject.toml --output-file requirements/dev.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements/dev.txt --group run pyproject.toml --output-file requirements/run.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements/dev.txt pyproject.toml --output-file layers/common/python/requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements/dev.txt --group mutants --output-file requirements/mutants.txt
	@for group in uv npm checkov peer-fastapi peer-flask plots; do \
		uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
			--group $$group --output-file requirements/$$group.txt || exit 1; \
	done

clean: ## remove installed and built files, but not the data in .local/
	@rm -rf .venv .aws-sam .bench layers/common/node_modules

##@ Test and measure more

test-long: .venv/installed ## search for faults, for about an hour; SEED=… makes the same choices
	@seed=$${SEED:-$$RANDOM}; echo "The seed is $$seed: \`make test-long SEED=$$seed\` repeats this run."; \
		TEST_SEED=$$seed python -m pytest $(WORKERS) --search=long -m long --timeout=7200 --hypothesis-seed=$$seed

screenshots: .venv/installed ## make the pictures of the console for its guide, docs/guides/console.md; needs Chromium
	@python -m tests.local.screenshots

seeded-bugs: .venv/installed ## check that the tests find five seeded bugs, one at a time
	@python -m tests.seeded_bugs

mutants: .venv/mutants ## check that the tests find hundreds of small changes to the payment code
	@python -m tests.mutants $(ARGS)

BENCH_ENVIRONMENTS := $(patsubst %,.venv/%/installed,peer-fastapi peer-flask plots)

bench: $(BENCH_ENVIRONMENTS) ## measure the performance against pgbench and two peers, for 50 minutes: benchmarks/REPORT.md
	@python -m benchmarks

bench-small: $(BENCH_ENVIRONMENTS) ## run a short benchmark, and fail if a count exceeds its limit
	@python -m benchmarks --small

bench-products: .venv/installed ## compare with Vendure and Medusa from npm, for 20 minutes: benchmarks/PRODUCTS.md
	@python -m benchmarks.products

##@ Deploy

build: .venv/installed-run $(LIBRARIES) ## validate the template, and build the functions and the layer into .aws-sam/
	@sam validate --lint
	@sam build

deploy: .venv/installed-run ## deploy to ENV=dev, small or prod, configured in samconfig.toml; ARGS=… adds options for sam
	@$(MAKE) --no-print-directory build
	@sam deploy --config-env $(ENVIRONMENT) $(value ARGS)

logs: .venv/installed-run ## follow the log of ENV=dev, small or prod; ARGS=… adds options for sam
	@sam logs --tail --cw-log-group /storefront/$(STACK_$(ENVIRONMENT))/functions $(value ARGS)

sam-local: .venv/installed-run $(LIBRARIES) ## serve the API in Docker, with `sam local start-api`
	@python -m local.sam_local

# Installs the requirements $(2), or the target's first prerequisite, into the environment $(1). uv takes seconds where
# pip takes minutes; pip is the fallback where only pip is configured for the machine's package index. Bytecode is
# compiled now because some machines set PYTHONDONTWRITEBYTECODE, and every start would compile again.
install = .venv/bin/uv pip install --quiet --compile-bytecode --require-hashes --requirement $(or $(2),$<) \
		--python $(1)/bin/python \
	|| $(1)/bin/python -m pip install --quiet --no-deps --require-hashes --requirement $(or $(2),$<)

# For `make run`. The search for PYTHON takes a moment, so its result is kept.
.venv/installed-run: requirements/run.txt requirements/uv.txt
	$(eval PYTHON := $(PYTHON))
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is required (Debian: apt install python3-venv)." >&2; exit 1; }
	@$(if $(filter run,$(MAKECMDGOALS)),$(PYTHON) -m local.port)
	@set -e; exec >&2; \
	echo "Installing what \`make run\` needs into .venv, with $$($(PYTHON) --version). This takes about a minute."; \
	echo "  1/3 Creating the virtual environment"; \
	$(PYTHON) -m venv --clear .venv; \
	echo "  2/3 Installing uv, the package installer"; \
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements/uv.txt; \
	echo "  3/3 Downloading and installing $$(grep -c == $<) packages"; \
	$(call install,.venv); \
	echo "Installed in $$SECONDS seconds."
	@touch $@

# npm knows the address of its registry, or that of this machine's configuration. Nothing of Node.js is needed later.
$(LIBRARIES): layers/common/package-lock.json requirements/npm.txt .venv/installed-run
	@set -e; exec >&2; \
	echo "Installing the libraries of the console, with npm. This takes a few seconds."; \
	.venv/bin/python -m venv --clear .venv/npm; \
	$(call install,.venv/npm,requirements/npm.txt); \
	PATH="$(CURDIR)/.venv/npm/bin:$$PATH" npm ci --prefix layers/common --cache .venv/npm/cache --ignore-scripts \
		--no-audit --no-fund --loglevel=error >/dev/null; \
	rm -rf .venv/npm
	@touch $@

# For everything else.
.venv/installed: requirements/dev.txt .venv/installed-run $(LIBRARIES)
	@set -e; exec >&2; \
	echo "Installing the development tools into .venv. This takes about 20 seconds."; \
	$(call install,.venv); \
	echo "Installed in $$SECONDS seconds."
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
