//! What a test without a left side compares with is a whole sum: `> x - 1` tests for more than `x - 1` (DMN 1.5 §10.3.1.2,
//! rules 7 and 12). The library's parser ends it at the first operator.

use dsntk_feel_parser::AstNode;

use super::rewrite::take;
use super::tree::children;

/// Lets each such test reach as far as its sum does.
pub(super) fn extend(node: &mut AstNode) {
    children(node).into_iter().for_each(extend);
    let (AstNode::Add(left, _)
    | AstNode::Sub(left, _)
    | AstNode::Mul(left, _)
    | AstNode::Div(left, _)
    | AstNode::Exp(left, _)) = node
    else {
        return;
    };
    let (test, endpoint): (fn(Box<AstNode>) -> AstNode, _) = match &mut **left {
        AstNode::UnaryEq(endpoint) => (AstNode::UnaryEq, endpoint),
        AstNode::UnaryNe(endpoint) => (AstNode::UnaryNe, endpoint),
        AstNode::UnaryLt(endpoint) => (AstNode::UnaryLt, endpoint),
        AstNode::UnaryLe(endpoint) => (AstNode::UnaryLe, endpoint),
        AstNode::UnaryGt(endpoint) => (AstNode::UnaryGt, endpoint),
        AstNode::UnaryGe(endpoint) => (AstNode::UnaryGe, endpoint),
        _ => return,
    };
    let first = take(endpoint);
    **left = first;
    *node = test(Box::new(take(node)));
}
