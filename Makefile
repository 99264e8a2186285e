# The two commands a newcomer needs are `make demo` and `make test`; each installs what it needs, builds, and runs.
JOBS ?= $(shell nproc)
# A folder that is built in for the first time has its sources compiled several at a time, which takes half as long.
units = $(if $(wildcard $(1)/CMakeCache.txt),,-DJOINER_UNITS=ON)

.PHONY: build build-tests unit test demo lint format bench e2e page-test ec2 beside-ec2 upstream-suite side-by-side fuzz setup install clean

build: setup
	cmake --preset release $(call units,build) >/dev/null
	cmake --build build --parallel $(JOBS) --target joiner

build-tests: build
	@tools/setup.sh tests
	cmake --preset release -DJOINER_SEED_TESTS=ON >/dev/null
	cmake --build build --parallel $(JOBS) --target seed_tests
	cmake --preset test $(call units,build/test) >/dev/null
	cmake --build build/test --parallel $(JOBS)

test: build-tests
	@tests/controlplane/build.sh >build/controlplane.log 2>&1 || { tail -n 1 build/controlplane.log; \
		echo "the real control plane is not built, so this is no full test; 'make unit' runs what needs none"; exit 1; }
	ctest --test-dir build/test --output-on-failure --parallel $(JOBS)

# The tests that need no control plane, and so no Go.
unit: build-tests
	ctest --test-dir build/test --output-on-failure --parallel $(JOBS) --exclude-regex '^(end_to_end|contract_on_the_real_server)$$'

demo: build
	build/joiner demo

e2e: build
	tests/e2e/run.py --joiner build/joiner

# The page in Chromium, during a demo and with 5,000 nodes; one minute.
page-test: build
	tests/page/test.sh build/joiner

ec2: build
	tests/ec2/run.py --joiner build/joiner
	tests/ec2/run.py --joiner build/joiner --faults 1
	tests/ec2/run.py --joiner build/joiner --pods 60 --stock-out 1
	tests/ec2/run.py --joiner build/joiner --first-api --pods 60
	tests/ec2/run.py --joiner build/joiner --hedges --pods 60

beside-ec2: build
	@tools/setup.sh build python3-venv
	tests/ec2/beside.py --joiner build/joiner

upstream-suite: build
	@tools/setup.sh build python3-venv
	tests/upstream_suite/run.py --joiner build/joiner

side-by-side: build
	@tools/setup.sh build python3-venv
	tests/side_by_side/run.py --joiner build/joiner
	tests/side_by_side/takeover.py --joiner build/joiner

bench: build
	@tools/setup.sh tests
	cmake --preset bench >/dev/null
	bench/run.sh

lint: setup
	@tools/setup.sh lint
	tools/lint.sh

format:
	@tools/setup.sh lint
	git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

fuzz:
	@tools/setup.sh build clang-19 libclang-rt-19-dev
	tests/fuzz/run.sh

setup:
	@tools/setup.sh build

# DESTDIR and PREFIX as usual. As `kubectl-joiner`, kubectl finds it for `kubectl joiner …`.
PREFIX ?= /usr/local
install: build
	install -D -m 755 -s build/joiner $(DESTDIR)$(PREFIX)/bin/joiner
	ln -sf joiner $(DESTDIR)$(PREFIX)/bin/kubectl-joiner
	mkdir -p $(DESTDIR)$(PREFIX)/share/joiner
	cp -rL deploy/charts deploy/crds $(DESTDIR)$(PREFIX)/share/joiner

clean:
	rm -rf build
