//! The engine: what a program holds, and what runs behind it.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use potok_core::encoding::FORMAT;
use potok_core::instance::{Instance, Key};
use potok_core::routing::Running;
use potok_core::step::{Events, SCRIPT_TIME};
use potok_core::value::ValueLimits;
use potok_core::{Name, encoding::DecodeError};
use potok_store::row::{
    ApiToken as TokenRow, Instance as InstanceRow, Job as JobRow, Node, Session as SessionRow, Task as TaskRow,
};
use potok_store::{Bytes, Keys, Store};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::access::{Scope, Standings};
use crate::cache::{Cache, Loaded};
use crate::catalog::Catalog;
use crate::commit::Committer;
use crate::courier::Couriers;
use crate::envelope::Envelope;
use crate::guesses::Guesses;
use crate::handler::Handlers;
use crate::neighbours::Neighbours;
use crate::once::Once;
use crate::password::Passwords;
use crate::recent::Recent;
use crate::statistics::Topics;
use crate::together::Together;
use crate::trace::TraceContext;
use crate::wake::Wake;
use crate::watch::Watchers;
use crate::{Builder, Clock, Error, InstanceId, follow};

/// A workflow engine on a database. Cheap to clone; all clones are the same engine.
///
/// ```
/// use potok::{Engine, Job};
/// use serde_json::json;
///
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// let model = br#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="shop"
///     xmlns:potok="urn:potok:bpmn:1.0">
///   <process id="order" isExecutable="true">
///     <startEvent id="start"/>
///     <userTask id="approve" potok:candidateGroups="sales"/>
///     <serviceTask id="send" potok:job="send-letter"/>
///     <endEvent id="end"/>
///     <sequenceFlow id="f1" sourceRef="start" targetRef="approve"/>
///     <sequenceFlow id="f2" sourceRef="approve" targetRef="send"/>
///     <sequenceFlow id="f3" sourceRef="send" targetRef="end"/>
///   </process>
/// </definitions>"#;
///
/// let engine = Engine::builder()
///     .sqlite_in_memory()
///     .handler("send-letter", |job: Job| async move { Ok::<_, potok::JobError>(json!({"to": job.variable("client")})) })
///     .start()
///     .await?;
/// engine.deployment().file("order.bpmn", model).send().await?;
/// let case = engine.start("order").business_key("C-17").variables(json!({"client": "Anna"})).send().await?;
/// for task in engine.tasks().candidate_group("sales").list().await? {
///     engine.claim(task.id(), "boris").await?;
///     engine.complete(task.id(), ()).await?;
/// }
/// engine.instance(case.id()).ended().await?;
/// # engine.stop().await;
/// # Ok::<(), potok::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
    /// Who acts; nobody in particular if the program itself.
    pub(crate) user: Option<Name>,
    /// The tenant that it keeps to.
    pub(crate) tenant: Option<Name>,
    /// By what else than a password the user has signed in, and what follows for their rights.
    pub(crate) scope: Option<Arc<Scope>>,
    /// Where its callers are.
    pub(crate) source: Option<Name>,
    /// What it is asked for is done once.
    pub(crate) once: Option<Arc<Once>>,
    /// What would get stuck is not done at all.
    pub(crate) unstuck: bool,
    /// The trace that all it does is part of.
    pub(crate) trace: Option<TraceContext>,
    /// The trace that what it does is part of if it is part of none.
    pub(crate) or_trace: Option<TraceContext>,
    /// Stops what runs behind it when the last engine is dropped.
    pub(crate) running: Arc<Background>,
}

// Neither what it remembers of people nor the database's address is for logs.
impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("user", &self.user).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

/// What runs behind an engine.
#[derive(Debug, Default)]
pub(crate) struct Background {
    pub(crate) tasks: Mutex<JoinSet<()>>,
}

/// What may be given at most.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Bytes of an attachment.
    pub(crate) attachment: u64,
    /// How long the history of ended instances is kept whose models say nothing; for ever if none.
    pub(crate) history: Option<Duration>,
    /// Models must say it.
    pub(crate) history_must_end: bool,
    /// How deep and how large a variable is that comes from outside.
    pub(crate) values: ValueLimits,
    /// Instances of a batch.
    pub(crate) batch: usize,
    /// Searches that one user keeps.
    pub(crate) searches: u64,
    /// Jobs of a topic that are handed out at a time.
    pub(crate) topics: Vec<(Name, usize)>,
    /// How long audit records are kept.
    pub(crate) audit: Duration,
    /// Hosts that webhooks may be on, though they are not public.
    pub(crate) webhook_hosts: Vec<Name>,
    /// What the scripts and expressions of one unit of work may take.
    pub(crate) script_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let audit = Duration::from_secs(365 * 24 * 60 * 60);
        let (topics, webhook_hosts) = (Vec::new(), Vec::new());
        let (history, history_must_end, script_time) = (None, false, SCRIPT_TIME);
        let (attachment, values) = (100 << 20, ValueLimits::default());
        Self {
            attachment,
            history,
            history_must_end,
            values,
            batch: 100_000,
            searches: 1000,
            topics,
            audit,
            webhook_hosts,
            script_time,
        }
    }
}

/// What all clones of an engine share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) cache: Cache,
    pub(crate) committer: Committer,
    /// Whether others have not written more of an instance's log.
    pub(crate) fresh: Together<(Key, u64), bool>,
    /// Jobs by their keys, with the instances that are known to have them.
    pub(crate) job_rows: Together<(Key, Option<Key>), Option<JobRow>>,
    /// Whether there are jobs of topics.
    pub(crate) open_topics: Together<Vec<Name>, bool>,
    /// Tasks by their keys.
    pub(crate) task_rows: Together<Key, Option<TaskRow>>,
    pub(crate) clock: Clock,
    /// What was read a moment ago of who may do what, and of what they sign in by.
    pub(crate) standings: Standings,
    /// Whether there is any user.
    pub(crate) inhabited: Recent<(), bool>,
    pub(crate) sessions: Recent<Bytes, SessionRow>,
    pub(crate) tokens: Recent<Bytes, TokenRow>,
    pub(crate) passwords: Passwords,
    pub(crate) guesses: Guesses,
    pub(crate) handlers: Handlers,
    pub(crate) couriers: Couriers,
    pub(crate) topics: Topics,
    pub(crate) watchers: Watchers,
    pub(crate) limits: Limits,
    /// Who sleeps until something happens.
    pub(crate) wake: Wake,
    /// Other nodes on the database.
    pub(crate) neighbours: Neighbours,
    /// Batches may have something to do.
    pub(crate) batches: Notify,
    /// Kept messages and those who wait for them are to be brought together again.
    pub(crate) look_again: AtomicBool,
    pub(crate) node: Mutex<Node>,
    pub(crate) keys: Arc<RwLock<Keys>>,
    pub(crate) random: Mutex<fastrand::Rng>,
}

impl Engine {
    /// An engine to be built.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn new(inner: Arc<Inner>, running: Arc<Background>) -> Self {
        Self {
            inner,
            user: None,
            tenant: None,
            scope: None,
            source: None,
            once: None,
            unstuck: false,
            trace: None,
            or_trace: None,
            running,
        }
    }

    /// The same engine for a user: what is done with it is done within that user's rights, and stands in the history as the
    /// user's. See `docs/security.md` for what users may do; an engine that acts as nobody in particular is the program itself, and may
    /// everything.
    #[must_use]
    pub fn as_user(&self, user: impl Into<Name>) -> Self {
        Self { user: Some(user.into()), scope: None, ..self.clone() }
    }

    /// The same engine, that refuses what would raise an incident: where a token cannot go on, nothing is done, and the caller is told
    /// why ([`Error::Stuck`]). That is how engines answer that roll back; what a job leaves without tries is an incident all the same.
    #[must_use]
    pub fn without_incidents(&self) -> Self {
        Self { unstuck: true, ..self.clone() }
    }

    /// The same engine, whose doings are part of a trace: it stands in the history with what is done, and goes on with instances that are
    /// started, jobs that open, and what comes of them.
    #[must_use]
    pub fn traced(&self, trace: TraceContext) -> Self {
        Self { trace: Some(trace), ..self.clone() }
    }

    /// The same, but what goes on in an instance, or comes of a job, that is part of a trace already stays part of that one.
    #[must_use]
    pub fn or_traced(&self, trace: TraceContext) -> Self {
        Self { or_trace: Some(trace), ..self.clone() }
    }

    /// The clock that the engine goes by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The database, for what the engine has no words for. Reading is always safe. It knows neither users nor tenants: what is taken from
    /// here the program must keep from them itself.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Stops: handlers that run come to their end, then the database is let go of. What waits goes on when an engine is started on it
    /// again. Calls that are under way may be cut off: they get [`Error::OutcomeUnknown`].
    pub async fn stop(&self) {
        self.inner.handlers.stop().await;
        let mut tasks = std::mem::take(&mut *self.running.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        if let Err(error) = self.inner.leave_webhooks().await {
            tracing::warn!(%error, "webhooks are told by others only when their lease runs out");
        }
        let node = self.inner.node.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let given = self.inner.keys.read().unwrap_or_else(PoisonError::into_inner).given(self.inner.clock.now());
        if let Err(error) = self.inner.store.leave(&node, given).await {
            tracing::warn!(%error, "the node's number stays taken until its lease runs out");
        }
        self.inner.store.close().await;
    }

    pub(crate) fn envelope(&self) -> Envelope {
        let (by, once) = (self.user.clone(), self.once.clone());
        let (trace, or_trace, unstuck) = (self.trace, self.or_trace, self.unstuck);
        Envelope { by, once, trace, or_trace, unstuck, ..Envelope::default() }
    }
}

impl Inner {
    pub(crate) fn new(
        store: Store,
        clock: Clock,
        (handlers, limits): (Handlers, Limits),
        cache: Cache,
        node: Node,
        committer: Committer,
        random: fastrand::Rng,
    ) -> Self {
        Self {
            catalog: Catalog::new(store.clone()),
            store,
            cache,
            committer,
            fresh: Together::default(),
            job_rows: Together::default(),
            open_topics: Together::default(),
            task_rows: Together::default(),
            clock,
            standings: Standings::default(),
            inhabited: Recent::default(),
            sessions: Recent::default(),
            tokens: Recent::default(),
            passwords: Passwords::default(),
            guesses: Guesses::default(),
            handlers,
            couriers: Couriers::new(&limits.webhook_hosts),
            topics: Topics::default(),
            watchers: Watchers::default(),
            limits,
            wake: Wake::default(),
            neighbours: Neighbours::default(),
            batches: Notify::new(),
            // Whoever was here before may have crashed.
            look_again: AtomicBool::new(true),
            keys: Arc::new(RwLock::new(Keys::of(&node))),
            node: Mutex::new(node),
            random: Mutex::new(random),
        }
    }

    /// The next key of this node.
    pub(crate) fn next_key(&self, now: potok_core::time::Timestamp) -> Key {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).next(now)
    }

    /// A random number that is not 0.
    pub(crate) fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).u64(1..)
    }

    /// Whether an instance's log still ends with that row; if that is 0, whether there is none.
    pub(crate) async fn ends_with(&self, instance: Key, seq: u64) -> Result<bool, Error> {
        self.fresh.ask((instance, seq), |ends| async move { Ok(self.store.end_with(&ends).await?) }).await
    }

    /// Renews the lease of the node's number; one that was lost is given up for another.
    pub(crate) async fn renew(&self, lease: Duration) -> Result<(), Error> {
        let node = self.node.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let given = self.keys.read().unwrap_or_else(PoisonError::into_inner).given(self.clock.now());
        if self.store.renew(&node, given, lease).await? {
            self.keys.read().unwrap_or_else(PoisonError::into_inner).renewed(given);
            return Ok(());
        }
        let node = self.store.join(node.name, self.random(), FORMAT.into(), lease).await?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Keys::of(&node);
        *self.node.lock().unwrap_or_else(PoisonError::into_inner) = node;
        Ok(())
    }

    /// Loads an instance: its last snapshot, and what happened since then.
    pub(crate) async fn load(&self, key: Key) -> Result<Option<Loaded>, Error> {
        let Some((instance, last)) = self.replay(key, u64::MAX).await? else { return Ok(None) };
        // After its history: were it older, what another node did meanwhile would be taken for known.
        let Some(row) = self.store.get::<InstanceRow>(key).await? else { return Ok(None) };
        let Some(deployed) = self.catalog.get(row.definition).await? else { return Ok(None) };
        let apart = follow::Apart::of(&instance);
        let running = Running { graph: deployed.graph.clone(), instance };
        Ok(Some(Loaded {
            running,
            apart,
            definition: row.definition,
            tenant: row.tenant,
            suspended: row.suspended,
            unique: row.unique,
            trace: TraceContext::of_row(row.trace.as_ref()),
            seq: last.seq,
            unit: last.unit,
            tail: last.tail,
            snapshot: last.snapshot,
        }))
    }

    /// An instance as it was after that row of its history.
    pub(crate) async fn replay(&self, key: Key, until: u64) -> Result<Option<(Instance, Last)>, Error> {
        let damaged = |error: DecodeError| Error::Damaged { instance: InstanceId(key), error };
        let snapshot = self.store.snapshot(key, until).await?;
        let mut last = Last::default();
        let mut instance = match snapshot {
            Some(snapshot) => {
                (last.seq, last.snapshot) = (snapshot.seq, snapshot.bytes.len());
                Instance::decode(&snapshot.bytes).map_err(damaged)?
            }
            None => Instance::new(key),
        };
        loop {
            let left = usize::try_from(until - last.seq).unwrap_or(usize::MAX).min(PAGE);
            let rows = self.store.history(key, last.seq, left).await?;
            let count = rows.len();
            for row in rows {
                let events = Events::decode(&row.events).map_err(damaged)?;
                for event in &events.list {
                    instance.apply(*event, &events);
                }
                (last.seq, last.unit) = (row.seq, row.unit);
                last.tail += row.events.len();
            }
            if count < PAGE {
                break;
            }
        }
        Ok((last.seq > 0).then_some((instance, last)))
    }
}

/// Rows that are read at once.
const PAGE: usize = 1000;

/// Where an instance's history ends.
#[derive(Debug, Default)]
pub(crate) struct Last {
    pub(crate) seq: u64,
    pub(crate) unit: u64,
    /// Bytes since the last snapshot, and of it.
    pub(crate) tail: usize,
    pub(crate) snapshot: usize,
}
