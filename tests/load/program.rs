//! A program that embeds the engine, under load until it is killed: `potok-load DATABASE NAME SEED`. It says on standard output, line by
//! line, what was acknowledged.

use std::time::Duration;

use potok::Engine;
use potok_tests::load::{self, CALLERS, Said};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("potok-load DATABASE NAME SEED");
    let (database, name) = (argument(), argument());
    let seed: u64 = argument().parse().expect("a number");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let engine = Engine::builder().database(database).name("load").job_lease(Duration::from_millis(300));
        let engine = load::with_handlers(engine).start().await.expect("an engine");
        say(&Said::Ready);
        let callers = (0..CALLERS).map(|number| {
            let caller = format!("{name}-{number}");
            let seed = seed.wrapping_mul(CALLERS as u64).wrapping_add(number as u64);
            tokio::spawn(load::call(engine.clone(), caller, seed, |said| say(&said), || true))
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.expect("a caller");
        }
    });
}

/// One write for each line, so that a kill leaves whole lines.
fn say(said: &Said) {
    println!("{}", serde_json::to_string(said).expect("JSON"));
}
