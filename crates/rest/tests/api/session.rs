//! Sessions: people sign in, are known again by a cookie, and sign out.

use axum::body::Body;
use axum::http::{Method, Request};
use potok::Role;
use potok::query::AuditQuery;
use potok_rest::Options;
use serde_json::{Value, json};

use crate::conversation::{APPROVAL, Answer, Server};

const PASSWORD: &str = "correct horse battery";

async fn served() -> Server {
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    server.engine.people().add_administrator("olga", PASSWORD).await.unwrap();
    server
}

/// Who has signed in: a browser with its cookie, and the page's token.
struct Browser<'s> {
    server: &'s Server,
    cookie: String,
    token: String,
}

impl<'s> Browser<'s> {
    async fn new(server: &'s Server) -> Self {
        Self::of(server, &sign_in(server, PASSWORD).await.is(200))
    }

    fn of(server: &'s Server, answer: &Answer) -> Self {
        Self { server, cookie: set(answer).split(';').next().unwrap().to_owned(), token: answer.text("csrfToken") }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let headers = [("cookie", &*self.cookie), ("x-csrf-token", &*self.token)];
        self.server.ask(method, path, body, &headers).await
    }

    async fn who(&self) -> Answer {
        self.ask(Method::GET, "/api/v1/session", None).await
    }
}

async fn sign_in(server: &Server, password: &str) -> Answer {
    server.post("/api/v1/session", json!({"user": "olga", "password": password})).await
}

fn set(answer: &Answer) -> &str {
    answer.headers["set-cookie"].to_str().unwrap()
}

#[tokio::test]
async fn whoever_signs_in_is_known_by_a_cookie() {
    let server = served().await;
    let answer = sign_in(&server, PASSWORD).await.is(200).says(json!({"user": "olga", "tenants": null}));
    let cookie = set(&answer);
    assert!(cookie.starts_with("potok-session="), "{cookie}");
    for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=604800"] {
        assert!(cookie.split("; ").any(|it| it == attribute), "{cookie}");
    }
    let olga = Browser::of(&server, &answer);
    olga.who().await.is(200).says(json!({
        "user": "olga", "groups": ["administrators"], "roles": ["participant", "administrator"], "csrfToken": olga.token,
    }));
    let start = Some(json!({"definition": "approval"}));
    olga.ask(Method::POST, "/api/v1/instances", start).await.is(201).says(json!({"initiator": "olga"}));
    // Beside cookies of others, and after them.
    let cookies = format!("theme=dark; {}; a=b", olga.cookie);
    server.ask(Method::GET, "/api/v1/session", None, &[("cookie", &cookies)]).await.is(200);
}

#[tokio::test]
async fn what_changes_something_takes_the_token() {
    let server = served().await;
    let olga = Browser::new(&server).await;
    let other = Browser::new(&server).await;
    assert_ne!(olga.token, other.token);
    let start = || Some(json!({"definition": "approval"}));
    for token in ["", "forged", &other.token, &olga.token.to_lowercase()] {
        let headers = [("cookie", &*olga.cookie), ("x-csrf-token", token)];
        for (method, path) in [
            (Method::POST, "/api/v1/instances"),
            (Method::PUT, "/api/v1/users/eve"),
            (Method::DELETE, "/api/v1/session"),
            (Method::PATCH, "/api/v1/tasks/5"),
        ] {
            server.ask(method, path, start(), &headers).await.problem(403, "csrf-token-wrong");
        }
    }
    server
        .ask(Method::POST, "/api/v1/instances", start(), &[("cookie", &olga.cookie)])
        .await
        .problem(403, "csrf-token-wrong");
    // Who only looks needs none, nor who sends a password or token with the request itself.
    server.ask(Method::GET, "/api/v1/statistics", None, &[("cookie", &olga.cookie)]).await.is(200);
    let program = server.user("mailer", &[Role::Operator], None).await;
    program.ask(Method::POST, "/api/v1/instances", start(), &[("cookie", &olga.cookie)]).await.is(201);
}

#[tokio::test]
async fn whoever_signs_out_is_unknown() {
    let server = served().await;
    let (olga, phone) = (Browser::new(&server).await, Browser::new(&server).await);
    let out = olga.ask(Method::DELETE, "/api/v1/session", None).await.is(204);
    assert!(set(&out).starts_with("potok-session=; ") && set(&out).contains("Max-Age=0"), "{out:?}");
    let unknown = olga.who().await.problem(401, "not-authenticated");
    // The browser sends it no more, not even where nobody needs to sign in.
    assert!(set(&unknown).contains("Max-Age=0"));
    phone.who().await.is(200);
    for forged in ["potok-session=forged", "potok-session=", "potok-session"] {
        let headers = [("cookie", forged), ("x-csrf-token", &*olga.token)];
        server.ask(Method::GET, "/api/v1/session", None, &headers).await.problem(401, "not-authenticated");
    }
    let program = server.user("mailer", &[], None).await;
    program.delete("/api/v1/session").await.problem(409, "session-missing");
    // Whoever signs in anew with the same browser has one session, and not two.
    let body = json!({"user": "olga", "password": PASSWORD});
    let again = server.ask(Method::POST, "/api/v1/session", Some(body), &[("cookie", &phone.cookie)]).await.is(200);
    phone.who().await.problem(401, "not-authenticated");
    Browser::of(&server, &again).who().await.is(200);
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let server = served().await;
    let olga = Browser::new(&server).await;
    server.engine.clock().advance("2026-01-05T20:59:59Z".parse().unwrap());
    olga.who().await.is(200);
    server.engine.clock().advance("2026-01-06T08:59:58Z".parse().unwrap());
    olga.who().await.is(200);
    server.engine.clock().advance("2026-01-06T20:59:58Z".parse().unwrap());
    olga.who().await.problem(401, "not-authenticated");
    let olga = Browser::new(&server).await;
    let begun = server.engine.clock().now();
    for hours in (8..168).step_by(8) {
        server.engine.clock().advance(begun + std::time::Duration::from_secs(hours * 3600));
        olga.who().await.is(200);
    }
    server.engine.clock().advance(begun + std::time::Duration::from_secs(168 * 3600));
    olga.who().await.problem(401, "not-authenticated");
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let server = served().await;
    let (olga, phone) = (Browser::new(&server).await, Browser::new(&server).await);
    let new = |old: &str, new: &str| Some(json!({"old": old, "new": new}));
    let path = "/api/v1/session/password";
    olga.ask(Method::PUT, path, new("wrong horse", "battery staple")).await.problem(401, "not-authenticated");
    olga.ask(Method::PUT, path, new(PASSWORD, "short")).await.problem(422, "password-unfit");
    phone.who().await.is(200);
    let changed = olga.ask(Method::PUT, path, new(PASSWORD, "battery staple")).await.is(200);
    phone.who().await.problem(401, "not-authenticated");
    olga.who().await.problem(401, "not-authenticated");
    Browser::of(&server, &changed).who().await.is(200).says(json!({"user": "olga"}));
    sign_in(&server, PASSWORD).await.problem(401, "not-authenticated");
    sign_in(&server, "battery staple").await.is(200);
}

#[tokio::test]
async fn whoever_guesses_waits_and_is_written_down() {
    let server = served().await;
    for _ in 0..5 {
        let refused = sign_in(&server, "wrong horse").await.problem(401, "not-authenticated");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    let waits = sign_in(&server, PASSWORD).await.problem(429, "attempts-too-many");
    assert_eq!(waits.headers["retry-after"], "1");
    server.engine.clock().advance("2026-01-05T09:00:01Z".parse().unwrap());
    sign_in(&server, PASSWORD).await.is(200);
    let refused = AuditQuery { allowed: Some(false), actions: vec!["sign in".into()], ..AuditQuery::default() };
    assert_eq!(server.engine.audit(&refused).await.unwrap().rows.len(), 5);
    let body = json!({"user": "olga", "password": PASSWORD, "remember": true});
    server.post("/api/v1/session", body).await.problem(400, "body-invalid");
}

#[tokio::test]
async fn under_tls_the_cookie_goes_nowhere_else() {
    let server = Server::with(&Options::remote()).await;
    server.engine.people().add_administrator("olga", PASSWORD).await.unwrap();
    let ask = |origin: Option<&'static str>| {
        let mut request = Request::post("/api/v1/session").header("host", "work.example");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let body = json!({"user": "olga", "password": PASSWORD}).to_string();
        server.send(request.header("content-type", "application/json").body(Body::from(body)).unwrap())
    };
    for (origin, is_secure) in
        [(None, false), (Some("http://work.example"), false), (Some("https://work.example"), true)]
    {
        let answer = ask(origin).await.is(200);
        let cookie = set(&answer);
        assert_eq!(cookie.starts_with("__Host-potok-session="), is_secure, "{cookie}");
        assert_eq!(cookie.ends_with("; Secure"), is_secure, "{cookie}");
        let request = Request::get("/api/v1/session").header("host", "work.example");
        let request = request.header("cookie", cookie.split(';').next().unwrap());
        server.send(request.body(Body::empty()).unwrap()).await.is(200);
    }
    ask(Some("https://evil.example")).await.problem(403, "origin-refused");
    let secure = Server::with(&Options { is_secure: true, ..Options::remote() }).await;
    secure.engine.people().add_administrator("olga", PASSWORD).await.unwrap();
    let answer = sign_in(&secure, PASSWORD).await.is(200);
    assert!(set(&answer).starts_with("__Host-") && set(&answer).ends_with("; Secure"));
    assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000");
}

#[tokio::test]
async fn a_script_is_not_asked_for_a_password_by_the_browser() {
    let server = served().await;
    let answer = server.ask(Method::GET, "/api/v1/statistics", None, &[("sec-fetch-dest", "empty")]).await;
    let ways = answer.problem(401, "not-authenticated").headers["www-authenticate"].clone();
    assert_eq!(ways, "Bearer realm=\"Potok\"");
}

#[tokio::test]
async fn where_nobody_signs_in_nobody_is_somebody() {
    let server = Server::new().await;
    server.get("/api/v1/session").await.is(200).says(json!({"user": null, "csrfToken": null}));
    server.delete("/api/v1/session").await.problem(409, "session-missing");
    let password = json!({"old": PASSWORD, "new": "battery staple"});
    server.put("/api/v1/session/password", password).await.problem(409, "session-missing");
    sign_in(&server, PASSWORD).await.problem(401, "not-authenticated");
}
