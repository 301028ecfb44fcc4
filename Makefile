# isari: one binary, one static archive per floor (see README, "The house").
# Plain GNU make and pkg-config. `make help` lists the targets.

BUILD  ?= build
SAN    ?=
WERROR ?=
V      ?= 0

VERSION := 0.1.0
FLOORS  := base core wire admin io proxy control main

ifneq ($(SAN),)
override BUILD := $(BUILD)/san-$(SAN)
SANFLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer
ifeq ($(SAN),undefined)
SANFLAGS += -fno-sanitize-recover=all
endif
OPT ?= -O1
HARDEN :=
else
OPT ?= -O2
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
endif

PKGS    := libuv libcurl libpq libmicrohttpd jansson yaml-0.1
CC      ?= cc
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wformat=2 -Wstrict-prototypes \
           -Wmissing-prototypes -Wvla -Wundef $(if $(WERROR),-Werror)
CFLAGS  ?= -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DISARI_VERSION='"$(VERSION)"' -Iinclude $(OPT) $(WARN) \
             $(HARDEN) $(SANFLAGS) -fPIE -pthread $(CFLAGS) $(PKG_CFLAGS)
ALL_LDFLAGS = $(SANFLAGS) -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS)

# pkg-config is asked once, and only by targets that compile (deps must work before it exists).
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
LIBS_pure  = $(eval LIBS_pure := $(shell pkg-config --libs jansson yaml-0.1))$(LIBS_pure)
LIBS_all   = $(eval LIBS_all := $(shell pkg-config --libs $(PKGS)))$(LIBS_all)

ifeq ($(V),0)
Q := @
say = @printf '  %-5s %s\n' $(1) $(2)
endif

# ---- sources and archives -------------------------------------------------------------------
src_of   = $(sort $(wildcard src/$(1)/*.c))
objs_of  = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(call src_of,$(1)))
archive  = $(BUILD)/lib$(1).a
ARCHIVES := $(foreach f,$(FLOORS),$(if $(filter-out main,$(f)),$(call archive,$(f))))
# The order of linking is the order of the floors, upper first.
STACK    := $(foreach f,control proxy admin wire core io base,$(call archive,$(f)))
BELOW_base := base
BELOW_core := core base
BELOW_wire := wire core base
BELOW_admin := admin wire core base
BELOW_sim  := core base
BELOW_io   := io base
BELOW_proxy := proxy wire core io base
BELOW_control := control admin wire core io base

.PHONY: all help deps demo test unit sim sim-mutants iotest system check bench bench-quick bench-results bench-tools bench-failover fuzz fuzz-quick cov lint format install clean
.DELETE_ON_ERROR:

all: $(BUILD)/isari ## build the one binary, build/isari

$(BUILD)/isari: $(call objs_of,main) $(STACK)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(call objs_of,main) $(STACK) $(LIBS_all)

define FLOOR_RULE
$(call archive,$(1)): $(call objs_of,$(1))
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach f,$(filter-out main,$(FLOORS)),$(eval $(call FLOOR_RULE,$(f))))

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The status page's assets, as C strings.
PAGE_ASSETS := $(addprefix $(BUILD)/gen/,page.css.inc page.js.inc page.svg.inc)
$(BUILD)/gen/%.inc: src/admin/%
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)sed -e 's/[\\"]/\\&/g' -e 's/^[[:blank:]]*/"/' -e 's/$$/\\n"/' $< >$@
$(BUILD)/obj/admin/page_assets.o: ALL_CFLAGS += -I$(BUILD)/gen
$(BUILD)/obj/admin/page_assets.o: $(PAGE_ASSETS)

# What `isari -vv` says of its build.
$(BUILD)/obj/main/options.o: ALL_CFLAGS += -DISARI_OPTIONS='"$(strip $(OPT) $(HARDEN) $(SANFLAGS) \
	$(subst ",,$(subst ',,$(CFLAGS))))"'

# ---- tests ----------------------------------------------------------------------------------
# One program per file: test/unit/<floor>/x_test.c links only that floor and what lies below it.
UNIT_SRC := $(sort $(wildcard test/unit/*/*_test.c))
SIM_SRC  := $(sort $(wildcard test/sim/*_test.c))
IO_SRC   := $(sort $(wildcard test/io/*_test.c))
UNIT_BIN := $(patsubst %.c,$(BUILD)/%,$(UNIT_SRC))
SIM_BIN  := $(patsubst %.c,$(BUILD)/%,$(SIM_SRC))
IO_BIN   := $(patsubst %.c,$(BUILD)/%,$(IO_SRC))
TEST_LIBS_io = $(LIBS_all)
TEST_LIBS_proxy = $(LIBS_all)
TEST_LIBS_control = $(LIBS_all)
TEST_LIBS_wire = $(LIBS_pure)
TEST_LIBS_admin = $(LIBS_pure)

define TEST_RULE # folder, floor
$(BUILD)/$(1)/%_test: $(1)/%_test.c $(wildcard $(1)/*.h) $(foreach f,$(BELOW_$(2)),$(call archive,$(f)))
	@mkdir -p $$(@D)
	$$(call say,TEST,$$@)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -Itest -MMD -MP $$(ALL_LDFLAGS) -o $$@ $$(filter %.c,$$^) \
		$(foreach f,$(BELOW_$(2)),$(call archive,$(f))) -lcmocka $$(TEST_LIBS_$(2))
endef
$(foreach f,base core wire admin proxy control,$(eval $(call TEST_RULE,test/unit/$(f),$(f))))
$(eval $(call TEST_RULE,test/sim,sim))
$(SIM_BIN): $(filter-out $(SIM_SRC),$(wildcard test/sim/*.c))
$(eval $(call TEST_RULE,test/io,io))

run_each = @set -e; for t in $(1); do echo "== $$t"; $(TEST_ENV) $$t; done

unit: $(UNIT_BIN) ## unit tests of the pure floors
	$(call run_each,$(UNIT_BIN))
sim: $(SIM_BIN) ## the judging in virtual time: SEEDS=1000 worlds, SEED=n replays one
	$(call run_each,$(SIM_BIN))
MUTANTS_CC = $(CC) -std=gnu11 -D_GNU_SOURCE $(OPT) $(SANFLAGS)
sim-mutants: ## each rule of the judging, switched off, must fail in some simulated world: MUTANTS='--only lease'
	/usr/bin/python3 test/sim/mutants.py --build $(BUILD) --cc '$(MUTANTS_CC)' $(MUTANTS)
iotest: $(IO_BIN) ## sockets, HTTP and threads on loopback
	$(call run_each,$(IO_BIN))
test: unit sim iotest fuzz-quick ## unit + sim + io, and the fuzz targets over their corpus

# T=consistency: every event of the consistency check, more than an hour; RUNS=10 EVENTS=freeze-patroni,switchover
# MODES=async,sync TTLS=20,30 choose. Without T a short selection of it runs with all the rest.
system: all ## real etcd, Patroni and PostgreSQL, through the built binary; T=name: test_name.py or name/ only
	ISARI=$${ISARI:-$(abspath $(BUILD)/isari)} CONSISTENCY=$(if $(filter consistency,$(T)),matrix) RUNS='$(RUNS)' EVENTS='$(EVENTS)' \
	  MODES='$(MODES)' TTLS='$(TTLS)' /usr/bin/python3 -m pytest -q -rP -p no:cacheprovider \
	  $(if $(T),$(wildcard test/system/$(T) test/system/test_$(T).py),test/system) $(PYTEST)

check: deps ## all of it, with warnings as errors: what CI runs
	$(MAKE) lint
	$(MAKE) WERROR=1 all bench-tools
	$(MAKE) WERROR=1 test
	$(MAKE) WERROR=1 system

# ---- fuzzing (clang's libFuzzer; the same files run as plain regression over the corpus) -------
FUZZ_SRC := $(sort $(wildcard test/fuzz/fuzz_*.c))
FUZZ_NAMES := $(patsubst test/fuzz/fuzz_%.c,%,$(FUZZ_SRC))
FUZZ_SECONDS ?= 5
FUZZ_FLAGS = -std=gnu11 -D_GNU_SOURCE -DISARI_VERSION='"fuzz"' -Iinclude -g -O1 \
             -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all $(PKG_CFLAGS)
PURE_SRC = $(foreach f,base core wire,$(call src_of,$(f)))

$(BUILD)/fuzz/%: test/fuzz/fuzz_%.c $(PURE_SRC)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang $(FUZZ_FLAGS) -o $@ $< $(PURE_SRC) $(LIBS_pure)

fuzz-quick: $(addprefix $(BUILD)/fuzz/,$(FUZZ_NAMES))
	@set -e; for n in $(FUZZ_NAMES); do echo "== fuzz $$n ($(FUZZ_SECONDS) s)"; \
	  mkdir -p $(BUILD)/fuzz/corpus-$$n $(BUILD)/fuzz/crash-$$n; \
	  $(BUILD)/fuzz/$$n -max_total_time=$(FUZZ_SECONDS) -max_len=16384 -timeout=5 -rss_limit_mb=512 \
	    -verbosity=0 -print_final_stats=1 -artifact_prefix=$(BUILD)/fuzz/crash-$$n/ \
	    $(BUILD)/fuzz/corpus-$$n test/fuzz/corpus/$$n 2>&1 | grep -E 'executed|ERROR|SUMMARY|crash-' ; \
	  test -z "$$(ls -A $(BUILD)/fuzz/crash-$$n)"; done

fuzz: ## fuzz every parser of wire/ for FUZZ_SECONDS each (60)
	$(MAKE) fuzz-quick FUZZ_SECONDS=$(if $(filter 5,$(FUZZ_SECONDS)),60,$(FUZZ_SECONDS))

# ---- the rest -------------------------------------------------------------------------------
DEPS := build-essential pkg-config git libuv1-dev libcurl4-openssl-dev libpq-dev libjansson-dev \
        libyaml-dev libmicrohttpd-dev libcmocka-dev clang clang-format-14 libclang-rt-14-dev valgrind postgresql-15 \
        postgresql-client-15 patroni etcd-server etcd-client python3-pytest python3-psycopg \
        python3-etcd hatop prometheus-haproxy-exporter prometheus haproxy \
        chromium chromium-driver python3-selenium python3-pyte nginx-light \
        libnginx-mod-stream pgbouncer linux-perf strace socat openssl iproute2 procps curl
deps: ## install what build, tests and demo need (Debian packages, apt-get)
	@sh etc/deps.sh $(DEPS)

demo: ## a real three-node cluster and isari in front of it; DEMO=once ends by itself
	@sh etc/deps.sh $(DEPS)
	@$(MAKE) --no-print-directory all
	@exec /usr/bin/python3 test/system/demo.py --isari $(BUILD)/isari $(if $(filter once,$(DEMO)),--once)

# BENCH='--only KEY,KEY --rounds N --json FILE' for development; BENCH=--list names the rows and what is wanted in them.
# BENCH='--from FILE' prints again (or, with bench-results, writes again) what --json kept. Exit code 3: others used the machine.
run_bench = ISARI=$(BUILD)/isari exec /usr/bin/python3 bench/bench.py --programs $(BUILD)/bench \
	--json $(BUILD)/bench/$(1).json --charts $(BUILD)/bench/$(1) $(2) $(BENCH)
bench_needs = sh etc/deps.sh $(DEPS) && $(MAKE) --no-print-directory all $(BUILD)/bench/load $(BUILD)/bench/load_server $(BUILD)/bench/bare
bench: ## all rows beside HAProxy, nginx, PgBouncer and a direct connection, as ratios (25 minutes); BENCH='--only KEY ...'
	@$(bench_needs)
	@$(call run_bench,bench)
bench-quick: ## the main rows of bench, in 3 minutes
	@$(bench_needs)
	@$(call run_bench,bench-quick,--quick)
bench-results: ## bench, and bench/RESULTS.md with its charts written anew
	@$(bench_needs)
	@$(call run_bench,bench,--results)

$(BUILD)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(LIBS_all)

# The loads and the server they are put on: several files each, some of them common to both.
LOAD_SERVER_SRC := $(wildcard bench/load/server*.c) bench/load/net.c bench/load/wire.c
LOAD_SRC := $(filter-out bench/load/server% bench/load/bare.c,$(wildcard bench/load/*.c))
$(BUILD)/bench/load_server: $(LOAD_SERVER_SRC)
$(BUILD)/bench/load: $(LOAD_SRC)
$(BUILD)/bench/bare: bench/load/bare.c bench/load/net.c
$(BUILD)/bench/load $(BUILD)/bench/load_server $(BUILD)/bench/bare: $(wildcard bench/load/*.h)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.c,$^)

bench-tools: $(addprefix $(BUILD)/bench/,load load_server bare failover_load failover_observe) ## the programs of both benches

# RUNS=1 EVENTS=switchover takes a minute, the default (5 of each) half an hour. CONTENDERS="isari haproxy"
# THREADS=4 SSLMODE=require HELD=1000 STORM=500 OUT=directory vary it; FAILOVER='--think 20' passes on what else it knows.
bench-failover: ## the same failovers through isari, HAProxy, libpq: RUNS=5 EVENTS="switchover kill ..." SSLMODE= HELD= ...
	@sh etc/deps.sh $(DEPS)
	@$(MAKE) --no-print-directory all $(BUILD)/bench/failover_load $(BUILD)/bench/failover_observe
	@ISARI=$(BUILD)/isari exec /usr/bin/python3 bench/failover.py --bin $(BUILD)/bench \
	  --out $(or $(OUT),$(BUILD)/bench-failover) $(if $(RUNS),--runs $(RUNS)) $(if $(EVENTS),--events $(EVENTS)) \
	  $(if $(CONTENDERS),--contenders $(CONTENDERS)) $(if $(THREADS),--threads $(THREADS)) \
	  $(if $(SSLMODE),--sslmode $(SSLMODE)) $(if $(HELD),--held $(HELD)) $(if $(STORM),--storm $(STORM)) $(FAILOVER)

lint: ## floors, purity of core, formatting, every key and counter documented
	@sh test/lint/lint.sh $(BUILD)

format: ## let clang-format decide
	clang-format-14 -i $$(git ls-files '*.c' '*.h')

cov: ## line coverage of the unit, sim and io tests
	$(MAKE) BUILD=$(BUILD)/cov CFLAGS='-g --coverage' LDFLAGS=--coverage OPT=-O0 HARDEN= unit sim iotest
	@gcov -n -r $$(find $(BUILD)/cov/obj -name '*.gcda') 2>/dev/null | tr -d "'" | \
	  awk '/^File src/{f=$$2} /^Lines/{if(f) printf "%-34s %s\n", f, $$2 " " $$3 " " $$4; f=""}' | sort

PREFIX ?= /usr/local
install: all ## install the binary and the example configuration
	install -D -m 755 $(BUILD)/isari $(DESTDIR)$(PREFIX)/bin/isari
	install -D -m 644 etc/isari.yaml $(DESTDIR)/etc/isari/isari.yaml.example

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "  SAN=address|thread|undefined builds under build/san-... and runs the same targets"

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
