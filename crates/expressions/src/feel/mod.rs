//! FEEL, the DMN standard's expression language: evaluated by a library, contained here.

mod boxed;
mod calls;
mod check;
mod convert;
mod corrected;
mod depth;
mod endpoints;
mod equality;
mod exact;
mod fast;
mod guard;
mod intervals;
mod loops;
mod moments;
mod names;
mod natives;
mod operators;
mod patterns;
mod plain;
mod prepare;
mod rewrite;
mod token;
mod tree;
mod types;
mod unary;

#[cfg(test)]
mod standard_tests;
#[cfg(test)]
mod tests;

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use dsntk_feel::bif::is_built_in_function_name;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{FeelScope, Name as FeelName};
use dsntk_feel_parser::AstNode;
use potok_core::Name;
use potok_core::expressions::{CompileError, CompiledExpression, Evaluation, EvaluationError, Quick, Sight};
use potok_core::value::Value;

use crate::calendars::{self, Calendars};
use crate::timed;
use crate::variables::{has, read};
use convert::Inward;
use fast::Fast;
pub(crate) use names::is_word;

pub(crate) use boxed::Part;
pub(crate) use convert::outward;
pub(crate) use guard::{contained, fail};
pub(crate) use natives::{Signature, function as native, key};
pub(crate) use unary::{Doubt, Tested, doubt};

/// A value as the library has it.
pub(crate) fn inward(value: &Value) -> Result<FeelValue, EvaluationError> {
    Inward::new(convert::MAX_ELEMENTS).value(value)
}

/// One value out of many, as the library computes it.
pub(crate) fn aggregate(function: fn(Vec<FeelValue>) -> FeelValue, values: &[Value]) -> Result<Value, EvaluationError> {
    let values: Result<Vec<_>, _> = values.iter().map(inward).collect();
    let values = values?;
    outward(contained(|| function(values))?)
}

/// The variable that unary tests test.
pub(crate) const INPUT: &str = "?";

/// A compiled FEEL expression.
pub(crate) struct Feel {
    fast: Option<Fast>,
    slow: Slow,
    reads: Vec<Name>,
}

/// What the library evaluates.
struct Slow {
    evaluator: dsntk_feel::Evaluator,
    /// The variables that are read, each by its name in the tree, and whether that is also a function's name.
    variables: Vec<(FeelName, Name, bool)>,
    /// The variables whose presence is asked for.
    asks: Vec<(FeelName, Name)>,
    natives: FeelContext,
    time: bool,
    depth: usize,
}

impl Debug for Feel {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Feel").field("reads", &self.reads).field("fast", &self.fast).finish_non_exhaustive()
    }
}

/// Compiles a FEEL expression. `known` are names with symbols or keywords in them that the expression may use.
pub(crate) fn compile(text: &str, known: &[&str], calendars: &Arc<Calendars>) -> Result<Feel, CompileError> {
    let prepared = prepare::prepare(text, known)?;
    roomy(prepared.depth, || {
        assemble(parse(&prepared, dsntk_feel_parser::parse_expression)?, &prepared, &[], calendars)
    })
}

fn roomy<T: Send>(depth: usize, run: impl FnOnce() -> Result<T, CompileError> + Send) -> Result<T, CompileError> {
    guard::contained(|| guard::roomy(depth, run))
        .unwrap_or_else(|failure| Err(CompileError { message: failure.to_string(), offset: None }))
}

/// Compiles the unary tests of a decision table's cell.
pub(crate) fn compile_tests(
    text: &str,
    known: &[&str],
    tested: Tested<'_>,
    calendars: &Arc<Calendars>,
) -> Result<Feel, CompileError> {
    let prepared = prepare::prepare(text, known)?;
    roomy(prepared.depth, || assemble(tested.by(&prepared)?, &prepared, &[], calendars))
}

type Parser = fn(&FeelScope, &str, bool) -> dsntk_common::Result<AstNode>;

fn parse(prepared: &prepare::Prepared, parser: Parser) -> Result<AstNode, CompileError> {
    let error = |message: String| CompileError { message, offset: None };
    let scope = FeelScope::default();
    for name in &prepared.names {
        scope.set_name(name.as_str().into());
    }
    let mut node = parser(&scope, &prepared.text, false)
        .map_err(|_| error(format!("`{}` is not a FEEL expression", shortened(&prepared.text))))?;
    endpoints::extend(&mut node);
    Ok(node)
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(120).map_or(text, |(end, _)| &text[..end])
}

/// `tables` are functions that the tree calls by names of their own.
fn assemble(
    mut node: AstNode,
    prepared: &prepare::Prepared,
    tables: &[(String, FeelValue)],
    calendars: &Arc<Calendars>,
) -> Result<Feel, CompileError> {
    let original = |name: &str| -> Name {
        let alias = prepared.aliases.iter().find(|(alias, _)| alias == name);
        alias.map_or(name, |(_, original)| original).into()
    };
    types::resolve(&mut node)?;
    let facts = check::check(&mut node)?;
    let fast = plain::compile(&node, &original);
    let needs = rewrite::rewrite(&mut node, &facts)?;
    let evaluator = dsntk_feel_evaluator::prepare(&node);

    let mut variables = Vec::new();
    for name in &needs.reads {
        let built_in = is_built_in_function_name(name);
        if facts.called.contains(name) {
            variables.push((format!("{}{name}", rewrite::VARIABLE).into(), original(name), false));
        } else {
            variables.push((name.as_str().into(), original(name), built_in));
        }
    }
    let asks: Vec<_> =
        needs.asks.iter().map(|name| (format!("{}{name}", rewrite::HAS).into(), original(name))).collect();
    let mut natives = FeelContext::default();
    for key in &needs.natives {
        if let Some(function) = natives::get(key).or_else(|| calendars::function(key, calendars)) {
            natives.set_entry(&key.as_str().into(), function);
        }
    }
    for (key, function) in tables {
        natives.set_entry(&key.as_str().into(), function.clone());
    }
    let mut reads: Vec<Name> =
        needs.reads.iter().map(|name| original(name)).chain(asks.iter().map(|(_, name)| name.clone())).collect();
    reads.sort();
    reads.dedup();
    Ok(Feel {
        fast,
        slow: Slow { evaluator, variables, asks, natives, time: needs.time, depth: prepared.depth },
        reads,
    })
}

impl Slow {
    fn evaluate(&self, evaluation: &Evaluation<'_>) -> Result<Value, EvaluationError> {
        let mut context = self.natives.clone();
        let mut inward = Inward::new(convert::MAX_ELEMENTS);
        for (feel_name, name, built_in) in &self.variables {
            match read(evaluation, name) {
                Some(value) => context.set_entry(feel_name, inward.value(&value)?),
                // Absent is null, but a function's name means the function.
                None if *built_in => {}
                None => context.set_entry(feel_name, FeelValue::Null(None)),
            }
        }
        for (feel_name, name) in &self.asks {
            context.set_entry(feel_name, FeelValue::Boolean(has(evaluation, name)));
        }
        if self.time {
            context.set_entry(&rewrite::NOW.into(), convert::moment(evaluation.now));
            context.set_entry(&rewrite::TODAY.into(), convert::day(evaluation.now));
        }
        let scope = FeelScope::from(context);
        let evaluator = &self.evaluator;
        guard::roomy(self.depth, move || convert::outward(guard::contained(|| evaluator(&scope))?))
    }
}

impl CompiledExpression for Feel {
    fn evaluate(&self, evaluation: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        if let Some(fast) = &self.fast
            && let Ok(value) = fast.value(evaluation)
        {
            return Ok(value);
        }
        timed(evaluation, |evaluation| self.slow.evaluate(evaluation))
    }

    fn quick(&self, sight: Sight<'_>) -> Option<Quick> {
        self.fast.as_ref()?.quick(sight)
    }

    fn reads(&self) -> Option<&[Name]> {
        Some(&self.reads)
    }
}
