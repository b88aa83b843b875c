//! Why a migration is not possible.

use crate::Name;

/// What is wrong with a mapping, or with what has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationProblemKind {
    /// The source has no such flow node.
    SourceUnknown,
    /// The target has no such flow node.
    TargetUnknown,
    /// The two are of different kinds.
    KindDiffers,
    /// The one repeats in another way than the other.
    LoopDiffers,
    /// The sub-processes around the two do not correspond.
    ScopeDiffers,
    /// The activities that the two boundary events sit on do not correspond.
    ActivityDiffers,
    /// The two events wait for different kinds of things.
    EventDiffers,
    /// The one can be compensated and the other cannot.
    CompensationDiffers,
    /// Something stands there, and the plan says not where it goes.
    NotMapped,
    /// A token waits at a join, or to take a flow, that is not the target's.
    FlowMissing,
    /// A listener is being called that the target has not.
    ListenerMissing,
    /// A complex gateway waits for its reset.
    GatewayWaits,
    /// Nothing that an event-based gateway waits for is left.
    EventsMissing,
    /// An event that is new there cannot be waited for: its expressions fail.
    EventFails,
}

impl MigrationProblemKind {
    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::SourceUnknown => "migration-source-unknown",
            Self::TargetUnknown => "migration-target-unknown",
            Self::KindDiffers => "migration-kind-differs",
            Self::LoopDiffers => "migration-loop-differs",
            Self::ScopeDiffers => "migration-scope-differs",
            Self::ActivityDiffers => "migration-activity-differs",
            Self::EventDiffers => "migration-event-differs",
            Self::CompensationDiffers => "migration-compensation-differs",
            Self::NotMapped => "migration-not-mapped",
            Self::FlowMissing => "migration-flow-missing",
            Self::ListenerMissing => "migration-listener-missing",
            Self::GatewayWaits => "migration-gateway-waits",
            Self::EventsMissing => "migration-events-missing",
            Self::EventFails => "migration-event-fails",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::SourceUnknown => "the process that it comes from has no such flow node",
            Self::TargetUnknown => "the process that it goes to has no such flow node",
            Self::KindDiffers => "the two are of different kinds",
            Self::LoopDiffers => "the one repeats in another way than the other",
            Self::ScopeDiffers => "what contains the one must be mapped to what contains the other",
            Self::ActivityDiffers => "the activity of the one boundary event must be mapped to that of the other",
            Self::EventDiffers => "the two events wait for different kinds of things",
            Self::CompensationDiffers => "it has completed and can be compensated, and the other cannot",
            Self::NotMapped => "something of the instance stands there: say where it goes, or end it first",
            Self::FlowMissing => "a token has come there by a flow that does not lead to the same place",
            Self::ListenerMissing => "one of its listeners is being called that the other has not",
            Self::GatewayWaits => "the complex gateway has fired and waits for the rest",
            Self::EventsMissing => "nothing is left that could occur after the gateway",
            Self::EventFails => "what the instance would have to wait for from now on cannot be computed",
        }
    }
}

/// One reason why a migration is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}{}", self.place(), self.kind.words(), self.detail())]
pub struct MigrationProblem {
    /// What is wrong.
    pub kind: MigrationProblemKind,
    /// The id of the flow node that it is about, as the plan or the source calls it.
    pub from: Name,
    /// The id of the flow node that it is mapped to.
    pub to: Option<Name>,
    /// More of it, in words.
    pub detail: Option<Name>,
}

impl MigrationProblem {
    pub(crate) fn new(kind: MigrationProblemKind, from: &Name, to: Option<&Name>) -> Self {
        Self { kind, from: from.clone(), to: to.cloned(), detail: None }
    }

    fn place(&self) -> String {
        match &self.to {
            Some(to) if *to != self.from => format!("`{}` to `{to}`", self.from),
            _ => format!("`{}`", self.from),
        }
    }

    fn detail(&self) -> String {
        self.detail.as_ref().map_or_else(String::new, |detail| format!(": {detail}"))
    }
}
