# provost: `make help` lists what can be made.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOL    := $(GO) tool -modfile=.ci/tools/go.mod
FUZZTIME ?= 20s

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/provost, stripped
	CGO_ENABLED=1 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/provost ./cmd/provost

.PHONY: run
run: build ## start the server on the embedded database (./provost-data)
	./bin/provost serve

.PHONY: deps
deps: ## install what the tests need and this machine lacks
	@.ci/deps

.PHONY: test
test: deps ## every test with the race detector, on SQLite and PostgreSQL
	.ci/with-postgres $(GO) test -race -timeout 20m ./...

.PHONY: test-fast
test-fast: deps ## every test without the race detector
	.ci/with-postgres $(GO) test -timeout 10m ./...

.PHONY: race
race: test ## the same as test

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME each
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; \
		done; \
	done

.PHONY: lint
lint: ## gofmt, vet, staticcheck, tidy, the import table
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt would change:"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) test ./internal/archtest

.PHONY: demo
demo: deps ## walk through the main job on real servers, in under two minutes
	$(GO) run ./cmd/demo

.PHONY: kill
kill: deps ## kill -9 at 25 random points of imports, of exports and of bulk requests
	$(GO) test -count=1 -timeout 30m -run '^TestKill' -v ./internal/story -kill.points 25

.PHONY: bench
bench: build ## measure the server beside its floors in one run
	@.ci/deps bench
	$(GO) build -o bin/bench ./cmd/bench
	./bin/bench -provost bin/provost

USERS   ?= 100000
MINUTES ?= 2
DB      ?= sqlite
.PHONY: bench-scim
bench-scim: build ## measure a directory of USERS people with MINUTES of writes, DB=sqlite or postgresql
	@.ci/deps bench
	$(GO) build -o bin/bench ./cmd/bench
	$(if $(filter postgresql,$(DB)),WITH_POSTGRES_DURABLE=1 .ci/with-postgres) sh -c './bin/bench -provost bin/provost -scim -users $(USERS) -minutes $(MINUTES) -out "$(OUT)" -db "$(if $(filter postgresql,$(DB)),$$PROVOST_TEST_POSTGRES)"'

.PHONY: bench-scim-full
bench-scim-full: ## the same with 1,000,000 people and 30 minutes of writes, on both databases, into docs/bench
	mkdir -p docs/bench
	$(MAKE) bench-scim USERS=1000000 MINUTES=30 DB=sqlite OUT=docs/bench/scim-sqlite.json
	$(MAKE) bench-scim USERS=1000000 MINUTES=30 DB=postgresql OUT=docs/bench/scim-postgresql.json
