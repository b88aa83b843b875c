//! What commits cost, beside what plain SQLite and PostgreSQL do on the same disk in the same run.
//!
//! A unit is the completion of a user task: a log row, a task closed, a task with a candidate group opened. Every commit is
//! written through to the disk.

use std::time::{Duration, Instant};

use potok_benches::plain::{self, Failure};
use potok_benches::table::{Goal, Row, print};
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use potok_store::row::{LogRow, Task, TaskState};
use potok_store::{Outcome, Patience, Store, Unit};

/// How long each measurement takes.
const MOMENT: Duration = Duration::from_secs(2);
/// Units of a group commit.
const GROUP: u64 = 64;
/// Instances that wait.
const WAITING: u64 = 50_000;

fn main() -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure())
}

async fn measure() -> Result<(), Failure> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
    let folder = std::path::Path::new(&target).join(format!("store-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut rows = Vec::new();

    let single = plain::sqlite(&folder, 1).await?;
    let many = plain::sqlite(&folder, 500).await?;
    let store = Store::sqlite(folder.join("potok.db")).await?;
    rows.extend(compare("SQLite", &store, single, many).await?);
    store.close().await;
    std::fs::remove_dir_all(&folder)?;

    match plain::postgres_schema().await? {
        Some(url) => {
            let (single, many) = (plain::postgres(&url, 1, 1).await?, plain::postgres(&url, 1, 500).await?);
            let store = Store::open(&url).await?;
            rows.extend(compare("PostgreSQL", &store, single, many).await?);
            store.close().await;
        }
        None => eprintln!("POTOK_POSTGRES_URL is not set: PostgreSQL is left out"),
    }
    print("Commits", ["workload", "Potok", "compared with", "ratio", "at least", "aim"], &rows);
    Ok(())
}

/// The rows of one database, beside its own rates of single-row commits and of rows in large statements.
async fn compare(name: &str, store: &Store, single: f64, many: f64) -> Result<Vec<Row>, Failure> {
    let mut completions = Completions::new(store).await?;
    let alone = completions.rate(1).await?;
    let grouped = completions.rate(GROUP).await?;
    let row = |workload: &str, potok: f64, peer: f64, what: &str, at_least: Goal| Row {
        workload: format!("{name}: {workload}"),
        potok: format!("{potok:.0} units/s"),
        peer: format!("plain {name} {peer:.0} {what}"),
        ratio: format!("{:.2} x", potok / peer),
        at_least,
        aim: Goal::default(),
    };
    let goal = Goal::new(format!("4 x plain {name}"), grouped >= 4.0 * single);
    Ok(vec![
        row("one unit a commit", alone, single, "single-row commits/s", Goal::default()),
        row("64 units a commit", grouped, single, "single-row commits/s", goal),
        row("64 units a commit", grouped, many, "rows/s, 500 a statement", Goal::default()),
    ])
}

/// Completes tasks of instances that wait, one after the other, again and again.
struct Completions<'s> {
    store: &'s Store,
    /// The log row and task of each instance.
    heads: Vec<(u64, u64)>,
    next: u64,
}

impl<'s> Completions<'s> {
    async fn new(store: &'s Store) -> Result<Self, Failure> {
        let mut completions = Self { store, heads: Vec::new(), next: 0 };
        for instances in (1..=WAITING).collect::<Vec<_>>().chunks(1000) {
            let units: Vec<Unit> = instances.iter().map(|instance| unit(*instance, 1, None, *instance)).collect();
            check(&store.commit(&units, Patience::Try).await?)?;
        }
        completions.heads = (1..=WAITING).map(|instance| (1, instance)).collect();
        completions.next = WAITING;
        Ok(completions)
    }

    /// Units per second, in groups of that size.
    async fn rate(&mut self, group: u64) -> Result<f64, Failure> {
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < MOMENT {
            let mut units = Vec::new();
            for _ in 0..group {
                self.next += 1;
                // Far from each other, so that no page serves two.
                let place = usize::try_from(self.next.wrapping_mul(7_919) % WAITING)?;
                let (seq, task) = self.heads[place];
                units.push(unit(place as u64 + 1, seq + 1, Some(task), self.next));
                self.heads[place] = (seq + 1, self.next);
            }
            check(&self.store.commit(&units, Patience::Try).await?)?;
            count += u32::try_from(group)?;
        }
        Ok(f64::from(count) / start.elapsed().as_secs_f64())
    }
}

fn check(outcomes: &[Outcome]) -> Result<(), Failure> {
    match outcomes.iter().find(|outcome| **outcome != Outcome::Committed) {
        Some(outcome) => Err(format!("{outcome:?}").into()),
        None => Ok(()),
    }
}

/// Closes a task of an instance, if it is given, and opens another.
fn unit(instance: u64, seq: u64, ended: Option<u64>, task: u64) -> Unit {
    let now = Timestamp::UNIX_EPOCH;
    let instance = Key(instance);
    let mut unit = Unit { id: task, ..Unit::default() };
    unit.log.push(LogRow {
        instance,
        seq,
        definition: Key(1),
        format: 1,
        events: vec![7; 80].into(),
        envelope: vec![7; 40].into(),
        ..LogRow::default()
    });
    if let Some(ended) = ended {
        unit.changes.end_task(instance, Key(ended), TaskState::Completed, now);
    }
    unit.changes.add_task(Task {
        instance,
        key: Key(task),
        definition: Key(1),
        process: "order".into(),
        node: "check".into(),
        name: Some("Check the order".into()),
        candidate_groups: vec!["sales".into()],
        created: now,
        ..Task::default()
    });
    unit
}
