//! From the syntax tree as written to the one that is evaluated: which variables it reads, functions of our own, the
//! step's time, comparisons of moments, and the budget.

use std::collections::BTreeSet;

use dsntk_feel::Name as FeelName;
use dsntk_feel_parser::AstNode;
use potok_core::expressions::CompileError;

use super::check::Facts;
use super::loops::{self, PARTIAL};
use super::tree::{children, mentions};

/// Names that no text can spell stand for what the engine gives.
pub(crate) const NOW: &str = "\u{1}now";
pub(crate) const TODAY: &str = "\u{1}today";
pub(crate) const SPEND: &str = "\u{1}spend";
pub(crate) const MOMENT: &str = "\u{1}moment";
pub(crate) const EQUAL: &str = "\u{1}equal";
pub(crate) const UNEQUAL: &str = "\u{1}unequal";
pub(crate) const ADD: &str = "\u{1}add";
pub(crate) const SUBTRACT: &str = "\u{1}subtract";
pub(crate) const HAS_ENTRY: &str = "\u{1}has entry";
/// Whether the input of a decision table fits a value.
pub(crate) const FITS: &str = "\u{1}fits";
/// Before a number: what a part of the expression is that is no FEEL, such as a decision table.
pub(crate) const TABLE: &str = "\u{1}table ";
/// Before a variable's name: whether there is such a variable.
pub(crate) const HAS: &str = "\u{1}has ";
/// Before a variable's name: the variable, where its name is also that of a called function.
pub(crate) const VARIABLE: &str = "\u{1}variable ";

/// What the rewritten tree needs at hand when it is evaluated.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// Free names, as they stand in the tree.
    pub(crate) reads: BTreeSet<String>,
    /// Variables whose presence is asked for.
    pub(crate) asks: BTreeSet<String>,
    /// Functions of our own, by the name that they are called by in the tree.
    pub(crate) natives: BTreeSet<String>,
    /// The step's time is read.
    pub(crate) time: bool,
}

/// Rewrites the tree in place.
pub(crate) fn rewrite(node: &mut AstNode, facts: &Facts) -> Result<Needs, CompileError> {
    let mut rewriter = Rewriter { facts, locals: Vec::new(), filters: 0, in_path: false, needs: Needs::default() };
    rewriter.node(node)?;
    Ok(rewriter.needs)
}

pub(super) struct Rewriter<'a> {
    facts: &'a Facts,
    locals: Vec<String>,
    pub(super) filters: usize,
    /// The name at hand begins a path.
    in_path: bool,
    pub(super) needs: Needs,
}

pub(super) fn name(text: &str) -> AstNode {
    AstNode::Name(FeelName::from(text))
}

pub(super) fn call(function: &str, arguments: Vec<AstNode>) -> AstNode {
    AstNode::FunctionInvocation(Box::new(name(function)), Box::new(AstNode::PositionalParameters(arguments)))
}

pub(super) fn take(node: &mut AstNode) -> AstNode {
    std::mem::replace(node, AstNode::Null)
}

impl Rewriter<'_> {
    pub(super) fn is_local(&self, name: &str) -> bool {
        self.locals.iter().any(|local| local == name)
    }

    pub(super) fn spend(&mut self, node: &mut AstNode) {
        if self.facts.grows && !is_literal(node) {
            self.step(node);
        }
    }

    /// What may come round again and again takes a step, whatever it is.
    fn step(&mut self, node: &mut AstNode) {
        self.needs.natives.insert(SPEND.to_owned());
        *node = call(SPEND, vec![take(node)]);
    }

    /// A value that is put together with others, of which there may be thousands in one text.
    pub(super) fn part(&mut self, node: &mut AstNode) {
        if self.facts.crowded && !matches!(node, AstNode::FunctionDefinition(..)) {
            self.spend(node);
        }
    }

    /// Moments are compared as moments, not by their dates and clocks.
    fn moment(&mut self, node: &mut AstNode) {
        if !is_literal(node) {
            self.needs.natives.insert(MOMENT.to_owned());
            *node = call(MOMENT, vec![take(node)]);
        }
    }

    /// Moments are added to and subtracted as moments.
    fn of_moments(&mut self, operator: &str, left: AstNode, right: AstNode) -> AstNode {
        self.needs.natives.insert(operator.to_owned());
        call(operator, vec![left, right])
    }

    pub(super) fn node(&mut self, node: &mut AstNode) -> Result<(), CompileError> {
        match node {
            AstNode::Name(feel_name) => {
                let text = feel_name.as_str().to_owned();
                if !self.is_local(&text) {
                    if self.filters == 0 && self.facts.called.contains(&text) {
                        *node = name(&format!("{VARIABLE}{text}"));
                    }
                    self.needs.reads.insert(text);
                }
                if self.facts.crowded && !self.in_path {
                    self.step(node);
                }
                Ok(())
            }
            AstNode::QualifiedName(segments) => {
                if let Some(AstNode::QualifiedNameSegment(first)) = segments.first()
                    && !self.is_local(first.as_str())
                {
                    self.needs.reads.insert(first.as_str().to_owned());
                }
                Ok(())
            }
            AstNode::Path(value, _) => {
                // The library wants to see the names that paths begin with.
                self.in_path = matches!(**value, AstNode::Name(_));
                self.node(value)?;
                if std::mem::take(&mut self.in_path) && self.facts.crowded {
                    self.step(node);
                }
                Ok(())
            }
            AstNode::InstanceOf(value, _) => self.node(value),
            AstNode::FunctionInvocation(..) => self.invocation(node),
            AstNode::FunctionDefinition(parameters, body) => {
                let outer = self.locals.len();
                for parameter in children(parameters) {
                    if let AstNode::FormalParameter(name, _) = parameter
                        && let AstNode::ParameterName(name) = &**name
                    {
                        self.locals.push(name.as_str().to_owned());
                    }
                }
                if let AstNode::FunctionBody(body, _) = &mut **body {
                    self.node(body)?;
                    self.step(body);
                }
                self.locals.truncate(outer);
                Ok(())
            }
            AstNode::For(contexts, body) => {
                let outer = self.locals.len();
                self.iterations(contexts)?;
                self.locals.push(PARTIAL.into());
                let reads_earlier = mentions(body, PARTIAL);
                self.node(body)?;
                self.locals.truncate(outer);
                let natives =
                    [loops::BEGIN, loops::PUT, loops::COLLECTED, loops::EARLIER, loops::INTERVAL, loops::RANGE];
                self.needs.natives.extend(natives.map(str::to_owned));
                *node = loops::collect(take(contexts), take(body), reads_earlier);
                Ok(())
            }
            AstNode::Some(contexts, condition) => {
                self.quantified(contexts, condition)?;
                self.needs.natives.extend([loops::SEEK_TRUE, loops::SOME].map(str::to_owned));
                *node = loops::some_of(take(contexts), take(condition));
                Ok(())
            }
            AstNode::Every(contexts, condition) => {
                self.quantified(contexts, condition)?;
                self.needs.natives.extend([loops::SEEK_FALSE, loops::EVERY].map(str::to_owned));
                *node = loops::every_of(take(contexts), take(condition));
                Ok(())
            }
            AstNode::Filter(list, condition) => {
                self.node(list)?;
                self.locals.push("item".into());
                self.filters += 1;
                self.node(condition)?;
                self.filters -= 1;
                self.locals.pop();
                self.spend(condition);
                Ok(())
            }
            AstNode::Context(entries) => {
                let outer = self.locals.len();
                for entry in entries {
                    if let AstNode::ContextEntry(key, value) = entry {
                        self.node(value)?;
                        if !matches!(**value, AstNode::FunctionDefinition(..)) {
                            self.spend(value);
                        }
                        if let AstNode::ContextEntryKey(key) = &**key {
                            self.locals.push(key.as_str().to_owned());
                        }
                    }
                }
                self.locals.truncate(outer);
                Ok(())
            }
            AstNode::Eq(left, right)
            | AstNode::Nq(left, right)
            | AstNode::Lt(left, right)
            | AstNode::Le(left, right)
            | AstNode::Gt(left, right)
            | AstNode::Ge(left, right) => {
                self.node(left)?;
                self.node(right)?;
                if !is_no_moment(left) && !is_no_moment(right) {
                    self.moment(left);
                    self.moment(right);
                }
                self.equality(node);
                Ok(())
            }
            AstNode::Between(value, low, high) => {
                for part in [&mut *value, &mut *low, &mut *high] {
                    self.node(part)?;
                }
                if !is_no_moment(low) && !is_no_moment(high) {
                    for part in [value, low, high] {
                        self.moment(part);
                    }
                }
                Ok(())
            }
            AstNode::In(value, test) if matches!(**test, AstNode::UnaryNe(_)) => {
                if let AstNode::UnaryNe(other) = &mut **test {
                    *node = AstNode::Nq(Box::new(take(value)), Box::new(take(other)));
                }
                self.node(node)
            }
            AstNode::In(value, tests) => {
                self.node(value)?;
                self.node(tests)?;
                if self.tests(tests) {
                    self.moment(value);
                }
                Ok(())
            }
            AstNode::Add(left, right) => {
                self.node(left)?;
                self.node(right)?;
                if !is_no_part(left) && !is_no_part(right) {
                    *node = self.of_moments(ADD, take(left), take(right));
                }
                self.spend(node);
                Ok(())
            }
            AstNode::Sub(left, right) => {
                self.node(left)?;
                self.node(right)?;
                if !is_no_part(left) && !is_no_part(right) {
                    *node = self.of_moments(SUBTRACT, take(left), take(right));
                }
                Ok(())
            }
            AstNode::List(items) => {
                for item in items {
                    self.node(item)?;
                    self.part(item);
                }
                Ok(())
            }
            other => {
                for child in children(other) {
                    self.node(child)?;
                }
                Ok(())
            }
        }
    }

    /// The library compares rightly unless null stands on the left: a literal never is null, and null goes to the right.
    fn equality(&mut self, node: &mut AstNode) {
        let (AstNode::Eq(left, right) | AstNode::Nq(left, right)) = &mut *node else { return };
        if **left == AstNode::Null || is_literal(right) && **right != AstNode::Null {
            std::mem::swap(left, right);
        } else if !is_literal(left) && !is_literal(right) {
            let operands = vec![take(left), take(right)];
            let operator = if matches!(node, AstNode::Eq(..)) { EQUAL } else { UNEQUAL };
            self.needs.natives.insert(operator.to_owned());
            *node = call(operator, operands);
        }
    }

    fn quantified(&mut self, contexts: &mut AstNode, condition: &mut AstNode) -> Result<(), CompileError> {
        let outer = self.locals.len();
        self.iterations(contexts)?;
        if let AstNode::Satisfies(inner) = condition {
            *condition = take(inner);
        }
        self.node(condition)?;
        self.needs.natives.extend([loops::BEGIN, loops::RANGE].map(str::to_owned));
        self.locals.truncate(outer);
        Ok(())
    }

    fn iterations(&mut self, contexts: &mut AstNode) -> Result<(), CompileError> {
        for context in children(contexts) {
            let mut parts = children(context);
            if parts.is_empty() {
                continue;
            }
            let variable = parts.remove(0);
            for part in parts {
                self.node(part)?;
            }
            if let AstNode::Name(variable) = variable {
                self.locals.push(variable.as_str().to_owned());
            }
        }
        Ok(())
    }

    /// Whether moments may stand among the tests; if so they are made comparable.
    fn tests(&mut self, tests: &mut AstNode) -> bool {
        match tests {
            AstNode::ExpressionList(items) | AstNode::NegatedList(items) => {
                let mut found = false;
                for item in items {
                    found |= self.tests(item);
                }
                found
            }
            AstNode::Range(start, end) => {
                let mut found = false;
                for side in [start, end] {
                    if let AstNode::IntervalStart(value, _) | AstNode::IntervalEnd(value, _) = &mut **side {
                        found |= !is_literal(value);
                        self.moment(value);
                    }
                }
                found
            }
            AstNode::UnaryEq(value)
            | AstNode::UnaryNe(value)
            | AstNode::UnaryLt(value)
            | AstNode::UnaryLe(value)
            | AstNode::UnaryGt(value)
            | AstNode::UnaryGe(value) => self.tests(value),
            AstNode::List(_) | AstNode::Irrelevant => false,
            value if is_literal(value) => false,
            value => {
                self.moment(value);
                true
            }
        }
    }
}

pub(super) fn error(message: String) -> CompileError {
    CompileError { message, offset: None }
}

/// Whether the value is certainly no date and time.
fn is_no_moment(node: &AstNode) -> bool {
    match node {
        AstNode::Name(name) => name.as_str() == TODAY,
        AstNode::FunctionInvocation(callee, _) => matches!(
            &**callee,
            AstNode::Name(name) if matches!(
                name.as_str(),
                "date" | "duration" | "count" | "sum" | "string" | "number" | "string length" | "upper case"
                    | "lower case" | "substring" | "day of week" | "floor" | "ceiling" | "modulo" | "abs"
            )
        ),
        other => is_literal(other),
    }
}

/// Whether nothing that this value is added to or subtracted from is a moment: it is neither a moment nor a duration, nor may
/// it be.
fn is_no_part(node: &AstNode) -> bool {
    match node {
        AstNode::Mul(left, right) | AstNode::Div(left, right) => is_no_part(left) && is_no_part(right),
        AstNode::Add(left, right) | AstNode::Sub(left, right) => is_no_part(left) || is_no_part(right),
        AstNode::FunctionInvocation(callee, arguments) => match (&**callee, &**arguments) {
            (AstNode::Name(name), AstNode::PositionalParameters(arguments)) if name.as_str() == SPEND => {
                arguments.iter().all(is_no_part)
            }
            (AstNode::Name(name), _) => matches!(
                name.as_str(),
                "count"
                    | "string"
                    | "number"
                    | "string length"
                    | "upper case"
                    | "lower case"
                    | "substring"
                    | "day of week"
                    | "floor"
                    | "ceiling"
                    | "modulo"
            ),
            _ => false,
        },
        other => is_literal(other),
    }
}

pub(super) fn is_literal(node: &AstNode) -> bool {
    match node {
        AstNode::Numeric(..) | AstNode::String(_) | AstNode::Boolean(_) | AstNode::Null => true,
        AstNode::Neg(inner) => matches!(**inner, AstNode::Numeric(..)),
        _ => false,
    }
}
