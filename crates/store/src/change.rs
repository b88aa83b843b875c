//! What a unit of work changes in derived rows, and how the changes of many units become few statements.

use std::collections::{BTreeMap, BTreeSet};

use potok_core::Name;
use potok_core::instance::Key;
use potok_core::time::Timestamp;

use crate::cell::{Bytes, Cell, Field, Row};
use crate::database::Session;
use crate::record::sealed::{Cells, Sealed as _};
use crate::record::{Record, Table};
use crate::row::{
    ApiToken, Audit, Candidate, Comment, Delivery, DuePolicy, Group, Incident, Instance, InstanceState, Job, LogRow,
    Membership, Message, SavedSearch, Session as SessionRow, Snapshot, Subscription, Task, TaskState, TaskVariable,
    TeamTenancy, Tenancy, Timer, Token, User, Variable, Webhook, Work,
};
use crate::unit::within;
use crate::{Position, StoreError, record};

/// A flow node of a definition, as rows name it.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The definition.
    pub definition: Key,
    /// The id of its process.
    pub process: Name,
    /// The id of the flow node.
    pub node: Name,
    /// Its name.
    pub name: Option<Name>,
    /// Its lane.
    pub lane: Option<Name>,
}

/// Changes of derived rows, follow-up work, snapshots and kept messages, in the order in which they happen.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    list: Vec<Change>,
}

#[derive(Clone, Debug)]
struct Change {
    table: &'static Table,
    key: Row,
    action: Action,
}

#[derive(Clone, Debug)]
enum Action {
    Add(Row),
    Put(Row),
    /// Sets columns, some of them at a time.
    Set(Vec<(Columns, Row)>),
    Remove,
    /// Removes all rows whose keys begin so.
    RemoveAll,
}

/// What rows of a table are found by, as far as it is text that comes from outside.
const FOUND_BY: &[(&str, &str, &[&str])] = &[
    ("instances", "the business key", &["business_key"]),
    ("instances", "the name of who starts it", &["initiator"]),
    ("tasks", "the assignee", &["assignee"]),
    ("tasks", "the owner", &["owner"]),
    ("candidates", "a candidate", &["name"]),
    ("jobs", "the topic", &["topic"]),
    ("subscriptions", "what is waited for", &["name", "correlation", "business_key"]),
    ("messages", "the message's name", &["name"]),
    ("claims", "what is claimed", &["tenant", "value"]),
    ("users", "the id", &["id"]),
    ("groups", "the id", &["id"]),
    ("memberships", "a member and its group", &["member", "team"]),
    ("tenants", "the id", &["id"]),
    ("tenancies", "a user and its tenant", &["member", "tenant"]),
    ("team_tenancies", "a group and its tenant", &["team", "tenant"]),
    ("grants", "a group and its role", &["team", "role"]),
    ("passwords", "the user", &["member"]),
    ("sessions", "the user", &["member"]),
    ("api_tokens", "the user", &["member"]),
    ("due_policies", "the flow node", &["node"]),
    ("saved_searches", "the owner", &["owner"]),
    ("audit", "who asked", &["author"]),
];

/// Columns that are set together.
type Columns = &'static [&'static str];

impl Changes {
    /// Adds a row that is new.
    pub fn add<R: Record>(&mut self, record: R) {
        let row = record.into_row();
        self.push(R::TABLE, row[..R::TABLE.key].to_vec(), Action::Add(row));
    }

    /// Adds a row, or replaces the one with its primary key.
    pub fn put<R: Record>(&mut self, record: R) {
        let row = record.into_row();
        self.push(R::TABLE, row[..R::TABLE.key].to_vec(), Action::Put(row));
    }

    /// Removes a row, if it is there.
    pub fn remove<R: Record>(&mut self, id: R::Id) {
        self.push(R::TABLE, id.into_cells(), Action::Remove);
    }

    /// Removes all rows of a table that belong to an instance.
    pub fn remove_of<R: Record>(&mut self, instance: Key) {
        self.push(R::TABLE, instance.into_cells(), Action::RemoveAll);
    }

    /// Does what others do after these.
    pub fn append(&mut self, others: Self) {
        self.list.extend(others.list);
    }

    /// Writes what follow-up work is about anew, if it is still there.
    pub fn rewrite_work(&mut self, instance: Key, work: Key, payload: Bytes) {
        self.set(Work::TABLE, (instance, work).into_cells(), &["payload"], vec![payload.to_cell()]);
    }

    /// Writes what a kept message holds anew, if it is still there.
    pub fn rewrite_message(&mut self, message: Key, payload: Bytes) {
        self.set(Message::TABLE, message.into_cells(), &["payload"], vec![payload.to_cell()]);
    }

    /// Adds a task that is new, with its candidates.
    pub fn add_task(&mut self, task: Task) {
        task.candidates().for_each(|candidate| self.put(candidate));
        self.add(task);
    }

    /// The tasks that come to be and are not changed again, as they will be read.
    pub fn new_tasks(&self) -> impl Iterator<Item = Task> {
        let mut new: BTreeMap<&Row, Option<&Row>> = BTreeMap::new();
        for change in self.list.iter().filter(|change| change.table == Task::TABLE) {
            let row = match &change.action {
                Action::Add(row) if !new.contains_key(&change.key) => Some(row),
                _ => None,
            };
            new.insert(&change.key, row);
        }
        new.into_values().flatten().filter_map(|row| Task::from_row(row.clone()).ok())
    }

    /// Replaces a task and its candidates.
    pub fn put_task(&mut self, task: Task) {
        self.push(Candidate::TABLE, (task.instance, task.key).into_cells(), Action::RemoveAll);
        task.candidates().for_each(|candidate| self.put(candidate));
        self.put(task);
    }

    /// Closes a task.
    pub fn end_task(&mut self, instance: Key, task: Key, state: TaskState, at: Timestamp) {
        self.push(Candidate::TABLE, (instance, task).into_cells(), Action::RemoveAll);
        let values = vec![state.to_cell(), Some(at).to_cell()];
        self.set(Task::TABLE, (instance, task).into_cells(), &["state", "ended"], values);
    }

    /// Removes all variables of a task's own.
    pub fn remove_task_variables(&mut self, instance: Key, task: Key) {
        self.push(TaskVariable::TABLE, (instance, task).into_cells(), Action::RemoveAll);
    }

    /// Closes an instance, whose history is kept until then.
    pub fn end_instance(&mut self, instance: Key, state: InstanceState, at: Timestamp, expires: Option<Timestamp>) {
        let values = vec![state.to_cell(), Some(at).to_cell(), expires.to_cell()];
        self.set(Instance::TABLE, instance.into_cells(), &["state", "ended", "expires"], values);
    }

    /// Removes an instance with all that belongs to it, its history too. Its attachments are removed one by one, before.
    pub fn remove_instance(&mut self, instance: Key) {
        self.remove_of::<LogRow>(instance);
        self.remove_of::<Snapshot>(instance);
        self.remove_of::<Variable>(instance);
        self.remove_of::<Token>(instance);
        self.remove_of::<Task>(instance);
        self.remove_of::<Candidate>(instance);
        self.remove_of::<TaskVariable>(instance);
        self.remove_of::<Job>(instance);
        self.remove_of::<Timer>(instance);
        self.remove_of::<Subscription>(instance);
        self.remove_of::<Incident>(instance);
        self.remove_of::<Work>(instance);
        self.remove_of::<Comment>(instance);
        self.remove::<Instance>(instance);
    }

    /// Tables whose rows are edited as they were seen ([`Guard::Seen`](crate::Guard::Seen)).
    pub(crate) const EDITED: &[&str] = &[
        User::TABLE.name,
        Group::TABLE.name,
        Membership::TABLE.name,
        Tenancy::TABLE.name,
        TeamTenancy::TABLE.name,
        DuePolicy::TABLE.name,
        SavedSearch::TABLE.name,
        Comment::TABLE.name,
    ];

    /// The rows of those tables that are written, by table and key.
    pub(crate) fn edited(&self) -> impl Iterator<Item = (&'static str, &Row)> {
        let edited = self.list.iter().filter(|change| Self::EDITED.contains(&change.table.name));
        edited.map(|change| (change.table.name, &change.key))
    }

    /// The instances that are removed for good.
    pub(crate) fn removed(&self) -> impl Iterator<Item = Key> {
        let is_removed =
            |change: &&Change| matches!(change.action, Action::RemoveAll) && change.table.name == LogRow::TABLE.name;
        self.list.iter().filter(is_removed).filter_map(|change| Key::from_cell(change.key.first()?.clone()))
    }

    /// Writes a row of the log anew: the same events without what has been erased from them.
    pub fn rewrite_log(&mut self, instance: Key, seq: u64, format: u32, events: Bytes) {
        let values = vec![format.to_cell(), events.to_cell()];
        self.set(LogRow::TABLE, (instance, seq).into_cells(), &["format", "events"], values);
    }

    /// An instance runs another definition from now on.
    pub fn migrate_instance(&mut self, instance: Key, definition: Key, process: Name) {
        let values = vec![definition.to_cell(), process.to_cell()];
        self.set(Instance::TABLE, instance.into_cells(), &["definition", "process"], values);
    }

    /// An open task stands on a flow node of another definition from now on.
    pub fn migrate_task(&mut self, instance: Key, task: Key, of: &Place) {
        let Place { definition, process, node, name, lane } = of;
        let values = vec![definition.to_cell(), process.to_cell(), node.to_cell(), name.to_cell(), lane.to_cell()];
        let columns = &["definition", "process", "node", "name", "lane"];
        self.set(Task::TABLE, (instance, task).into_cells(), columns, values);
    }

    /// A job stands on a flow node of another definition from now on.
    pub fn migrate_job(&mut self, instance: Key, job: Key, of: &Place) {
        let values = vec![of.definition.to_cell(), of.process.to_cell(), of.node.to_cell()];
        self.set(Job::TABLE, (instance, job).into_cells(), &["definition", "process", "node"], values);
    }

    /// Notes something on an incident, or nothing any more.
    pub fn annotate_incident(&mut self, instance: Key, incident: Key, annotation: Option<&Name>) {
        let values = vec![annotation.cloned().to_cell()];
        self.set(Incident::TABLE, (instance, incident).into_cells(), &["annotation"], values);
    }

    /// Notes something on a record, or nothing any more.
    pub fn annotate_record(&mut self, record: Key, annotation: Option<&Name>) {
        self.set(Audit::TABLE, record.into_cells(), &["annotation"], vec![annotation.cloned().to_cell()]);
    }

    /// An open incident stands on a flow node of another definition from now on.
    pub fn migrate_incident(&mut self, instance: Key, incident: Key, of: &Place) {
        let values = vec![of.definition.to_cell(), of.process.to_cell(), of.node.to_cell()];
        self.set(Incident::TABLE, (instance, incident).into_cells(), &["definition", "process", "node"], values);
    }

    /// A timer stands on a flow node of another definition from now on.
    pub fn migrate_timer(&mut self, instance: Key, timer: Key, of: &Place) {
        let values = vec![of.definition.to_cell(), of.process.to_cell(), of.node.to_cell()];
        self.set(Timer::TABLE, (instance, timer).into_cells(), &["definition", "process", "node"], values);
    }

    /// A timer does not fire until it or its instance is resumed; or it does again.
    pub fn suspend_timer(&mut self, instance: Key, timer: Key, suspended: bool) {
        self.set(Timer::TABLE, (instance, timer).into_cells(), &["suspended"], vec![suspended.to_cell()]);
    }

    /// Follow-up work is not done until it or its instance is resumed; or it is again.
    pub fn suspend_work(&mut self, instance: Key, work: Key, suspended: bool) {
        self.set(Work::TABLE, (instance, work).into_cells(), &["suspended"], vec![suspended.to_cell()]);
    }

    /// A timer is due at another time; who holds it back goes on doing so.
    pub fn reschedule_timer(&mut self, instance: Key, timer: Key, due: Timestamp) {
        let values = vec![due.to_cell(), Timestamp::UNIX_EPOCH.to_cell()];
        self.set(Timer::TABLE, (instance, timer).into_cells(), &["due", "leased_until"], values);
    }

    /// The same for follow-up work.
    pub fn reschedule_work(&mut self, instance: Key, work: Key, due: Timestamp) {
        self.set(Work::TABLE, (instance, work).into_cells(), &["due"], vec![due.to_cell()]);
    }

    /// A job is more urgent than it was, or less.
    pub fn set_job_priority(&mut self, instance: Key, job: Key, priority: i64) {
        self.set(Job::TABLE, (instance, job).into_cells(), &["priority"], vec![priority.to_cell()]);
    }

    /// A session was used, and lasts until then, if it has not been ended.
    pub fn use_session(&mut self, secret: Bytes, used: Timestamp, expires: Timestamp) {
        self.set(SessionRow::TABLE, secret.into_cells(), &["used", "expires"], vec![used.to_cell(), expires.to_cell()]);
    }

    /// An API token was used, if it has not been revoked.
    pub fn use_token(&mut self, token: Key, used: Timestamp) {
        self.set(ApiToken::TABLE, token.into_cells(), &["used"], vec![Some(used).to_cell()]);
    }

    /// Notes as far as which place in the feed it is known what a webhook is to deliver, if it is still there.
    pub fn advance_webhook(&mut self, webhook: Key, place: Position) {
        let place: Name = place.to_string().into();
        self.set(Webhook::TABLE, webhook.into_cells(), &["place"], vec![place.to_cell()]);
    }

    /// Notes what has become of a delivery, if it is still there.
    pub fn change_delivery(&mut self, delivery: &Delivery) {
        let values =
            vec![delivery.state.to_cell(), delivery.tries.to_cell(), delivery.due.to_cell(), delivery.error.to_cell()];
        let key = (delivery.webhook, delivery.key).into_cells();
        self.set(Delivery::TABLE, key, &["state", "tries", "due", "error"], values);
    }

    /// Closes an incident.
    pub fn resolve_incident(&mut self, instance: Key, incident: Key, at: Timestamp) {
        let values = vec![Some(at).to_cell()];
        self.set(Incident::TABLE, (instance, incident).into_cells(), &["resolved"], values);
    }

    /// Makes a variable searchable, or no longer, if it is too large for that.
    pub fn set_variable(&mut self, variable: Variable) {
        if variable.fits() {
            self.put(variable);
        } else {
            self.remove::<Variable>((variable.instance, variable.name));
        }
    }

    /// Checks that all by which rows are found is short enough for that.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        for Change { table, action, .. } in &self.list {
            let (Action::Add(row) | Action::Put(row)) = action else { continue };
            for (found_by, what, columns) in FOUND_BY {
                if table.name == *found_by {
                    let length = |column: &&str| match table.column(column).and_then(|(place, _)| row.get(place)) {
                        Some(Cell::Text(text)) => text.len(),
                        _ => 0,
                    };
                    within(what, columns.iter().map(length).sum())?;
                }
            }
        }
        Ok(())
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn set(&mut self, table: &'static Table, key: Row, columns: Columns, values: Row) {
        self.push(table, key, Action::Set(vec![(columns, values)]));
    }

    fn push(&mut self, table: &'static Table, key: Row, action: Action) {
        self.list.push(Change { table, key, action });
    }
}

/// The changes of many units, by table and key: each row is written once, as it is in the end.
#[derive(Default)]
pub(crate) struct Merged {
    tables: BTreeMap<&'static str, MergedTable>,
}

struct MergedTable {
    table: &'static Table,
    cleared: BTreeSet<Row>,
    rows: BTreeMap<Row, Action>,
}

impl Merged {
    pub(crate) fn merge(&mut self, changes: &Changes) {
        for change in &changes.list {
            let merged = self.tables.entry(change.table.name).or_insert_with(|| MergedTable {
                table: change.table,
                cleared: BTreeSet::new(),
                rows: BTreeMap::new(),
            });
            merged.merge(change);
        }
    }

    /// Whether a row comes where others are removed by how their keys begin: then one statement cannot do it.
    pub(crate) fn comes_again(&self) -> bool {
        self.tables.values().any(MergedTable::comes_again)
    }

    pub(crate) async fn write(self, session: &mut dyn Session, log: &[Row]) -> Result<(), StoreError> {
        let comes_again = self.comes_again();
        let tables: Vec<Sorted> = self.tables.into_values().map(MergedTable::sort).collect();
        session.gather();
        for Sorted { table, cleared, remove, .. } in &tables {
            for keys in cleared.values() {
                session.delete(table, &keys.iter().cloned().collect::<Vec<_>>()).await?;
            }
            if !remove.is_empty() {
                session.delete(table, remove).await?;
            }
        }
        if comes_again {
            // What goes makes way for what comes.
            session.flush().await?;
            session.gather();
        }
        if !log.is_empty() {
            session.insert(LogRow::TABLE, log).await?;
        }
        for Sorted { table, put, add, set, .. } in &tables {
            if !put.is_empty() {
                session.put(table, put).await?;
            }
            if !add.is_empty() {
                session.insert(table, add).await?;
            }
            for (columns, rows) in set {
                session.update(table, columns, rows).await?;
            }
        }
        session.flush().await
    }
}

/// What is done to a table, by the kind of statement.
struct Sorted {
    table: &'static Table,
    /// Beginnings of keys, by how long they are.
    cleared: BTreeMap<usize, BTreeSet<Row>>,
    remove: Vec<Row>,
    put: Vec<Row>,
    add: Vec<Row>,
    set: BTreeMap<Columns, Vec<Row>>,
}

impl MergedTable {
    fn comes_again(&self) -> bool {
        let next = |key: &Row| self.rows.range(key.clone()..).next();
        self.cleared.iter().any(|key| next(key).is_some_and(|(row, _)| row.starts_with(key)))
    }

    fn merge(&mut self, Change { table, key, action }: &Change) {
        if let Action::RemoveAll = action {
            let gone: Vec<Row> = self
                .rows
                .range(key.clone()..)
                .take_while(|(row, _)| row.starts_with(key))
                .map(|(row, _)| row.clone())
                .collect();
            for row in gone {
                self.rows.remove(&row);
            }
            self.cleared.insert(key.clone());
            return;
        }
        let before = self.rows.remove(key);
        let after = match (before, action.clone()) {
            // What came and went within these units was never there.
            (Some(Action::Add(_)), Action::Remove) => return,
            (Some(Action::Add(_)), Action::Put(row)) => Action::Add(row),
            (Some(Action::Remove | Action::Put(_) | Action::Set(_)), Action::Add(row)) => Action::Put(row),
            (Some(Action::Add(row)), Action::Set(sets)) => Action::Add(set(table, row, &sets)),
            (Some(Action::Put(row)), Action::Set(sets)) => Action::Put(set(table, row, &sets)),
            (Some(Action::Remove), Action::Set(_)) => Action::Remove,
            (Some(Action::Set(mut sets)), Action::Set(later)) => {
                sets.retain(|(columns, _)| later.iter().all(|(others, _)| others != columns));
                sets.extend(later);
                Action::Set(sets)
            }
            (_, action) => action,
        };
        self.rows.insert(key.clone(), after);
    }

    fn sort(self) -> Sorted {
        let (mut add, mut put, mut remove) = (Vec::new(), Vec::new(), Vec::new());
        let mut set: BTreeMap<Columns, Vec<Row>> = BTreeMap::new();
        for (key, action) in self.rows {
            match action {
                Action::Add(row) => add.push(row),
                Action::Put(row) => put.push(row),
                Action::Set(sets) => {
                    for (columns, values) in sets {
                        let row = key.iter().cloned().chain(values).collect();
                        set.entry(columns).or_default().push(row);
                    }
                }
                Action::Remove | Action::RemoveAll => remove.push(key),
            }
        }
        let mut cleared: BTreeMap<usize, BTreeSet<Row>> = BTreeMap::new();
        for key in self.cleared {
            cleared.entry(key.len()).or_default().insert(key);
        }
        Sorted { table: self.table, cleared, remove, put, add, set }
    }
}

fn set(table: &'static record::Table, mut row: Row, sets: &[(Columns, Row)]) -> Row {
    for (column, value) in sets.iter().flat_map(|(columns, values)| columns.iter().zip(values)) {
        if let Some((index, _)) = table.column(column) {
            row[index] = value.clone();
        }
    }
    row
}
