# What the gate runs.
ci:
    .ci/run

# All tests.
test:
    cargo test --workspace

# 2,000 workers who wait and 200 users at once, beside those who mean no good, against a server; some minutes, best on a quiet machine.
load:
    POTOK_LOAD=full cargo test --release --locked -p potok-cli --test load -- --nocapture

# 100,000 random requests, right and wrong ones, against a server; an hour or so.
requests:
    .ci/api full

# Speed and memory, with the peers side by side.
bench:
    cargo bench -p potok-benches
