//! A transaction of the program's own, which the engine's work is part of.

use std::sync::{Arc, PoisonError};

use potok_store::{Connection, Transaction as StoreTransaction};

use crate::background;
use crate::cache::Cache;
use crate::commit::Committer;
use crate::engine::{Background, Engine, Inner};
use crate::handler::Handlers;
use crate::{Clock, Error};

/// Instances that a transaction touches are in its own memory.
const CAPACITY: usize = 100_000;

/// What the engine does in it, and the program's own statements, become durable together or not at all. Dropped, all of it is
/// undone.
///
/// On SQLite nobody else writes until it has ended: keep it short, and do not wait in it for what the engine itself is asked for.
/// PostgreSQL undoes one in which nothing happens for a minute.
///
/// ```
/// # use potok::Engine;
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// # let engine = Engine::builder().start().await?;
/// # let model = br#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="shop">
/// #   <process id="order" isExecutable="true"><startEvent id="start"/><userTask id="check"/>
/// #   <sequenceFlow id="f" sourceRef="start" targetRef="check"/></process></definitions>"#;
/// # engine.deployment().file("order.bpmn", model).send().await?;
/// let transaction = engine.transaction().await?;
/// {
///     let mut connection = transaction.connection().await?;
///     let database = connection.sqlite().expect("the engine is on SQLite");
///     potok::sqlx::query("CREATE TABLE orders (number INTEGER)").execute(&mut *database).await?;
///     potok::sqlx::query("INSERT INTO orders VALUES (?)").bind(17).execute(database).await?;
/// }
/// let case = transaction.engine().start("order").business_key("17").send().await?;
/// transaction.commit().await?;
/// assert_eq!(engine.tasks().instance(case.id()).count().await?, 1);
/// # engine.stop().await;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Transaction {
    engine: Engine,
    transaction: StoreTransaction,
    outside: Outside,
}

/// The engine outside a transaction, which must not trust its memory as long as that lasts.
#[derive(Debug)]
struct Outside(Arc<Inner>);

impl Drop for Outside {
    fn drop(&mut self) {
        self.0.cache.share(false);
    }
}

impl Engine {
    /// Begins a transaction.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn transaction(&self) -> Result<Transaction, Error> {
        let begun = Transaction::begin(&self.inner).await?;
        let (user, tenant, scope) = (self.user.clone(), self.tenant.clone(), self.scope.clone());
        let engine = Engine { user, tenant, scope, source: self.source.clone(), ..begun.engine.clone() };
        Ok(Transaction { engine, ..begun })
    }
}

impl Transaction {
    /// Begins one of an engine's that is nobody's in particular.
    pub(crate) async fn begin(outside: &Arc<Inner>) -> Result<Self, Error> {
        // What is known outside need not be read and compiled once more; that must be all there is.
        outside.catalog.discover().await?;
        let transaction = outside.store.begin().await?;
        let node = outside.node.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (committer, queue) = Committer::new();
        let inner = Arc::new(Inner {
            keys: outside.keys.clone(),
            catalog: outside.catalog.fork(transaction.store().clone()),
            ..Inner::new(
                transaction.store().clone(),
                Clock::standing_at(outside.clock.now()),
                (Handlers::default(), outside.limits.clone()),
                Cache::new(CAPACITY),
                node,
                committer,
                fastrand::Rng::with_seed(outside.random()),
            )
        });
        let running = Arc::new(Background::default());
        background::commit(&running, &inner, queue);
        outside.cache.share(true);
        Ok(Self { engine: Engine::new(inner, running), transaction, outside: Outside(outside.clone()) })
    }

    /// The engine within the transaction: it does all that an engine does, except by itself.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The connection, for the program's own statements; to be let go of before the engine is used again.
    ///
    /// # Errors
    /// If the transaction has ended.
    pub async fn connection(&self) -> Result<Connection, Error> {
        Ok(self.transaction.connection().await?)
    }

    /// Makes everything durable. Then timers, jobs and messages that came of it go on.
    ///
    /// # Errors
    /// If nothing was done; or, with [`Error::OutcomeUnknown`], if that is not known.
    pub async fn commit(self) -> Result<(), Error> {
        let Self { outside, engine, transaction } = self;
        let (touched, said, known) =
            (engine.inner.cache.touched(), engine.inner.catalog.said(), engine.inner.catalog.known());
        drop(engine);
        let committed = transaction.commit().await;
        let inner = &outside.0;
        for key in touched {
            inner.cache.outdate(key);
        }
        inner.catalog.changed();
        inner.forget_people();
        // Somebody outside may have begun to wait for what was sent, or sent what is waited for.
        inner.look_again();
        inner.wake.all();
        committed?;
        // What operators have said in it; else it is heard of in some seconds.
        if said != inner.catalog.said()
            && let Err(error) = inner.catalog.learn().await
        {
            tracing::warn!(%error, "what operators have said is looked up later");
        }
        // Decisions and calendars that were deployed in it count from now on.
        if known != inner.catalog.known()
            && let Err(error) = inner.catalog.discover().await
        {
            tracing::warn!(%error, "decisions and calendars are looked up later");
        }
        Ok(())
    }
}
