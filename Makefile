# Two commands: `make` builds the book and grades a sample class; `make test` runs every test. Each sets up .venv by itself.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ALL_READY := .venv/.ready-frameworks
# On public Linux machines the plain index brings torch with CUDA; UNROLLED_TORCH_INDEX may name the index of its CPU builds.
TORCH_INDEX := $(if $(UNROLLED_TORCH_INDEX),--extra-index-url $(UNROLLED_TORCH_INDEX))
JOBS ?= 2
comma := ,
# In this order: the package, the assignments, the book and its web pages; then every notebook is run again.
PYTEST := OMP_NUM_THREADS=1 UNROLLED_PROGRESS=off $(BIN)/python -m pytest -n $(JOBS) --dist loadscope
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout 900 --nbval-sanitize-with tests/nbval_sanitize.cfg

.PHONY: all setup book anki sample-class test test-fast assignments labels translation status text run words lab bench serve site wheel clean

all: book sample-class
	@echo
	@echo "The book:       _build/html/index.html"
	@echo "Grades:         _build/sample-class/class/grades.csv"
	@echo "Feedback:       _build/sample-class/class/feedback/"

setup: $(READY)

# Bytecode is made afterwards, by all cores; pip would make it by one.
define install
	@$(PYTHON) -c 'import sys; sys.exit("Unrolled needs Python 3.11 or newer; $(PYTHON) is %d.%d. Name another: make PYTHON=python3.11" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile $(TORCH_INDEX) -c constraints.txt -e '.[$(1)]'
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true # some packages hold files of other Pythons
	@$(BIN)/python -m unrolled.site.pyodide
endef

$(READY): pyproject.toml constraints.txt
	$(call install,dev)
	@touch $(READY)

# Keras, JAX and ONNX, some 700 MB that only unrolled.convert and one page of the book use
$(ALL_READY): pyproject.toml constraints.txt
	$(call install,dev$(comma)frameworks)
	@touch $(READY) $(ALL_READY)

# The book in English and in every language that has catalogues; `make book LANGUAGE=zh_CN` builds that one into the site
EDITIONS = $(if $(findstring command,$(origin LANGUAGE)),$(LANGUAGE),en $(patsubst book/locales/%/,%,$(wildcard book/locales/*/)))

book: setup
	@for language in $(EDITIONS); do \
	  if [ $$language = en ]; then $(BIN)/jupyter-book build . --quiet || exit 1; \
	  else $(BIN)/python tools/translation.py --language $$language tree && $(BIN)/jupyter-book build _build/$$language --quiet || exit 1; fi; done
	$(BIN)/python tools/messages.py quizzes > /dev/null

# The quizzes and the glossary as a deck for Anki: _build/unrolled.apkg
anki: setup
	$(BIN)/python tools/anki_deck.py

sample-class: setup
	$(BIN)/python tools/sample_class.py

test: $(ALL_READY)
	$(PYTEST) $(NBVAL) tests book

test-fast: setup
	$(PYTEST) -m "not slow" tests

# Release notebooks from solutions/: make assignments
assignments: setup
	$(BIN)/python tools/assignments.py

# Adds new ids of questions and choices and new labels to book/labels.txt; they stay from then on
labels: setup
	$(BIN)/python tools/labels.py extend

# Lets the catalogues of translations follow the sources, and lists what needs work
translation: setup
	$(BIN)/python tools/translation.py update
	$(BIN)/python tools/messages.py update
	$(BIN)/python tools/messages.py quizzes

# Runs every page of the book and writes book/appendix/status.md
status: setup
	$(BIN)/python tools/status.py

# Edit a notebook as text: make text NB=book/recurrence/rnn.ipynb, edit the .nb.md, make run NB=book/recurrence/rnn.ipynb;
# where only words changed, make words NB=... stores them without running anything
text run words: setup
	@test -n "$(NB)" || { echo "Name a notebook: make $@ NB=book/recurrence/rnn.ipynb"; exit 2; }
	$(BIN)/python tools/notebooks.py $@ $(NB)

lab: setup
	$(BIN)/jupyter lab

bench: setup
	@failed=0; for benchmark in benchmarks/[!c]*.py; do \
	  echo "== $$benchmark"; UNROLLED_PROGRESS=off $(BIN)/python $$benchmark || failed=1; done; exit $$failed

# The built book on a port of this machine alone; the workshop in it needs an address
serve: book
	@$(BIN)/python tools/serve.py

# One checked archive for any static host: book, workshop, wheel, licences
site: book wheel
	$(BIN)/python tools/site_archive.py

wheel: setup
	$(BIN)/python tools/messages.py quizzes
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf _build build dist .pytest_cache .hypothesis src/*.egg-info
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
