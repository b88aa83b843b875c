//! The feed: what happens, told to whoever follows it.

use std::time::Duration;

use potok::{Engine, Occurrence, Position};
use serde_json::json;

use crate::database::{Place, stop};
use crate::model::approval;

crate::on_every_database!(what_happens_is_told_once_and_in_order, whoever_waits_is_woken);

fn words(events: &[Occurrence]) -> Vec<String> {
    events.iter().map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned()).collect()
}

/// Others at work on the same server hold the feed up for a moment.
const MINUTE: Duration = Duration::from_secs(60);

/// What is told from there on until that happens, and where that is.
async fn heard(engine: &Engine, mut after: Position, last: &str) -> (Vec<String>, Position) {
    let mut all = Vec::new();
    while !all.iter().any(|word| word == last) {
        // Little by little, so that places in the midst are gone on behind, too.
        let feed = engine.feed(after, 2, MINUTE).await.unwrap();
        after = feed.end;
        assert_eq!(feed.news.last().unwrap().position, after);
        all.extend(feed.news.iter().flat_map(|news| words(&news.events)));
    }
    (all, after)
}

async fn what_happens_is_told_once_and_in_order(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let begin = engine.feed_end().await.unwrap();
    let case = engine.start("approval").business_key("17").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let news = engine.feed(begin, 10, MINUTE).await.unwrap().news;
    assert_eq!((news.len(), news[0].instance, news[0].process.as_deref()), (1, case.id(), Some("approval")));
    assert_eq!(news[0].events[0], Occurrence::InstanceStarted { business_key: Some("17".into()) });
    assert_eq!(serde_json::to_value(&news[0].events[1]).unwrap()["task"], json!(task.to_string()), "as text");
    engine.claim(task, "anna").await.unwrap();
    engine.as_user("anna").complete(task, ()).await.unwrap();
    engine.instance(case.id()).suspend().await.unwrap();
    engine.instance(case.id()).resume().await.unwrap();
    engine.instance(case.id()).cancel("").await.unwrap();
    let (all, end) = heard(&engine, begin, "instance-cancelled").await;
    assert_eq!(all[..3], ["instance-started", "task-created", "task-changed"]);
    assert_eq!(all[3..7], ["task-completed", "task-created", "instance-suspended", "instance-resumed"]);
    assert_eq!(engine.feed_end().await.unwrap(), end);
    assert!(engine.feed(end, 10, Duration::ZERO).await.unwrap().news.is_empty());
    assert_eq!(end.to_string().parse::<Position>().unwrap(), end);
    assert_eq!("x".parse::<Position>().unwrap_err().code(), "store-invalid-cursor");
    stop(&engine).await;
}

async fn whoever_waits_is_woken(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let end = engine.feed_end().await.unwrap();
    let (news, _) = tokio::join!(engine.feed(end, 10, MINUTE), engine.start("approval").send());
    assert_eq!(words(&news.unwrap().news[0].events), ["instance-started", "task-created"]);
    stop(&engine).await;
}
