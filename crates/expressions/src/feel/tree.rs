//! Walking the library's syntax tree.

use dsntk_feel_parser::AstNode;

/// The nodes right below a node, in the order of the text.
pub(crate) fn children(node: &mut AstNode) -> Vec<&mut AstNode> {
    use AstNode as A;
    match node {
        A::Add(a, b)
        | A::And(a, b)
        | A::ContextEntry(a, b)
        | A::ContextTypeEntry(a, b)
        | A::Div(a, b)
        | A::Eq(a, b)
        | A::Every(a, b)
        | A::Exp(a, b)
        | A::Filter(a, b)
        | A::For(a, b)
        | A::FormalParameter(a, b)
        | A::FunctionDefinition(a, b)
        | A::FunctionInvocation(a, b)
        | A::FunctionType(a, b)
        | A::Ge(a, b)
        | A::Gt(a, b)
        | A::In(a, b)
        | A::InstanceOf(a, b)
        | A::IterationContextSingle(a, b)
        | A::Le(a, b)
        | A::Lt(a, b)
        | A::Mul(a, b)
        | A::NamedParameter(a, b)
        | A::Nq(a, b)
        | A::Or(a, b)
        | A::Out(a, b)
        | A::Path(a, b)
        | A::QuantifiedContext(a, b)
        | A::Range(a, b)
        | A::Some(a, b)
        | A::Sub(a, b) => vec![&mut **a, &mut **b],
        A::Between(a, b, c) | A::If(a, b, c) | A::IterationContextInterval(a, b, c) => {
            vec![&mut **a, &mut **b, &mut **c]
        }
        A::EvaluatedExpression(a)
        | A::FunctionBody(a, _)
        | A::IntervalEnd(a, _)
        | A::IntervalStart(a, _)
        | A::ListType(a)
        | A::Neg(a)
        | A::RangeType(a)
        | A::Satisfies(a)
        | A::UnaryGe(a)
        | A::UnaryGt(a)
        | A::UnaryLe(a)
        | A::UnaryLt(a)
        | A::UnaryEq(a)
        | A::UnaryNe(a) => vec![&mut **a],
        A::CommaList(items)
        | A::Context(items)
        | A::ContextType(items)
        | A::ExpressionList(items)
        | A::FormalParameters(items)
        | A::IterationContexts(items)
        | A::List(items)
        | A::NamedParameters(items)
        | A::NegatedList(items)
        | A::ParameterTypes(items)
        | A::PositionalParameters(items)
        | A::QualifiedName(items)
        | A::QuantifiedContexts(items) => items.iter_mut().collect(),
        A::At(_)
        | A::Boolean(_)
        | A::ContextEntryKey(_)
        | A::ContextTypeEntryKey(_)
        | A::FeelType(_)
        | A::Irrelevant
        | A::Name(_)
        | A::Null
        | A::Numeric(..)
        | A::ParameterName(_)
        | A::QualifiedNameSegment(_)
        | A::String(_) => Vec::new(),
    }
}

/// Whether a name stands somewhere in the tree.
pub(crate) fn mentions(node: &mut AstNode, wanted: &str) -> bool {
    matches!(node, AstNode::Name(name) if name.as_str() == wanted)
        || children(node).into_iter().any(|child| mentions(child, wanted))
}
