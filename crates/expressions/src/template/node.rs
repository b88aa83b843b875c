//! The syntax tree of an expression inside `${...}`.

use potok_core::Name;
use potok_core::value::Value;

use super::context::Member;
use super::method::Method;

#[derive(Debug)]
pub(crate) enum Node {
    Constant(Value),
    Variable(Name),
    /// `base.name` or `base[index]`, and the base as written.
    Property {
        base: Box<Node>,
        index: Box<Node>,
        written: Name,
    },
    Call {
        base: Box<Node>,
        method: Method,
        arguments: Vec<Node>,
        written: Name,
    },
    /// `execution.something` or `task.something()`.
    Context {
        member: Member,
        arguments: Vec<Node>,
    },
    Function {
        function: Function,
        arguments: Vec<Node>,
    },
    Not(Box<Node>),
    Negate(Box<Node>),
    Empty(Box<Node>),
    And(Box<(Node, Node)>),
    Or(Box<(Node, Node)>),
    Choice(Box<(Node, Node, Node)>),
    Arithmetic(Arithmetic, Box<(Node, Node)>),
    Compare(Comparison, Box<(Node, Node)>),
    /// `variable < 5`: the most common condition of all.
    CompareInteger(Comparison, Name, i64),
    /// `variable == 'text'`, and not equal.
    EqualsText {
        name: Name,
        text: Name,
        equal: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    /// The plain cases: what is exact and within 64 bits.
    #[inline]
    pub(crate) fn of_integers(self, left: i64, right: i64) -> Option<i64> {
        match self {
            Self::Add => left.checked_add(right),
            Self::Subtract => left.checked_sub(right),
            Self::Multiply => left.checked_mul(right),
            Self::Divide | Self::Remainder => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Functions that stand alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    /// `now()` and `dateTime()`.
    Now,
    /// `S(text)` and `JSON(text)`: JSON text as a value.
    Json,
    /// Flowable's `variables:exists(name)`.
    Exists,
    /// `variables:get(name)`.
    Get,
    /// `variables:getOrDefault(name, value)`.
    GetOrDefault,
    /// `variables:isEmpty(name)`.
    IsEmpty,
    /// `variables:isNotEmpty(name)`.
    IsNotEmpty,
    /// `variables:equals(name, value)` and its like.
    Compare(Comparison),
    /// `variables:contains(name, values...)`: all of them.
    ContainsAll,
    /// `variables:containsAny(name, values...)`.
    ContainsAny,
}

impl Node {
    /// The variables that the tree reads, into `names`; false if it may read any.
    pub(crate) fn reads(&self, names: &mut Vec<Name>) -> bool {
        let mut all = |nodes: &[&Node]| nodes.iter().all(|node| node.reads(names));
        match self {
            Self::Constant(_) => true,
            Self::Variable(name) | Self::CompareInteger(_, name, _) | Self::EqualsText { name, .. } => {
                names.push(name.clone());
                true
            }
            Self::Property { base, index, .. } => all(&[base, index]),
            Self::Not(inner) | Self::Negate(inner) | Self::Empty(inner) => inner.reads(names),
            Self::And(sides) | Self::Or(sides) | Self::Arithmetic(_, sides) | Self::Compare(_, sides) => {
                all(&[&sides.0, &sides.1])
            }
            Self::Choice(parts) => all(&[&parts.0, &parts.1, &parts.2]),
            Self::Call { base, arguments, .. } => {
                base.reads(names) && arguments.iter().all(|argument| argument.reads(names))
            }
            Self::Context { member, arguments } => {
                let named = match (member.reads_by_name(), arguments.first()) {
                    (false, _) => !member.reads_all(),
                    (true, Some(Self::Constant(Value::String(name)))) => {
                        names.push(name.clone());
                        true
                    }
                    (true, _) => false,
                };
                named && arguments.iter().all(|argument| argument.reads(names))
            }
            Self::Function { function, arguments } => {
                let named = match (function, arguments.first()) {
                    (Function::Now | Function::Json, _) => true,
                    (_, Some(Self::Constant(Value::String(name)))) => {
                        names.push(name.clone());
                        true
                    }
                    _ => false,
                };
                named && arguments.iter().all(|argument| argument.reads(names))
            }
        }
    }
}
