//! Gateways: where flows part or meet.

use super::Expression;

/// The kinds of gateway.
#[derive(Clone, Debug)]
pub enum Gateway {
    /// One of the flows out.
    Exclusive,
    /// All flows out; waits for all flows in.
    Parallel,
    /// Every flow out whose condition holds; waits for all that can still arrive.
    Inclusive,
    /// Waits as its activation condition says.
    Complex {
        /// Counts tokens (`activationCount`) and sees the tokens of each flow by the flow's id.
        activation_condition: Option<Expression>,
    },
    /// The event that occurs first chooses the flow.
    EventBased {
        /// Its events start the process.
        instantiate: bool,
        /// All events must occur (only when instantiating).
        parallel: bool,
    },
}
