//! Other engines, in the same run.

pub mod snurr;
pub mod spiffworkflow;
