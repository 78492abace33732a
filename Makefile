# Two commands do all the set-up that they need on a fresh machine with Python 3.11 or newer:
#   make serve   build the graph if its files changed, and serve it
#   make test    everything that must hold before a commit
#   make bench   measure the endpoint beside other servers; see tests/benchmarks/README.md
#   make writes  write records while processes are killed; the same page says what is reported
#   make soak    load the server for an hour; the same page says what is reported
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCRIPTS := $(wildcard src/medbench_kg/web/scripts/*.js*)
SOURCES := $(shell find data ontology shapes src/medbench_kg/queries src/medbench_kg/sparql src/medbench_kg/tables -type f)

.PHONY: serve test bench soak writes lint types fmt generated messages clean

serve: build/manifest.json
	@exec $(BIN)/medbench serve

test: $(VENV)/.dev $(VENV)/.system $(VENV)/.virtuoso $(VENV)/.comunica $(VENV)/.openapi
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/medbench fmt --check
	$(BIN)/pytest

bench: build/manifest.json $(VENV)/.bench
	$(BIN)/python tests/benchmarks/bench.py $(ARGS)

soak: build/manifest.json
	$(BIN)/python tests/benchmarks/soak.py $(ARGS)

writes: $(VENV)/.run
	$(BIN)/python tests/benchmarks/writes.py $(ARGS)

# Writes the expected answers and the blocks of README; read the difference before a commit.
generated: $(VENV)/.dev
	$(BIN)/pytest tests/queries/test_queries.py tests/docs --write-expected -q -p no:randomly

# Brings the catalogue of the pages' words up to date with the templates; then translate what is empty.
MESSAGES := src/medbench_kg/translations/zh/LC_MESSAGES/messages.po
messages: $(VENV)/.dev
	@mkdir -p build
	$(BIN)/pybabel -q extract -F pyproject.toml --omit-header --add-location=file \
	  -o build/messages.pot src/medbench_kg/sentences.py src/medbench_kg/web
	$(BIN)/pybabel -q update -l zh -i build/messages.pot -o $(MESSAGES) --no-wrap --omit-header \
	  --no-fuzzy-matching --ignore-obsolete

fmt: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/medbench fmt

clean:
	rm -rf build dist $(VENV)

build/manifest.json: $(VENV)/.run $(SOURCES)
	$(BIN)/medbench build
	@touch $@

$(VENV)/.run: pyproject.toml $(SCRIPTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

# Debian packages that tests need. What can't be installed, the tests name; they fail if CI is set.
$(VENV)/.system: $(VENV)/.run
	-{ command -v chromium && test -x /usr/sbin/apache2 && command -v Rscript; } >/dev/null || { apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends \
	  chromium fonts-noto-cjk apache2-bin r-base-core; }
	@touch $@

# Debian's package of another engine that tests ask; without it they say so, and fail if CI is set.
$(VENV)/.virtuoso: $(VENV)/.run
	command -v virtuoso-t >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq \
	  --no-install-recommends virtuoso-opensource >/dev/null; }; } && touch $@ \
	  || echo "Virtuoso isn't installed: the tests go on without it." >&2

# Comunica with a Node.js that it runs on; the same holds for it.
$(VENV)/.comunica: $(VENV)/.run
	-command -v npm >/dev/null && npm install --silent --no-audit --no-fund \
	  --prefix $(VENV)/share/comunica "@comunica/query-sparql-file@5" "node@22"
	@touch $@

# A validator apart from the others: it and cffconvert can't use the same jsonschema.
$(VENV)/.openapi: $(VENV)/.run
	$(PYTHON) -m venv $(VENV)/share/openapi
	$(VENV)/share/openapi/bin/python -m pip install --quiet "openapi-spec-validator>=0.9"
	@touch $@

# A peer that can't be installed is reported as such by the benchmark, so this goes on without it.
$(VENV)/.bench: $(VENV)/.run $(VENV)/.comunica
	-$(BIN)/python -m pip install --quiet "oxigraph>=0.5.13,<0.6"
	-$(BIN)/python -m pip install --quiet "rdflib-endpoint[cli]>=0.6.3"
	@touch $@
