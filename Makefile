# `make demo` and `make test` do everything on a fresh machine: each installs what is missing itself.

SWIFT ?= swift
PACKAGES := libopenblas-dev zlib1g-dev liblz4-dev libibverbs-dev librdmacm-dev
# For the virtual machine that RDMA is tested in.
MACHINE_PACKAGES := qemu-system-x86 busybox-static cpio kmod iproute2 rdma-core ibverbs-providers ibverbs-utils \
  rdmacm-utils perftest
RELEASE := .build/release
DEBUG := .build/debug
SOURCES := Package.swift Sources Tests Examples Benchmarks

.PHONY: help setup setup-rdma rdma-shell build demo test test-unit test-fuzz fuzz test-benchmarks test-example test-rdma \
  standalone test-traits bench bench-all netlab-bench bench-micro format lint docs sanitize clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## Install the Debian packages that the build needs, if any is missing
	@.ci/install $(PACKAGES)

setup-rdma: # Those of the test machine, too
	@.ci/install $(MACHINE_PACKAGES)

build: setup ## Build everything, for debugging
	$(SWIFT) build --build-tests

demo: setup ## Train a network on handwritten digits with four ranks on this machine
	$(SWIFT) build -c release --product ringtrain
	$(RELEASE)/ringtrain -n 4 --dataset digits --model mlp

test: test-unit test-fuzz test-benchmarks test-example test-rdma ## Run all tests

test-unit: setup
	$(SWIFT) build --build-tests
# What allocates is counted in a program as it is built for use.
	$(SWIFT) build -c release --product allocation-subject
# The proofs of the plans and the compressed sums compute for a minute each, and would keep tests that count time from
# their turn.
	$(SWIFT) test --skip-build --skip RingPlanTests --skip CompressedCollectiveTests
	$(SWIFT) test --skip-build --filter 'RingPlanTests|CompressedCollectiveTests'

# A minute of segments that nobody encoded. The one that crashes a decoder is left in the file named last: put it
# into the corpus, without its first four bytes.
test-fuzz: setup
	$(SWIFT) build --product codec-fuzz
	$(DEBUG)/codec-fuzz 60 Tests/CodecFuzz/Corpus .build/fuzz-input

fuzz: setup ## Run the decoders under libFuzzer, for ten minutes
	$(SWIFT) build --product codec-fuzz --scratch-path .build-fuzz --sanitize=address \
	  -Xswiftc -sanitize=fuzzer -Xswiftc -DFUZZER -Xswiftc -parse-as-library
	mkdir -p .build-fuzz/found
	ASAN_OPTIONS=detect_leaks=0 .build-fuzz/debug/codec-fuzz -max_total_time=600 .build-fuzz/found Tests/CodecFuzz/Corpus

test-benchmarks:
	cd Benchmarks && python3 -B -m unittest -q

test-example: setup
	$(SWIFT) build --package-path Examples
	$(SWIFT) build --product ringrun
	$(DEBUG)/ringrun -n 2 -- Examples/.build/debug/two-ranks

test-rdma: setup setup-rdma ## Run the tests that need RDMA devices, in a virtual machine that has some
	$(SWIFT) build --build-tests
	$(SWIFT) build -c release --product ringbench
	$(SWIFT) build -c release --product ringtrain
	Tests/RDMAMachine/run --limit 1800 Tests/RDMAMachine/check

# With Swift's libraries linked in. Of C's they need libstdc++6, liblz4-1, libibverbs1 and librdmacm1, and ringtrain
# libopenblas0 and zlib1g: Debian's packages by these names.
standalone: setup ## Build the commands so that they run where Swift is not installed, to .build-standalone/release
	for product in ringbench ringrun ringtrain; do \
	  $(SWIFT) build -c release --static-swift-stdlib --scratch-path .build-standalone --product $$product || exit 1; done

test-traits: setup ## See that without the traits RDMA and LZ4 nothing needs their libraries
	.ci/check-traits

rdma-shell: setup-rdma ## Give a shell in the virtual machine that RDMA is tested in
	Tests/RDMAMachine/run --shell

bench: setup ## Compare all-reduce with Open MPI's at a few sizes
	Benchmarks/compare --rounds 3 --sizes 4 4K 64K 1M 16M 64M --libraries openmpi-tcp openmpi-shm --no-documents

bench-all: setup ## Compare all-reduce with every peer, for half an hour, and rewrite the tables and charts in Docs
	Benchmarks/compare --ranks 2 --no-documents
	Benchmarks/compare --ranks 4 8 --rounds 3 --append

netlab-bench: setup ## Measure what compression gains between hosts made on this machine; needs root
	Benchmarks/netlab-bench

bench-micro: ## Measure kernels, planning and headers one by one, and rewrite the tables in Docs
	Benchmarks/micro

format: ## Format the sources
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

lint: ## Check format and style
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

docs: ## Build the documentation of the public interface, to .build/documentation
	RING_BUILD_DOCUMENTATION=1 $(SWIFT) package --scratch-path .build-docs \
	  --allow-writing-to-directory .build-docs/documentation \
	  generate-documentation --target RingCollectives --output-path .build-docs/documentation

# Not the proofs of plans, which would take an hour and have neither threads nor raw memory, nor the counting of
# allocations. One test after another: side by side, slowed down as they are, they would miss their deadlines.
SANITIZED := --no-parallel --skip RingPlanTests --skip AllocationTests
sanitize: setup ## Run the tests under the thread and the address sanitizer, for half an hour each
	$(SWIFT) test --sanitize=thread --scratch-path .build-thread $(SANITIZED)
	ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --sanitize=address --scratch-path .build-address $(SANITIZED)

clean: ## Remove what was built
	rm -rf .build .build-* Examples/.build
