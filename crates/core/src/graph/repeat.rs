//! How activities repeat, as steps read it.

use super::{Expression, Mapping, MappingSource, Throw};
use crate::Name;
use crate::dialect::Continuation;
use crate::model::MultiInstanceBehavior;

/// How an activity repeats.
#[derive(Debug)]
pub enum Loop {
    /// A standard loop.
    Standard {
        /// Tested before the first round.
        test_before: bool,
        /// At most this many rounds.
        maximum: Option<u32>,
        /// Goes on while this holds.
        condition: Option<Expression>,
    },
    /// Multi-instance.
    MultiInstance(Box<MultiInstance>),
}

/// Multi-instance characteristics.
#[derive(Debug)]
pub struct MultiInstance {
    /// One after the other.
    pub sequential: bool,
    /// How many.
    pub cardinality: Option<Expression>,
    /// The items.
    pub collection: Option<Expression>,
    /// What the data associations of the loop's input give, which the collection sees.
    pub inputs: Vec<Mapping>,
    /// The variable for each item.
    pub element_variable: Option<Name>,
    /// The variable for each index.
    pub index_variable: Option<Name>,
    /// The name of the results.
    pub output_collection: Option<Name>,
    /// Where the results go, which are seen under that name: the data associations of the loop's output, if it has any.
    pub outputs: Vec<Mapping>,
    /// What each round contributes.
    pub output_element: Option<MappingSource>,
    /// The variable of a round that is its result, declared in the round's scope.
    pub output_variable: Option<Name>,
    /// What a round sets stays with it, and one that has not completed leaves no gap among the results (Flowable's aggregation).
    pub aggregates: bool,
    /// Ends the whole when it holds.
    pub completion_condition: Option<Expression>,
    /// Which events are thrown as rounds complete.
    pub behavior: MultiInstanceBehavior,
    /// Thrown for `One` and `None`.
    pub event: Option<Throw>,
    /// (condition, events) pairs of `Complex`.
    pub complex: Vec<(Expression, Vec<Throw>)>,
    /// Counting starts here.
    pub first_counter: u32,
    /// Each round is a unit of work.
    pub continuation: Continuation,
    /// How often, and when, what follows a savepoint of a round is tried again.
    pub retry_cycle: Option<Expression>,
    /// Its rounds only pass, and nothing asks for their number: they need no scope of their own.
    pub bare: bool,
}

impl MultiInstance {
    /// Nothing in its rounds or at their ends looks at a variable of theirs.
    pub(super) fn asks_for_nothing(&self) -> bool {
        self.element_variable.is_none()
            && self.index_variable.is_none()
            && self.output_element.is_none()
            && self.output_variable.is_none()
            && self.completion_condition.is_none()
            && self.event.is_none()
            && self.complex.is_empty()
            && !self.continuation.cuts()
    }
}
