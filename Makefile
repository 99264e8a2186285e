# The two commands a newcomer needs are `make demo` and `make test`; each installs what it needs, builds, and runs.
JOBS ?= $(shell nproc)

.PHONY: build test demo lint format bench e2e upstream-suite side-by-side fuzz setup clean

build: setup
	cmake --preset release >/dev/null
	cmake --build build --parallel $(JOBS) --target joiner

test: build
	cmake --preset test >/dev/null
	cmake --build build/test --parallel $(JOBS)
	@tests/controlplane/build.sh >build/controlplane.log 2>&1 || tail -n 1 build/controlplane.log
	ctest --test-dir build/test --output-on-failure --parallel $(JOBS)

demo: build
	build/joiner demo

e2e: build
	tests/e2e/run.py --joiner build/joiner

upstream-suite: build
	tests/upstream_suite/run.py --joiner build/joiner

side-by-side: build
	@tools/setup.sh python3-venv
	tests/side_by_side/run.py --joiner build/joiner

bench: build
	cmake --preset bench >/dev/null
	bench/run.sh

lint: setup
	tools/lint.sh

format:
	git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

fuzz:
	@tools/setup.sh clang-19 libclang-rt-19-dev
	tests/fuzz/run.sh

setup:
	@tools/setup.sh

clean:
	rm -rf build
