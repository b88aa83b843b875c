# What the gate runs.
ci:
    .ci/run

# All tests.
test:
    cargo test --workspace

# 2,000 workers who wait and 200 users at once, beside those who mean no good, against a server; some minutes, best on a quiet machine.
load:
    POTOK_LOAD=full cargo test --release --locked -p potok-cli --test load -- --nocapture

# 100,000 requests at random, to every route of every API, some minutes; then as many by the API's description, an hour or more.
requests:
    POTOK_REQUESTS=100000 cargo test --locked -p potok-cli --test requests -- --nocapture
    cargo build -p potok-cli --locked
    .ci/api target/debug/potok full

# Speed and memory, with the peers side by side.
bench:
    cargo bench -p potok-benches
