//! Searching for tasks.

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use super::sealed::Filters;
use super::sight::{Of, open_to_all};
use super::{Gathered, Paging, Query, Sight, VariableFilter, Viewer};
use crate::cell::Field;
use crate::record::Record;
use crate::row::{Candidate, CandidateKind, Delegation, Instance, Task, TaskState};
use crate::select::{Filter, Operator};

/// How tasks are sorted; by age among equals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskOrder {
    /// By age.
    #[default]
    Created,
    /// By when they are due; those without a date last.
    Due,
    /// By when they should be looked at again; those without a date last.
    FollowUp,
    /// By priority.
    Priority,
    /// By name.
    Name,
    /// By assignee.
    Assignee,
    /// By when they ended; open ones last.
    Ended,
    /// By instance.
    Instance,
    /// By description.
    Description,
    /// By when who works on them, or how, was changed last; those of which nothing was changed last.
    Changed,
    /// By tenant.
    Tenant,
}

/// Tasks. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskQuery {
    /// In one of these states; in any if none is given.
    pub states: Vec<TaskState>,
    /// One of these.
    pub keys: Vec<Key>,
    /// Of one of these instances.
    pub instances: Vec<Key>,
    /// Of one of these processes.
    pub processes: Vec<Name>,
    /// Of any process, or of none.
    pub has_process: Option<bool>,
    /// On one of these flow nodes.
    pub nodes: Vec<Name>,
    /// Of this definition.
    pub definition: Option<Key>,
    /// Of one of these definitions.
    pub definitions: Vec<Key>,
    /// Of this tenant.
    pub tenant: Option<Name>,
    /// Of one of these tenants; an empty name stands for those of none.
    pub tenants: Vec<Name>,
    /// In this lane.
    pub lane: Option<Name>,
    /// Assigned to this user.
    pub assignee: Option<Name>,
    /// Assigned to one of these users.
    pub assignees: Vec<Name>,
    /// Assigned to such a user: `%` stands for any text, `_` for one character.
    pub assignee_like: Option<String>,
    /// Assigned to anybody, or to nobody.
    pub assigned: Option<bool>,
    /// Owned by this user.
    pub owner: Option<Name>,
    /// Open for one of these users to claim.
    pub candidate_users: Vec<Name>,
    /// Open for one of these groups to claim. With users as well: for any of them.
    pub candidate_groups: Vec<Name>,
    /// Naming users who may claim it, or none.
    pub has_candidate_users: Option<bool>,
    /// Naming groups whose members may claim it, or none.
    pub has_candidate_groups: Option<bool>,
    /// So far with the owner's asking somebody else.
    pub delegation: Option<Delegation>,
    /// With such a name: `%` stands for any text, `_` for one character.
    pub name_like: Option<String>,
    /// At least this urgent.
    pub priority_from: Option<i64>,
    /// At most this urgent.
    pub priority_to: Option<i64>,
    /// With a due date, or without one.
    pub has_due: Option<bool>,
    /// Due from then on.
    pub due_from: Option<Timestamp>,
    /// Due before.
    pub due_before: Option<Timestamp>,
    /// To be looked at from then on.
    pub follow_up_from: Option<Timestamp>,
    /// To be looked at before.
    pub follow_up_before: Option<Timestamp>,
    /// To be looked at some time, or not.
    pub has_follow_up: Option<bool>,
    /// Who works on it, or how, was changed from then on.
    pub changed_from: Option<Timestamp>,
    /// Opened from then on.
    pub created_from: Option<Timestamp>,
    /// Opened before.
    pub created_before: Option<Timestamp>,
    /// Whose instance has one of these business keys.
    pub business_keys: Vec<Name>,
    /// Whose instance has such a business key: `%` stands for any text, `_` for one character.
    pub business_key_like: Option<String>,
    /// Whose instance is suspended, or not.
    pub suspended: Option<bool>,
    /// Whose instance has such variables.
    pub variables: Vec<VariableFilter>,
    /// With such variables of their own, which only open ones have.
    pub own_variables: Vec<VariableFilter>,
    /// For which at least one of each of these holds, by its filters alone.
    pub either: Vec<Vec<TaskQuery>>,
    /// How they are sorted.
    pub order: TaskOrder,
    /// What whoever searches may see.
    pub sight: Sight,
    /// Which page.
    pub page: Paging,
}

impl TaskQuery {
    /// Whether only what the viewer has is asked for, or what is open to them: all of that they may see, so that it need not be asked.
    fn asks_for_own(&self) -> bool {
        let Some(Viewer { name, groups }) = &self.sight.viewer else { return false };
        let users = &self.candidate_users;
        let is_viewer = |other: &Option<Name>| other.as_ref() == Some(name);
        let is_candidate = users.iter().all(|user| user == name)
            && self.candidate_groups.iter().all(|group| groups.contains(group))
            && users.len() + self.candidate_groups.len() > 0;
        is_viewer(&self.assignee) || is_viewer(&self.owner) || is_candidate
    }
}

impl Query for TaskQuery {
    type Row = Task;

    fn paging(&self) -> &Paging {
        &self.page
    }
}

impl Filters for TaskQuery {
    fn filters(&self) -> Vec<Filter> {
        let mut filters = Gathered::default();
        filters.state("state", &self.states);
        filters.one_of("key", &self.keys);
        filters.one_of("instance", &self.instances);
        filters.one_of("process", &self.processes);
        filters.is_there("process", self.has_process);
        filters.one_of("node", &self.nodes);
        filters.equal("definition", self.definition.as_ref());
        filters.one_of("definition", &self.definitions);
        filters.equal("tenant", self.tenant.as_ref());
        filters.one_of("tenant", &self.tenants);
        filters.equal("lane", self.lane.as_ref());
        filters.equal("assignee", self.assignee.as_ref());
        filters.equal("owner", self.owner.as_ref());
        filters.one_of("assignee", &self.assignees);
        filters.like("assignee", self.assignee_like.as_ref());
        filters.is_there("candidate_users", self.has_candidate_users);
        filters.is_there("candidate_groups", self.has_candidate_groups);
        filters.equal("delegation", self.delegation.as_ref());
        match self.assigned {
            // Only assigned tasks are in the index of assignees.
            Some(true) => filters.0.push(Filter::Present("assignee")),
            None if self.assignee.is_some() => filters.0.push(Filter::Present("assignee")),
            Some(false) => filters.0.push(Filter::equal("assignee", None::<Name>.to_cell())),
            None => {}
        }
        filters.like("name", self.name_like.as_ref());
        filters.compare("priority", Operator::GreaterOrEqual, self.priority_from.as_ref());
        filters.compare("priority", Operator::LessOrEqual, self.priority_to.as_ref());
        filters.is_some_time("due", self.has_due);
        filters.is_some_time("follow_up", self.has_follow_up);
        filters.between("changed", self.changed_from.as_ref(), None);
        filters.between("due", self.due_from.as_ref(), self.due_before.as_ref());
        filters.between("follow_up", self.follow_up_from.as_ref(), self.follow_up_before.as_ref());
        filters.between("created", self.created_from.as_ref(), self.created_before.as_ref());
        let candidates = [(CandidateKind::User, &self.candidate_users), (CandidateKind::Group, &self.candidate_groups)];
        let candidates: Vec<Filter> = candidates
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(kind, names)| {
                let names = Filter::In("name", names.iter().map(Field::to_cell).collect());
                Filter::All(vec![Filter::equal("kind", kind.to_cell()), names])
            })
            .collect();
        if !candidates.is_empty() {
            let on = &[("instance", "instance"), ("task", "key")];
            filters.0.push(Filter::Exists(Candidate::TABLE, on, vec![Filter::Any(candidates)]));
        }
        filters.0.extend(self.variables.iter().map(|variable| variable.filter(&[("instance", "instance")])));
        filters.0.extend(self.own_variables.iter().map(VariableFilter::filter_of_task));
        let mut instance = Gathered::default();
        instance.one_of("business_key", &self.business_keys);
        instance.like("business_key", self.business_key_like.as_ref());
        instance.equal("suspended", self.suspended.as_ref());
        if !instance.0.is_empty() {
            filters.0.push(Filter::Exists(Instance::TABLE, &[("key", "instance")], instance.0));
        }
        filters.0.extend(
            self.either.iter().map(|any| Filter::Any(any.iter().map(|query| Filter::All(query.filters())).collect())),
        );
        if self.asks_for_own() {
            self.sight.tenants(&mut filters);
        } else {
            self.sight.parts(&mut filters, Of::Part, vec![open_to_all()]);
        }
        filters.0
    }

    fn order(&self) -> Option<&'static str> {
        match self.order {
            TaskOrder::Created => None,
            TaskOrder::Due => Some("due"),
            TaskOrder::FollowUp => Some("follow_up"),
            TaskOrder::Priority => Some("priority"),
            TaskOrder::Name => Some("name"),
            TaskOrder::Assignee => Some("assignee"),
            TaskOrder::Ended => Some("ended"),
            TaskOrder::Instance => Some("instance"),
            TaskOrder::Description => Some("description"),
            TaskOrder::Changed => Some("changed"),
            TaskOrder::Tenant => Some("tenant"),
        }
    }
}
