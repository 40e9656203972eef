# Every command sets up what it needs by itself, in .venv, from the lock files.
# PYTHON=/path/to/python3.12 chooses an interpreter; ARGS="--port 9000" is passed on.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install -qq --require-hashes

# Stamps are files with the time of the last installation: a second run costs nothing,
# and a changed lock or pyproject.toml installs again.
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
# An environment of its own: the pytest plugins in it would load in every other run too.
NEIGHBOURS := .cache/neighbours/.installed
# Tools from npm, at the versions of tools/node/package-lock.json.
NODE := .cache/node/.installed
# The vendors' own programs, which no other run needs.
EXAMPLES := .cache/examples/.installed
# LiteLLM wants an older openai than the vendors' programs above.
LITELLM := .cache/litellm/.installed
# The generator of Python clients needs versions of its own of what the kit uses as well.
CLIENTS := .cache/clients/.installed
# Frameworks of fakes that import nothing of ours.
FOREIGN := .cache/foreign/.installed

# The npm package, with what it is tested with.
TYPESCRIPT_FOLDER := clients/typescript
TYPESCRIPT := $(TYPESCRIPT_FOLDER)/node_modules/.installed

PYTEST := $(BIN)/python -m pytest
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

# --- what a user types -------------------------------------------------------------------------

.PHONY: serve
serve: $(RUNTIME) ## start the mock server on http://127.0.0.1:8787
	@exec $(BIN)/screentest serve $(ARGS)

# What `make check` runs is left out, so that no test runs twice for a change.
CHECKED := test_imports test_tidy test_language test_packaging

.PHONY: test
test: $(DEVELOPMENT) ## the tests that take a second or less each
	$(PYTEST) -n 2 --dist worksteal -m "not long and not slow and not postgres and not browser" \
	  $(CHECKED:%=--ignore=tests/%.py) $(ARGS)

.PHONY: test-long
test-long: $(DEVELOPMENT) ## the tests that take more than a second each
	$(PYTEST) -n 2 --dist worksteal -m "long and not slow" $(ARGS)

.PHONY: test-postgres
test-postgres: $(DEVELOPMENT) ## `--db postgresql://`, with a server that the tests start themselves
	$(PYTEST) tests/postgres -m "not slow" $(ARGS)

.PHONY: test-slow
test-slow: $(DEVELOPMENT) ## the tests that build, fuzz or take long
	$(PYTEST) -m slow $(ARGS)

.PHONY: test-neighbours
test-neighbours: $(NEIGHBOURS) ## the pytest plugin beside its users' other tools, none skipped
	NEIGHBOURS=all $(dir $(NEIGHBOURS))bin/python -m pytest -n 2 tests/plugin $(ARGS)

.PHONY: test-browser
test-browser: $(DEVELOPMENT) $(NODE) ## the page in headless Chromium: stories, accessibility, pictures
	chromium="$$(tools/find_chromium.sh)" && CHROMIUM="$$chromium" \
	  $(PYTEST) tests/browser -m browser $(ARGS)

.PHONY: test-servers
test-servers: $(DEVELOPMENT) $(LITELLM) ## the contract kit against Prism, aimock and LiteLLM's proxy
	$(PYTEST) tests/contract/test_servers.py $(ARGS)

.PHONY: test-foreign
test-foreign: $(DEVELOPMENT) $(FOREIGN) $(NODE) ## the contract kit against fakes that know nothing of it, right and with defects
	FOREIGN=all $(PYTEST) tests/foreign $(ARGS)

.PHONY: test-clients
test-clients: $(DEVELOPMENT) $(CLIENTS) $(NODE) ## clients generated from the OpenAPI documents, one call each
	CLIENTS=all $(PYTEST) tests/clients $(ARGS)

.PHONY: test-examples
test-examples: $(DEVELOPMENT) $(EXAMPLES) $(NODE) ## contracts of real vendors, driven by the vendors' own programs
	EXAMPLES=all $(PYTEST) tests/examples $(ARGS)
	cd examples && $(abspath $(dir $(EXAMPLES)))/bin/python -m pytest -q $(ARGS)

.PHONY: test-sdks
test-sdks: $(DEVELOPMENT) $(EXAMPLES) $(LITELLM) $(NODE) ## what clients of vendors do when an answer is lost: docs/clients.md
	SDKS=all $(PYTEST) tests/sdks $(ARGS)

.PHONY: test-typescript
test-typescript: $(DEVELOPMENT) $(TYPESCRIPT) ## the npm package: contract types, vitest, jest, node:test, a fresh project
	cd $(TYPESCRIPT_FOLDER) && npm run check:contract && npm run build
	cd $(TYPESCRIPT_FOLDER) && PATH="$(abspath $(BIN)):$$PATH" npm test
	cd $(TYPESCRIPT_FOLDER) && PATH="$(abspath $(BIN)):$$PATH" npm run test:package

.PHONY: bench
bench: $(DEVELOPMENT) ## load the server and print one table
	@$(BIN)/python -m bench.run $(ARGS)

.PHONY: fuzz
fuzz: $(DEVELOPMENT) ## schemathesis over every provider: make fuzz ARGS="ozor --seeds 1-5"
	$(BIN)/python -m tools.fuzz.run $(ARGS)

.PHONY: differential
differential: $(DEVELOPMENT) ## random histories over memory, a file and a database: make differential ARGS="--seeds 100000-100999"
	$(BIN)/python -m tests.postgres.differential $(ARGS)

.PHONY: mutants
mutants: $(DEVELOPMENT) ## whether the contract kit finds planted defects: make mutants ARGS="ozor --only OZ-CRD"
	$(BIN)/python -m screentest.contract_tests.mutants run $(ARGS)

# --- what a change must pass -------------------------------------------------------------------

.PHONY: check
check: format-check lint types imports specs docs packaging ## format, lint, types, import direction, OpenAPI documents, documentation, packaging

.PHONY: format
format: $(DEVELOPMENT) ## rewrite the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: format-check
format-check: $(DEVELOPMENT)
	$(BIN)/ruff format --check .

.PHONY: lint
lint: $(DEVELOPMENT)
	$(BIN)/ruff check .

.PHONY: types
types: $(DEVELOPMENT) ## mypy and pyright, both strict
	$(BIN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright --pythonpath $(BIN)/python

.PHONY: imports
imports: $(DEVELOPMENT)
	$(PYTEST) -q $(patsubst %,tests/%.py,$(filter-out test_packaging,$(CHECKED)))

.PHONY: specs
specs: $(DEVELOPMENT) ## the OpenAPI documents: the specification's schema, then Redocly's rules
	$(BIN)/openapi-spec-validator specs/*/openapi.yaml
	@tools/lint_specs.sh

# The notice is about a later MkDocs, which Material does not work with.
.PHONY: docs
docs: $(DEVELOPMENT) ## the documentation as a site in .cache/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

.PHONY: packaging
packaging: $(DEVELOPMENT)
	$(PYTEST) -q tests/test_packaging.py

# --- set-up ------------------------------------------------------------------------------------

.PHONY: setup
setup: $(DEVELOPMENT) ## only install what development needs

# One version of everything for all Pythons, or a test could pass on one and fail on another.
.PHONY: lock
lock: | $(BIN)/python ## resolve the dependencies anew, newest versions first
	$(PIP) install --quiet 'uv>=0.9'
	rm -f requirements.lock requirements-dev.lock requirements-server.lock \
	  requirements-neighbours.lock requirements-clients.lock requirements-examples.lock \
	  requirements-litellm.lock requirements-foreign.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --group build \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --all-extras \
	  --group build --group dev -c requirements.lock \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements-dev.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --extra metrics \
	  --extra postgres -c requirements-dev.lock \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements-server.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --all-extras \
	  --group build --group dev --group neighbours -c requirements-dev.lock \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements-neighbours.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --group clients \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements-clients.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --group build \
	  --group examples -c requirements.lock \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements-examples.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile pyproject.toml --group build \
	  --group litellm -c requirements.lock \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements-litellm.lock
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --group foreign \
	  --universal --fork-strategy fewest --generate-hashes \
	  --python-version 3.11 --quiet -o requirements-foreign.lock

.PHONY: update
update: ## resolve the dependencies anew, then check and test with them
	$(MAKE) lock
	$(MAKE) check test

.PHONY: build
build: $(RUNTIME) ## build the wheel and the source distribution into dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist

.PHONY: clean
clean: ## remove the environment, the caches and the builds
	rm -rf $(VENV) .cache dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis bench/.peers
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first interpreter of this list that is new enough; 'none' says which ones were asked.
$(BIN)/python:
	@for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    rm -rf $(VENV); "$$candidate" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }; exit 0; \
	  fi; \
	done; \
	echo "screentest needs Python 3.11 or newer; asked: $(strip $(PYTHON) python3 python3.14)" \
	  "python3.13 python3.12 python3.11. Install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 2

# The project itself is installed without a build environment of its own: what builds it is in
# the lock, so nothing here comes unpinned. It decodes the contracts, so a changed one installs again.
$(RUNTIME): requirements.lock pyproject.toml $(wildcard specs/*/*.yaml) $(BIN)/python
	@echo "installing into $(VENV) ..."
	@$(INSTALL) -r requirements.lock
	@$(PIP) install -qq --no-deps --no-build-isolation -e .
	@touch $@

$(DEVELOPMENT): $(RUNTIME) requirements-dev.lock
	@echo "installing the development tools into $(VENV) ..."
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

$(NODE): tools/node/package.json tools/node/package-lock.json
	@echo "installing the tools from npm into $(@D) ..."
	@mkdir -p $(@D) && cp $^ $(@D)/
	@npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(TYPESCRIPT): $(TYPESCRIPT_FOLDER)/package-lock.json
	@echo "installing the tools of the npm package into $(@D) ..."
	@# Not `npm ci`, which refuses a lock without the optional binaries of other platforms.
	@cd $(TYPESCRIPT_FOLDER) && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(CLIENTS) $(FOREIGN): .cache/%/.installed: requirements-%.lock | $(BIN)/python
	@echo "installing $< into $(@D) ..."
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install -qq --require-hashes -r $<
	@touch $@

# These have screentest in them, too.
$(EXAMPLES) $(LITELLM) $(NEIGHBOURS): .cache/%/.installed: requirements-%.lock pyproject.toml | $(BIN)/python
	@echo "installing $< into $(@D) ..."
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check install -qq --require-hashes -r $<
	@$(@D)/bin/python -m pip --disable-pip-version-check install -qq --no-deps \
	  --no-build-isolation -e .
	@touch $@
