//! Calls of functions, as they are evaluated: built in, our own, and what stands for a value.

use dsntk_feel::bif::is_built_in_function_name;
use dsntk_feel_parser::AstNode;
use potok_core::expressions::CompileError;

use super::natives;
use super::rewrite::{FITS, HAS, HAS_ENTRY, NOW, Rewriter, TABLE, TODAY, call, error, name, take};
use super::tree::children;

impl Rewriter<'_> {
    /// A function is called.
    pub(super) fn invocation(&mut self, node: &mut AstNode) -> Result<(), CompileError> {
        let AstNode::FunctionInvocation(callee, parameters) = node else { return Ok(()) };
        let AstNode::Name(function) = &**callee else {
            for child in children(node) {
                self.node(child)?;
            }
            return Ok(());
        };
        let function = function.as_str().to_owned();
        if function == FITS {
            self.needs.natives.insert(function.clone());
        } else if !self.is_local(&function) && !function.starts_with(TABLE) {
            let arity = children(parameters).len();
            if matches!(function.as_str(), "now" | "today") {
                if arity > 0 {
                    return Err(error(format!("`{function}()` takes no arguments")));
                }
                self.needs.time = true;
                *node = name(if function == "now" { NOW } else { TODAY });
                return Ok(());
            }
            if function == "is defined" && arity == 1 {
                return self.is_defined(node);
            }
            if let AstNode::PositionalParameters(values) = &mut **parameters
                && matches!(function.as_str(), "min" | "max" | "any" | "all")
                && arity > 1
            {
                *values = vec![AstNode::List(std::mem::take(values))];
            }
            if function == "union" && matches!(**parameters, AstNode::PositionalParameters(_)) {
                // The library compares every element with every other, however many there are.
                **callee = name("concatenate");
                *node = call("distinct values", vec![take(node)]);
                return self.invocation(node);
            }
            let arity = children(parameters).len();
            if !is_built_in_function_name(&function) || natives::exists(&natives::key(&function, arity)) {
                **callee = name(&self.native(&function, arity)?);
            }
        }
        for parameter in children(parameters) {
            match parameter {
                AstNode::NamedParameter(_, value) => self.node(value)?,
                other => {
                    self.node(other)?;
                    self.part(other);
                }
            }
        }
        if matches!(
            function.as_str(),
            "replace" | "split" | "string join" | "concatenate" | "flatten" | "append" | "insert before"
        ) {
            self.spend(node);
        }
        Ok(())
    }

    fn native(&mut self, function: &str, arity: usize) -> Result<String, CompileError> {
        let key = natives::key(function, arity);
        if natives::exists(&key) {
            self.needs.natives.insert(key.clone());
            return Ok(key);
        }
        Err(error(match natives::arities(function) {
            arities if !arities.is_empty() => format!("`{function}` takes {arities} arguments, not {arity}"),
            _ if matches!(function, "uuid" | "random number") => {
                format!("`{function}()` would give another value each time; let a worker or the caller give the value")
            }
            _ => format!("FEEL has no function `{function}`"),
        }))
    }

    fn is_defined(&mut self, node: &mut AstNode) -> Result<(), CompileError> {
        let AstNode::FunctionInvocation(_, parameters) = node else { return Ok(()) };
        let Some(argument) = children(parameters).into_iter().next() else { return Ok(()) };
        let argument = match argument {
            AstNode::NamedParameter(_, value) => &mut **value,
            other => other,
        };
        let replacement = match argument {
            AstNode::Name(variable) if !self.is_local(variable.as_str()) && self.filters == 0 => {
                self.needs.asks.insert(variable.as_str().to_owned());
                name(&format!("{HAS}{variable}"))
            }
            AstNode::Path(value, entry) => {
                self.node(value)?;
                let AstNode::Name(entry) = &**entry else { return Ok(()) };
                self.needs.natives.insert(HAS_ENTRY.to_owned());
                call(HAS_ENTRY, vec![take(value), AstNode::String(entry.as_str().to_owned())])
            }
            other => {
                self.node(other)?;
                AstNode::Nq(Box::new(take(other)), Box::new(AstNode::Null))
            }
        };
        *node = replacement;
        Ok(())
    }
}
