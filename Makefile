# Everything that a person types here sets up what it needs, on a bare Debian 12, as root.
SHELL := /bin/bash
PYTHON ?= /usr/bin/python3
VENV := .venv
KILLS ?= 500
TREE_KILLS ?= 1000
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help demo test lint generated bench torture test-oldest test-openstack clean

help:            ## What can be made
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 18

$(VENV)/.system: tests/system-packages.txt tests/install-system-packages
	tests/install-system-packages tests/system-packages.txt
	@mkdir -p $(VENV) && touch $@

$(VENV)/.ready: $(VENV)/.system tests/requirements.txt setup.cfg
	$(PYTHON) -m venv --system-site-packages $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -r tests/requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation \
		--config-settings editable_mode=compat -e .
	@rm -rf *.egg-info  # found before the installed one, and older at the next change
	@echo $(CURDIR)/plugins >$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/fedcloud_plugins.pth
	@touch $@

demo: $(VENV)/.ready  ## A federation in a box: months pass, records are sent, verified and summed up
	$(BIN)/python -m tests.federation.demo

lint: $(VENV)/.ready  ## ruff and mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint       ## Everything that guards a change: at most 20 minutes on two cores
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

generated: $(VENV)/.ready  ## What the tables of settings say: samples, schema, reference, man pages
	$(BIN)/fedcloud-agent config sample >etc/agent.yaml
	$(BIN)/fedcloud-agent config schema >etc/agent.schema.json
	$(BIN)/fedcloud-agent config reference >docs/reference/configuration.md
	$(BIN)/python -m fedcloud_agent.cli.man fedcloud-agent.8 >docs/man/fedcloud-agent.8
	$(BIN)/python -m fedcloud_agent.cli.man fedcloud-agent.conf.5 >docs/man/fedcloud-agent.conf.5

.venv-oldest/.ready test-oldest: export LD_LIBRARY_PATH := $(CURDIR)/build/debian-11/private
.venv-oldest/.ready: $(VENV)/.ready tests/requirements-oldest.txt tests/find-python-3.9
	$$(tests/find-python-3.9) -m venv --without-pip .venv-oldest
	$(BIN)/python -m pip --python .venv-oldest/bin/python install -q --disable-pip-version-check "setuptools<81" wheel
	$(BIN)/python -m pip --python .venv-oldest/bin/python install -q --disable-pip-version-check \
		-r tests/requirements-oldest.txt
	$(BIN)/python -m pip --python .venv-oldest/bin/python install -q --disable-pip-version-check \
		--no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@rm -rf *.egg-info
	@touch $@

test-oldest: .venv-oldest/.ready  ## The unit tests on Python 3.9 with the oldest libraries that we support
	PYTHONPATH=$(CURDIR):$(CURDIR)/plugins .venv-oldest/bin/python -m pytest -q -n 2 tests/unit

bench: $(VENV)/.ready  ## Measured ratios, written to bench/latest.json
	$(BIN)/python -m bench

$(VENV)/.openstack: tests/openstack_lab/system-packages.txt $(VENV)/.ready
	tests/install-system-packages tests/openstack_lab/system-packages.txt
	@touch $@

test-openstack: $(VENV)/.openstack  ## The agent against a real OpenStack, brought up here: 2.5 GB of memory
	$(BIN)/python -m pytest tests/openstack_lab

torture: $(VENV)/.ready  ## Kill everything at random moments, KILLS and TREE_KILLS times: bench/torture*.json
	$(BIN)/python -m tests.torture.kills --kills $(KILLS) $(if $(SEED),--seed $(SEED)) --report bench/torture.json
	$(BIN)/python -m tests.torture.tree --kills $(TREE_KILLS) $(if $(SEED),--seed $(SEED)) \
		--report bench/torture-tree.json

clean:           ## Forget what was set up here
	rm -rf $(VENV) .venv-oldest build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
