# Everything is installed into .venv, once, and again when the requirements change.
PYTHON ?= python3
# Colab's Python, and the lowest, where they are: PyAV, for one, gives Python 3.12 a newer release.
COLAB_PYTHON ?= $(shell python3.12 -c 'print("python3.12")' 2>/dev/null || echo $(PYTHON))
FLOOR_PYTHON ?= $(shell python3.10 -c 'print("python3.10")' 2>/dev/null || echo $(PYTHON))
NOTEBOOK ?= one_click
MUTANTS ?= 20000
BIN := .venv/bin
READY := .venv/ready
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=300
# The other two are run by tests/notebook/test_notebooks.py, which also looks at what they show.
CELLS := $(filter-out %/one_click.ipynb %/step_by_step.ipynb,$(wildcard notebooks/*.ipynb))

.PHONY: demo test test-notebooks test-browser test-cluster test-slow test-colab test-floor fuzz bench environments \
  lab app clean notebooks-in-git

## demo: cut out the sample photos with the one-click notebook, into results/
demo: $(READY)
	U2DEMO_ENV=headless U2DEMO_SAVE_DIR=$(CURDIR)/results $(BIN)/jupyter nbconvert --log-level=ERROR \
	  --KernelManager.transport_encryption=auto --to html --execute notebooks/one_click.ipynb --output-dir results
	@echo
	@echo "Pictures:  results/"
	@echo "Notebook:  results/one_click.html (open it in a browser)"
	@echo "JupyterLab with your own photos:  make lab"

## test: lint, and all tests of the library and the command line
test: $(READY)
	$(BIN)/python -m pip check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 2 --dist loadscope --ignore=tests/browser --ignore=tests/cluster \
	  --ignore=tests/notebook tests

## test-notebooks: every cell of every notebook, and the apps in them
test-notebooks: $(READY)
	$(BIN)/python -m pytest $(NBVAL) -n 2 --dist loadscope tests/notebook $(CELLS)

## test-browser: JupyterLab and Voila, used as people use them, in Chromium
test-browser: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadscope tests/browser

## test-cluster: a Ray cluster of three nodes, and an S3 server that fails, on this computer
test-cluster: .venv/ready-for-clusters
	$(BIN)/python -m pytest tests/cluster

## test-slow: 50 kills, every disk fault, careless clicks, 2,000 photos (minutes)
test-slow: $(READY)
	$(BIN)/python -m pytest --slow -n 2 --durations=12 tests

## test-colab: the notebooks, and clips, with the versions that Google Colab has
test-colab: .venv-colab/ready
	.venv-colab/bin/python -m pytest $(NBVAL) -n 2 --dist loadscope tests/notebook tests/video $(CELLS)

## test-floor: the library's tests with the lowest versions that requirements.txt allows
test-floor: .venv-floor/ready
	.venv-floor/bin/python -m pytest -n 2 --dist loadscope tests \
	  --ignore=tests/browser --ignore=tests/house --ignore=tests/notebook

## fuzz: 20,000 mutants (MUTANTS=...) of real photo files; each must give a result or a reason (minutes)
fuzz: $(READY)
	$(BIN)/python tests/fuzz/run.py $(MUTANTS)

## bench: speed beside rembg, onnxruntime and OpenVINO; BENCH="--only photo --rounds 3" to do less
bench: .venv-bench/ready
	.venv-bench/bin/python benchmarks/speed.py $(BENCH)

## environments: all that the tests above are run in; side by side with -j3
environments: .venv/ready-for-clusters .venv-colab/ready .venv-floor/ready

## lab: open the one-click notebook in JupyterLab; NOTEBOOK=step_by_step, video ... for the others
lab: $(READY)
	JUPYTER_CONFIG_PATH="$(CURDIR)/tools/lab" $(BIN)/jupyter lab notebooks/$(NOTEBOOK).ipynb

## app: open the one-click notebook as a local web page; NOTEBOOK=video or live for the others
app: $(READY)
	$(BIN)/voila notebooks/$(NOTEBOOK).ipynb --Voila.ip=127.0.0.1 --Voila.config_file_paths=tools

# A copy, so that no branch that is only looked at can change what git runs. What is removed is
# nbstripout's own filter, by absolute path, which earlier versions of this file installed.
notebooks-in-git:
	cp tools/git.config "$$(git rev-parse --git-common-dir)/notebooks.config"
	-git config --local --remove-section filter.nbstripout 2>/dev/null
	-git config --local --remove-section diff.ipynb 2>/dev/null
	git config --local --replace-all include.path notebooks.config notebooks.config

## clean: remove what the targets above create
clean:
	rm -rf .venv .venv-colab .venv-floor .venv-bench results build dist .pytest_cache .ruff_cache *.egg-info

$(READY): pyproject.toml requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo "u2demo needs Python 3.10 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv \
	  || { echo "Python's venv is missing; on Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[notebooks,test]"
	-if test -e .git; then $(MAKE) -s notebooks-in-git; fi
	touch $@

.venv/ready-for-clusters: $(READY)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt \
	  -e ".[notebooks,test,test-cluster]"
	touch $@

.venv-colab/ready: pyproject.toml requirements.txt constraints-colab.txt
	$(COLAB_PYTHON) -m venv .venv-colab
	.venv-colab/bin/python -m pip install -q --disable-pip-version-check -c constraints-colab.txt \
	  -e ".[video]" nbclient nbformat nbstripout nbval pytest pytest-xdist
	touch $@

.venv-floor/ready: pyproject.toml requirements.txt
	@$(FLOOR_PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 12))' \
	  || { echo "The lowest NumPy needs Python 3.10 or 3.11: make FLOOR_PYTHON=python3.11 test-floor"; exit 1; }
	$(FLOOR_PYTHON) -m venv .venv-floor
	sed 's/>=/==/' requirements.txt > .venv-floor/floors.txt
	printf '%s\n' av==17.1.0 opencv-python-headless==4.8.0.76 >> .venv-floor/floors.txt
	.venv-floor/bin/python -m pip install -q --disable-pip-version-check -c .venv-floor/floors.txt \
	  -e ".[video]" hypothesis nbclient nbformat pytest pytest-xdist
	touch $@

.venv-bench/ready: pyproject.toml requirements.txt constraints.txt benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt \
	  -e . -r benchmarks/requirements.txt
	touch $@
