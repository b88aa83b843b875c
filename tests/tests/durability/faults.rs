//! What happens to a PostgreSQL server: connections that are cut, also in the middle of a commit, and the whole server stopped at once
//! and started again. Callers are told what became of their calls, and nobody has to do anything for it to go on.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use potok::sqlx::{self, Connection as _, PgConnection};
use potok::{Engine, Position};
use potok_tests::load::Account;

use crate::place::Place;
use crate::within::{Within, settle};

static COUNT: AtomicU32 = AtomicU32::new(0);

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_cut_lose_nothing() {
    let Some(place) = Place::postgres("connections_that_are_cut_lose_nothing").await else { return };
    let Place::Postgres(schema) = &place else { return };
    let engine = place.by_hand().start().await.unwrap();
    Account::prepare(&engine).await;
    engine.stop().await;
    let load = Within::start(&place, "cut", 1).await;
    let mut other = PgConnection::connect(schema.server()).await.unwrap();
    // Best those that are in the midst of something.
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = $1 AND (random() < 0.05 OR query = 'COMMIT' AND random() < 0.5)";
    let mut cut = 0_i64;
    for _ in 0..60 {
        cut += sqlx::query_scalar::<_, i64>(sql).bind(schema.name()).fetch_one(&mut other).await.unwrap();
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    // It heals by itself.
    load.go_on(50).await;
    let mut account = Account::default();
    load.stop(&mut account).await;
    settle(&place, &mut account).await;
    eprintln!("{cut} connections cut");
    assert!(cut > 10, "hardly any connection was cut");
    is_told(&account);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_and_started_again_loses_nothing() {
    let Some(server) = Server::start() else { return };
    let place = Place::on_server(server.url.clone()).await;
    let engine = place.by_hand().start().await.unwrap();
    Account::prepare(&engine).await;
    engine.stop().await;
    let load = Within::start(&place, "stopped", 1).await;
    for _ in 0..2 {
        load.go_on(20).await;
        server.is_told("stop");
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.is_told("restart");
        load.go_on(20).await;
    }
    let mut account = Account::default();
    load.stop(&mut account).await;
    settle(&place, &mut account).await;
    is_told(&account);
}

/// By dump and restore into a server that has not counted so many transactions: whoever follows the feed goes on at their place.
#[tokio::test(flavor = "multi_thread")]
async fn a_dump_goes_on_in_a_younger_server() {
    let (Some(old), Some(young)) = (Server::start(), Server::start()) else { return };
    let mut connection = PgConnection::connect(&old.url).await.unwrap();
    let years = "DO $$ BEGIN FOR i IN 1..20000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$";
    sqlx::raw_sql(years).execute(&mut connection).await.unwrap();
    let engine = Engine::builder().postgres(&old.url).job_execution(false).start().await.unwrap();
    Account::prepare(&engine).await;
    let before = engine.start("order").send().await.unwrap();
    let place = end_of_feed(&engine, Position::default()).await;
    let unread = engine.start("order").send().await.unwrap();
    let ended = engine.start("order").send().await.unwrap();
    engine.instance(ended.id()).cancel("no").await.unwrap();
    engine.instance(ended.id()).delete().await.unwrap();
    engine.stop().await;
    let dump = old.folder.join("dump");
    old.is_told_with("dump", &dump);
    young.is_told_with("load", &dump);

    let engine = Engine::builder().postgres(&young.url).job_execution(false).start().await.unwrap();
    assert_eq!(engine.examine().await.unwrap(), []);
    let begun = engine.start("order").send().await.unwrap();
    for task in engine.tasks().list().await.unwrap() {
        engine.complete(task.id(), ()).await.unwrap();
    }
    let mut told = Vec::new();
    let mut place = place;
    while told.len() < 5 {
        let feed = engine.feed(place, 100, Duration::from_secs(60)).await.unwrap();
        assert!(!feed.news.is_empty(), "{told:?}");
        told.extend(feed.news.iter().map(|news| news.instance));
        place = feed.end;
    }
    let (unread, begun, before) = (unread.id(), begun.id(), before.id());
    assert_eq!(told[..2], [unread, begun], "{told:?}");
    assert!(told[2..].len() == 3 && told[2..].contains(&before), "{told:?}");
    engine.stop().await;
}

async fn end_of_feed(engine: &Engine, mut place: Position) -> Position {
    loop {
        let feed = engine.feed(place, 100, Duration::ZERO).await.unwrap();
        if feed.news.is_empty() {
            return place;
        }
        place = feed.end;
    }
}

/// The engine finds out what became of its own commits. Only of a program's own transaction the program must find out.
#[track_caller]
fn is_told(account: &Account) {
    for (what, code) in account.trouble.keys() {
        let is_unknown = code == "store-outcome-unknown" && what == "enter";
        assert!(code == "store-unavailable" || is_unknown, "{what}: {code}");
    }
}

/// A server of the test's own. Ended when it is dropped.
struct Server {
    folder: PathBuf,
    url: String,
}

impl Server {
    /// If there are PostgreSQL tests at all.
    fn start() -> Option<Self> {
        std::env::var("POTOK_POSTGRES_URL").ok().filter(|url| !url.is_empty())?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("potok-server-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut server = Self { folder, url: String::new() };
        server.url = server.is_told("start");
        Some(server)
    }

    fn is_told(&self, what: &str) -> String {
        self.is_told_with(what, Path::new(""))
    }

    fn is_told_with(&self, what: &str, file: &Path) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/postgres");
        // Its output is a file's: the server inherits it, and a pipe would not end.
        let path = self.folder.join("output");
        let output = std::fs::File::create(&path).unwrap();
        let status = Command::new(script).arg(what).arg(&self.folder).arg(file).stdout(output).status().unwrap();
        assert!(status.success(), "{what}: {status}");
        std::fs::read_to_string(path).unwrap().lines().last().unwrap_or_default().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_told("stop");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
