# `make scenarios` on a fresh Debian needs no other command: each target sets up what is missing first.
# Arguments for pytest and the like: make scenarios ARGS="-k failover --kernel uml"

VENV := .venv
# Ends with make, also where that is killed.
PYTEST := setpriv --pdeathsig KILL $(VENV)/bin/pytest
ENSURE_KERNEL := $(VENV)/bin/lvs-harness kernel ensure --installer tools/install-packages
SOURCES := harness topologies scenarios tests benchmarks tools

PACKAGES := keepalived ipvsadm apache2 iproute2 iputils-ping kmod procps curl python3 python3-venv dnsmasq-base iptables \
	python3-aiosmtpd
ifeq ($(shell uname -m),x86_64) # for which alone there is User Mode Linux
PACKAGES += user-mode-linux
endif
TEST_PACKAGES := buildah chromium chromium-driver ldirectord mmdebstrap nftables openssh-client openssh-server tshark wrk
BENCH_PACKAGES := bridge-utils chromium chromium-driver mininet wrk
CHECK_PACKAGES := vagrant
CONTAINER_PACKAGES := buildah uidmap
IMAGE_PACKAGES := mmdebstrap uidmap umoci
KEEPALIVED_PACKAGES := autoconf automake gcc git libc6-dev libnl-3-dev libnl-genl-3-dev libssl-dev make pkg-config
comma := ,
KERNEL_PACKAGES := bc binutils bison flex gcc libc6-dev make patch xz-utils

.PHONY: setup scenarios test samples check controls conformance docs site picture bench seeds determinism kernel wheels \
	container images lock clean packages all-packages writable
.DEFAULT_GOAL := setup

setup: $(VENV)/.compiled

# Where there is no virtual time, because its kernel cannot be made here, a core of the scenarios is run in real time.
scenarios: setup
	@$(ENSURE_KERNEL) -- $(ARGS)
	$(PYTEST) scenarios/ -n auto --in-real-time core $(ARGS)

test: setup
	@tools/install-packages $(TEST_PACKAGES)
	@$(ENSURE_KERNEL) -- $(ARGS)
	@PYTEST="$(PYTEST)" tools/test-groups $(ARGS)

# lvs-harness check on every sample configuration of keepalived's package and in full: minutes; make test has a part.
samples: setup
	$(PYTEST) tests/inside/test_check.py --watchdog 600 $(ARGS)

check: setup $(VENV)/bin/biome
	@tools/install-packages $(CHECK_PACKAGES)
	$(VENV)/bin/ruff check $(SOURCES)
	$(VENV)/bin/ruff format --check $(SOURCES)
	$(VENV)/bin/mypy --strict $(SOURCES)
	$(PYTEST) -q tests/test_layering.py tests/test_check_findings.py tests/test_events.py tests/test_invariants.py
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(VENV)/bin/biome check --error-on-warnings
	vagrant validate --ignore-provider
	$(VENV)/bin/lvs-harness scenarios --markdown | diff -u docs/scenarios.md - || { echo "out of date: make docs"; exit 1; }
	$(VENV)/bin/python -m tools.build_api | diff -u docs/api.md - || { echo "out of date: make docs"; exit 1; }
	$(VENV)/bin/python tools/build_site.py site

# Every scenario under each of its controls, under which it must fail.
controls: setup
	$(PYTEST) scenarios/ --controls $(ARGS)

# Every page of docs/ that is generated without a run; docs/conformance.md takes one.
docs: setup
	$(VENV)/bin/lvs-harness scenarios --markdown >docs/scenarios.md.new
	@mv docs/scenarios.md.new docs/scenarios.md
	$(VENV)/bin/python -m tools.build_api >docs/api.md.new
	@mv docs/api.md.new docs/api.md
	$(VENV)/bin/python -m harness.events docs/artifacts.md
	$(VENV)/bin/python -m harness.check.catalogue docs/check.md
	$(VENV)/bin/python -m harness.search.invariants docs/invariants.md

# The documentation as HTML, in site/. It opens without a web server, but for the search: python3 -m http.server -d site
site: setup
	$(VENV)/bin/python tools/build_site.py site

# docs/conformance.md: what the keepaliveds of four releases do with each packet, and FRR's vrrpd. A further column is
# of a keepalived built from git: make conformance GIT=PROGRAM.
conformance: setup
	$(PYTEST) scenarios/conformance -n auto --conformance conformance.json \
		--matrix keepalived=bullseye,bookworm,trixie,sid$(addprefix $(comma),$(GIT)) $(ARGS)
	$(PYTEST) scenarios/conformance -n auto --conformance conformance-frr.json --speaker frr --image trixie+frr $(ARGS)
	$(VENV)/bin/python -m scenarios.conformance conformance.json conformance-frr.json >docs/conformance.md.new
	@mv docs/conformance.md.new docs/conformance.md

# docs/report.png, which the README shows.
picture: setup
	@tools/install-packages $(TEST_PACKAGES)
	$(VENV)/bin/python -m tests.picture docs/report.png

bench: setup
	@tools/install-packages $(BENCH_PACKAGES)
	@[ -d $(VENV)/munet ] || $(VENV)/bin/pip install --quiet --disable-pip-version-check --target $(VENV)/munet munet==0.17.3
	$(VENV)/bin/python -m benchmarks $(ARGS)

# Where measured times lie in their windows, over N seeds, which decide when faults strike: make seeds N=20 ARGS="-n 2"
seeds: setup
	$(VENV)/bin/python -m harness.repeating.seeds --seeds $(or $(N),20) scenarios/ $(ARGS)

determinism: setup
	$(VENV)/bin/python -m harness.repeating.determinism scenarios/ $(ARGS)

kernel: setup
	@tools/install-packages $(KERNEL_PACKAGES)
	$(VENV)/bin/lvs-harness kernel build $(ARGS)

# dist/ gets lvs-harness and lvs-harness-kernel, which need neither compiler nor checkout (docs/install.md).
wheels: setup
	@$(VENV)/bin/lvs-harness kernel path >/dev/null 2>&1 || $(MAKE) kernel
	@rm -rf dist
	$(VENV)/bin/hatchling build -t wheel -d $(CURDIR)/dist
	cd tools/kernel_wheel && $(CURDIR)/$(VENV)/bin/hatchling build -t wheel -d $(CURDIR)/dist
	cd dist && sha256sum *.whl >SHA256SUMS

# The image of the Containerfile, made without a container runtime; ARGS="--build-arg BASE=IMAGE" for another base.
container: wheels
	@tools/install-packages $(CONTAINER_PACKAGES)
	buildah bud --isolation chroot --tag lvs-harness $(ARGS) .

# What --image and --matrix make images of releases with, and what a keepalived is built from source with.
images: setup
	@tools/install-packages $(IMAGE_PACKAGES) $(KEEPALIVED_PACKAGES)
	$(VENV)/bin/lvs-harness image make $(ARGS)

# All at once, for users who cannot install any themselves.
all-packages:
	@tools/install-packages $(PACKAGES) $(TEST_PACKAGES) $(CHECK_PACKAGES) $(IMAGE_PACKAGES) $(KEEPALIVED_PACKAGES) \
		$(KERNEL_PACKAGES)

writable:
	@[ -w . ] || { echo "setup: $$(id -un) cannot write $(CURDIR), where .venv and artifacts belong: clone it" \
		"(git clone $(CURDIR) ~/lvs-harness), or run make as its owner" >&2; exit 1; }

packages: writable
	@tools/install-packages $(PACKAGES)

$(VENV)/.up-to-date: requirements.lock pyproject.toml tools/make-venv | packages
	@tools/make-venv $(VENV) requirements.lock
	@touch $@

$(VENV)/bin/biome: $(VENV)/.up-to-date $(wildcard tools/biome/*)
	@tools/biome/install $(VENV)
	@touch $@

# The embedded kernel sees the host's files read-only: what is not compiled now is compiled at every run. pytest has
# code of its own for asserts, which it keeps like Python's.
$(VENV)/.compiled: $(VENV)/.up-to-date $(shell find harness topologies scenarios -name '*.py')
	@$(VENV)/bin/python -m compileall -q harness topologies
	@env -u PYTHONDONTWRITEBYTECODE $(PYTEST) --collect-only -qq scenarios/ >/dev/null
	@touch $@

# Wants uv; the lock names no host, so that whoever installs from it chooses the index.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
		--output-file requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
