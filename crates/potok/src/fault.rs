//! Errors, sorted by what their caller can do about them.

use potok_core::step::Rejection;
use potok_store::StoreError;

use crate::Error;

/// What kind of trouble an [`Error`] is: what its caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// What was asked for makes no sense: ask otherwise.
    Invalid,
    /// It is larger than allowed.
    TooLarge,
    /// What it is about is not there.
    Unknown,
    /// It is not known who asks: sign in.
    Unauthenticated,
    /// The caller has asked too often: wait.
    TooMany,
    /// The caller has no right to it.
    Forbidden,
    /// It does not go with how things are now: look again.
    Conflict,
    /// It is not what the caller took it for: look again.
    Changed,
    /// It may go the next time: nothing was changed.
    Unavailable,
    /// Whether it was done is not known.
    Uncertain,
    /// Something is wrong with the engine or its database.
    Internal,
}

impl Error {
    /// What kind of trouble it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Store(error) => of_store(error),
            Self::Rejected(rejection) => of_rejection(rejection),
            Self::OutcomeUnknown => Fault::Uncertain,
            Self::Refused(_)
            | Self::Unreadable { .. }
            | Self::NothingToDeploy
            | Self::Undecided { .. }
            | Self::ConditionFailed { .. }
            | Self::OtherDefinition { .. }
            | Self::MisplacedInstruction(_)
            | Self::KeyReused(_)
            | Self::NoVariables
            | Self::TenantNeeded
            | Self::TokenExpired(_)
            | Self::UnfitPassword { .. }
            | Self::UnknownEvent(_)
            | Self::UnfitAddress { .. }
            | Self::Variable { .. } => Fault::Invalid,
            Self::BatchTooLarge { .. } => Fault::TooLarge,
            Self::UnknownProcess(_)
            | Self::UnknownDefinition(_)
            | Self::NotDeployed(_)
            | Self::UnknownInstance(_)
            | Self::UnknownDeployment(_)
            | Self::UnknownTask(_)
            | Self::UnknownGroup(_)
            | Self::NobodyWaits(_)
            | Self::NoConditions
            | Self::UnknownTimer(_)
            | Self::UnknownJob(_)
            | Self::UnknownIncident(_)
            | Self::UnknownBatch(_)
            | Self::UnknownUser(_)
            | Self::UnknownSearch(_)
            | Self::UnknownWebhook(_)
            | Self::UnknownDelivery(_)
            | Self::UnknownToken(_) => Fault::Unknown,
            Self::NotAuthenticated => Fault::Unauthenticated,
            Self::TooManyAttempts { .. } => Fault::TooMany,
            Self::Forbidden { .. } | Self::ForeignTenant(_) => Fault::Forbidden,
            Self::ProcessSuspended(_)
            | Self::BusinessKeyTaken { .. }
            | Self::InstanceRuns(_)
            | Self::InstanceCalled { .. }
            | Self::DeploymentInUse { .. }
            | Self::DefinitionInUse { .. }
            | Self::InstanceSuspended(_)
            | Self::TaskClaimed { .. }
            | Self::TaskOfProcess(_)
            | Self::LastAdministrator
            | Self::LastTenant(_)
            | Self::TooManySearches { .. }
            | Self::LeaseLost(_)
            | Self::Ambiguous(_)
            | Self::Stuck { .. }
            | Self::MessageRepeated(_)
            | Self::InstanceActive(_)
            | Self::BatchState { .. }
            | Self::Repeated
            | Self::NothingToDo => Fault::Conflict,
            Self::TaskChanged(_)
            | Self::VariablesChanged(_)
            | Self::UserChanged(_)
            | Self::GroupChanged(_)
            | Self::SearchChanged(_)
            | Self::CommentChanged(_) => Fault::Changed,
            Self::Contended(_) | Self::Stopped => Fault::Unavailable,
            Self::Damaged { .. } | Self::Unusable { .. } | Self::Unhashable(_) | Self::NoRandomness(_) => {
                Fault::Internal
            }
        }
    }
}

fn of_rejection(rejection: &Rejection) -> Fault {
    match rejection {
        Rejection::Unknown(_) | Rejection::UnknownScope(..) | Rejection::UnknownToken(..) => Fault::Unknown,
        Rejection::AlreadyStarted(_)
        | Rejection::NotActive(_)
        | Rejection::AdHocBusy(_)
        | Rejection::AdHocEnding(_)
        | Rejection::NothingThere(_)
        | Rejection::NotComputed(..)
        | Rejection::ScopeNotOpen(_) => Fault::Conflict,
        Rejection::WrongKind { .. }
        | Rejection::AdHocSequential(_)
        | Rejection::UnknownElement { .. }
        | Rejection::NoNoneStart(_)
        | Rejection::Value(..)
        | Rejection::NoInstructions
        | Rejection::NotStartable { .. }
        | Rejection::AmbiguousScope { .. }
        | Rejection::OutsideScope { .. }
        | Rejection::InsideLoop { .. }
        | Rejection::Migration(_)
        | Rejection::NoLocalScope(_) => Fault::Invalid,
    }
}

fn of_store(error: &StoreError) -> Fault {
    match error {
        StoreError::InvalidCursor => Fault::Invalid,
        StoreError::TooLarge { .. } => Fault::TooLarge,
        StoreError::Unavailable(_) | StoreError::Full(_) => Fault::Unavailable,
        StoreError::OutcomeUnknown(_) => Fault::Uncertain,
        // What else is wrong with a database is nothing that a caller can mend.
        _ => Fault::Internal,
    }
}
