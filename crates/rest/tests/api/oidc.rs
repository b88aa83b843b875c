//! Tokens of an OpenID Connect provider, whose keys are made here and served on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use potok::row::Group;
use potok::{Role, row::User};
use potok_rest::{Algorithm, Issuer, IssuerSettings, KeySet, Options};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::conversation::{APPROVAL, Answer, Server, row};

const ISSUER: &str = "https://id.example";

/// 2026-01-05T09:00:00Z, when the engine's clock stands.
const NOW: u64 = 1_767_603_600;

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A private key.
enum Key {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), &RSA_PKCS1_SHA256)
    }

    fn p256() -> Self {
        Self::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(), "P-256")
    }

    /// The public half, as issuers publish it.
    fn public(&self, name: &str) -> Value {
        match self {
            Self::Rsa(key, _) => {
                let key = key.public_key();
                let (n, e) =
                    (key.modulus().big_endian_without_leading_zero(), key.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "kid": name, "use": "sig", "n": base64(n), "e": base64(e)})
            }
            Self::Ecdsa(key, curve) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "kid": name, "use": "sig", "crv": curve, "x": base64(x), "y": base64(y)})
            }
            Self::Ed25519(key) => {
                json!({"kty": "OKP", "kid": name, "use": "sig", "crv": "Ed25519", "x": base64(key.public_key())})
            }
        }
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ecdsa(key, _) => key.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(text.as_bytes()).as_ref().to_vec(),
        }
    }

    fn token(&self, header: Value, claims: &Value) -> String {
        let text = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
        format!("{text}.{}", base64(self.sign(&text)))
    }
}

/// What a good token says.
fn claims() -> Value {
    json!({"iss": ISSUER, "aud": ["portal", "potok"], "sub": "ira", "exp": NOW + 300, "iat": NOW, "groups": ["heads"]})
}

/// The same, but for one claim.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

/// An issuer that publishes what it is told.
#[derive(Clone)]
struct Publisher {
    keys: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
    url: String,
}

impl Publisher {
    async fn new(keys: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let publisher = Self { keys: Arc::new(Mutex::new(keys)), asked: Arc::default(), url: url.clone() };
        let (keys, asked) = (publisher.keys.clone(), publisher.asked.clone());
        let published = move || {
            asked.fetch_add(1, Ordering::SeqCst);
            let keys = json!({"keys": *keys.lock().unwrap()}).to_string();
            async move { keys }
        };
        let description = json!({"issuer": url, "jwks_uri": format!("{url}/keys")}).to_string();
        let router = Router::new()
            .route("/keys", get(published))
            .route("/.well-known/openid-configuration", get(async move || description));
        tokio::spawn(async move { axum::serve(listener, router).await });
        publisher
    }

    fn settings(&self) -> IssuerSettings {
        let keys = KeySet::Url(format!("{}/keys", self.url));
        IssuerSettings { keys, ..settings() }
    }
}

fn settings() -> IssuerSettings {
    IssuerSettings::new(ISSUER, vec!["potok".into()])
}

async fn served(settings: IssuerSettings) -> Server {
    let issuer = Some(Arc::new(Issuer::new(settings).unwrap()));
    let server = Server::with(&Options { issuer, ..Options::local(8080) }).await;
    let people = server.engine.people();
    people.put_group(Group { id: "heads".into(), ..Group::default() }).await.unwrap();
    people.grant("heads", Role::Supervisor).await.unwrap();
    server
}

async fn who(server: &Server, token: &str) -> Answer {
    server.by(&format!("Bearer {token}")).get("/api/v1/session").await
}

#[tokio::test]
async fn a_token_says_who_calls_and_in_which_groups_and_tenants() {
    let key = Key::p256();
    let publisher = Publisher::new(json!([key.public("one")])).await;
    let server = served(publisher.settings()).await;
    // Nobody is let in without, also where there is no user.
    server.get("/api/v1/statistics").await.problem(401, "not-authenticated");
    let header = || json!({"alg": "ES256", "typ": "JWT", "kid": "one"});
    let token = key.token(header(), &claims());
    who(&server, &token).await.is(200).says(json!({
        "user": "ira", "groups": ["heads"], "roles": ["participant", "supervisor"], "tenants": [""], "csrfToken": null,
    }));
    let ira = server.by(&format!("Bearer {token}"));
    ira.get("/api/v1/statistics").await.is(200);
    ira.post("/api/v1/signals", json!({"name": "go"})).await.problem(403, "forbidden");
    let plain = key.token(header(), &with("groups", json!([])));
    server.by(&format!("Bearer {plain}")).get("/api/v1/statistics").await.problem(403, "forbidden");
    // In a tenant there is what is the tenant's.
    let files = json!({"files": [{"name": "own.bpmn", "text": row("own", APPROVAL)}]});
    let root = server.user("root", &[Role::Administrator], None).await;
    let acme = [("potok-tenant", "acme")];
    root.ask(axum::http::Method::POST, "/api/v1/deployments", Some(files), &acme).await.is(201);
    let of_acme = key.token(header(), &with("tenants", json!("acme")));
    server.by(&format!("Bearer {of_acme}")).get("/api/v1/definitions/own").await.is(200);
    ira.get("/api/v1/definitions/own").await.problem(404, "definition-unknown");
    assert_eq!(publisher.asked.load(Ordering::SeqCst), 1, "the keys are known");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_keeps_it_out() {
    let (key, other) = (Key::p256(), Key::p256());
    let rsa = Key::rsa();
    let mut for_encryption = Key::p256().public("encrypts");
    for_encryption["use"] = json!("enc");
    let publisher = Publisher::new(json!([key.public("one"), rsa.public("rsa"), for_encryption, {"kty": "new"}])).await;
    let server = served(IssuerSettings { algorithms: Algorithm::ALL.to_vec(), ..publisher.settings() }).await;
    let header = || json!({"alg": "ES256", "kid": "one"});
    who(&server, &key.token(header(), &claims())).await.is(200);
    let mut without = claims();
    without.as_object_mut().unwrap().remove("exp");
    let mut wrong = vec![
        ("of another issuer", key.token(header(), &with("iss", json!("https://evil.example")))),
        ("of no issuer", key.token(header(), &with("iss", Value::Null))),
        ("for somebody else", key.token(header(), &with("aud", json!("portal")))),
        ("for nobody", key.token(header(), &with("aud", Value::Null))),
        ("expired", key.token(header(), &with("exp", json!(NOW - 60)))),
        ("without an end", key.token(header(), &without)),
        ("whose end is no number", key.token(header(), &with("exp", json!("2030-01-01")))),
        ("not good yet", key.token(header(), &with("nbf", json!(NOW + 61)))),
        ("of nobody", key.token(header(), &with("sub", json!("")))),
        ("of a number", key.token(header(), &with("sub", json!(7)))),
        ("signed by another key", other.token(header(), &claims())),
        ("whose key is another kind", key.token(json!({"alg": "ES256", "kid": "rsa"}), &claims())),
        ("whose algorithm is another", key.token(json!({"alg": "RS256", "kid": "one"}), &claims())),
        ("whose key is for something else", key.token(json!({"alg": "ES256", "kid": "encrypts"}), &claims())),
        (
            "with what must be understood",
            key.token(json!({"alg": "ES256", "kid": "one", "crit": ["b64"], "b64": false}), &claims()),
        ),
        ("that brings its key along", other.token(json!({"alg": "ES256", "jwk": other.public("one")}), &claims())),
        ("that is none", "a.b.c".into()),
        ("that is nothing", "..".into()),
    ];
    let text = |header: Value| format!("{}.{}", base64(header.to_string()), base64(claims().to_string()));
    let unsigned = text(json!({"alg": "none"}));
    wrong.push(("that is not signed", format!("{unsigned}.")));
    // With the public key as a secret, which everybody knows (CVE-2015-9235).
    for public in [rsa.public("rsa")["n"].as_str().unwrap().to_owned(), rsa.public("rsa").to_string()] {
        let text = text(json!({"alg": "HS256", "kid": "rsa"}));
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), text.as_bytes());
        wrong.push(("signed with what everybody knows", format!("{text}.{}", base64(signature))));
    }
    let mut parts: Vec<String> = key.token(header(), &claims()).split('.').map(str::to_owned).collect();
    parts[1] = base64(with("sub", json!("root")).to_string());
    wrong.push(("that was changed", parts.join(".")));
    for (what, token) in wrong {
        let answer = who(&server, &token).await;
        assert_eq!(answer.status, 401, "a token {what}: {answer:?}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute() {
    let key = Key::p256();
    let publisher = Publisher::new(json!([key.public("one")])).await;
    let server = served(publisher.settings()).await;
    for (name, time, status) in [("exp", NOW - 59, 200), ("exp", NOW - 60, 401), ("nbf", NOW + 60, 200)] {
        let token = key.token(json!({"alg": "ES256", "kid": "one"}), &with(name, json!(time)));
        assert_eq!(who(&server, &token).await.status, status, "{name} {time}");
    }
    let strict = served(IssuerSettings { skew: Duration::ZERO, ..publisher.settings() }).await;
    let token = key.token(json!({"alg": "ES256", "kid": "one"}), &with("nbf", json!(NOW + 1)));
    who(&strict, &token).await.problem(401, "not-authenticated");
}

#[tokio::test]
async fn each_algorithm_is_taken_where_it_is_allowed() {
    let pss = Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap(), &RSA_PSS_SHA256);
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let keys = [
        (Algorithm::Rs256, Key::rsa()),
        (Algorithm::Ps256, pss),
        (Algorithm::Es256, Key::p256()),
        (Algorithm::Es384, Key::Ecdsa(p384, "P-384")),
        (Algorithm::EdDsa, Key::Ed25519(Ed25519KeyPair::generate().unwrap())),
    ];
    let published: Vec<Value> = keys.iter().map(|(algorithm, key)| key.public(algorithm.name())).collect();
    let publisher = Publisher::new(json!(published)).await;
    for (algorithm, key) in &keys {
        let token = key.token(json!({"alg": algorithm.name(), "kid": algorithm.name()}), &claims());
        let only = served(IssuerSettings { algorithms: vec![*algorithm], ..publisher.settings() }).await;
        who(&only, &token).await.is(200);
        let others = Algorithm::ALL.into_iter().filter(|other| other != algorithm).collect();
        let without = served(IssuerSettings { algorithms: others, ..publisher.settings() }).await;
        who(&without, &token).await.problem(401, "not-authenticated");
    }
}

#[tokio::test]
async fn new_keys_are_looked_up_but_not_at_every_call() {
    let (old, new) = (Key::p256(), Key::p256());
    let publisher = Publisher::new(json!([old.public("old")])).await;
    let server = served(publisher.settings()).await;
    let token =
        |key: &Key, name: &str| key.token(json!({"alg": "ES256", "kid": name}), &with("exp", json!(NOW + 9000)));
    who(&server, &token(&old, "old")).await.is(200);
    *publisher.keys.lock().unwrap() = json!([new.public("new")]);
    // Anybody can make up names of keys: that makes nobody ask.
    for _ in 0..5 {
        who(&server, &token(&new, "made-up")).await.problem(401, "not-authenticated");
        who(&server, &token(&new, "new")).await.problem(401, "not-authenticated");
    }
    assert_eq!(publisher.asked.load(Ordering::SeqCst), 1);
    server.engine.clock().advance("2026-01-05T09:01:00Z".parse().unwrap());
    who(&server, &token(&new, "new")).await.is(200);
    assert_eq!(publisher.asked.load(Ordering::SeqCst), 2);
    // One that has been withdrawn is gone.
    who(&server, &token(&old, "old")).await.problem(401, "not-authenticated");
    who(&server, &token(&new, "new")).await.is(200);
    assert_eq!(publisher.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn known_keys_are_looked_up_anew_after_an_hour() {
    let (old, new) = (Key::p256(), Key::p256());
    let publisher = Publisher::new(json!([old.public("old")])).await;
    let server = served(publisher.settings()).await;
    let token = old.token(json!({"alg": "ES256", "kid": "old"}), &with("exp", json!(NOW + 9000)));
    who(&server, &token).await.is(200);
    *publisher.keys.lock().unwrap() = json!([new.public("new")]);
    server.engine.clock().advance("2026-01-05T09:59:59Z".parse().unwrap());
    who(&server, &token).await.is(200);
    assert_eq!(publisher.asked.load(Ordering::SeqCst), 1);
    server.engine.clock().advance("2026-01-05T10:00:00Z".parse().unwrap());
    // Nobody is held up by it: the one who notices is let in, and those who come when it is known are not.
    who(&server, &token).await.is(200);
    let withdrawn = async { while who(&server, &token).await.status == 200 {} };
    tokio::time::timeout(Duration::from_secs(10), withdrawn).await.expect("it is found out");
    assert_eq!(publisher.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_issuer_that_is_away_is_no_fault_of_its_tokens() {
    let key = Key::p256();
    let token = key.token(json!({"alg": "ES256", "kid": "one"}), &claims());
    let nowhere = KeySet::Url("http://127.0.0.1:1/keys".into());
    let server = served(IssuerSettings { keys: nowhere, ..settings() }).await;
    let answer = who(&server, &token).await.problem(503, "issuer-unavailable");
    assert_eq!(answer.headers["retry-after"], "1");
    // Who signs in otherwise is not held up.
    server.user("anna", &[], None).await.get("/api/v1/session").await.is(200);
}

#[tokio::test]
async fn keys_are_found_by_the_issuers_description_or_in_a_file() {
    let key = Key::rsa();
    // Only one key fits: it need not be named.
    let publisher = Publisher::new(json!([key.public("one"), Key::p256().public("two")])).await;
    let found = IssuerSettings::new(publisher.url.clone(), vec!["potok".into()]);
    let server = served(found).await;
    let token = key.token(json!({"alg": "RS256"}), &with("iss", json!(publisher.url)));
    who(&server, &token).await.is(200);

    let path = std::env::temp_dir().join(format!("potok-keys-{}.json", std::process::id()));
    std::fs::write(&path, json!({"keys": [key.public("one")]}).to_string()).unwrap();
    let server = served(IssuerSettings { keys: KeySet::File(path.clone()), ..settings() }).await;
    who(&server, &key.token(json!({"alg": "RS256"}), &claims())).await.is(200);
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn claims_are_named_as_the_issuer_names_them() {
    let key = Key::p256();
    let publisher = Publisher::new(json!([key.public("one")])).await;
    let settings = IssuerSettings {
        user_claim: "preferred_username".into(),
        groups_claim: "realm_access.roles".into(),
        tenants_claim: "https://id.example/tenant".into(),
        ..publisher.settings()
    };
    let server = served(settings).await;
    let mut claims = with("preferred_username", json!("Ира"));
    claims["realm_access"] = json!({"roles": ["heads", 7]});
    claims["https://id.example/tenant"] = json!("acme");
    let token = key.token(json!({"alg": "ES256", "kid": "one"}), &claims);
    who(&server, &token).await.is(200).says(json!({"user": "Ира", "groups": ["heads"], "tenants": ["acme"]}));
    // Another way to sign in as the same user is not that one's.
    server.engine.people().put_user(User { id: "Ира".into(), ..User::default() }).await.unwrap();
    let (_, secret) = server.engine.people().new_token("Ира", "script").send().await.unwrap();
    who(&server, secret.reveal()).await.is(200).says(json!({"groups": [], "tenants": [""]}));
}

#[test]
fn what_is_not_safe_is_no_issuer() {
    let of = |settings: IssuerSettings| Issuer::new(settings).map(drop).map_err(|error| error.to_string());
    let keys = |url: &str| IssuerSettings { keys: KeySet::Url(url.into()), ..settings() };
    assert_eq!(of(settings()), Ok(()));
    for url in ["https://id.example/keys", "http://localhost:8080/keys", "http://[::1]/keys", "http://127.0.0.1/keys"] {
        assert_eq!(of(keys(url)), Ok(()), "{url}");
    }
    for url in ["http://id.example/keys", "ftp://id.example/keys", "keys", "http://localhost.evil.example/keys"] {
        assert!(of(keys(url)).is_err_and(|error| error.contains("no https:// URL")), "{url}");
    }
    assert!(of(IssuerSettings { audience: Vec::new(), ..settings() }).is_err_and(|error| error.contains("audience")));
    assert!(
        of(IssuerSettings { algorithms: Vec::new(), ..settings() }).is_err_and(|error| error.contains("algorithms"))
    );
    assert!(Algorithm::named("none").is_none() && Algorithm::named("HS256").is_none());
}
