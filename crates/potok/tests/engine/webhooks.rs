//! Webhooks: programs elsewhere that are told what happens.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use potok::query::{DeliveryQuery, WebhookQuery};
use potok::row::{Delivery, DeliveryState};
use potok::{Engine, Position, Secret};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::database::{Place, deploy, stop};
use crate::model::{approval, row};

crate::on_every_database!(
    what_happens_is_told_signed_and_once,
    what_is_not_taken_is_told_again_and_given_up_in_the_end,
    a_webhook_hears_only_what_it_asked_for,
    nothing_is_sent_where_nothing_may_be,
    what_was_not_told_is_told_after_a_restart,
);

/// What somebody was told.
#[derive(Clone, Debug)]
struct Heard {
    id: String,
    signature: String,
    seconds: String,
    body: String,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Somebody who is told what happens, and answers with a status.
#[derive(Clone)]
struct Listener {
    url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    status: Arc<Mutex<u16>>,
}

impl Listener {
    async fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", socket.local_addr().unwrap());
        let listener = Self { url, heard: Arc::default(), status: Arc::new(Mutex::new(204)) };
        let listening = listener.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                tokio::spawn(listening.clone().answer(stream));
            }
        });
        listener
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut bytes = Vec::new();
        loop {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let header = |name: &str| {
                let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
                line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
            };
            if body.len() < header("content-length").parse().unwrap() {
                continue;
            }
            assert!(head.starts_with("POST /hook HTTP/1.1"), "{head}");
            let (id, seconds, signature) =
                (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
            self.heard.lock().unwrap().push(Heard { id, signature, seconds, body: body.to_owned() });
            let status = *self.status.lock().unwrap();
            let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            bytes.clear();
        }
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    fn answers(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }
}

async fn engine(place: &Place) -> Engine {
    let clock = potok::Clock::standing_at(crate::database::morning());
    let builder = place.builder().clock(clock).job_execution(false).webhook_host("127.0.0.1");
    let engine = builder.start().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval())]).await;
    engine
}

/// Tells until so much has been heard: on a server that others share, the feed may be held up for a moment.
async fn until(engine: &Engine, listener: &Listener, count: usize) -> Vec<Heard> {
    let told = async {
        loop {
            engine.execute_due().await.unwrap();
            let heard = listener.heard();
            if heard.len() >= count {
                return heard;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.unwrap()
}

fn later(engine: &Engine, seconds: u64) {
    engine.clock().advance(engine.clock().now() + Duration::from_secs(seconds));
}

async fn deliveries(engine: &Engine) -> Vec<Delivery> {
    engine.search(&DeliveryQuery::default()).await.unwrap().rows
}

fn is_signed(secret: &Secret, heard: &Heard) -> bool {
    let key = STANDARD.decode(secret.reveal().strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{}.{}.{}", heard.id, heard.seconds, heard.body).as_bytes());
    heard.signature == format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

async fn what_happens_is_told_signed_and_once(place: Place) {
    let (engine, listener) = (engine(&place).await, Listener::new().await);
    let before = engine.start("approval").send().await.unwrap();
    // On a server that others share, the feed may be held up for a moment: then that would still be to come.
    let is_heard = async || {
        let news = engine.feed(Position::default(), 1000, Duration::ZERO).await.unwrap().news;
        news.iter().any(|news| news.instance == before.id())
    };
    while !is_heard().await {
        tokio::task::yield_now().await;
    }
    let hook = engine.webhook(&*listener.url).event("instance-started").event("task-created");
    let (hook, secret) = hook.send().await.unwrap();
    let case = engine.start("approval").business_key("17").send().await.unwrap();
    let heard = until(&engine, &listener, 2).await;
    assert_eq!(heard.len(), 2);
    let started = heard.iter().map(Heard::json).find(|it| it["type"] == "instance-started").unwrap();
    assert_eq!(started["data"]["instance"], json!(case.id().to_string()));
    assert_eq!((&started["data"]["businessKey"], &started["data"]["process"]), (&json!("17"), &json!("approval")));
    assert_eq!(started["timestamp"], json!("2026-01-05T09:00:00Z"));
    assert!(heard.iter().all(|heard| is_signed(&secret, heard)), "{heard:?}");
    let ids: BTreeSet<&str> = heard.iter().map(|heard| heard.id.as_str()).collect();
    assert!(ids.len() == 2 && ids.iter().all(|id| id.starts_with(&case.id().to_string())), "{ids:?}");
    assert!(!heard.iter().any(|heard| heard.body.contains(&before.id().to_string())), "that was before");
    engine.execute_due().await.unwrap();
    assert_eq!((listener.heard().len(), deliveries(&engine).await.len()), (2, 0));
    let page = engine.webhooks(&WebhookQuery::default()).await.unwrap().rows;
    assert_eq!((page.len(), page[0].id(), page[0].secret.len()), (1, hook.id(), 0));
    engine.remove_webhook(hook.id()).await.unwrap();
    assert_eq!(engine.remove_webhook(hook.id()).await.unwrap_err().code(), "webhook-unknown");
    engine.start("approval").send().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(listener.heard().len(), 2);
    stop(&engine).await;
}

async fn what_is_not_taken_is_told_again_and_given_up_in_the_end(place: Place) {
    let (engine, listener) = (engine(&place).await, Listener::new().await);
    listener.answers(503);
    engine.webhook(&*listener.url).event("instance-started").send().await.unwrap();
    engine.start("approval").send().await.unwrap();
    until(&engine, &listener, 1).await;
    let waiting = deliveries(&engine).await.pop().unwrap();
    assert_eq!((waiting.state, waiting.tries), (DeliveryState::Waiting, 1));
    assert!(waiting.error.as_ref().unwrap().contains("503"), "{waiting:?}");
    assert_eq!(waiting.due.duration_since(engine.clock().now()).as_secs(), 5);
    engine.execute_due().await.unwrap();
    assert_eq!(listener.heard().len(), 1, "not before it is due");
    for tries in 2..=10 {
        later(&engine, 24 * 3600);
        until(&engine, &listener, tries).await;
    }
    let dead = deliveries(&engine).await.pop().unwrap();
    assert_eq!((dead.state, dead.tries), (DeliveryState::Dead, 10));
    later(&engine, 24 * 3600);
    engine.execute_due().await.unwrap();
    assert_eq!(listener.heard().len(), 10, "it was given up");

    listener.answers(200);
    engine.retry_delivery(dead.key.into()).await.unwrap();
    let heard = until(&engine, &listener, 11).await;
    assert!(heard.iter().all(|it| it.id == heard[0].id && it.body == heard[0].body), "{heard:?}");
    assert_eq!(engine.retry_delivery(dead.key.into()).await.unwrap_err().code(), "delivery-unknown");

    listener.answers(302);
    engine.start("approval").send().await.unwrap();
    until(&engine, &listener, 12).await;
    let redirected = deliveries(&engine).await.pop().unwrap();
    assert!(redirected.error.as_ref().unwrap().contains("302"), "redirects are not followed: {redirected:?}");
    engine.discard_delivery(redirected.key.into()).await.unwrap();
    assert!(deliveries(&engine).await.is_empty());
    stop(&engine).await;
}

async fn a_webhook_hears_only_what_it_asked_for(place: Place) {
    let (engine, of_process, of_tenant) = (engine(&place).await, Listener::new().await, Listener::new().await);
    let other = row("other", r#"<startEvent id="start"/><userTask id="do"/>"#);
    deploy(&engine, &[("other.bpmn", &other)]).await;
    deploy(&engine.as_tenant("acme"), &[("approval.bpmn", &approval())]).await;
    engine.webhook(&*of_process.url).process("other").event("instance-started").send().await.unwrap();
    engine.webhook(&*of_tenant.url).tenant("acme").event("instance-started").send().await.unwrap();
    engine.start("approval").send().await.unwrap();
    let other = engine.start("other").send().await.unwrap();
    let acme = engine.as_tenant("acme").start("approval").send().await.unwrap();
    let heard = until(&engine, &of_process, 1).await;
    assert_eq!((heard.len(), &heard[0].json()["data"]["instance"]), (1, &json!(other.id().to_string())));
    let heard = until(&engine, &of_tenant, 1).await;
    assert_eq!((heard.len(), &heard[0].json()["data"]["tenant"]), (1, &json!("acme")));
    assert_eq!(heard[0].json()["data"]["instance"], json!(acme.id().to_string()));
    stop(&engine).await;
}

async fn nothing_is_sent_where_nothing_may_be(place: Place) {
    let engine = engine(&place).await;
    for url in ["http://example.com/", "https://10.0.0.1/", "https://[::1]/", "https://127.0.0.2/", "gopher://x"] {
        assert_eq!(engine.webhook(url).send().await.unwrap_err().code(), "webhook-address", "{url}");
    }
    let unknown = engine.webhook("https://example.com").event("instance-begun").send().await.unwrap_err();
    assert_eq!(unknown.code(), "event-unknown");
    assert!(unknown.to_string().contains("instance-started"), "{unknown}");
    // A name that leads inside is found out when it is looked up.
    engine.webhook("https://localhost:9/").event("instance-started").send().await.unwrap();
    engine.start("approval").send().await.unwrap();
    let told = async {
        while deliveries(&engine).await.first().is_none_or(|delivery| delivery.tries == 0) {
            engine.execute_due().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
    let refused = deliveries(&engine).await.pop().unwrap().error.unwrap();
    assert!(refused.contains("localhost is no public address"), "{refused}");
    stop(&engine).await;
}

async fn what_was_not_told_is_told_after_a_restart(place: Place) {
    let (first, listener) = (engine(&place).await, Listener::new().await);
    first.webhook(&*listener.url).event("instance-started").send().await.unwrap();
    first.start("approval").send().await.unwrap();
    first.stop().await;
    // By itself, this time.
    let engine = place.builder().webhook_host("127.0.0.1").start().await.unwrap();
    engine.start("approval").send().await.unwrap();
    let told = async {
        while listener.heard().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.unwrap();
    assert_eq!(listener.heard().iter().map(|heard| heard.id.clone()).collect::<BTreeSet<_>>().len(), 2);
    stop(&engine).await;
}
