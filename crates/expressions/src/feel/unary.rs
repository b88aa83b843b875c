//! Unary tests: what the cells of a decision table ask of its input.

use dsntk_feel::values::Value as FeelValue;
use dsntk_feel_parser::AstNode;
use potok_core::expressions::CompileError;

use super::natives::{moment, null};
use super::prepare::{Prepared, prepare};
use super::tree::{children, mentions};
use super::{INPUT, equality, guard, parse, rewrite, roomy};

/// What a cell tests, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tested<'a> {
    /// The name of the input, besides [`INPUT`].
    pub(crate) name: &'a str,
    /// Whether an expression that is true fits whatever the input is, as in Camunda 7 and 8. In the standard it is a value that the input
    /// is compared with, unless it asks for `?` (DMN 1.5 §10.3.2.7).
    pub(crate) truth_fits: bool,
}

impl Tested<'_> {
    /// The condition that a cell's tests are.
    pub(super) fn by(self, prepared: &Prepared) -> Result<AstNode, CompileError> {
        Ok(match tests(prepared)? {
            AstNode::Irrelevant => AstNode::Boolean(true),
            AstNode::ExpressionList(items) => {
                // Parentheses leave no trace in the tree, and count in Camunda.
                let last = if prepared.text.ends_with(')') { items.len() } else { items.len().saturating_sub(1) };
                let (mut plain, mut conditions) = (Vec::new(), Vec::new());
                for (place, item) in items.into_iter().enumerate() {
                    match self.condition(item, place == last) {
                        Ok(condition) => conditions.push(condition),
                        Err(test) => plain.push(test),
                    }
                }
                let plain = (!plain.is_empty()).then(|| AstNode::In(input(), Box::new(AstNode::ExpressionList(plain))));
                any(plain.into_iter().chain(conditions))
            }
            AstNode::NegatedList(items) => {
                let held = items.into_iter().map(|item| self.condition(item, false).unwrap_or_else(held));
                rewrite::call("not", vec![any(held)])
            }
            tests => AstNode::In(input(), Box::new(tests)),
        })
    }

    /// The item if it is a condition by itself; else, as an error, the test of the input that it is.
    fn condition(self, mut item: AstNode, last: bool) -> Result<AstNode, AstNode> {
        // In Camunda a cell may call the input by its name without being a condition for that.
        if mentions(&mut item, INPUT) || !self.truth_fits && mentions(&mut item, self.name) {
            return Ok(item);
        }
        match item {
            _ if !self.truth_fits => Err(item),
            // Camunda takes these for a comparison only where nothing follows them, not even a closing parenthesis.
            AstNode::Boolean(_) if !last => Ok(fitting(item)),
            _ if is_plain(&item) => Err(item),
            _ => Ok(fitting(item)),
        }
    }
}

fn tests(prepared: &Prepared) -> Result<AstNode, CompileError> {
    parse(prepared, dsntk_feel_parser::parse_unary_tests)
}

fn input() -> Box<AstNode> {
    Box::new(AstNode::Name(INPUT.into()))
}

fn fitting(item: AstNode) -> AstNode {
    rewrite::call(rewrite::FITS, vec![*input(), item])
}

fn any(conditions: impl Iterator<Item = AstNode>) -> AstNode {
    conditions.reduce(|left, right| AstNode::Or(Box::new(left), Box::new(right))).unwrap_or(AstNode::Null)
}

/// Whether it is a test that needs no expression to be evaluated first, or is evaluated without the input.
fn is_plain(test: &AstNode) -> bool {
    let compares = is_comparison(test) || matches!(test, AstNode::Range(..) | AstNode::At(_));
    compares || rewrite::is_literal(test)
}

/// A test of the input as a condition, which is null where the test cannot be answered, so that its negation does not hold either
/// (DMN 1.5 §10.3.2.13). The library's own negation is true then.
fn held(test: AstNode) -> AstNode {
    match test {
        AstNode::UnaryLt(value) => AstNode::Lt(input(), value),
        AstNode::UnaryLe(value) => AstNode::Le(input(), value),
        AstNode::UnaryGt(value) => AstNode::Gt(input(), value),
        AstNode::UnaryGe(value) => AstNode::Ge(input(), value),
        AstNode::Range(start, end) => match (*start, *end) {
            (AstNode::IntervalStart(start, from), AstNode::IntervalEnd(end, to))
                if !from.undefined() && !to.undefined() =>
            {
                let left = if from.closed() { AstNode::Ge(input(), start) } else { AstNode::Gt(input(), start) };
                let right = if to.closed() { AstNode::Le(input(), end) } else { AstNode::Lt(input(), end) };
                AstNode::And(Box::new(left), Box::new(right))
            }
            (start, end) => AstNode::In(input(), Box::new(AstNode::Range(Box::new(start), Box::new(end)))),
        },
        literal @ (AstNode::Boolean(_) | AstNode::Null | AstNode::Numeric(..) | AstNode::String(_)) => {
            AstNode::Eq(input(), Box::new(literal))
        }
        other => AstNode::In(input(), Box::new(other)),
    }
}

/// Whether the input fits what an expression gives, where what is true always fits: else a value that it is equal to, or a list that
/// holds it.
pub(super) fn fits(arguments: &[FeelValue]) -> FeelValue {
    let [input, given] = arguments else { return null("an input is tested by a value") };
    let equals = |value: &FeelValue| {
        let sides = [input, value].map(|side| moment(std::slice::from_ref(side)));
        guard::spend(value);
        equality::equal(&sides)
    };
    match given {
        FeelValue::Boolean(true) => FeelValue::Boolean(true),
        FeelValue::Boolean(false) => FeelValue::Boolean(equals(given).is_true()),
        FeelValue::List(items) => {
            FeelValue::Boolean(items.iter().any(|item| equals(item).is_true()) || equals(given).is_true())
        }
        _ => equals(given),
    }
}

/// Why a cell hardly means what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// A comparison that is joined to another has nothing on its left, so that it is neither true nor false.
    NothingOnTheLeft,
    /// One of its tests can only be true or false, and does not ask for the input: by the standard the input is compared with that.
    InputOverlooked,
}

/// What there is to doubt of a cell.
pub(crate) fn doubt(text: &str, known: &[&str], name: &str) -> Option<Doubt> {
    let found = prepare(text, known).and_then(|prepared| {
        roomy(prepared.depth, || {
            let (AstNode::ExpressionList(mut items) | AstNode::NegatedList(mut items)) = tests(&prepared)? else {
                return Ok(None);
            };
            let overlooks = |item: &mut AstNode| is_condition(item) && !mentions(item, INPUT) && !mentions(item, name);
            Ok(if items.iter_mut().any(lacks_left_side) {
                Some(Doubt::NothingOnTheLeft)
            } else {
                items.iter_mut().any(overlooks).then_some(Doubt::InputOverlooked)
            })
        })
    });
    found.ok().flatten()
}

fn lacks_left_side(node: &mut AstNode) -> bool {
    use AstNode as A;
    let lacks = match &*node {
        A::And(left, right) | A::Or(left, right) => is_comparison(left) || is_comparison(right),
        A::UnaryLt(value) | A::UnaryLe(value) | A::UnaryGt(value) | A::UnaryGe(value) => {
            matches!(**value, A::And(..) | A::Or(..))
        }
        _ => false,
    };
    lacks || children(node).into_iter().any(lacks_left_side)
}

/// Whether it compares the input without naming it.
fn is_comparison(test: &AstNode) -> bool {
    use AstNode as A;
    matches!(test, A::UnaryEq(_) | A::UnaryNe(_) | A::UnaryLt(_) | A::UnaryLe(_) | A::UnaryGt(_) | A::UnaryGe(_))
}

/// Whether an expression can only be true, false or null.
fn is_condition(node: &AstNode) -> bool {
    use AstNode as A;
    match node {
        A::Lt(..) | A::Le(..) | A::Gt(..) | A::Ge(..) | A::Eq(..) | A::Nq(..) | A::And(..) | A::Or(..) => true,
        A::Between(..) | A::In(..) | A::InstanceOf(..) | A::Some(..) | A::Every(..) => true,
        A::If(_, then, otherwise) => {
            [then, otherwise].iter().all(|node| matches!(***node, A::Boolean(_)) || is_condition(node))
        }
        A::FunctionInvocation(callee, _) => matches!(
            &**callee,
            A::Name(name) if matches!(
                name.as_str(),
                "not" | "all" | "any" | "list contains" | "contains" | "starts with" | "ends with" | "matches" | "is" | "even"
                    | "odd" | "is defined" | "is blank" | "is empty" | "is working time" | "before" | "after" | "meets" | "met by"
                    | "overlaps" | "overlaps before" | "overlaps after" | "finishes" | "finished by" | "includes" | "during"
                    | "starts" | "started by" | "coincides"
            )
        ),
        _ => false,
    }
}
