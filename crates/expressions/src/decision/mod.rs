//! Decisions (DMN): tables and expressions that require each other.
//!
//! Decision tables and literal expressions, which is what modelers draw, are evaluated here with FEEL doing the cells:
//! their files need not declare inputs and types as the standard wants. Whatever else a file uses (business knowledge
//! models, boxed contexts, invocations, decision services) makes the library evaluate that file as a whole.

mod file;
mod kind;
mod library;
mod read;
mod registry;
mod table;

#[cfg(test)]
mod standard_tests;
#[cfg(test)]
mod tests;

pub(crate) use read::Compiler;
pub(crate) use registry::Registry;
