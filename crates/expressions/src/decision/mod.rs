//! Decisions (DMN): tables and expressions that require each other.
//!
//! Tables are evaluated here with FEEL doing the cells; all other expressions become FEEL. Files need not declare inputs and types as
//! the standard wants: what is not decided in the file is a variable.

mod boxed;
mod file;
mod kind;
mod read;
mod registry;
mod table;

#[cfg(test)]
mod camunda_tests;
#[cfg(test)]
mod standard_tests;
#[cfg(test)]
mod tests;

pub(crate) use read::Compiler;
pub use registry::Added;
pub(crate) use registry::Registry;
