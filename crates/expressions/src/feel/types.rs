//! Names of types in `instance of` and in parameters (DMN 1.5 §10.3.2.8).
//!
//! Every name of a text is given to the parser as known, so that it reads the name of a type as that of a variable.

use std::collections::BTreeMap;

use dsntk_feel::FeelType;
use dsntk_feel_parser::AstNode;
use potok_core::expressions::CompileError;

use super::tree::children;

/// Makes types of their names.
pub(crate) fn resolve(node: &mut AstNode) -> Result<(), CompileError> {
    if let AstNode::InstanceOf(_, name) | AstNode::FormalParameter(_, name) = node {
        typed(name)?;
    }
    for child in children(node) {
        resolve(child)?;
    }
    Ok(())
}

fn typed(node: &mut AstNode) -> Result<(), CompileError> {
    let name = match node {
        AstNode::Name(name) => name.to_string(),
        AstNode::QualifiedName(segments) => match &segments[..] {
            [AstNode::QualifiedNameSegment(name)] => name.to_string(),
            _ => return Err(unknown("with a dot in its name")),
        },
        AstNode::ContextTypeEntry(_, entry) => return typed(entry),
        AstNode::ListType(_)
        | AstNode::RangeType(_)
        | AstNode::ContextType(_)
        | AstNode::FunctionType(..)
        | AstNode::ParameterTypes(_) => {
            for child in children(node) {
                typed(child)?;
            }
            return Ok(());
        }
        _ => return Ok(()),
    };
    *node = AstNode::FeelType(match name.as_str() {
        "list" => FeelType::List(Box::new(FeelType::Any)),
        "context" => FeelType::Context(BTreeMap::new()),
        name => name.parse().map_err(|_| unknown(&format!("`{name}`")))?,
    });
    Ok(())
}

fn unknown(name: &str) -> CompileError {
    CompileError {
        message: format!(
            "FEEL has no type {name}: write `number`, `string`, `boolean`, `date`, `time`, `date and time`, `days and \
             time duration`, `years and months duration`, `list`, `context` or `Any`"
        ),
        offset: None,
    }
}
