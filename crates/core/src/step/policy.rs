//! What operators have said of savepoints and timers to come, whatever the model says of them.

use crate::Name;
use crate::instance::WaitKind;

/// Which of what the engine does by itself on a flow node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DueType {
    /// It goes on behind a savepoint before it.
    #[default]
    Before,
    /// It goes on behind a savepoint after it.
    After,
    /// It fires its timers.
    Timer,
}

impl DueType {
    /// That of a wait; none if the engine does not end it by itself.
    #[must_use]
    pub fn of(wait: &WaitKind) -> Option<Self> {
        match wait {
            WaitKind::Continuation { after: false, .. } => Some(Self::Before),
            WaitKind::Continuation { after: true, .. } => Some(Self::After),
            WaitKind::Timer(_) => Some(Self::Timer),
            _ => None,
        }
    }
}

/// What holds for those that begin to wait from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// They are held back.
    pub held: bool,
    /// How urgent they are, rather than as the model says.
    pub priority: Option<i64>,
}

/// The policies of a process: few, mostly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    list: Vec<(Name, DueType, Policy)>,
}

impl Policies {
    /// With one more, in the place of the one before.
    pub fn set(&mut self, node: Name, kind: DueType, policy: Policy) {
        self.list.retain(|(of, its, _)| (of, *its) != (&node, kind));
        self.list.push((node, kind, policy));
    }

    /// What holds for a flow node.
    #[must_use]
    pub fn of(&self, node: &str, kind: DueType) -> Policy {
        let own = self.list.iter().find(|(of, its, _)| **of == *node && *its == kind);
        own.map(|(.., policy)| *policy).unwrap_or_default()
    }
}
