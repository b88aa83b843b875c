//! `for`, `some` and `every` without the library's own `for`.
//!
//! The library copies all earlier results at every round of a `for`, and of several lists it goes through every
//! combination even when one is empty or the answer is known. So each list gets a quantifier of its own, and a `for`
//! becomes an `every` whose rounds put their results aside:
//! `for x in a, y in b return c` is `collected(begin(), every x in a satisfies every y in b satisfies put(c))`.
//!
//! Nor does the library look beyond a condition that is null, though a later round may decide (DMN 1.5 §10.3.2.15). So quantifiers, too,
//! only put aside what they find: `some x in a satisfies c` is `some(begin(), every x in a satisfies seek true(c))`, which ends at the
//! first `true`.

use std::cell::RefCell;
use std::cmp::Ordering;

use dsntk_feel::values::Value as FeelValue;
use dsntk_feel::{FeelNumber, Name as FeelName};
use dsntk_feel_parser::AstNode;
use dsntk_feel_temporal::FeelDate;

use super::convert::MAX_ELEMENTS;
use super::guard;
use super::natives::null;

pub(crate) const BEGIN: &str = "\u{1}begin";
pub(crate) const PUT: &str = "\u{1}put";
pub(crate) const COLLECTED: &str = "\u{1}collected";
pub(crate) const SEEK_TRUE: &str = "\u{1}seek true";
pub(crate) const SEEK_FALSE: &str = "\u{1}seek false";
pub(crate) const SOME: &str = "\u{1}some";
pub(crate) const EVERY: &str = "\u{1}every";
pub(crate) const EARLIER: &str = "\u{1}earlier";
pub(crate) const INTERVAL: &str = "\u{1}interval";
pub(crate) const RANGE: &str = "\u{1}range";

/// The name by which a round reads the results before it (DMN 1.5 §10.3.2.14).
pub(crate) const PARTIAL: &str = "partial";

/// A `for` that is under way: its results so far, or none if it goes over something that has no elements.
pub(crate) type Rounds = Option<Vec<FeelValue>>;

thread_local! {
    static UNDER_WAY: RefCell<Vec<Rounds>> = const { RefCell::new(Vec::new()) };
}

/// Puts others in the place of the loops that are under way.
pub(crate) fn exchange(rounds: Vec<Rounds>) -> Vec<Rounds> {
    UNDER_WAY.replace(rounds)
}

fn call(function: &str, arguments: Vec<AstNode>) -> AstNode {
    let name = AstNode::Name(FeelName::from(function));
    AstNode::FunctionInvocation(Box::new(name), Box::new(AstNode::PositionalParameters(arguments)))
}

/// A `for` over these lists with this body, which may read the earlier results.
pub(crate) fn collect(contexts: AstNode, body: AstNode, reads_earlier: bool) -> AstNode {
    let mut round = call(PUT, vec![body]);
    if reads_earlier {
        let earlier = AstNode::List(vec![call(EARLIER, Vec::new())]);
        round = quantified(AstNode::Name(PARTIAL.into()), earlier, round);
    }
    call(COLLECTED, vec![call(BEGIN, Vec::new()), nest(contexts, round)])
}

/// A `some` over these lists with this condition.
pub(crate) fn some_of(contexts: AstNode, condition: AstNode) -> AstNode {
    call(SOME, vec![call(BEGIN, Vec::new()), nest(contexts, call(SEEK_TRUE, vec![condition]))])
}

/// An `every` over these lists with this condition.
pub(crate) fn every_of(contexts: AstNode, condition: AstNode) -> AstNode {
    call(EVERY, vec![call(BEGIN, Vec::new()), nest(contexts, call(SEEK_FALSE, vec![condition]))])
}

/// One `every` in another, for each list one.
fn nest(contexts: AstNode, innermost: AstNode) -> AstNode {
    let (AstNode::IterationContexts(contexts) | AstNode::QuantifiedContexts(contexts)) = contexts else {
        return AstNode::Null;
    };
    contexts.into_iter().rev().fold(innermost, |inner, context| match context {
        AstNode::IterationContextInterval(variable, start, end) => {
            quantified(*variable, call(INTERVAL, vec![*start, *end]), inner)
        }
        AstNode::IterationContextSingle(variable, domain) | AstNode::QuantifiedContext(variable, domain) => {
            quantified(*variable, elements(*domain), inner)
        }
        _ => inner,
    })
}

fn quantified(variable: AstNode, domain: AstNode, inner: AstNode) -> AstNode {
    let context = AstNode::QuantifiedContext(Box::new(variable), Box::new(domain));
    let contexts = AstNode::QuantifiedContexts(vec![context]);
    AstNode::Every(Box::new(contexts), Box::new(AstNode::Satisfies(Box::new(inner))))
}

/// A range with both its ends stands for its elements.
fn elements(domain: AstNode) -> AstNode {
    let AstNode::Range(start, end) = domain else { return domain };
    match (*start, *end) {
        (AstNode::IntervalStart(start, from), AstNode::IntervalEnd(end, to)) if from.closed() && to.closed() => {
            call(RANGE, vec![*start, *end])
        }
        _ => call(RANGE, vec![AstNode::Null, AstNode::Null]),
    }
}

pub(crate) fn begin(_: &[FeelValue]) -> FeelValue {
    UNDER_WAY.with_borrow_mut(|under_way| under_way.push(Some(Vec::new())));
    FeelValue::Boolean(true)
}

pub(crate) fn put(arguments: &[FeelValue]) -> FeelValue {
    guard::spend(&arguments[0]);
    UNDER_WAY.with_borrow_mut(|under_way| {
        if let Some(Some(results)) = under_way.last_mut() {
            results.push(arguments[0].clone());
        }
    });
    FeelValue::Boolean(true)
}

pub(crate) fn collected(_: &[FeelValue]) -> FeelValue {
    match UNDER_WAY.with_borrow_mut(Vec::pop).flatten() {
        Some(results) => FeelValue::List(results),
        None => null("`for` wants lists, or intervals of numbers or dates"),
    }
}

pub(crate) fn seek_true(arguments: &[FeelValue]) -> FeelValue {
    seek(true, &arguments[0])
}

pub(crate) fn seek_false(arguments: &[FeelValue]) -> FeelValue {
    seek(false, &arguments[0])
}

/// Puts aside what decides, or once that nothing is known; goes on unless it is decided.
fn seek(decisive: bool, found: &FeelValue) -> FeelValue {
    guard::spend(found);
    let decides = is_boolean(decisive, found);
    if decides || !matches!(found, FeelValue::Boolean(_)) {
        UNDER_WAY.with_borrow_mut(|under_way| {
            if let Some(Some(results)) = under_way.last_mut()
                && (decides || results.is_empty())
            {
                results.push(if decides { FeelValue::Boolean(decisive) } else { FeelValue::Null(None) });
            }
        });
    }
    FeelValue::Boolean(!decides)
}

fn is_boolean(wanted: bool, value: &FeelValue) -> bool {
    matches!(value, FeelValue::Boolean(value) if *value == wanted)
}

pub(crate) fn some(_: &[FeelValue]) -> FeelValue {
    decided(true)
}

pub(crate) fn every(_: &[FeelValue]) -> FeelValue {
    decided(false)
}

fn decided(decisive: bool) -> FeelValue {
    match UNDER_WAY.with_borrow_mut(Vec::pop).flatten() {
        Some(results) if results.is_empty() => FeelValue::Boolean(!decisive),
        Some(results) if results.iter().any(|result| is_boolean(decisive, result)) => FeelValue::Boolean(decisive),
        _ => null("`some` and `every` want conditions that are true or false"),
    }
}

pub(crate) fn earlier(_: &[FeelValue]) -> FeelValue {
    guard::tick();
    FeelValue::List(UNDER_WAY.with_borrow(|under_way| under_way.last().cloned().flatten()).unwrap_or_default())
}

/// The elements of `start..end`, which may go down.
pub(crate) fn interval(arguments: &[FeelValue]) -> FeelValue {
    steps(arguments, true)
}

/// The elements of `[start..end]`, which may not.
pub(crate) fn range(arguments: &[FeelValue]) -> FeelValue {
    steps(arguments, false)
}

fn steps(arguments: &[FeelValue], may_go_down: bool) -> FeelValue {
    let items = match (&arguments[0], &arguments[1]) {
        (FeelValue::Number(start), FeelValue::Number(end)) if may_go_down || start <= end => {
            let one = FeelNumber::one();
            let down = start > end;
            let next = move |number: &FeelNumber| Some(if down { *number - one } else { *number + one });
            walk(*start, end, next, FeelValue::Number)
        }
        (FeelValue::Date(start), FeelValue::Date(end)) if may_go_down || start <= end => {
            let down = start > end;
            let next = move |date: &FeelDate| if down { date.sub_days(1) } else { date.add_days(1) };
            walk(start.clone(), end, next, FeelValue::Date)
        }
        _ => {
            UNDER_WAY.with_borrow_mut(|under_way| {
                if let Some(rounds) = under_way.last_mut() {
                    *rounds = None;
                }
            });
            Vec::new()
        }
    };
    FeelValue::List(items)
}

fn walk<T: Clone + PartialOrd>(
    start: T,
    end: &T,
    next: impl Fn(&T) -> Option<T>,
    value: fn(T) -> FeelValue,
) -> Vec<FeelValue> {
    let beyond = if start > *end { Ordering::Less } else { Ordering::Greater };
    let mut items = Vec::new();
    let mut current = Some(start);
    while let Some(item) = current.filter(|item| item.partial_cmp(end) != Some(beyond)) {
        if items.len() == MAX_ELEMENTS {
            guard::exceed("many steps");
        }
        current = next(&item);
        let item = value(item);
        guard::spend(&item);
        items.push(item);
    }
    items
}
