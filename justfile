# What the gate runs.
ci:
    .ci/run

# All tests.
test:
    cargo test --workspace

# Speed and memory, with the peers side by side.
bench:
    cargo bench -p potok-benches
