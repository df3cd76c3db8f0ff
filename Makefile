# The front door. `make` alone says what there is.
#
#   VARIANTS=core,guide   groups or names of variants (all: every row that this machine can build)
#   TOOLCHAIN=gcc         gcc, clang, or all (compare only)
#   QUICK=1               a pass of about a minute
#   LAYOUTS=2             compare: so many further link layouts of every variant, to tell luck from effect
#   AGAINST=origin/main   gate: compare with that commit's build
#   GATED=o2              gate: the variant that is judged
#   JOBS=4                parallel compiles

VARIANTS ?= core,guide
TOOLCHAIN ?= gcc
LAYOUTS ?=
QUICK ?=
AGAINST ?=
GATED ?= o2
JOBS ?= $(shell nproc)
PYTHON ?= /usr/bin/python3
ARGS ?=
BUILD := $(if $(filter clang,$(TOOLCHAIN)),build-clang,build)
export JOBS PYTHON

.NOTPARALLEL:
.PHONY: help compare reference build test gate plots bench format check clean
help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile
	@echo "verbs: compare reference build test gate plots bench format check clean"

# Dependencies, build, training, models, interleaved runs, table, plots, report.
compare:
	@scripts/compare --variants $(VARIANTS) --toolchains $(TOOLCHAIN) $(if $(filter-out 0 no,$(QUICK)),--quick) \
	  $(if $(LAYOUTS),--layouts $(LAYOUTS)) $(ARGS)

# A full run of every row, taken over into results/reference with screenshots, and README's table.
reference:
	@$(PYTHON) scripts/reference $(ARGS)

build:
	@scripts/build --variants $(VARIANTS) --toolchain $(TOOLCHAIN) --harness

# Every test: engine on every variant of VARIANTS, harness, scripts, plots. The last lines are ctest's summary.
test:
	@scripts/build --variants $(VARIANTS) --toolchain $(TOOLCHAIN) --harness --tests
	@cd $(BUILD) && ctest --output-on-failure --no-tests=error -j $(JOBS) $(ARGS)

# One variant against a saved baseline (ARGS="--save-baseline default" makes one), or AGAINST a commit. make ends
# with 2 on any failure; scripts/gate with 3 on a regression, 4 where it cannot tell.
gate:
	@scripts/gate --variant $(GATED) --toolchain $(TOOLCHAIN) $(if $(AGAINST),--against $(AGAINST)) \
	  $(if $(filter-out 0 no,$(QUICK)),--quick) $(ARGS)

plots:
	@scripts/plots $(ARGS)

# Google Benchmark programs of the kernels, one a variant.
bench:
	@scripts/build --variants $(VARIANTS) --toolchain $(TOOLCHAIN) --benches
	@scripts/bench --build $(BUILD) --variants $(VARIANTS) $(ARGS)

format:
	@scripts/check_style --fix

check:
	@$(PYTHON) scripts/check_layers
	@scripts/check_style

clean:
	rm -rf build build-clang build-asan build-tsan build-fuzz build-aarch64
