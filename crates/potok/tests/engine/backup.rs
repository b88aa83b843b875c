//! Copies of the database, and databases made of them.

use std::time::Duration;

use potok::Clock;
use serde_json::json;

use crate::database::{File, Place, at, deploy, morning, stop};
use crate::model::approval;

#[tokio::test]
async fn what_is_restored_goes_on_where_the_copy_was_made() {
    let file = File::new();
    let (copy, restored) = (file.path("copy.db"), file.path("restored.db"));
    let place = Place::File(file);
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").variables(json!({"amount": 7})).send().await.unwrap();
    engine.back_up(&copy).await.unwrap();
    let later = engine.start("approval").send().await.unwrap();
    assert_eq!(engine.back_up(&copy).await.unwrap_err().code(), "store-no-copy", "nothing is written over");
    stop(&engine).await;

    potok::restore(&copy, &restored).await.unwrap();
    assert_eq!(potok::restore(&copy, &restored).await.unwrap_err().code(), "store-no-copy");
    let engine = potok::Engine::builder().sqlite(&restored).clock(Clock::standing_at(morning())).job_execution(false);
    let engine = engine.start().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 1);
    let task = engine.tasks().instance(case.id()).list().await.unwrap().remove(0);
    engine.complete(task.id(), ()).await.unwrap();
    let next = engine.start("approval").send().await.unwrap();
    assert_ne!(next.id(), later.id(), "no key is given again");
    stop(&engine).await;
}

#[tokio::test]
async fn a_copy_is_made_while_another_process_is_at_work_and_is_examined() {
    let file = File::new();
    let (database, copy) = (file.path("work.db"), file.path("copy.db"));
    let place = Place::File(file);
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    assert_eq!(potok::back_up(&database, &copy).await.unwrap(), []);
    assert!(!copy.with_extension("db.lock").exists() && !copy.with_extension("db-wal").exists(), "it is one file");
    engine.start("approval").send().await.unwrap();
    stop(&engine).await;
}

#[tokio::test]
async fn copies_are_made_every_so_often_and_the_newest_are_kept() {
    let file = File::new();
    let folder = file.path("copies");
    let place = Place::File(file);
    let hour = Duration::from_secs(3600);
    let builder = || place.builder().clock(Clock::standing_at(morning())).job_execution(false);
    let names = || {
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = files.collect();
        names.sort();
        names
    };
    let engine = builder().backups(&folder, hour, 2).start().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval())]).await;
    assert_eq!(names(), ["potok-2026-01-05T09-00-00Z.db"]);
    std::fs::write(folder.join("notes.txt"), "not a copy").unwrap();
    engine.clock().advance(at("2026-01-05T09:59:59Z"));
    engine.clock().advance(at("2026-01-05T10:00:00Z"));
    tokio::time::timeout(Duration::from_secs(60), async {
        while !names().contains(&"potok-2026-01-05T10-00-00Z.db".to_owned()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    stop(&engine).await;
    let later = place.builder().clock(Clock::standing_at(at("2026-01-05T11:30:00Z"))).job_execution(false);
    let engine = later.backups(&folder, hour, 2).start().await.unwrap();
    assert_eq!(names(), ["notes.txt", "potok-2026-01-05T10-00-00Z.db", "potok-2026-01-05T11-30-00Z.db"]);
    stop(&engine).await;
}

/// The names of the copies beside a file, once there are so many.
async fn copies(folder: &std::path::Path, count: usize) -> Vec<String> {
    let names = || {
        let files = std::fs::read_dir(folder).into_iter().flatten();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with("Z.db")).collect();
        names.sort();
        names
    };
    let there = tokio::time::timeout(Duration::from_secs(60), async {
        while names().len() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    there.await.unwrap();
    names()
}

#[tokio::test]
async fn a_file_is_copied_once_a_day_unless_something_else_is_said() {
    let file = File::new();
    let folder = file.path("work.db.backups");
    let place = Place::File(file);
    let builder = |now: &str| place.builder().clock(Clock::standing_at(at(now))).job_execution(false);
    // A day begins with the first deployment.
    let engine = builder("2026-01-01T09:00:00Z").start().await.unwrap();
    engine.clock().advance(morning());
    deploy(&engine, &[("approval.bpmn", &approval())]).await;
    engine.start("approval").send().await.unwrap();
    engine.clock().advance(at("2026-01-06T08:59:59Z"));
    engine.clock().advance(at("2026-01-06T09:00:00Z"));
    assert_eq!(copies(&folder, 1).await, ["potok-2026-01-06T09-00-00Z.db"]);
    stop(&engine).await;
    // It goes by the last copy, not by when it was started, and keeps a week.
    let engine = builder("2026-01-07T07:00:00Z").start().await.unwrap();
    engine.clock().advance(at("2026-01-07T09:30:00Z"));
    assert_eq!(copies(&folder, 2).await[1], "potok-2026-01-07T09-30-00Z.db");
    stop(&engine).await;
    for day in 10..15 {
        let engine = builder(&format!("2026-01-{day}T10:00:00Z")).start().await.unwrap();
        copies(&folder, day - 7).await;
        stop(&engine).await;
    }
    let engine = builder("2026-01-20T10:00:00Z").start().await.unwrap();
    let newest = folder.join("potok-2026-01-20T10-00-00Z.db");
    let oldest = folder.join("potok-2026-01-06T09-00-00Z.db");
    tokio::time::timeout(Duration::from_secs(60), async {
        while !newest.exists() || oldest.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(copies(&folder, 7).await.len(), 7);
    stop(&engine).await;
    let Place::File(file) = &place else { return };
    let restored = file.path("restored.db");
    potok::restore(&newest, &restored).await.unwrap();
    let engine = potok::Engine::builder().sqlite(&restored).no_backups().job_execution(false).start().await.unwrap();
    assert_eq!(engine.tasks().count().await.unwrap(), 1);
    stop(&engine).await;
}

#[tokio::test]
async fn a_file_is_not_copied_if_nobody_wants_it() {
    let file = File::new();
    let (folder, copy) = (file.path("work.db.backups"), file.path("copy.db"));
    let place = Place::File(file);
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    stop(&engine).await;
    let later = place.builder().clock(Clock::standing_at(at("2026-02-05T09:00:00Z"))).job_execution(false);
    let engine = later.no_backups().start().await.unwrap();
    // One that were made by itself would have begun before.
    engine.back_up(&copy).await.unwrap();
    assert!(!folder.exists());
    stop(&engine).await;
}

#[tokio::test]
async fn postgres_is_copied_by_its_own_tools() {
    let Some(place) = crate::database::postgres("backup::postgres_is_copied_by_its_own_tools").await else { return };
    let engine = place.by_hand().await;
    let error = engine.back_up(std::env::temp_dir().join("never.db")).await.unwrap_err();
    assert_eq!(error.code(), "store-no-copy");
    assert!(error.to_string().contains("pg_dump"), "{error}");
    stop(&engine).await;
    let error = place.builder().backups(std::env::temp_dir(), Duration::MAX, 1).start().await.unwrap_err();
    assert_eq!(error.code(), "store-no-copy");
}
