//! How an engine is built.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use potok_core::Name;
use potok_core::encoding::FORMAT;
use potok_core::value::{MAXIMUM_BYTES, MAXIMUM_DEPTH};
use potok_store::Store;

use crate::background;
use crate::backup::Backups;
use crate::cache::Cache;
use crate::commit::Committer;
use crate::engine::{Background, Engine, Inner, Limits};
use crate::handler::{Handlers, IntoResult};
use crate::{Clock, Error, Job, Transaction};

/// For how long a node's number is leased; it is renewed three times in that time.
pub(crate) const NODE_LEASE: Duration = Duration::from_secs(30);

/// Builds an [`Engine`].
#[derive(Debug)]
pub struct Builder {
    database: Database,
    clock: Clock,
    name: Name,
    handlers: Handlers,
    limits: Limits,
    executes: bool,
    capacity: usize,
    backups: Copies,
    random: fastrand::Rng,
}

#[derive(Debug)]
enum Database {
    Url(String),
    File(PathBuf),
    InMemory,
    Store(Store),
}

/// Which copies are made by themselves.
#[derive(Debug)]
enum Copies {
    Usual,
    Asked(Backups),
    None,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            database: Database::InMemory,
            clock: Clock::system(),
            name: "potok".into(),
            handlers: Handlers::default(),
            limits: Limits::default(),
            executes: true,
            capacity: 100_000,
            backups: Copies::Usual,
            random: fastrand::Rng::new(),
        }
    }
}

impl Builder {
    /// On an SQLite file, which need not be there yet.
    #[must_use]
    pub fn sqlite(self, path: impl Into<PathBuf>) -> Self {
        Self { database: Database::File(path.into()), ..self }
    }

    /// On an SQLite database in memory, which is gone with the engine: for tests. That is the default.
    #[must_use]
    pub fn sqlite_in_memory(self) -> Self {
        Self { database: Database::InMemory, ..self }
    }

    /// On PostgreSQL, by a URL such as `postgres://user@host/database`; several engines may share one.
    #[must_use]
    pub fn postgres(self, url: impl Into<String>) -> Self {
        Self { database: Database::Url(url.into()), ..self }
    }

    /// On whatever a path or URL names: `work.db`, `:memory:`, `sqlite:work.db`, `postgres://...`.
    #[must_use]
    pub fn database(self, url: impl Into<String>) -> Self {
        Self { database: Database::Url(url.into()), ..self }
    }

    /// On a store that is open, which is copied only where [`backups`](Self::backups) are asked for, e.g. a node of a [`Simulation`](potok_store::Simulation), where all that can go wrong does.
    #[must_use]
    pub fn store(self, store: Store) -> Self {
        Self { database: Database::Store(store), ..self }
    }

    /// With random numbers from a seed rather than from the machine: what a simulation does twice is then the same.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), ..self }
    }

    /// By that clock rather than the machine's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Under that name, for people who look at the nodes of a database.
    #[must_use]
    pub fn name(self, name: impl Into<Name>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Does the jobs of a topic with a function, several at a time. A job may be handed out twice, after a crash or when its lease runs
    /// out: its [`key`](Job::id) stays the same, so that the function can tell.
    ///
    /// What the function returns completes the job: `()`, a JSON object or variables; an error fails it, to be tried again.
    #[must_use]
    pub fn handler<F, R>(mut self, topic: impl Into<Name>, handler: F) -> Self
    where
        F: Fn(Job) -> R + Send + Sync + 'static,
        R: Future + Send + 'static,
        R::Output: IntoResult,
    {
        self.handlers.add(topic.into(), handler);
        self
    }

    /// Does the jobs of a topic within the unit of work that completes them: what the function writes by its [`Transaction`], with the
    /// connection and the engine there, becomes durable with the job's completion and all that follows from that, in one commit, or not at
    /// all.
    ///
    /// What it returns is the same as a [`handler`](Self::handler)'s. If it fails or panics, all of it is undone, and the job has failed: it
    /// is tried again, and becomes an incident without tries left. A BPMN error is no failure: what was written stays. So what it does in
    /// this database is done once, however often a program is killed; what it does elsewhere may be done twice, as any handler's.
    ///
    /// At most six such jobs run at a time. On SQLite nobody else writes meanwhile, so one does, and the function must not wait for what it
    /// asks of an engine other than the transaction's. PostgreSQL undoes a transaction in which nothing happens for a minute. What waits for
    /// others, or takes long, is better done by a [`handler`](Self::handler).
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use potok::{Engine, Job, JobError, Transaction, sqlx};
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
    /// async fn book(job: Job, transaction: Arc<Transaction>) -> Result<(), JobError> {
    ///     let mut connection = transaction.connection().await?;
    ///     let database = connection.sqlite().ok_or_else(|| JobError::failed("the engine is on SQLite"))?;
    ///     let insert = sqlx::query("INSERT INTO bookings VALUES (?, ?)").bind(job.id().to_string());
    ///     insert.bind(job.variable("sum").as_i64()).execute(database).await?;
    ///     Ok(())
    /// }
    ///
    /// let engine = Engine::builder().sqlite_in_memory().handler_in_transaction("book", book).start().await?;
    /// # let begun = engine.transaction().await?;
    /// # let mut connection = begun.connection().await?;
    /// # let table = "CREATE TABLE bookings (job TEXT, sum INTEGER)";
    /// # sqlx::query(table).execute(connection.sqlite().unwrap()).await?;
    /// # drop(connection);
    /// # begun.commit().await?;
    /// # let model = br#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="shop"
    /// #     xmlns:potok="urn:potok:bpmn:1.0"><process id="sale" isExecutable="true"><startEvent id="start"/>
    /// #   <serviceTask id="pay" potok:job="book"/><sequenceFlow id="f" sourceRef="start" targetRef="pay"/></process></definitions>"#;
    /// # engine.deployment().file("sale.bpmn", model).send().await?;
    /// let case = engine.start("sale").variables(serde_json::json!({"sum": 17})).send().await?;
    /// engine.instance(case.id()).ended().await?;
    /// # let begun = engine.transaction().await?;
    /// # let mut connection = begun.connection().await?;
    /// # let sum: i64 = sqlx::query_scalar("SELECT sum FROM bookings").fetch_one(connection.sqlite().unwrap()).await?;
    /// # assert_eq!(sum, 17);
    /// # drop((connection, begun));
    /// # engine.stop().await;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn handler_in_transaction<F, R>(mut self, topic: impl Into<Name>, handler: F) -> Self
    where
        F: Fn(Job, Arc<Transaction>) -> R + Send + Sync + 'static,
        R: Future + Send + 'static,
        R::Output: IntoResult,
    {
        self.handlers.add_in_transaction(topic.into(), handler);
        self
    }

    /// How many jobs of one topic run here at a time; 16 unless this is set.
    #[must_use]
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.handlers.concurrency = jobs.max(1);
        self
    }

    /// How many jobs of a topic are handed out at a time, to the handlers and workers of all nodes together; as many as there are
    /// unless this is set. All nodes of a database should say the same: each goes by what it was told.
    #[must_use]
    pub fn topic_limit(mut self, topic: impl Into<Name>, jobs: usize) -> Self {
        self.limits.topics.push((topic.into(), jobs));
        self
    }

    /// For how long a handler has a job to itself before another node may take it; five minutes unless this is set. It is not
    /// cut off then.
    #[must_use]
    pub fn job_lease(mut self, lease: Duration) -> Self {
        self.handlers.lease = lease;
        self
    }

    /// Whether timers, savepoints and jobs are executed by themselves. If not, they wait until
    /// [`Engine::execute_due`] is called: for tests and maintenance.
    #[must_use]
    pub fn job_execution(self, executes: bool) -> Self {
        Self { executes, ..self }
    }

    /// How many instances are kept in memory at most; 100,000 unless this is set.
    #[must_use]
    pub fn instances_in_memory(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// How many bytes an attachment may have; 100 MiB unless this is set.
    #[must_use]
    pub fn attachment_limit(mut self, bytes: u64) -> Self {
        self.limits.attachment = bytes;
        self
    }

    /// How many bytes of text and binary data a variable may have that somebody gives: a caller, a worker, a handler. 64 MiB unless this is
    /// set; that is the most, and what holds for variables that are computed.
    #[must_use]
    pub fn variable_limit(mut self, bytes: usize) -> Self {
        self.limits.values.bytes = bytes.min(MAXIMUM_BYTES);
        self
    }

    /// How many lists and maps may stand inside each other in a variable that somebody gives. 128 unless this is set; that is the most, and
    /// what holds for variables that are computed.
    #[must_use]
    pub fn variable_depth(mut self, levels: usize) -> Self {
        self.limits.values.depth = levels.min(MAXIMUM_DEPTH);
        self
    }

    /// Copies the database into a folder, at once and then every so often, and keeps that many of the newest copies. Only for SQLite.
    /// Best on another disk: what is on the same one is lost with it. [`restore`](crate::restore) makes a database of a copy.
    ///
    /// Unless this is set, an SQLite file `work.db` is copied into `work.db.backups` beside it once a day, for the first time a day after
    /// something was first deployed, and seven copies are kept. What then fails is logged, and tried again.
    #[must_use]
    pub fn backups(self, folder: impl Into<PathBuf>, every: Duration, keep: usize) -> Self {
        Self { backups: Copies::Asked(Backups { folder: folder.into(), every, keep, at_once: true }), ..self }
    }

    /// Makes no copies by itself.
    #[must_use]
    pub fn no_backups(self) -> Self {
        Self { backups: Copies::None, ..self }
    }

    /// How long the history of ended instances is kept if their models say nothing (`historyTimeToLive`); for ever unless this
    /// is set.
    #[must_use]
    pub fn history_time_to_live(mut self, time: Duration) -> Self {
        self.limits.history = Some(time);
        self
    }

    /// Whether a process must say how long the history of its instances is kept (`historyTimeToLive`), and is refused where it does not,
    /// as Camunda 7 does; it need not unless this is set.
    #[must_use]
    pub fn enforce_history_time_to_live(mut self, enforces: bool) -> Self {
        self.limits.history_must_end = enforces;
        self
    }

    /// How long it is kept what was refused and done ([`Engine::audit`]); a year unless this is set.
    #[must_use]
    pub fn audit_time_to_live(mut self, time: Duration) -> Self {
        self.limits.audit = time;
        self
    }

    /// Lets webhooks be on a host that is not public, or is not asked by HTTPS: `hooks.internal`, `127.0.0.1`.
    #[must_use]
    pub fn webhook_host(mut self, host: impl Into<Name>) -> Self {
        self.limits.webhook_hosts.push(host.into());
        self
    }

    /// On how many instances a batch may be; 100,000 unless this is set.
    #[must_use]
    pub fn batch_limit(mut self, instances: usize) -> Self {
        self.limits.batch = instances;
        self
    }

    /// How many searches a user may keep ([`Engine::save_search`]), and how many may be everybody's in each tenant; 1,000 unless this is set.
    #[must_use]
    pub fn search_limit(mut self, searches: u64) -> Self {
        self.limits.searches = searches;
        self
    }

    /// How long the scripts and expressions of all that one call causes may take before they are taken for an endless loop; 10
    /// seconds unless this is set.
    #[must_use]
    pub fn script_time(mut self, time: Duration) -> Self {
        self.limits.script_time = time;
        self
    }

    /// Opens the database and starts.
    ///
    /// # Errors
    /// If the database cannot be opened, is open in another process, or was written by a newer version; or if the first backup cannot be
    /// made.
    pub async fn start(mut self) -> Result<Engine, Error> {
        let (store, is_given) = match std::mem::replace(&mut self.database, Database::InMemory) {
            Database::Url(url) => (Store::open(&url).await?, false),
            Database::File(path) => (Store::sqlite(path).await?, false),
            Database::InMemory => (Store::sqlite_in_memory().await?, false),
            Database::Store(store) => (store, true),
        };
        let started = self.start_on(&store, is_given).await;
        if started.is_err() && !is_given {
            // Else its file is another's only when the last of its threads has ended.
            store.close().await;
        }
        started
    }

    async fn start_on(mut self, store: &Store, is_given: bool) -> Result<Engine, Error> {
        let node = store.join(self.name, self.random.u64(1..), FORMAT.into(), NODE_LEASE).await?;
        let (committer, queue) = Committer::new();
        let inner = Arc::new(Inner::new(
            store.clone(),
            self.clock,
            (self.handlers, self.limits),
            Cache::new(self.capacity),
            node,
            committer,
            self.random,
        ));
        inner.renew(NODE_LEASE).await?;
        if !store.is_shared() {
            store.release_all(&inner.worker()).await?;
        }
        inner.catalog.discover().await?;
        inner.catalog.learn().await?;
        let running = Arc::new(Background::default());
        background::start(&running, &inner, queue, self.executes);
        let backups = match self.backups {
            Copies::Asked(backups) => {
                // What cannot be done at all is said now.
                backups.make_if_due(&inner).await?;
                Some(backups)
            }
            Copies::Usual if !is_given => store.file().await?.map(|file| Backups::beside(&file)),
            Copies::Usual | Copies::None => None,
        };
        if let Some(backups) = backups {
            let mut tasks = running.tasks.lock().unwrap_or_else(PoisonError::into_inner);
            tasks.spawn(backups.go_on(Arc::downgrade(&inner)));
        }
        Ok(Engine::new(inner, running))
    }
}
