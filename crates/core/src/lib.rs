//! BPMN 2.0 in, tokens out.
//!
//! The way of a model through this crate: [`xml`] reads bytes and keeps the place of every element, [`model`] is
//! BPMN as drawn, [`dialect`] turns the modelers' extension attributes into one neutral set, [`diagnostic`] lists all
//! that is wrong, [`graph`] compiles a process into dense tables, and [`step`] moves its tokens: one pure function from
//! a command to events, without a clock, randomness, files or threads.

pub mod behaviour;
pub mod diagnostic;
pub mod dialect;
pub mod encoding;
pub mod expressions;
pub mod graph;
pub mod instance;
pub mod migration;
pub mod model;
pub mod routing;
pub mod step;
pub mod time;
pub mod trigger;
pub mod value;
pub mod xml;

/// A text that is cheap to clone: a name, an id, a piece of source. Up to 15 bytes stand in it, longer ones are shared.
pub type Name = ecow::EcoString;
