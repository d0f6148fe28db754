# Each target is complete from a fresh clone: `make setup` brings what is missing and costs half a second when it is there.

# pyenv keeps interpreters off PATH; tox finds them behind those that are on it.
PYENV_BINS := $(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/3.1[1-9]*/bin)
empty :=
space := $(empty) $(empty)
export PATH := $(PATH)$(if $(PYENV_BINS),:$(subst $(space),:,$(PYENV_BINS)))

# QEMU outlives the process that libvirt started it with. tini buries it at once, whatever init this machine has.
BURY := tini -s --

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench clean

help:  ## this list
	@sed -n 's/^\([a-z]*\): .*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

setup:  ## Debian packages, .venv, and the tiny guest that the live tests boot
	lab/setup

demo: setup  ## an instance becomes a domain, boots, changes, and goes back, on real libvirt and QEMU
	$(BURY) .venv/bin/python -m lab.demo

test: setup  ## everything: lint, types, tests on every Python found here, and tests on real libvirt and QEMU
	.venv/bin/tox run-parallel --parallel 2 --parallel-no-spinner --skip-env live
	.venv/bin/tox run -e live

bench: setup  ## side by side with other libraries, ratios of one run
	.venv/bin/python -m benchmarks

clean:  ## what was made in this directory; the guest stays in the cache
	rm -rf .venv .tox build dist *.egg-info .mypy_cache .ruff_cache .hypothesis .benchmarks .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
