//! Many units in one transaction.
//!
//! Everything that a unit depends on is locked first. After that, what is read stays as it is until the end, so that plain
//! Rust decides which units lose, and only the others are written, with one statement for each table.

use std::collections::{BTreeMap, BTreeSet};

use potok_core::Name;
use potok_core::instance::Key;

use crate::cell::{Field as _, Row};
use crate::change::Merged;
use crate::database::{Database, Session};
use crate::record::sealed::{Cells, Sealed};
use crate::record::{Record, Table};
use crate::row::{BatchItem, Claim, ItemState, Job, LogPoint, LogRow, Message, Task, TaskState, Work, Written};
use crate::select::Select;
use crate::standing::Standing;
use crate::{Changes, Guard, Outcome, Patience, StoreError, Unit};

/// Commits what can be committed of the units.
pub(crate) async fn commit(
    database: &dyn Database,
    units: &[Unit],
    patience: Patience,
) -> Result<Vec<Outcome>, StoreError> {
    if patience == Patience::Try && commit_at_once(database, units).await? {
        return Ok(vec![Outcome::Committed; units.len()]);
    }
    look_and_commit(database, units, patience).await
}

/// Commits units that depend on nothing but rows that are there, as one statement that finds out whether they are; says whether it did. If
/// not, nothing has changed.
async fn commit_at_once(database: &dyn Database, units: &[Unit]) -> Result<bool, StoreError> {
    if !database.is_shared() {
        return Ok(false);
    }
    let Some(standing) = Standing::of(units) else { return Ok(false) };
    let numbers: BTreeSet<i64> = units.iter().flat_map(numbers).collect();
    let begun = database.write_at_once(numbers.into_iter().collect(), standing).await?;
    let Some(mut session) = begun else { return Ok(false) };
    let (merged, log) = merge(units.iter(), potok_core::time::Timestamp::MIN);
    if merged.comes_again() {
        return Ok(false);
    }
    merged.write(&mut *session, &log).await?;
    match session.commit().await {
        Ok(()) => Ok(true),
        Err(error @ StoreError::OutcomeUnknown(_)) => Err(error),
        // Whoever looks first sees what is wrong.
        Err(_) => Ok(false),
    }
}

/// Looks at all that the units depend on, then commits those for which it holds.
async fn look_and_commit(
    database: &dyn Database,
    units: &[Unit],
    patience: Patience,
) -> Result<Vec<Outcome>, StoreError> {
    let mut session = database.write().await?;
    let busy = lock(&mut *session, units, patience).await?;
    let mut facts = Facts::read(&mut *session, units, &busy).await?;
    let mut outcomes = Vec::with_capacity(units.len());
    for (place, (unit, busy)) in units.iter().zip(busy).enumerate() {
        let verdict = if busy { Verdict::Lost(Outcome::Busy) } else { facts.judge(unit) };
        outcomes.push(match verdict {
            Verdict::Lost(outcome) => outcome,
            Verdict::Repeated => Outcome::Committed,
            Verdict::Accepted => {
                facts.accepted.push(place);
                Outcome::Committed
            }
        });
    }
    let accepted = facts.accepted.iter().filter_map(|place| units.get(*place));
    let (merged, log) = merge(accepted, facts.now);
    merged.write(&mut *session, &log).await?;
    // Also if there is nothing to write: so the locks are let go of now, not when somebody gets to it.
    session.commit().await?;
    Ok(outcomes)
}

/// Locks what the units depend on; says which units did not get everything.
async fn lock(session: &mut dyn Session, units: &[Unit], patience: Patience) -> Result<Vec<bool>, StoreError> {
    let wanted: Vec<Vec<i64>> = units.iter().map(numbers).collect();
    let numbers: BTreeSet<i64> = wanted.iter().flatten().copied().collect();
    let numbers: Vec<i64> = numbers.into_iter().collect();
    if numbers.is_empty() {
        return Ok(vec![false; units.len()]);
    }
    let got = session.lock(&numbers, patience == Patience::Wait).await?;
    let missed: BTreeSet<i64> = numbers.iter().zip(got).filter(|(_, got)| !got).map(|(number, _)| *number).collect();
    Ok(wanted.iter().map(|wanted| wanted.iter().any(|number| missed.contains(number))).collect())
}

/// What the numbers of all kinds of locks are made from.
const NUMBERS: u64 = 0xcbf2_9ce4_8422_2325;

/// The number that whoever removes instances for good locks.
pub(crate) const REMOVAL: i64 = (NUMBERS ^ 5).cast_signed();

/// The numbers to lock for a unit. That two things may have the same one only makes them wait for each other.
fn numbers(unit: &Unit) -> Vec<i64> {
    let edited = |table: &'static str, key: &Row| {
        number(6, [Name::from(table).to_cell()].into_iter().chain(key.iter().cloned()).collect())
    };
    let log = unit.log.iter().map(|row| of_instance(row.instance));
    // One removal at a time.
    let removed = unit.changes.removed().flat_map(|instance| [of_instance(instance), REMOVAL]);
    let guards = unit.guards.iter().map(|guard| match guard {
        Guard::Claim(claim) => number(1, claim_key(claim)),
        Guard::Lease { instance, .. } | Guard::Assignee { instance, .. } | Guard::Row { instance, .. } => {
            of_instance(*instance)
        }
        Guard::Work { instance, work } => number(2, (*instance, *work).into_cells()),
        Guard::BatchItem { batch, instance } => number(4, (*batch, *instance).into_cells()),
        Guard::Message(message) => number(3, message.into_cells()),
        Guard::Seen(seen) => edited(seen.table.name, &seen.key),
    });
    let changed = unit.changes.edited().map(|(table, key)| edited(table, key));
    log.chain(removed).chain(guards).chain(changed).collect()
}

fn number(kind: u64, row: Row) -> i64 {
    row.iter().fold(NUMBERS ^ kind, |hash, cell| cell.mix(hash)).cast_signed()
}

/// The number that whoever writes to an instance locks.
pub(crate) fn of_instance(instance: Key) -> i64 {
    number(0, instance.into_cells())
}

fn claim_key(claim: &Claim) -> Row {
    (claim.tenant.clone(), claim.kind, claim.value.clone()).into_cells()
}

/// What the units depend on, as it is with those that have been let in.
struct Facts {
    now: potok_core::time::Timestamp,
    /// Who wrote log rows.
    log: BTreeMap<(Key, u64), u64>,
    /// Units without log rows.
    written: BTreeSet<u64>,
    claims: BTreeMap<Row, Claim>,
    leases: BTreeMap<(Key, Key), u64>,
    tasks: BTreeMap<(Key, Key), Task>,
    work: BTreeSet<(Key, Key)>,
    messages: BTreeSet<Key>,
    /// Instances that batches have not worked on.
    items: BTreeSet<(Key, Key)>,
    /// Rows that units have seen, by table and key.
    seen: BTreeMap<(&'static str, Row), Row>,
    /// Rows of such tables that units which have been let in write.
    edited: BTreeSet<(&'static str, Row)>,
    /// The units to write, by their places.
    accepted: Vec<usize>,
}

enum Verdict {
    Accepted,
    Repeated,
    Lost(Outcome),
}

impl Facts {
    async fn read(session: &mut dyn Session, units: &[Unit], busy: &[bool]) -> Result<Self, StoreError> {
        let units: Vec<&Unit> = units.iter().zip(busy).filter(|(_, busy)| !**busy).map(|(unit, _)| unit).collect();
        let mut points = BTreeSet::new();
        let mut without_log = BTreeSet::new();
        let (mut claims, mut jobs, mut tasks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut work, mut messages, mut items) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut rows: BTreeMap<&'static str, (&'static Table, BTreeSet<Row>)> = BTreeMap::new();
        for unit in units {
            for row in &unit.log {
                points.insert((row.instance, row.seq));
                if row.seq > 1 {
                    points.insert((row.instance, row.seq - 1));
                }
            }
            if unit.log.is_empty() {
                without_log.insert(unit.id);
            }
            for guard in &unit.guards {
                match guard {
                    Guard::Claim(claim) => {
                        claims.insert(claim_key(claim));
                    }
                    Guard::Lease { instance, job, .. } => {
                        jobs.insert((*instance, *job));
                    }
                    Guard::Assignee { instance, task, .. } => {
                        tasks.insert((*instance, *task));
                    }
                    Guard::Work { instance, work: key } => {
                        work.insert((*instance, *key));
                    }
                    Guard::Message(key) => {
                        messages.insert(*key);
                    }
                    Guard::BatchItem { batch, instance } => {
                        items.insert((*batch, *instance));
                    }
                    Guard::Row { instance, seq, .. } => {
                        points.insert((*instance, *seq));
                    }
                    Guard::Seen(seen) => {
                        let (_, keys) = rows.entry(seen.table.name).or_insert_with(|| (seen.table, BTreeSet::new()));
                        keys.insert(seen.key.clone());
                    }
                }
            }
        }
        let mut log = BTreeMap::new();
        points.retain(|(instance, seq)| match session.recall(*instance, *seq) {
            Some(Some(unit)) => {
                log.insert((*instance, *seq), unit);
                false
            }
            Some(None) => false,
            None => true,
        });
        let needs_time = !claims.is_empty() || !without_log.is_empty();
        let points: Vec<LogPoint> = find(session, points).await?;
        log.extend(points.into_iter().map(|point| ((point.instance, point.seq), point.unit)));
        let written: Vec<Written> = find(session, without_log).await?;
        let claims: Vec<Claim> = find_rows(session, claims.into_iter().collect()).await?;
        let jobs: Vec<Job> = find(session, jobs).await?;
        let tasks: Vec<Task> = find(session, tasks).await?;
        let work: Vec<Work> = find(session, work).await?;
        let messages: Vec<Message> = find(session, messages).await?;
        let items: Vec<BatchItem> = find(session, items).await?;
        let mut seen = BTreeMap::new();
        for (name, (table, keys)) in rows {
            let found = session.select(&Select::keys(table, keys.into_iter().collect())).await?;
            seen.extend(found.into_iter().map(|row| ((name, row[..table.key].to_vec()), row)));
        }
        Ok(Self {
            now: if needs_time { session.now().await? } else { potok_core::time::Timestamp::MIN },
            log,
            written: written.into_iter().map(|written| written.unit).collect(),
            claims: claims.into_iter().map(|claim| (claim_key(&claim), claim)).collect(),
            leases: jobs.into_iter().map(|job| ((job.instance, job.key), job.lease)).collect(),
            tasks: tasks.into_iter().map(|task| ((task.instance, task.key), task)).collect(),
            work: work.into_iter().map(|work| (work.instance, work.key)).collect(),
            messages: messages.into_iter().map(|message| message.key).collect(),
            items: items
                .into_iter()
                .filter(|item| item.state == ItemState::Open)
                .map(|item| (item.batch, item.instance))
                .collect(),
            seen,
            edited: BTreeSet::new(),
            accepted: Vec::new(),
        })
    }

    /// Whether a unit gets in; if so, what it takes is taken.
    fn judge(&mut self, unit: &Unit) -> Verdict {
        let mut own: BTreeSet<(Key, u64)> = BTreeSet::new();
        for row in &unit.log {
            let point = (row.instance, row.seq);
            match self.log.get(&point) {
                // All of a unit's rows are there or none.
                Some(unit_there) if *unit_there == unit.id && own.is_empty() => return Verdict::Repeated,
                Some(_) => return Verdict::Lost(Outcome::Conflict(row.instance)),
                None => {}
            }
            let before = (row.instance, row.seq.saturating_sub(1));
            let follows = row.seq == 1 || self.log.contains_key(&before) || own.contains(&before);
            if !follows || !own.insert(point) {
                return Verdict::Lost(Outcome::Conflict(row.instance));
            }
        }
        if unit.log.is_empty() && self.written.contains(&unit.id) {
            return Verdict::Repeated;
        }
        let mut standing = None;
        if let Some(guard) = unit.guards.iter().position(|guard| !self.holds(guard, &mut standing)) {
            return Verdict::Lost(Outcome::Missed { guard, standing: standing.map(Box::new) });
        }
        self.log.extend(own.into_iter().map(|point| (point, unit.id)));
        if unit.log.is_empty() {
            self.written.insert(unit.id);
        }
        for instance in unit.changes.removed() {
            self.log.retain(|(other, _), _| *other != instance);
        }
        self.edited.extend(unit.changes.edited().map(|(table, key)| (table, key.clone())));
        for guard in &unit.guards {
            match guard {
                Guard::Claim(claim) => {
                    self.claims.insert(claim_key(claim), claim.clone());
                }
                // A job and a task are answered once.
                Guard::Lease { instance, job, .. } => {
                    self.leases.remove(&(*instance, *job));
                }
                Guard::Assignee { instance, task, .. } => {
                    self.tasks.remove(&(*instance, *task));
                }
                Guard::Work { instance, work } => {
                    self.work.remove(&(*instance, *work));
                }
                Guard::Message(message) => {
                    self.messages.remove(message);
                }
                Guard::BatchItem { batch, instance } => {
                    self.items.remove(&(*batch, *instance));
                }
                Guard::Row { .. } | Guard::Seen(_) => {}
            }
        }
        Verdict::Accepted
    }

    fn holds(&self, guard: &Guard, standing: &mut Option<Claim>) -> bool {
        match guard {
            Guard::Claim(claim) => {
                let there = self.claims.get(&claim_key(claim));
                *standing = there.filter(|there| there.expires.is_none_or(|expires| expires > self.now)).cloned();
                standing.is_none()
            }
            Guard::Lease { instance, job, lease } => self.leases.get(&(*instance, *job)) == Some(lease),
            Guard::Assignee { instance, task, assignee } => self
                .tasks
                .get(&(*instance, *task))
                .is_some_and(|task| task.state == TaskState::Open && task.assignee == *assignee),
            Guard::Work { instance, work } => self.work.contains(&(*instance, *work)),
            Guard::Message(message) => self.messages.contains(message),
            Guard::BatchItem { batch, instance } => self.items.contains(&(*batch, *instance)),
            Guard::Row { instance, seq, unit } => self.log.get(&(*instance, *seq)) == Some(unit),
            Guard::Seen(seen) => {
                let place = (seen.table.name, seen.key.clone());
                !self.edited.contains(&place) && self.seen.get(&place) == seen.row.as_ref()
            }
        }
    }
}

/// What units write: their changes, and the rows of the log.
fn merge<'u>(units: impl Iterator<Item = &'u Unit>, now: potok_core::time::Timestamp) -> (Merged, Vec<Row>) {
    let mut log = Vec::new();
    let mut merged = Merged::default();
    for unit in units {
        for row in &unit.log {
            let mut row = LogRow { unit: unit.id, ..row.clone() }.into_row();
            row.truncate(LogRow::TABLE.written().len());
            log.push(row);
        }
        for instance in unit.changes.removed() {
            log.retain(|row: &Row| !row.starts_with(&instance.into_cells()));
        }
        let mut changes = Changes::default();
        if unit.log.is_empty() {
            changes.add(Written { unit: unit.id, time: now });
        }
        for guard in &unit.guards {
            match guard {
                Guard::Claim(claim) => changes.put(claim.clone()),
                Guard::Work { instance, work } => changes.remove::<Work>((*instance, *work)),
                Guard::Message(message) => changes.remove::<Message>(*message),
                Guard::Lease { .. }
                | Guard::Assignee { .. }
                | Guard::BatchItem { .. }
                | Guard::Row { .. }
                | Guard::Seen(_) => {}
            }
        }
        merged.merge(&changes);
        merged.merge(&unit.changes);
    }
    (merged, log)
}

async fn find<R: Record>(
    session: &mut dyn Session,
    ids: impl IntoIterator<Item = R::Id>,
) -> Result<Vec<R>, StoreError> {
    find_rows(session, ids.into_iter().map(Cells::into_cells).collect()).await
}

async fn find_rows<R: Record>(session: &mut dyn Session, keys: Vec<Row>) -> Result<Vec<R>, StoreError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    session.select(&Select::keys(R::TABLE, keys)).await?.into_iter().map(R::from_row).collect()
}
