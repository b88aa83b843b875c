//! What the library would do and a server must not: call out, or call itself without end.

use std::collections::{HashMap, HashSet};

use dsntk_feel::bif::is_built_in_function_name;
use dsntk_feel_parser::AstNode;
use potok_core::expressions::CompileError;

use super::tree::children;
use super::{natives, rewrite};

/// How many names make a crowd.
const CROWD: usize = 64;

/// What an expression holds.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Values may grow beyond their inputs, or evaluation may take long: count its steps.
    pub(crate) grows: bool,
    /// So many values are named that reading them, large as they may be, has to be counted.
    pub(crate) crowded: bool,
    names: usize,
    /// Names of built-in functions that are called.
    pub(crate) called: HashSet<String>,
    /// A function is kept somewhere, rather than given to `sort` and forgotten.
    stores_functions: bool,
    /// How often each name is bound: parameters, iteration variables, context entries.
    bound: HashMap<String, usize>,
    /// Names of entries that are functions and are complete at this point of the text.
    complete: HashSet<String>,
}

fn error(message: &str) -> CompileError {
    CompileError { message: message.to_owned(), offset: None }
}

/// Refuses what could reach outside or recurse without end.
pub(crate) fn check(node: &mut AstNode) -> Result<Facts, CompileError> {
    let mut facts = Facts::default();
    facts.gather(node, false)?;
    facts.calls(node, false)?;
    facts.crowded = facts.names > CROWD;
    facts.grows |= facts.crowded;
    Ok(facts)
}

impl Facts {
    fn bind(&mut self, name: &str) {
        *self.bound.entry(name.to_owned()).or_default() += 1;
    }

    fn gather(&mut self, node: &mut AstNode, sorted: bool) -> Result<(), CompileError> {
        match node {
            AstNode::FunctionBody(_, true) => {
                return Err(error("`external` functions are not available: they would reach outside the engine"));
            }
            AstNode::FunctionDefinition(..) => {
                self.grows = true;
                self.stores_functions |= !sorted;
            }
            AstNode::Context(_) | AstNode::For(..) | AstNode::Filter(..) | AstNode::Some(..) | AstNode::Every(..) => {
                self.grows = true;
            }
            AstNode::Name(_) => self.names += 1,
            AstNode::ParameterName(name) | AstNode::ContextEntryKey(name) => self.bind(name.as_str()),
            AstNode::QuantifiedContext(name, _)
            | AstNode::IterationContextSingle(name, _)
            | AstNode::IterationContextInterval(name, _, _) => {
                if let AstNode::Name(name) = &**name {
                    self.bind(name.as_str());
                }
            }
            AstNode::FunctionInvocation(callee, parameters) => {
                let mut sorted = false;
                if let AstNode::Name(name) = &**callee {
                    let name = name.as_str();
                    sorted = name == "sort";
                    self.grows |= sorted
                        || matches!(
                            name,
                            "replace"
                                | "split"
                                | "string join"
                                | "concatenate"
                                | "flatten"
                                | "append"
                                | "union"
                                | "insert before"
                        );
                    if is_built_in_function_name(name) {
                        self.called.insert(name.to_owned());
                    }
                }
                self.gather(callee, false)?;
                for parameter in children(parameters) {
                    match parameter {
                        AstNode::NamedParameter(_, value) => self.gather(value, sorted)?,
                        other => self.gather(other, sorted)?,
                    }
                }
                return Ok(());
            }
            _ => {}
        }
        for child in children(node) {
            self.gather(child, false)?;
        }
        Ok(())
    }

    fn is_bound(&self, name: &str) -> bool {
        self.bound.contains_key(name)
    }

    /// Inside a function only what is complete before it may be called. A function that comes as a parameter, an
    /// element or an entry could be the calling one.
    fn calls(&mut self, node: &mut AstNode, inside: bool) -> Result<(), CompileError> {
        match node {
            AstNode::FunctionDefinition(_, body) => return self.calls(body, true),
            AstNode::ContextEntry(key, value) => {
                self.calls(value, inside)?;
                if let (AstNode::ContextEntryKey(name), AstNode::FunctionDefinition(..)) = (&**key, &**value)
                    && self.bound.get(name.as_str()) == Some(&1)
                {
                    self.complete.insert(name.as_str().to_owned());
                }
                return Ok(());
            }
            AstNode::FunctionInvocation(callee, parameters) if inside => {
                let known = match &**callee {
                    AstNode::Name(name) => self.may_call(name.as_str()),
                    _ => false,
                };
                if !known {
                    return Err(error(
                        "a function may call built-in functions and functions defined before it, but not itself and \
                         not functions given to it; use `for`, `some` or `every` to repeat something",
                    ));
                }
                if matches!(&**callee, AstNode::Name(name) if name.as_str() == "sort") {
                    self.sort_inside(parameters)?;
                }
            }
            _ => {}
        }
        if self.stores_functions
            && let AstNode::FunctionInvocation(callee, _) = node
            && let AstNode::Name(name) = &**callee
            && matches!(name.as_str(), "context" | "context put" | "context merge")
        {
            return Err(error(
                "`context`, `context put` and `context merge` cannot be used together with own functions",
            ));
        }
        for child in children(node) {
            self.calls(child, inside)?;
        }
        Ok(())
    }

    fn may_call(&self, name: &str) -> bool {
        let built_in = (is_built_in_function_name(name) || natives::is_native(name)) && !self.is_bound(name);
        built_in || self.complete.contains(name) || name.starts_with(rewrite::TABLE)
    }

    fn sort_inside(&self, parameters: &mut AstNode) -> Result<(), CompileError> {
        for parameter in children(parameters) {
            let value = match parameter {
                AstNode::NamedParameter(_, value) => &**value,
                other => other,
            };
            if let AstNode::Name(name) = value
                && self.is_bound(name.as_str())
                && self.stores_functions
                && !self.complete.contains(name.as_str())
            {
                return Err(error("inside a function, write the order of `sort` in place: function(a, b) a < b"));
            }
        }
        Ok(())
    }
}
