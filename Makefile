# Each target sets up what it needs and does nothing twice. `make` alone explains them.

# uv, from the PATH or, if it is not there, from a folder of this project.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv || echo .tools/bin/uv)
PYTHON := .venv/bin/python
# Where a machine has it that nothing is kept compiled, every process would compile all it imports.
export PYTHONDONTWRITEBYTECODE :=
# Programs that the tests run, likewise; `/usr/sbin` is not on everybody's PATH.
PROGRAMS := $(foreach name,chromium haproxy nginx pgbouncer promtool redis-server systemd-analyze,\
	$(shell PATH=$$PATH:/usr/sbin command -v $(name) >/dev/null || echo .tools/bin/$(name)))
PACKAGE_promtool := prometheus
PACKAGE_systemd-analyze := systemd
FOLDER = .tools/apt-$*
APT = apt-get -qq -o Dir::State::lists=$(CURDIR)/$(FOLDER)/lists -o Dir::Cache=$(CURDIR)/$(FOLDER) \
	-o Debug::NoLocking=1
INSTALLED := .venv/.installed
COMPILED := .venv/.compiled
NODE_MODULES := tests/node/node_modules/.installed
GENERATION_2 := tests/agents/generation_2
AEGRA := tests/benchmarks/aegra
CONSOLE := gateway/console/web/vendor
GENERATION_2_INSTALLED := .venv-genai2/.installed
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.12 --generate-hashes \
	--no-header --no-emit-index-url --upgrade

.PHONY: help run test ready soak bench lint docs pictures migrate takeover-report reencrypt lock clean

help:  ## Explain the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 18

run: $(INSTALLED)  ## Run the whole system on this machine; Ctrl-C ends it
	@exec $(PYTHON) -m devstack.run

# More workers than a machine of two cores has: they wait more than they work.
test: ready  ## Run all tests
	$(PYTHON) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

ready: $(INSTALLED) $(COMPILED) $(GENERATION_2_INSTALLED) $(NODE_MODULES) $(PROGRAMS)  ## Install what the tests need

soak: $(INSTALLED)  ## Kill and freeze things under load for DURATION seconds (600), from seed SEED (1) on
	@$(PYTHON) -m tests.faults.soak $(or $(DURATION),600) $(or $(SEED),1)

bench: $(INSTALLED)  ## Measure how fast it is, in about a quarter of an hour, for docs/; SCENARIO=chat measures one, ONLY=TEXT a part of it, AGAINST=COMMIT beside another commit
	@$(PYTHON) -m tests.benchmarks $(SCENARIO) $(if $(AGAINST),--against $(AGAINST)) $(if $(ONLY),--only "$(ONLY)")

lint: $(INSTALLED)  ## Check format, style, types, dependencies, the layers of the packages, links and the containers
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	.venv/bin/deptry . --extend-exclude "tests|devstack|migrations"
	$(PYTHON) -m tests.docs.links
	$(PYTHON) -m check_jsonschema --builtin-schema vendor.compose-spec compose.yaml
	.venv/bin/hadolint Dockerfile

docs: $(INSTALLED)  ## Draw anew what docs/ draws from the code, and the dashboard
	$(PYTHON) -m tests.docs.drawing
	$(PYTHON) -m tests.docs.scopes
	$(PYTHON) -m tests.docs.commands
	$(PYTHON) -m tests.gateway.openapi.operation_ids
	$(PYTHON) -m tests.deploy.dashboard

pictures: $(INSTALLED) $(PROGRAMS)  ## Take the pictures of the console in docs/ anew
	TAKE_PICTURES=1 $(PYTHON) -m pytest -q tests/console/test_pictures.py

migrate: $(INSTALLED)  ## Bring the database that DATABASE_URL or POSTGRES_* names up to date
	$(PYTHON) -m shared.upgrade.migrate

takeover-report: $(INSTALLED)  ## Say what `make migrate` would do to a database of the original
	@$(PYTHON) -m shared.upgrade.migrate --report

reencrypt: $(INSTALLED)  ## Bring all stored secrets to the newest of ENCRYPTION_KEYS
	@$(PYTHON) -m shared.reencrypt

lock: | $(filter .tools/bin/uv,$(UV))  ## Resolve the newest versions that pyproject.toml allows
	$(COMPILE) --group dev pyproject.toml -o requirements.lock
	$(COMPILE) $(GENERATION_2)/requirements.in -o $(GENERATION_2)/requirements.lock
	$(COMPILE) $(AEGRA)/requirements.in -o $(AEGRA)/requirements.lock
	.venv/bin/npm update --prefix tests/node --package-lock-only --silent
	.venv/bin/npm update --prefix $(CONSOLE) --package-lock-only --silent
	$(PYTHON) -m devstack.vendor

clean:  ## Empty the data folder of `make run`
	rm -rf .devstack

$(INSTALLED): requirements.lock | $(filter .tools/bin/uv,$(UV))
	$(UV) venv --quiet --allow-existing --python 3.12 .venv
	$(UV) pip sync --quiet --require-hashes --python $(PYTHON) requirements.lock
	@touch $@

# Once, by one process: workers that begin at the same time would each compile all they import.
$(COMPILED): $(INSTALLED)
	@said=$$($(PYTHON) -m pytest --collect-only -qq 2>&1) || { echo "$$said"; exit 1; }
	@touch $@

# The second generation of agents can't share an environment with the first.
$(GENERATION_2_INSTALLED): $(GENERATION_2)/requirements.lock | $(filter .tools/bin/uv,$(UV))
	$(UV) venv --quiet --allow-existing --python 3.12 .venv-genai2
	$(UV) pip sync --quiet --require-hashes --python .venv-genai2/bin/python $<
	@touch $@

$(NODE_MODULES): tests/node/package-lock.json | $(INSTALLED)
	.venv/bin/npm ci --prefix tests/node --ignore-scripts --no-audit --no-fund --silent
	@touch $@

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv

# Debian's package and what it needs, unpacked and not installed: that takes no root.
# Debian's begins what stands at a place of its own, which here is another.
PROGRAM_chromium := /usr/lib/chromium/chromium
.tools/bin/chromium .tools/bin/haproxy .tools/bin/nginx .tools/bin/pgbouncer .tools/bin/promtool .tools/bin/redis-server .tools/bin/systemd-analyze: .tools/bin/%:
	@mkdir -p .tools/bin $(FOLDER)/lists/partial $(FOLDER)/archives/partial
	@$(APT) update && $(APT) install --yes --no-install-recommends --download-only \
		$(or $(PACKAGE_$*),$*) >/dev/null || \
		{ echo "The tests need $*, which can't be had from apt here: install it, so that '$*' is on the PATH." >&2; exit 1; }
	@for package in $(FOLDER)/archives/*.deb; do dpkg-deb --extract $$package .tools/$* || exit; done
	@printf '#!/bin/sh\nhere=%s\nfolder=$$(echo $$here/usr/lib/*-linux-gnu*)\nexport LD_LIBRARY_PATH=$$folder:$$folder/systemd:$$folder/pulseaudio\nexec $$here$(or $(PROGRAM_$*),/usr/*bin/$*) "$$@"\n' \
		$(CURDIR)/.tools/$* >$@.unfinished
	@chmod +x $@.unfinished
	@{ $@.unfinished -v || $@.unfinished -V || $@.unfinished --version; } >/dev/null 2>&1 && mv $@.unfinished $@
	@rm -rf $(FOLDER)
