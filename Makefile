# Everything is done with the Go toolchain; "make demo" and "make test" install what
# else they need, in versions pinned here.

BUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w"

.PHONY: build demo test equality fuzz bench bench-peers bench-stages bench-profiles bench-sequences bench-evidence conformance chaos clients load

build:
	$(BUILD) -o bin/shrike ./cmd/shrike

# The main job: the shipped rules over the shipped sample events.
demo: build
	./bin/shrike scan -o table examples/endpoint.ndjson

# Everything CI checks. Ends by printing counts.
test:
	./.ci/test

# The conformance vectors, the corpus of public rules and their cases. Folders are
# taken from SHRIKE_CONFORMANCE and SHRIKE_CORPUS.
conformance:
	go test ./eqltest -run 'Conformance|Corpus|RuleCases' -count=1 -v | grep -v '^=== RUN'

# The network of all conditions held to the plain evaluator: over the vectors, all rules
# of the corpus over real events and EVENTS generated ones, ten million pairs of random
# rules and events; with the vector code of this machine and with the portable code.
EVENTS = 1000000
equality:
	@for tags in none purego; do \
		SHRIKE_EQUALITY_EVENTS=$(EVENTS) SHRIKE_EQUALITY_SEEDS=84 go test -tags $$tags -count=1 -timeout 60m -v \
			-run 'Equality|Conformance|NetworkIsItsConditions|PrefilterSkipsNoHit' ./predicate ./eqltest | grep -E '^(equality|ok|FAIL|---)|_test.go' || exit 1; \
	done

# Each fuzz target for FUZZTIME.
FUZZTIME = 10m
fuzz:
	./.ci/fuzz $(FUZZTIME)

# Shrike against yardsticks and other decoders; writes bench/RESULTS.md. N events and 2N
# are read, RUNS times.
N = 100000
RUNS = 7
bench: build bench-peers
	go run ./bench -events $(N) -runs $(RUNS)

# The other decoders, a module of its own.
bench-peers:
	cd bench/peers && $(BUILD) -o ../../bin/peers .

# Profiles of the dearest scans, and what their three dearest stages do: bench/profiles.
bench-profiles: build
	go run ./bench -events $(N) -profiles

# Micro-benchmarks of the stages, ten times; "make bench-stages AGAINST=COMMIT" compares.
bench-stages:
	./bench/stages $(AGAINST)

# What a million live join keys take.
bench-sequences:
	go run ./bench/sequences

# Windows event logs and their JSON through all rules of the corpus; writes
# bench/EVIDENCE.md.
bench-evidence: build
	go run ./bench/evidence

# What shrike serve loses when it is killed KILLS times, its disk fills and its last
# writes are torn: nothing. Takes about a second a kill; the full disk takes root.
# Then the same SERVER_KILLS times with the journal on a NATS server and the store on
# PostgreSQL (Debian's package postgresql), which are killed as well.
KILLS = 500
SERVER_KILLS = 100
SHARED = ../shared
chaos: build bench/data/live.ndjson
	go run ./bench/chaos -events bench/data/live.ndjson -rules bench/data/corpus -kills $(KILLS)
	go build -o bin/nats-server github.com/nats-io/nats-server/v2
	go run ./bench/chaos -events bench/data/live.ndjson -rules bench/data/corpus -kills $(SERVER_KILLS) -nats bin/nats-server

# Real shippers send CLIENT_EVENTS events each through restarts of shrike serve; takes
# Debian's packages rsyslog and rsyslog-elasticsearch, and builds Filebeat.
CLIENT_EVENTS = 100000
FILEBEAT = v7.17.29
clients: build bin/filebeat
	cd bench/clients && for client in go rsyslog filebeat; do go run . -client $$client -events $(CLIENT_EVENTS) || exit 1; done

bin/filebeat:
	src=$$(go mod download -json github.com/elastic/beats/v7@$(FILEBEAT) | sed -n 's/.*"Dir": "\(.*\)",/\1/p') && dir=$$(mktemp -d) && \
	cp -r "$$src" $$dir/beats && chmod -R u+w $$dir/beats && \
	(cd $$dir/beats && GOFLAGS=-mod=mod CGO_ENABLED=0 go build -o "$(CURDIR)/bin/filebeat" ./filebeat); rm -rf $$dir; test -x $@

# What it bears: events a second, time until alerts are stored, and FLOOD seconds of
# more than that. Writes bench/LOAD.md.
FLOOD = 600
load: build bench/data/live.ndjson
	go run $(SHARED)/tools/genecs/main.go -n 50000 -mix all >bench/data/load.ndjson
	go run ./bench/load -events bench/data/load.ndjson -rules bench/data/corpus -flood $(FLOOD)

bench/data/live.ndjson:
	mkdir -p bench/data
	go run $(SHARED)/tools/genecs/main.go -n 150000 -mix all -hits 0.02 >$@
	mkdir -p bench/data/corpus
	tar xzf $(SHARED)/corpus/rules.tar.gz -C bench/data/corpus
