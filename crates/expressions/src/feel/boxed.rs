//! Expressions that are put together of several texts: boxed expressions mean what their FEEL text would (DMN 1.5 §10.2.1), so
//! each becomes the syntax tree of that text, and is looked through and evaluated as any other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{FeelType, Name as FeelName};
use dsntk_feel_parser::AstNode;
use jiff::Timestamp;
use potok_core::Name;
use potok_core::expressions::{CompileError, EvaluationError};
use potok_core::value::Value;

use super::depth::MAX_DEPTH;
use super::prepare::{Prepared, prepare};
use super::rewrite::{TABLE, name};
use super::tree::children;
use super::{Feel, Tested, assemble, convert, fail, guard, inward, natives, outward, parse, roomy};
use crate::calendars::Calendars;

/// The name that a context has its own result by.
const RESULT: &str = "\u{1}result";

/// A part of an expression.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    node: AstNode,
    /// No branch of the tree is longer.
    depth: usize,
    /// How deep the functions in it are, one calling the other.
    functions: usize,
    /// How long the texts are that it is put together of.
    length: usize,
    /// All names in it.
    names: BTreeSet<String>,
    /// What it has computed elsewhere, by the names that stand for that in the tree.
    tables: Vec<(String, FeelValue)>,
}

impl Part {
    /// FEEL text. `known` are names with symbols or keywords in them.
    pub(crate) fn text(text: &str, known: &[&str]) -> Result<Self, CompileError> {
        let prepared = prepare(text, known)?;
        Self::of(&prepared, || parse(&prepared, dsntk_feel_parser::parse_expression))
    }

    /// Unary tests.
    pub(crate) fn tests(text: &str, known: &[&str], tested: Tested<'_>) -> Result<Self, CompileError> {
        let prepared = prepare(text, known)?;
        Self::of(&prepared, || tested.by(&prepared))
    }

    fn of(
        prepared: &Prepared,
        read: impl FnOnce() -> Result<AstNode, CompileError> + Send,
    ) -> Result<Self, CompileError> {
        let mut names = BTreeSet::new();
        let node = roomy(prepared.depth, || {
            let mut node = read()?;
            spell(&mut node, &prepared.aliases, &mut names);
            Ok(node)
        })?;
        Ok(Self { node, depth: prepared.depth, functions: 0, length: prepared.text.len(), names, tables: Vec::new() })
    }

    pub(crate) fn name(text: &str) -> Self {
        Self { names: BTreeSet::from([text.to_owned()]), ..Self::around(Vec::new(), |_| name(text)) }
    }

    pub(crate) fn null() -> Self {
        Self::around(Vec::new(), |_| AstNode::Null)
    }

    /// A tree over others.
    fn around(parts: Vec<Self>, tree: impl FnOnce(Vec<AstNode>) -> AstNode) -> Self {
        let depth = parts.iter().map(|part| part.depth).max().unwrap_or_default() + 4;
        let mut all =
            Self { node: AstNode::Null, depth, functions: 0, length: 0, names: BTreeSet::new(), tables: Vec::new() };
        let mut nodes = Vec::with_capacity(parts.len());
        for part in parts {
            all.functions += part.functions;
            all.length += part.length;
            all.names.extend(part.names);
            all.tables.extend(part.tables);
            nodes.push(part.node);
        }
        all.node = tree(nodes);
        all
    }

    pub(crate) fn list(parts: Vec<Self>) -> Self {
        Self::around(parts, AstNode::List)
    }

    pub(crate) fn context(entries: Vec<(String, Self)>) -> Self {
        let (keys, parts): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        Self::around(parts, |nodes| {
            let entries = keys.into_iter().zip(nodes).map(|(key, node)| {
                let key = AstNode::ContextEntryKey(FeelName::from(key));
                AstNode::ContextEntry(Box::new(key), Box::new(node))
            });
            AstNode::Context(entries.collect())
        })
    }

    /// A result that is computed with the entries before it.
    pub(crate) fn result(mut entries: Vec<(String, Self)>, result: Self) -> Self {
        entries.push((RESULT.to_owned(), result));
        let context = Self::context(entries);
        Self::around(vec![context], |nodes| binary(nodes, |context, _| AstNode::Path(context, Box::new(name(RESULT)))))
    }

    /// The part with those functions that it calls, itself or by one of them; each may call those before it.
    pub(crate) fn knowing(self, functions: &[(String, Self)]) -> Self {
        let mut needed: Vec<(String, Self)> = Vec::new();
        for (function, part) in functions.iter().rev() {
            let is_named = |by: &Self| by.names.contains(function);
            if is_named(&self) || needed.iter().any(|(_, by)| is_named(by)) {
                needed.push((function.clone(), part.clone()));
            }
        }
        needed.reverse();
        if needed.is_empty() { self } else { Self::result(needed, self) }
    }

    pub(crate) fn function(parameters: Vec<String>, body: Self) -> Self {
        let (depth, functions) = (body.depth, body.functions);
        let function = Self::around(vec![body], |nodes| {
            let parameters = parameters.into_iter().map(|parameter| {
                let parameter = AstNode::ParameterName(FeelName::from(parameter));
                AstNode::FormalParameter(Box::new(parameter), Box::new(AstNode::FeelType(FeelType::Any)))
            });
            let parameters = AstNode::FormalParameters(parameters.collect());
            binary(nodes, |body, _| {
                AstNode::FunctionDefinition(Box::new(parameters), Box::new(AstNode::FunctionBody(body, false)))
            })
        });
        Self { functions: functions + depth, ..function }
    }

    pub(crate) fn call(function: Self, arguments: Vec<(String, Self)>) -> Self {
        let (names, mut parts): (Vec<_>, Vec<_>) = arguments.into_iter().unzip();
        parts.insert(0, function);
        Self::around(parts, |mut nodes| {
            let function = nodes.remove(0);
            let arguments = names.into_iter().zip(nodes).map(|(parameter, node)| {
                let parameter = AstNode::ParameterName(FeelName::from(parameter));
                AstNode::NamedParameter(Box::new(parameter), Box::new(node))
            });
            let arguments = match arguments.collect::<Vec<_>>() {
                none if none.is_empty() => AstNode::PositionalParameters(none),
                arguments => AstNode::NamedParameters(arguments),
            };
            AstNode::FunctionInvocation(Box::new(function), Box::new(arguments))
        })
    }

    pub(crate) fn conditional(condition: Self, then: Self, otherwise: Self) -> Self {
        Self::around(vec![condition, then, otherwise], |mut nodes| {
            let otherwise = Box::new(nodes.pop().unwrap_or(AstNode::Null));
            binary(nodes, |condition, then| AstNode::If(condition, then, otherwise))
        })
    }

    pub(crate) fn filter(list: Self, condition: Self) -> Self {
        Self::around(vec![list, condition], |nodes| binary(nodes, AstNode::Filter))
    }

    pub(crate) fn each(variable: &str, list: Self, result: Self) -> Self {
        Self::around(vec![list, result], |nodes| {
            binary(nodes, |list, result| {
                let context = AstNode::IterationContextSingle(Box::new(name(variable)), list);
                let contexts = Box::new(AstNode::IterationContexts(vec![context]));
                AstNode::For(contexts, Box::new(AstNode::EvaluatedExpression(result)))
            })
        })
    }

    pub(crate) fn every(variable: &str, list: Self, condition: Self) -> Self {
        Self::quantified(variable, list, condition, AstNode::Every)
    }

    pub(crate) fn some(variable: &str, list: Self, condition: Self) -> Self {
        Self::quantified(variable, list, condition, AstNode::Some)
    }

    fn quantified(
        variable: &str,
        list: Self,
        condition: Self,
        quantifier: fn(Box<AstNode>, Box<AstNode>) -> AstNode,
    ) -> Self {
        Self::around(vec![list, condition], |nodes| {
            binary(nodes, |list, condition| {
                let context = AstNode::QuantifiedContext(Box::new(name(variable)), list);
                let contexts = Box::new(AstNode::QuantifiedContexts(vec![context]));
                quantifier(contexts, Box::new(AstNode::Satisfies(condition)))
            })
        })
    }

    /// What is computed elsewhere from the variables that it reads. `number` is its own in what it becomes a part of.
    pub(crate) fn table(
        number: usize,
        reads: Vec<Name>,
        evaluate: impl Fn(BTreeMap<Name, Value>, Timestamp) -> Result<Value, EvaluationError> + Send + Sync + 'static,
    ) -> Self {
        let table = format!("{TABLE}{number}");
        let arguments = reads.iter().map(|read| name(read));
        let now =
            AstNode::FunctionInvocation(Box::new(name("now")), Box::new(AstNode::PositionalParameters(Vec::new())));
        let arguments = arguments.chain([now]).collect();
        let names: BTreeSet<String> = reads.iter().map(ToString::to_string).collect();
        let parameters: Vec<String> = (0..=reads.len()).map(|number| format!("\u{1}{number}")).collect();
        let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
        let computed = move |arguments: &[FeelValue]| {
            guard::tick();
            let compute = || {
                let mut variables = BTreeMap::new();
                for (read, value) in reads.iter().zip(arguments) {
                    // What is not there is null here.
                    if !value.is_null() {
                        variables.insert(read.clone(), outward(value.clone())?);
                    }
                }
                let now = arguments.last().cloned().map(outward).transpose()?;
                let now = match &now {
                    Some(Value::DateTime(moment)) => convert::instant(moment).unwrap_or_default(),
                    _ => Timestamp::default(),
                };
                inward(&evaluate(variables, now)?)
            };
            compute().unwrap_or_else(|error: EvaluationError| fail(error.to_string()))
        };
        let function = natives::function(&parameters, Box::new(computed));
        Self { names, tables: vec![(table.clone(), function)], ..Self::around(Vec::new(), |_| call(&table, arguments)) }
    }

    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Compiles what has been put together.
    pub(crate) fn compile(self, calendars: &Arc<Calendars>) -> Result<Feel, CompileError> {
        let depth = self.depth + self.functions;
        if depth > MAX_DEPTH {
            let message = "the expression is nested too deeply, or its functions call each other too often in a row";
            return Err(CompileError { message: message.to_owned(), offset: None });
        }
        let prepared = Prepared { depth, ..Prepared::default() };
        let Self { node, tables, .. } = self;
        roomy(depth, || assemble(node, &prepared, &tables, calendars))
    }
}

fn call(function: &str, arguments: Vec<AstNode>) -> AstNode {
    AstNode::FunctionInvocation(Box::new(name(function)), Box::new(AstNode::PositionalParameters(arguments)))
}

/// A tree over the one or two of which there are.
fn binary(nodes: Vec<AstNode>, tree: impl FnOnce(Box<AstNode>, Box<AstNode>) -> AstNode) -> AstNode {
    let mut nodes = nodes.into_iter().chain([AstNode::Null]);
    let mut next = || Box::new(nodes.next().unwrap_or(AstNode::Null));
    let (first, second) = (next(), next());
    tree(first, second)
}

/// Writes names as they are, so that they mean the same in all texts, and takes them all down.
fn spell(node: &mut AstNode, aliases: &[(String, String)], names: &mut BTreeSet<String>) {
    let original = |alias: &FeelName| {
        let original = aliases.iter().find(|(known, _)| known == alias.as_str());
        original.filter(|(_, original)| !original.starts_with('\u{1}')).map(|(_, original)| FeelName::from(original))
    };
    match node {
        AstNode::Name(name)
        | AstNode::ParameterName(name)
        | AstNode::ContextEntryKey(name)
        | AstNode::QualifiedNameSegment(name) => {
            if let Some(original) = original(name) {
                *name = original;
            }
            names.insert(name.as_str().to_owned());
        }
        _ => {}
    }
    for child in children(node) {
        spell(child, aliases, names);
    }
}
