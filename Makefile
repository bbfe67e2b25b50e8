# The commands of this project. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
CARGO ?= cargo

# Of `make chaos`.
MINUTES ?= 10
SEED := $(or $(SEED),$(shell date +%s))
FULL ?= 1

# Of `make requests`, for each endpoint.
COUNT ?= 10000

# Of `make fuzz`, for each target.
SECONDS ?= 20

.PHONY: help setup demo test check full chaos requests moto packaging checkers official fuzz bench audit release

help: ## list the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## install what is missing (Debian packages; says what it installs)
	@scripts/setup

demo: setup ## the main job end to end on this machine: from a new service instance to HTTPS, and back to nothing
	@$(CARGO) build --quiet --bin cdn-broker --bin cdn-sandbox
	@target/debug/cdn-sandbox demo

test: setup ## every test of the ordinary run
	@$(CARGO) build --workspace --bins
	@$(CARGO) test --workspace --no-fail-fast

check: setup ## format, lints, documentation and the dependency map
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	@RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --all-features
	@scripts/cargo-deny
	@$(CARGO) deny check bans licenses sources

full: official test check moto requests chaos packaging fuzz checkers ## everything there is; DOCUMENT=… as in `make checkers`

packaging: setup ## the unit for systemd, as systemd itself sees it; the image, built and run
	@scripts/setup full
	@$(CARGO) build --quiet --bin cdn-broker
	@scripts/packaging
	@scripts/image

moto: setup ## the sandbox's cloud compared with moto, an independent one (docs/MOTO.md)
	@scripts/setup full
	@$(CARGO) build --quiet --bin cdn-sandbox
	@scripts/moto

chaos: setup ## users, misfortunes and deaths in an order that a seed draws; MINUTES=10 SEED=… PART=crowd|lives FULL=1
	@$(CARGO) build --workspace --bins
	@PROPTEST_RNG_SEED=$(SEED) PROPTEST_CASES=$$(( $(MINUTES) * 200 + 1 )) \
	    $(CARGO) test --quiet --package broker --test it -- lives::
	@$(CARGO) test --quiet --package acceptance --test chaos -- --minutes $(MINUTES) --seed $(SEED) \
	    $(if $(PART),--part $(PART)) $(if $(filter 1,$(FULL)),--full)

checkers: official ## public checkers let loose on the program (docs/CHECKERS.md); DOCUMENT=openapi.yaml where it cannot be fetched
	@scripts/setup full
	@$(CARGO) build --quiet --bin cdn-broker --bin cdn-sandbox
	@scripts/checkers

official: setup ## the official OpenAPI document, for `make checkers`, into target/checkers; DOCUMENT=openapi.yaml gives it by hand
	@python3 tests/checkers/official.py $(if $(DOCUMENT),--document "$(DOCUMENT)")

fuzz: setup ## the fuzz targets, led by cargo-fuzz, with a nightly toolchain if there is one; SECONDS=20 TARGET=request
	@scripts/setup full
	@scripts/fuzz $(SECONDS) $(TARGET)

requests: setup ## generated requests of every kind, sent to the real program; COUNT=10000 SEED=…
	@$(CARGO) build --workspace --bins
	@$(CARGO) test --quiet --package acceptance --test requests -- --count $(COUNT) --seed $(SEED)

bench: setup ## measurements of the release build: prints a table; ARGS="acme http" chooses sections
	@scripts/setup release
	@scripts/release
	@$(CARGO) bench --package acceptance --bench measure -- $(ARGS)

audit: ## known vulnerabilities (needs the advisory database)
	@scripts/cargo-deny
	@$(CARGO) deny check advisories

release: setup ## the binary for operators in target/package: stripped, and in need of nothing but glibc 2.35
	@scripts/setup release
	@scripts/release
