//! What a caller does.

use std::time::Duration;

use fastrand::Rng;
use potok::{Delivery, Engine, Error, Task};
use potok_core::time::Timestamp;
use serde_json::json;

use super::{Said, ledger};

/// Callers at a time.
pub const CALLERS: usize = 8;

/// Messages with ids of their own that an order may get, each sent more than once.
const NEWS: u32 = 3;

/// How long a worker has a job: short, so that those of one that is killed go on with another.
const LEASE: Duration = Duration::from_millis(300);

/// Calls until the program is killed or `goes_on` says no. What is about to be done and what was acknowledged goes to `say`.
pub async fn call(
    engine: Engine,
    name: String,
    seed: u64,
    say: impl Fn(Said) + Send + Sync + 'static,
    goes_on: impl Fn() -> bool + Send + Sync + 'static,
) {
    let mut caller = Caller { engine, name, random: Rng::with_seed(seed), say, count: 0 };
    while goes_on() {
        let (what, done) = caller.act().await;
        if let Err(error) = done {
            match error {
                // Somebody else was faster.
                Error::UnknownTask(_)
                | Error::TaskClaimed { .. }
                | Error::MessageRepeated(_)
                | Error::UnknownJob(_)
                | Error::LeaseLost(_)
                | Error::Contended(_) => {}
                error => {
                    (caller.say)(Said::Trouble { what: what.into(), code: error.code().into() });
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        }
    }
}

struct Caller<S> {
    engine: Engine,
    name: String,
    random: Rng,
    say: S,
    count: u32,
}

impl<S: Fn(Said)> Caller<S> {
    /// Does something, and says what.
    async fn act(&mut self) -> (&'static str, Result<(), Error>) {
        match self.random.u32(0..16) {
            0..=2 => ("start", self.start().await),
            3..=4 => ("claim", self.claim().await),
            5..=9 => ("complete", self.complete().await),
            10..=11 => ("send", self.send().await),
            12..=13 => ("work", self.work().await),
            14 => ("enter", self.enter().await),
            _ => ("attach", self.attach().await),
        }
    }

    async fn start(&mut self) -> Result<(), Error> {
        self.count += 1;
        let order = format!("{}-{}", self.name, self.count);
        (self.say)(Said::Starting { order: order.clone() });
        let case = self.engine.start("order").business_key(&*order).variables(json!({"amount": self.count}));
        let instance = case.send().await?.id();
        (self.say)(Said::Started { order, instance });
        Ok(())
    }

    async fn claim(&mut self) -> Result<(), Error> {
        let Some(task) = self.task(true).await? else { return Ok(()) };
        self.engine.claim(task.id(), &*self.name).await?;
        (self.say)(Said::Claimed { task: task.id(), user: self.name.clone() });
        Ok(())
    }

    async fn complete(&mut self) -> Result<(), Error> {
        let Some(task) = self.task(false).await? else { return Ok(()) };
        self.engine.complete(task.id(), json!({"by": self.name})).await?;
        (self.say)(Said::Completed { task: task.id() });
        Ok(())
    }

    async fn enter(&mut self) -> Result<(), Error> {
        let Some(task) = self.task(false).await? else { return Ok(()) };
        (self.say)(Said::Entering { task: task.id() });
        ledger::complete(&self.engine, task.id()).await?;
        (self.say)(Said::Entered { task: task.id() });
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Error> {
        let Some(task) = self.task(false).await? else { return Ok(()) };
        let number = self.random.u32(0..NEWS);
        let id = format!("{}-{number}", task.instance);
        let Some(order) = self.engine.instance(task.instance_id()).get().await?.business_key.clone() else {
            return Ok(());
        };
        (self.say)(Said::Sending { id: id.clone() });
        let message = self.engine.message("news").business_key(order).id(&*id);
        let to = match message.variables(json!({format!("news_{number}"): true})).send().await? {
            Delivery::Delivered(instance) => Some(instance),
            _ => None,
        };
        (self.say)(Said::Sent { id, to });
        Ok(())
    }

    async fn work(&mut self) -> Result<(), Error> {
        // The lease began after this, and they were handed out before `from`.
        let over = (Timestamp::now() + LEASE).as_microsecond();
        let topics = ["send".into()];
        let jobs = self.engine.fetch_jobs(&*self.name, &topics, 2, LEASE, Duration::ZERO).await?;
        let from = Timestamp::now().as_microsecond();
        for job in jobs {
            let until = over.min(Timestamp::now().as_microsecond());
            let done = self.engine.complete_job(&job, json!({"sent": job.id().to_string()})).await;
            (self.say)(Said::InHand { job: job.id(), from, until });
            done?;
            (self.say)(Said::JobDone { job: job.id() });
        }
        Ok(())
    }

    async fn attach(&mut self) -> Result<(), Error> {
        let Some(task) = self.task(false).await? else { return Ok(()) };
        self.count += 1;
        let (instance, name) = (task.instance_id(), format!("{}-{}", self.name, self.count % 3));
        let mut attaching = self.engine.attach(instance, &*name).await?;
        attaching.write(&super::file(&name)).await?;
        attaching.finish().await?;
        (self.say)(Said::Attached { instance, name });
        Ok(())
    }

    /// Some open task.
    async fn task(&mut self, unassigned: bool) -> Result<Option<Task>, Error> {
        let tasks = self.engine.tasks().limit(24);
        let tasks = if unassigned { tasks.unassigned() } else { tasks };
        let mut tasks = tasks.list().await?;
        let place = self.random.usize(..=tasks.len());
        Ok((place < tasks.len()).then(|| tasks.swap_remove(place)))
    }
}
