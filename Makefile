# Everything is done with the Go toolchain; "make demo" and "make test" install what
# else they need, in versions pinned here.

BUILD = CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w"

.PHONY: build demo test fuzz bench bench-sequences bench-evidence conformance

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

# Each fuzz target for FUZZTIME.
FUZZTIME = 10m
fuzz:
	./.ci/fuzz $(FUZZTIME)

bench: build
	go run ./bench

# What a million live join keys take.
bench-sequences:
	go run ./bench/sequences

# Windows event logs and their JSON through all rules of the corpus; writes
# bench/EVIDENCE.md.
bench-evidence: build
	go run ./bench/evidence
