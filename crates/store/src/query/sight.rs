//! What whoever searches may see.

use potok_core::Name;

use super::Gathered;
use crate::cell::Field;
use crate::record::Record;
use crate::row::{Candidate, CandidateKind, Instance, Task};
use crate::select::{Filter, Operator};

/// What whoever searches may see: everything unless it is narrowed. It is part of the search, so that pages and counts are right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// Only what belongs to one of these tenants; an empty name stands for what belongs to none.
    pub tenants: Option<Vec<Name>>,
    /// Only what this user has a part in.
    pub viewer: Option<Viewer>,
}

/// A user who sees what they have a part in: instances that they have started, in which they have or had a task, or in which one is open
/// to them; with all that is in those.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Viewer {
    /// The user.
    pub name: Name,
    /// The groups that the user is in.
    pub groups: Vec<Name>,
}

/// Columns there and here that are the same.
type On = &'static [(&'static str, &'static str)];

/// Where the instance stands in a row: as its own key, or as that of the instance that the row belongs to.
pub(super) enum Of {
    Instance,
    Part,
}

impl Sight {
    /// Narrows to the tenants.
    pub(super) fn tenants(&self, filters: &mut Gathered) {
        let tenants = self.tenants.as_ref();
        filters.0.extend(tenants.map(|tenants| Filter::In("tenant", tenants.iter().map(Field::to_cell).collect())));
    }

    /// Narrows what is in instances, and has no tenant of its own, to the tenants.
    pub(super) fn tenants_of_instances(&self, filters: &mut Gathered) {
        let mut own = Gathered::default();
        self.tenants(&mut own);
        if !own.0.is_empty() {
            filters.0.push(Filter::Exists(Instance::TABLE, &[("key", "instance")], own.0));
        }
    }

    /// Narrows to the tenants, and to instances, or what is in them, that the viewer has a part in; or for which one of these holds.
    pub(super) fn parts(&self, filters: &mut Gathered, of: Of, or: Vec<Filter>) {
        self.tenants(filters);
        let Some(Viewer { name, groups }) = &self.viewer else { return };
        let (instance, part): (On, On) = match of {
            Of::Instance => (&[], &[("instance", "key")]),
            Of::Part => (&[("key", "instance")], &[("instance", "instance")]),
        };
        // Text that is there is in the indexes, absent text is not.
        let is = |column| vec![Filter::equal(column, name.to_cell()), Filter::Present(column)];
        let candidate =
            |kind: CandidateKind, names: Filter| Filter::All(vec![Filter::equal("kind", kind.to_cell()), names]);
        let mut candidates = vec![candidate(CandidateKind::User, Filter::In("name", vec![name.to_cell()]))];
        if !groups.is_empty() {
            let groups = Filter::In("name", groups.iter().map(Field::to_cell).collect());
            candidates.push(candidate(CandidateKind::Group, groups));
        }
        let started = match of {
            Of::Instance => Filter::All(is("initiator")),
            Of::Part => Filter::Exists(Instance::TABLE, instance, is("initiator")),
        };
        let mut any = vec![
            Filter::Exists(Candidate::TABLE, part, vec![Filter::Any(candidates)]),
            Filter::Exists(Task::TABLE, part, is("assignee")),
            Filter::Exists(Task::TABLE, part, is("owner")),
            started,
        ];
        any.extend(or);
        filters.0.push(Filter::Any(any));
    }
}

/// Tasks that nobody has and that are open to everybody.
pub(super) fn open_to_all() -> Filter {
    let none = |column| Filter::Compare(column, Operator::Equal, None::<Name>.to_cell());
    Filter::All(vec![none("assignee"), none("candidate_users"), none("candidate_groups")])
}
