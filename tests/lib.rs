//! Scenarios that read like the diagram.
//!
//! A scenario deploys models, plays the people, workers, messages and clocks around them, and says what is seen on the way:
//!
//! ```no_run
//! use potok_tests::scenario;
//!
//! scenario("gateway/parallel_join.bpmn")
//!     .start()
//!     .waits_at(["approve", "pay"])
//!     .complete("approve")
//!     .waits_at(["pay"])
//!     .complete("pay")
//!     .completed()
//!     .trace("start split approve pay join end");
//! ```
//!
//! Every verb also checks, unseen: folding the events of an instance gives the instance; a saved and loaded instance is the same
//! and goes on the same; a second run gives the same events; every token stands where something still happens.
//!
//! [`load`] is a program under load, for the tests in which it is killed, or its database is.

pub mod load;
mod scenario;

pub use scenario::{Scenario, broken, deployments, model, operations, scenario, scenario_of, versions};

/// The examples in README are run like those in the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
