//! Which trees are plain: those become what [`Fast`] evaluates, all others are left to the library.

use dsntk_feel::bif::is_built_in_function_name;
use dsntk_feel_parser::AstNode;
use potok_core::Name;

use super::exact::Exact;
use super::fast::{Arithmetic, Comparison, Constant, Fast, Test};

/// Compiles a tree if all of it is plain. `variable` gives the variable that a free name stands for.
pub(crate) fn compile(node: &AstNode, variable: &dyn Fn(&str) -> Name) -> Option<Fast> {
    let inner = |node: &AstNode| compile(node, variable);
    let pair = |left: &AstNode, right: &AstNode| Some(Box::new((inner(left)?, inner(right)?)));
    let compare = |comparison, left: &AstNode, right: &AstNode| Some(comparing(comparison, *pair(left, right)?));
    match node {
        AstNode::Name(name) => {
            Some(Fast::Variable { name: variable(name.as_str()), built_in: is_built_in_function_name(name.as_str()) })
        }
        AstNode::Path(value, entry) => {
            let AstNode::Name(entry) = &**entry else { return None };
            let (name, mut entries) = match inner(value)? {
                Fast::Variable { name, built_in: false } => (name, Vec::new()),
                Fast::Path(name, entries) => (name, entries),
                _ => return None,
            };
            entries.push(entry.as_str().into());
            Some(Fast::Path(name, entries))
        }
        AstNode::Add(left, right) => Some(Fast::Arithmetic(Arithmetic::Add, pair(left, right)?)),
        AstNode::Sub(left, right) => Some(Fast::Arithmetic(Arithmetic::Subtract, pair(left, right)?)),
        AstNode::Mul(left, right) => Some(Fast::Arithmetic(Arithmetic::Multiply, pair(left, right)?)),
        AstNode::Div(left, right) => Some(Fast::Arithmetic(Arithmetic::Divide, pair(left, right)?)),
        AstNode::Eq(left, right) => compare(Comparison::Equal, left, right),
        AstNode::Nq(left, right) => compare(Comparison::NotEqual, left, right),
        AstNode::Lt(left, right) => compare(Comparison::Less, left, right),
        AstNode::Le(left, right) => compare(Comparison::LessOrEqual, left, right),
        AstNode::Gt(left, right) => compare(Comparison::Greater, left, right),
        AstNode::Ge(left, right) => compare(Comparison::GreaterOrEqual, left, right),
        AstNode::And(left, right) => Some(Fast::And(pair(left, right)?)),
        AstNode::Or(left, right) => Some(Fast::Or(pair(left, right)?)),
        AstNode::If(condition, then, otherwise) => {
            Some(Fast::If(Box::new((inner(condition)?, inner(then)?, inner(otherwise)?))))
        }
        AstNode::FunctionInvocation(callee, parameters) => {
            let (AstNode::Name(function), AstNode::PositionalParameters(parameters)) = (&**callee, &**parameters)
            else {
                return None;
            };
            match (function.as_str(), &parameters[..]) {
                ("not", [value]) => Some(Fast::Not(Box::new(inner(value)?))),
                ("is defined", [AstNode::Name(name)]) => Some(Fast::Has(variable(name.as_str()))),
                _ => None,
            }
        }
        AstNode::In(value, tests) => {
            let value = Box::new(inner(value)?);
            let (tests, single): (Option<Vec<_>>, bool) = match &**tests {
                AstNode::ExpressionList(items) | AstNode::List(items) => (items.iter().map(test).collect(), false),
                one => (test(one).map(|test| vec![test]), true),
            };
            Some(Fast::In { value, tests: tests?, single })
        }
        AstNode::Neg(value) => match constant(node) {
            Some(constant) => Some(Fast::Constant(constant)),
            None => Some(Fast::Negate(Box::new(inner(value)?))),
        },
        other => constant(other).map(Fast::Constant),
    }
}

fn comparing(comparison: Comparison, sides: (Fast, Fast)) -> Fast {
    use Fast::{Constant as Fixed, Variable};
    match (&sides.0, &sides.1) {
        (Variable { name, built_in }, Fixed(Constant::Number(number))) => {
            if let Some(number) = number.integer() {
                return Fast::CompareInteger { comparison, name: name.clone(), built_in: *built_in, number };
            }
        }
        (Fixed(Constant::Number(number)), Variable { name, built_in }) => {
            if let Some(number) = number.integer() {
                let comparison = comparison.mirrored();
                return Fast::CompareInteger { comparison, name: name.clone(), built_in: *built_in, number };
            }
        }
        (Variable { name, built_in }, Fixed(Constant::Text(text)))
        | (Fixed(Constant::Text(text)), Variable { name, built_in })
            if matches!(comparison, Comparison::Equal | Comparison::NotEqual) =>
        {
            let equal = comparison == Comparison::Equal;
            return Fast::EqualsText { name: name.clone(), built_in: *built_in, text: text.clone(), equal };
        }
        _ => {}
    }
    Fast::Compare(comparison, Box::new(sides))
}

fn constant(node: &AstNode) -> Option<Constant> {
    match node {
        AstNode::Null => Some(Constant::Null),
        AstNode::Boolean(value) => Some(Constant::Boolean(*value)),
        AstNode::String(text) => Some(Constant::Text(text.as_str().into())),
        AstNode::Numeric(before, after, _, exponent) if exponent.is_empty() => {
            Exact::parse(before, after).map(Constant::Number)
        }
        AstNode::Neg(inner) => match constant(inner)? {
            Constant::Number(number) => number.negate().map(Constant::Number),
            _ => None,
        },
        _ => None,
    }
}

fn test(node: &AstNode) -> Option<Test> {
    let compare = |comparison, value: &AstNode| Some(Test::Compare(comparison, ordered(value)?));
    match node {
        AstNode::UnaryLt(value) => compare(Comparison::Less, value),
        AstNode::UnaryLe(value) => compare(Comparison::LessOrEqual, value),
        AstNode::UnaryGt(value) => compare(Comparison::Greater, value),
        AstNode::UnaryGe(value) => compare(Comparison::GreaterOrEqual, value),
        AstNode::Range(start, end) => {
            let (AstNode::IntervalStart(start, from), AstNode::IntervalEnd(end, to)) = (&**start, &**end) else {
                return None;
            };
            if from.undefined() || to.undefined() {
                return None;
            }
            let (start, end) = (ordered(start)?, ordered(end)?);
            let same = std::mem::discriminant(&start) == std::mem::discriminant(&end);
            same.then_some(Test::Between { start, start_closed: from.closed(), end, end_closed: to.closed() })
        }
        other => constant(other).map(Test::Equal),
    }
}

/// A constant that has an order.
fn ordered(node: &AstNode) -> Option<Constant> {
    constant(node).filter(|constant| matches!(constant, Constant::Number(_) | Constant::Text(_)))
}
