# The commands of Flotilla. Everything is done by `flotilla`, pytest or a script; see --help there.

# Settings: see .env.example.
-include .env
export

.DEFAULT_GOAL := help
.PHONY: help up down status images up-docker down-docker sweep locust test check bench bench-readme bench-updates profile

RUN_PROGRAMS := nginx redis-server prometheus
# What only watches: where it can't be installed, the stack runs without it.
WATCH_PROGRAMS := prometheus-nginx-exporter prometheus-redis-exporter prometheus-alertmanager

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: .venv/ready-run ## Start the stack without Docker and print a curl to try
	@.venv/bin/flotilla up

down: ## End it; published models stay
	@if [ -x .venv/bin/flotilla ]; then .venv/bin/flotilla down; fi

status: .venv/ready-run ## Show its processes, and what each replica holds and has answered
	@.venv/bin/flotilla status

images: ## Build every image from Debian packages, where no image registry is reached
	@deploy/debian/build

up-docker: ## Start the stack in containers (COMPOSE_ENV_FILES=deploy/debian/images.env: in those images)
	@docker compose up --build --detach --wait

down-docker: ## End it; the volume with the published models stays
	@docker compose down

sweep: .venv/ready-loadtest ## Measure throughput as replicas are added, and write a report (OPTIONS="--replicas 1,2,4")
	@.venv/bin/flotilla sweep $(OPTIONS)

locust: .venv/ready-loadtest ## Load the stack with Locust, from its web page (OPTIONS="--headless -u 50 -t 60s")
	@.venv/bin/locust -f loadtest/locustfile.py $(OPTIONS)

test: .venv/ready-dev ## Run all tests against real nginx, Redis, Prometheus, replicas and containers
	@.venv/bin/python -m pytest

check: .venv/ready-dev ## Check style and types
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

bench: .venv/ready-dev ## Measure rows a second beside FastAPI and nginx itself
	@deploy/setup dev $(RUN_PROGRAMS) wrk
	@.venv/bin/python -m loadtest.bench

bench-readme: .venv/ready-dev ## The same, and write figures and chart into the README
	@deploy/setup dev $(RUN_PROGRAMS) wrk
	@.venv/bin/python -m loadtest.bench --readme

bench-updates: .venv/ready-dev ## Measure what split routes, shadows and activations cost
	@deploy/setup dev $(RUN_PROGRAMS) wrk
	@.venv/bin/python -m loadtest.bench.updates

profile: .venv/ready-dev ## Write a table of where a request's microseconds go
	@deploy/setup dev $(RUN_PROGRAMS) wrk
	@.venv/bin/python -m loadtest.bench.profile

.venv/ready-run: requirements.txt requirements-fast.txt pyproject.toml deploy/setup
	@deploy/setup run $(RUN_PROGRAMS) --optional $(WATCH_PROGRAMS)

.venv/ready-loadtest: requirements-loadtest.txt requirements-fast.txt pyproject.toml deploy/setup
	@deploy/setup loadtest $(RUN_PROGRAMS) --optional $(WATCH_PROGRAMS)
	@touch .venv/ready-run

.venv/ready-dev: requirements-dev.txt requirements-fast.txt pyproject.toml deploy/setup
	@deploy/setup dev $(RUN_PROGRAMS) --optional $(WATCH_PROGRAMS)
	@touch .venv/ready-run .venv/ready-loadtest
