//! Load within the test's own process: for what happens to a database rather than to a program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use potok::Engine;
use potok_tests::load::{self, Account, CALLERS, Said};
use tokio::task::JoinSet;

use crate::place::Place;

/// Callers of an engine, until they are stopped.
pub(crate) struct Within {
    pub(crate) engine: Engine,
    callers: JoinSet<()>,
    said: Arc<Mutex<Vec<Said>>>,
    stop: Arc<AtomicBool>,
}

impl Within {
    /// An engine with handlers, and callers who begin.
    pub(crate) async fn start(place: &Place, name: &str, seed: u64) -> Self {
        let engine = Engine::builder().database(place.url()).name(name).job_lease(Duration::from_millis(300));
        let engine = load::with_handlers(engine).start().await.unwrap();
        let (said, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let (said, stop) = (said.clone(), stop.clone());
            let say = move |it| said.lock().unwrap().push(it);
            let goes_on = move || !stop.load(Ordering::Relaxed);
            let name = format!("{name}-{number}");
            callers.spawn(load::call(engine.clone(), name, seed + number as u64, say, goes_on));
        }
        Self { engine, callers, said, stop }
    }

    /// How much was acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        let said = self.said.lock().unwrap();
        said.iter().filter(|said| matches!(said, Said::Started { .. } | Said::Completed { .. })).count()
    }

    /// Waits until so much more was acknowledged; fails if it takes longer than a minute.
    pub(crate) async fn go_on(&self, more: usize) {
        let until = self.acknowledged() + more;
        for _ in 0..6000 {
            if self.acknowledged() >= until {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the callers do not get on: {:?}", self.said.lock().unwrap().iter().rev().take(50).collect::<Vec<_>>());
    }

    /// Lets the callers come to an end, stops the engine, and takes down what was said.
    pub(crate) async fn stop(mut self, account: &mut Account) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(done) = self.callers.join_next().await {
            done.unwrap();
        }
        self.engine.stop().await;
        self.said.lock().unwrap().drain(..).for_each(|said| account.take_down(said));
    }
}

/// Holds what was said against the database, brings all to an end, and looks once more.
pub(crate) async fn settle(place: &Place, account: &mut Account) {
    place.come_to_rest().await;
    let lease = Duration::from_millis(300);
    let engine = load::with_handlers(place.by_hand().job_lease(lease)).start().await.unwrap();
    account.check(&engine).await;
    account.settle(&engine).await;
    engine.stop().await;
    eprintln!("{} calls acknowledged, trouble: {:?}", account.acknowledged, account.trouble);
}
