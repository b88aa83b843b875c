//! Nodes on a database with faults: whatever the seed, nothing acknowledged is lost and nothing is done twice. The same on
//! PostgreSQL, whose connections are cut meanwhile.
//!
//! `POTOK_SEEDS=10000 cargo test -p potok-store --release seeds` runs more of them, `POTOK_SEED=17` one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use potok_core::instance::Key;
use potok_store::row::{Attachment, Claim, ClaimKind, Variable, Work};
use potok_store::{Faults, Guard, Outcome, Patience, Position, Simulation, Store, StoreError, Unit};

use crate::database::{at, committed, log, postgres_schema, postgres_url, unit};

const NODES: u64 = 3;
const INSTANCES: u64 = 4;
const COMMANDS: u64 = 12;

/// What the nodes were told.
#[derive(Default)]
struct Told {
    /// Units that were acknowledged, with the instances they wrote.
    committed: BTreeMap<u64, Vec<Key>>,
    /// Who got the claim.
    claims: Vec<u64>,
    /// Who did the work.
    work: Vec<u64>,
}

#[test]
fn seeds() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = match number("POTOK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("POTOK_SEEDS").unwrap_or(300),
    };
    for seed in seeds {
        eprintln!("seed {seed}");
        let first = run(seed);
        if seed % 50 == 0 {
            assert_eq!(first, run(seed), "the same seed gives the same history");
        }
    }
}

/// Runs the nodes of one seed, and checks what is left; gives the log.
fn run(seed: u64) -> Vec<(u64, u64, u64)> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let simulation = Arc::new(Simulation::new(seed, Faults::some(), at(1000)));
        let told = Arc::new(Mutex::new(Told::default()));
        prepare(&simulation.witness()).await;
        let nodes: Vec<_> = (1..=NODES)
            .map(|number| tokio::spawn(node(number, simulation.node(), simulation.clone(), told.clone())))
            .collect();
        for node in nodes {
            node.await.unwrap();
        }
        let told = std::mem::take(&mut *told.lock().unwrap());
        check(&simulation.witness(), &told).await
    })
}

async fn prepare(store: &Store) {
    let mut unit = Unit { id: 1, ..Unit::default() };
    unit.changes.add(Work { instance: Key(1), key: Key(1), ..Work::default() });
    assert_eq!(store.commit(&[unit], Patience::Try).await.unwrap(), [Outcome::Committed]);
}

/// A node: steps instances, one or two at a time, in batches, as an engine would.
async fn node(number: u64, store: Store, simulation: Arc<Simulation>, told: Arc<Mutex<Told>>) {
    for command in 0..COMMANDS {
        let id = number * 1000 + command;
        let mut losses = 0;
        let instances = [Key(1 + simulation.random(INSTANCES)), Key(1 + simulation.random(INSTANCES))];
        loop {
            let Some(unit) = step(&store, &simulation, id, instances).await else { continue };
            let patience = if losses > 2 { Patience::Wait } else { Patience::Try };
            match send(&store, &unit, patience).await {
                Outcome::Committed => {
                    let mut told = told.lock().unwrap();
                    told.committed.insert(id, unit.log.iter().map(|row| row.instance).collect());
                    for guard in &unit.guards {
                        match guard {
                            Guard::Claim(_) => told.claims.push(id),
                            Guard::Work { .. } => told.work.push(id),
                            _ => {}
                        }
                    }
                    break;
                }
                Outcome::Missed { .. } => break,
                Outcome::Conflict(_) | Outcome::Busy => losses += 1,
            }
        }
    }
}

/// A unit on top of the instances' histories.
async fn step(store: &Store, simulation: &Simulation, id: u64, instances: [Key; 2]) -> Option<Unit> {
    let mut unit = Unit { id, ..Unit::default() };
    for (index, instance) in instances.into_iter().enumerate() {
        if index > 0 && instance == instances[0] {
            continue;
        }
        let seq = store.history(instance, 0, 1000).await.ok()?.len() as u64 + 1;
        unit.log.push(log(instance.into(), seq));
        // Sums up what happened: wrong if anything is done twice, or on top of what was lost.
        unit.changes.put(Variable::number(instance, "steps".into(), seq as f64));
    }
    match simulation.random(6) {
        0 => unit.guards.push(Guard::Claim(Claim {
            kind: ClaimKind::MessageId,
            value: "m".into(),
            owner: Key(id),
            ..Claim::default()
        })),
        1 => unit.guards.push(Guard::Work { instance: Key(1), work: Key(1) }),
        _ => {}
    }
    Some(unit)
}

/// Sends a unit until its outcome is known.
async fn send(store: &Store, unit: &Unit, mut patience: Patience) -> Outcome {
    loop {
        match store.commit(std::slice::from_ref(unit), patience).await {
            Ok(mut outcomes) => return outcomes.remove(0),
            Err(StoreError::Unavailable(_)) => {}
            Err(StoreError::OutcomeUnknown(_)) => patience = Patience::Wait,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_attached_whole_whatever_answers_are_lost() {
    for seed in 0..50 {
        let faults = Faults { lost_before_commit: 300, lost_after_commit: 300, pauses: 3, ..Faults::default() };
        let simulation = Simulation::new(seed, faults, at(1000));
        let bytes: Vec<u8> = (0..600_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        committed(&simulation.witness(), unit(1, &[(1, 1)])).await;
        let mut upload = simulation.node().upload(7, 1_000_000);
        for part in bytes.chunks(100_000) {
            upload.write(part).await.unwrap();
        }
        let attachment = Attachment { instance: Key(1), key: Key(2), name: "scan.pdf".into(), ..Attachment::default() };
        let attachment = upload.finish(attachment).await.unwrap().unwrap();
        let store = simulation.witness();
        assert_eq!(
            store.of_instance::<Attachment>(Key(1)).await.unwrap(),
            std::slice::from_ref(&attachment),
            "seed {seed}"
        );
        let mut read = Vec::new();
        for chunk in 0.. {
            let Some(bytes) = store.chunk(&attachment.content, chunk).await.unwrap() else { break };
            read.extend_from_slice(&bytes);
        }
        assert!(read == bytes, "seed {seed}");
        assert_eq!(store.chunk(&7_u64.to_be_bytes().as_slice().into(), 0).await.unwrap(), None, "no draft is left");
        simulation.node().remove_attachment(Key(1), Key(2)).await.unwrap();
        assert_eq!(store.chunk(&attachment.content, 0).await.unwrap(), None, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_on_one_postgres_whose_connections_are_cut() {
    use sqlx::Connection;
    let Some(url) = postgres_url("nodes_on_one_postgres_whose_connections_are_cut") else { return };
    let url = postgres_schema(&url).await;
    let witness = Store::open(&url).await.unwrap();
    prepare(&witness).await;
    let choices = Arc::new(Simulation::new(1, Faults::default(), at(1000)));
    let told = Arc::new(Mutex::new(Told::default()));
    let mut nodes = tokio::task::JoinSet::new();
    for number in 1..=NODES {
        // Named, so that only these connections are cut.
        let store = Store::open(&format!("{url}&application_name=potok_cut_{}", std::process::id())).await.unwrap();
        nodes.spawn(node(number, store, choices.clone(), told.clone()));
    }
    let mut other = sqlx::PgConnection::connect(&url).await.unwrap();
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = $1 AND (random() < 0.2 OR state LIKE 'idle in%' AND random() < 0.5)";
    let name = format!("potok_cut_{}", std::process::id());
    let mut cut = 0_i64;
    while !nodes.is_empty() {
        cut += sqlx::query_scalar::<_, i64>(sql).bind(&name).fetch_one(&mut other).await.unwrap();
        while let Some(done) = nodes.try_join_next() {
            done.unwrap();
        }
    }
    eprintln!("{cut} connections cut");
    let told = std::mem::take(&mut *told.lock().unwrap());
    assert!(!check(&witness, &told).await.is_empty());
}

async fn check(store: &Store, told: &Told) -> Vec<(u64, u64, u64)> {
    let mut written: BTreeMap<u64, Vec<Key>> = BTreeMap::new();
    let mut seen = Vec::new();
    for instance in (1..=INSTANCES).map(Key) {
        let rows = store.history(instance, 0, 1000).await.unwrap();
        let seqs: Vec<u64> = rows.iter().map(|row| row.seq).collect();
        assert_eq!(seqs, (1..=rows.len() as u64).collect::<Vec<_>>(), "no gaps in {instance}");
        for row in &rows {
            written.entry(row.unit).or_default().push(instance);
            seen.push((instance.into(), row.seq, row.unit));
        }
        let steps = store.get::<Variable>((instance, "steps".into())).await.unwrap();
        assert_eq!(steps.map_or(0.0, |steps| steps.number), rows.len() as f64, "derived rows equal the log");
    }
    let mut told_rows = told.committed.clone();
    told_rows.values_mut().for_each(|instances| instances.sort());
    assert_eq!(written, told_rows, "what is there is what was acknowledged, whole and once");
    assert!(told.claims.len() <= 1 && told.work.len() <= 1, "{:?} {:?}", told.claims, told.work);
    let claim = store.get::<Claim>(("".into(), ClaimKind::MessageId, "m".into())).await.unwrap();
    assert_eq!(claim.map(|claim| u64::from(claim.owner)), told.claims.first().copied());
    let work = store.of_instance::<Work>(Key(1)).await.unwrap();
    assert_eq!(work.is_empty(), !told.work.is_empty());
    let feed = store.feed(Position::default(), 10_000).await.unwrap();
    assert_eq!(feed.len(), seen.len(), "the feed skips nothing");
    seen
}
