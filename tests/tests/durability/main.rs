//! What must survive: programs that are killed, databases that go away, disks that are full, several nodes.
//!
//! `POTOK_KILLS=1000 cargo test --release -p potok-tests --test durability -- kills` kills so many programs, on SQLite and on
//! PostgreSQL; `POTOK_SEED=17` begins with another seed. The times here are real: nothing else tells a program when it dies.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disk;
mod faults;
mod kills;
mod nodes;
mod place;
mod within;
