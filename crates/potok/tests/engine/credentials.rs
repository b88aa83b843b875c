//! What users and programs sign in by.

use potok::query::{ApiTokenQuery, AuditQuery};
use potok::row::User;
use potok::{Engine, Identity, Right, Role};

use crate::database::{Place, acting, at, morning, stop};
use crate::model::approval;

crate::on_every_database!(
    a_user_signs_in_by_a_password,
    a_changed_password_is_the_only_one_at_once,
    a_removed_user_is_refused_at_once,
    sessions_end,
    a_token_keeps_to_its_roles_and_tenant,
    a_token_ends,
    users_make_tokens_for_themselves,
    nothing_secret_is_kept,
    the_first_administrator_is_made_by_the_program,
    whoever_guesses_passwords_waits,
    whom_another_system_signs_in_has_what_its_groups_have,
    sessions_are_known_on_other_nodes_and_after_a_restart,
);

const PASSWORD: &str = "correct horse";

async fn anna(place: &Place) -> Engine {
    let engine = place.by_hand().await;
    engine.people().put_user(User { id: "anna".into(), ..User::default() }).await.unwrap();
    engine.people().set_password("anna", PASSWORD).await.unwrap();
    engine
}

async fn is_refused(signed_in: Result<Engine, potok::Error>) {
    assert_eq!(signed_in.unwrap_err().code(), "not-authenticated");
}

async fn a_user_signs_in_by_a_password(place: Place) {
    let engine = anna(&place).await;
    let user = engine.with_password("anna", PASSWORD).await.unwrap();
    assert_eq!(user.user().map(|name| &**name), Some("anna"));
    is_refused(engine.with_password("anna", "wrong horse").await).await;
    is_refused(engine.with_password("anna", "").await).await;
    is_refused(engine.with_password("boris", PASSWORD).await).await;
    // What was right once makes nothing else right.
    engine.with_password("anna", PASSWORD).await.unwrap();
    is_refused(engine.with_password("anna", "wrong horse").await).await;
    let people = engine.people();
    assert_eq!(people.set_password("anna", "short").await.unwrap_err().code(), "password-unfit");
    assert_eq!(people.set_password("anna", &"x".repeat(2000)).await.unwrap_err().code(), "password-unfit");
    assert_eq!(people.set_password("nobody", PASSWORD).await.unwrap_err().code(), "user-unknown");
    let refused = AuditQuery { allowed: Some(false), actions: vec!["sign in".into()], ..AuditQuery::default() };
    assert_eq!(engine.audit(&refused).await.unwrap().rows.len(), 4);
    stop(&engine).await;
}

async fn a_changed_password_is_the_only_one_at_once(place: Place) {
    let engine = anna(&place).await;
    let session = engine.sign_in("anna", PASSWORD).await.unwrap();
    engine.with_session(session.secret.reveal()).await.unwrap();
    assert_eq!(
        engine.change_password("anna", "wrong horse", "battery staple").await.unwrap_err().code(),
        "not-authenticated"
    );
    engine.change_password("anna", PASSWORD, "battery staple").await.unwrap();
    is_refused(engine.with_password("anna", PASSWORD).await).await;
    is_refused(engine.with_session(session.secret.reveal()).await).await;
    engine.with_password("anna", "battery staple").await.unwrap();
    engine.people().remove_password("anna").await.unwrap();
    is_refused(engine.with_password("anna", "battery staple").await).await;
    stop(&engine).await;
}

async fn a_removed_user_is_refused_at_once(place: Place) {
    let engine = anna(&place).await;
    let session = engine.sign_in("anna", PASSWORD).await.unwrap();
    let of_no_tenant = engine.people().new_token("anna", "script").tenant("").send().await;
    assert_eq!(of_no_tenant.unwrap_err().code(), "tenant-needed");
    let (_, token) = engine.people().new_token("anna", "script").send().await.unwrap();
    engine.with_token(token.reveal()).await.unwrap();
    engine.people().remove_user("anna").await.unwrap();
    is_refused(engine.with_password("anna", PASSWORD).await).await;
    is_refused(engine.with_session(session.secret.reveal()).await).await;
    is_refused(engine.with_token(token.reveal()).await).await;
    // Nor does a new user of that name get any of it.
    engine.people().put_user(User { id: "anna".into(), ..User::default() }).await.unwrap();
    is_refused(engine.with_password("anna", PASSWORD).await).await;
    is_refused(engine.with_token(token.reveal()).await).await;
    assert_eq!(engine.people().tokens(&ApiTokenQuery::default()).await.unwrap().rows, []);
    stop(&engine).await;
}

async fn sessions_end(place: Place) {
    let engine = anna(&place).await;
    let first = engine.sign_in("anna", PASSWORD).await.unwrap();
    assert_eq!(first.expires, at("2026-01-05T21:00:00Z"));
    assert_eq!(first.engine.user().map(|name| &**name), Some("anna"));
    let second = engine.sign_in("anna", PASSWORD).await.unwrap();
    assert_ne!(first.secret.reveal(), second.secret.reveal());
    engine.sign_out(first.secret.reveal()).await.unwrap();
    is_refused(engine.with_session(first.secret.reveal()).await).await;
    is_refused(engine.with_session("forged").await).await;
    // It lasts as long as it is used, but no longer than a week.
    let use_it = |moment: &'static str| {
        engine.clock().advance(at(moment));
        engine.with_session(second.secret.reveal())
    };
    use_it("2026-01-05T20:00:00Z").await.unwrap();
    use_it("2026-01-06T07:00:00Z").await.unwrap();
    is_refused(use_it("2026-01-06T20:00:00Z").await).await;
    engine.clean_up().await.unwrap();
    let third = engine.sign_in("anna", PASSWORD).await.unwrap();
    engine.people().end_sessions("anna").await.unwrap();
    is_refused(engine.with_session(third.secret.reveal()).await).await;
    let week = engine.sign_in("anna", PASSWORD).await.unwrap();
    for day in 7..=13 {
        for hour in [0, 8, 16] {
            engine.clock().advance(format!("2026-01-{day:02}T{hour:02}:00:00Z").parse().unwrap());
            engine.with_session(week.secret.reveal()).await.unwrap();
        }
    }
    engine.clock().advance(at("2026-01-13T20:00:01Z"));
    is_refused(engine.with_session(week.secret.reveal()).await).await;
    stop(&engine).await;
}

async fn a_token_keeps_to_its_roles_and_tenant(place: Place) {
    let engine = anna(&place).await;
    for tenant in ["acme", "bolt"] {
        engine.as_tenant(tenant).deployment().file("approval.bpmn", approval()).send().await.unwrap();
        engine.people().add_to_tenant(tenant, "anna").await.unwrap();
    }
    let operator = acting(&engine, "anna", Role::Operator).await;
    assert!(operator.may(Right::Operate).await.unwrap());
    let people = engine.people();
    let (token, secret) = people
        .new_token("anna", "watches")
        .role(Role::Viewer)
        .role(Role::Operator)
        .tenant("acme")
        .send()
        .await
        .unwrap();
    assert_eq!(token.scope(), Some(vec![Role::Viewer, Role::Operator]));
    let program = engine.with_token(secret.reveal()).await.unwrap();
    // The user is no viewer, so that neither is the token; what the user is beside its roles it is not.
    assert!(program.may(Right::Operate).await.unwrap() && !program.may(Right::Work).await.unwrap());
    let case = program.start("approval").send().await.unwrap();
    assert_eq!((case.tenant.as_deref(), case.initiator.as_deref()), (Some("acme"), Some("anna")));
    assert_eq!(program.start("approval").tenant("bolt").send().await.unwrap_err().code(), "tenant-foreign");
    assert_eq!(engine.as_tenant("bolt").with_token(secret.reveal()).await.unwrap_err().code(), "tenant-foreign");
    assert_eq!(program.create_task("Call").send().await.unwrap_err().code(), "forbidden");
    let refused = AuditQuery { allowed: Some(false), ..AuditQuery::default() };
    let refused = engine.audit(&refused).await.unwrap().rows.pop().unwrap();
    assert_eq!((refused.author.as_deref(), refused.token.as_deref()), (Some("anna"), Some("watches")));
    // What the user loses, the token loses.
    people.remove_member("operator", "anna").await.unwrap();
    assert!(!program.may(Right::Operate).await.unwrap());
    // Neither a session nor another token comes of a token.
    assert_eq!(program.begin_session().await.unwrap_err().code(), "not-authenticated");
    assert_eq!(program.people().new_token("anna", "more").send().await.unwrap_err().code(), "forbidden");
    stop(&engine).await;
}

async fn a_token_ends(place: Place) {
    let engine = anna(&place).await;
    let people = engine.people();
    let (_, for_a_day) = people.new_token("anna", "a day").expires(at("2026-01-06T09:00:00Z")).send().await.unwrap();
    let dead = people.new_token("anna", "dead").expires(at("2026-01-05T09:00:00Z")).send().await;
    assert_eq!(dead.unwrap_err().code(), "token-expired");
    let (token, revoked) = people.new_token("anna", "revoked").send().await.unwrap();
    assert_eq!(token.used, None);
    engine.with_token(revoked.reveal()).await.unwrap();
    engine.clock().advance(at("2026-01-05T09:09:00Z"));
    engine.with_token(revoked.reveal()).await.unwrap();
    let listed = people.tokens(&ApiTokenQuery::default()).await.unwrap().rows;
    assert_eq!(listed.iter().map(|token| &*token.name).collect::<Vec<_>>(), ["a day", "revoked"]);
    assert_eq!(listed[1].used, Some(morning()));
    people.revoke_token(token.id()).await.unwrap();
    is_refused(engine.with_token(revoked.reveal()).await).await;
    assert_eq!(people.revoke_token(token.id()).await.unwrap_err().code(), "token-unknown");
    engine.with_token(for_a_day.reveal()).await.unwrap();
    engine.clock().advance(at("2026-01-06T09:00:00Z"));
    is_refused(engine.with_token(for_a_day.reveal()).await).await;
    is_refused(engine.with_token("potok_forged").await).await;
    stop(&engine).await;
}

async fn users_make_tokens_for_themselves(place: Place) {
    let engine = anna(&place).await;
    let anna = engine.as_user("anna");
    let (token, secret) = anna.people().new_token("anna", "my script").send().await.unwrap();
    engine.with_token(secret.reveal()).await.unwrap();
    assert_eq!(anna.people().new_token("boris", "his").send().await.unwrap_err().code(), "forbidden");
    let own = ApiTokenQuery { members: vec!["anna".into()], ..ApiTokenQuery::default() };
    assert_eq!(anna.people().tokens(&own).await.unwrap().rows.len(), 1);
    assert_eq!(anna.people().tokens(&ApiTokenQuery::default()).await.unwrap_err().code(), "forbidden");
    assert_eq!(engine.as_user("boris").people().tokens(&own).await.unwrap_err().code(), "forbidden");
    assert_eq!(engine.as_user("boris").people().revoke_token(token.id()).await.unwrap_err().code(), "forbidden");
    anna.people().revoke_token(token.id()).await.unwrap();
    stop(&engine).await;
}

async fn nothing_secret_is_kept(place: Place) {
    let engine = anna(&place).await;
    let session = engine.sign_in("anna", PASSWORD).await.unwrap();
    let (token, secret) = engine.people().new_token("anna", "script").send().await.unwrap();
    engine.with_token(secret.reveal()).await.unwrap();
    engine.with_session(session.secret.reveal()).await.unwrap();
    assert_eq!(secret.reveal().len(), "potok_".len() + 43);
    let shown = format!("{session:?} {token:?} {secret:?} {:?}", engine.people().user("anna").await.unwrap());
    for hidden in [PASSWORD, session.secret.reveal(), secret.reveal(), "argon2"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    // Not even what it is known by is handed out.
    assert!(token.secret.is_empty());
    let listed = engine.people().tokens(&ApiTokenQuery::default()).await.unwrap().rows;
    assert!(listed.iter().all(|token| token.secret.is_empty()));
    let row = engine.store().get::<potok::row::Password>("anna".into()).await.unwrap().unwrap();
    assert!(row.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", row.hash);
    let audited = format!("{:?}", engine.audit(&AuditQuery::default()).await.unwrap());
    assert!(!audited.contains(PASSWORD) && !audited.contains(secret.reveal()));
    stop(&engine).await;
}

async fn the_first_administrator_is_made_by_the_program(place: Place) {
    let engine = place.by_hand().await;
    assert!(!engine.people().has_users().await.unwrap());
    engine.people().add_administrator("root", PASSWORD).await.unwrap();
    assert!(engine.people().has_users().await.unwrap());
    let root = engine.with_password("root", PASSWORD).await.unwrap();
    root.people().put_user(User { id: "anna".into(), ..User::default() }).await.unwrap();
    assert_eq!(root.people().roles_of("root").await.unwrap(), [Role::Participant, Role::Administrator]);
    stop(&engine).await;
}

async fn whoever_guesses_passwords_waits(place: Place) {
    let engine = anna(&place).await;
    let (office, elsewhere) = (engine.called_from("10.0.0.7"), engine.called_from("10.9.9.9"));
    office.with_password("anna", PASSWORD).await.unwrap();
    for _ in 0..5 {
        is_refused(elsewhere.with_password("anna", "wrong horse").await).await;
    }
    let waits = elsewhere.with_password("anna", "wrong horse").await.unwrap_err();
    assert_eq!((waits.code(), waits.fault()), ("attempts-too-many", potok::Fault::TooMany));
    assert!(waits.to_string().contains("wait 1 seconds"), "{waits}");
    // A password that was right a moment ago, sessions and tokens are no guesses; nor is anybody else held up.
    elsewhere.with_password("anna", PASSWORD).await.unwrap();
    is_refused(office.with_password("anna", "wrong horse").await).await;
    engine.clock().advance(at("2026-01-05T09:00:01Z"));
    is_refused(elsewhere.with_password("anna", "wrong horse").await).await;
    assert_eq!(elsewhere.with_password("anna", "x").await.unwrap_err().code(), "attempts-too-many");
    // It is written down where the wrong ones came from, and no more than was tried.
    let from = |place: &str| AuditQuery {
        allowed: Some(false),
        actions: vec!["sign in".into()],
        subjects: vec![place.into()],
        ..AuditQuery::default()
    };
    assert_eq!(engine.audit(&from("10.9.9.9")).await.unwrap().rows.len(), 6);
    assert_eq!(engine.audit(&from("10.0.0.7")).await.unwrap().rows.len(), 1);
    stop(&engine).await;
}

async fn whom_another_system_signs_in_has_what_its_groups_have(place: Place) {
    let engine = place.by_hand().await;
    acting(&engine, "otto", Role::Operator).await;
    engine.as_tenant("acme").deployment().file("approval.bpmn", approval()).send().await.unwrap();
    let said = |groups: &[&str], tenants: &[&str]| Identity {
        user: "ira".into(),
        groups: groups.iter().map(|it| (*it).into()).collect(),
        tenants: tenants.iter().map(|it| (*it).into()).collect(),
        issuer: "https://id.example".into(),
    };
    let ira = engine.with_identity(said(&["operator", "sales"], &["acme"]));
    let who = ira.whoami().await.unwrap();
    assert_eq!(who.user.as_deref(), Some("ira"));
    assert_eq!(who.groups, ["operator", "sales"]);
    assert_eq!(who.roles, [Role::Participant, Role::Operator]);
    assert_eq!(who.tenants, Some(vec!["acme".into()]));
    assert_eq!(who.token.as_deref(), Some("https://id.example"));
    // Groups count as if they were written here: for rights, and for tasks.
    let case = ira.start("approval").send().await.unwrap();
    assert_eq!((case.tenant.as_deref(), case.initiator.as_deref()), (Some("acme"), Some("ira")));
    let task = ira.tasks().list().await.unwrap().remove(0);
    let boris = engine.with_identity(Identity { user: "boris".into(), ..said(&["sales"], &["acme"]) });
    assert_eq!(boris.people().groups_of("boris").await.unwrap(), ["sales"]);
    boris.claim(task.id(), "boris").await.unwrap();
    ira.instance(case.id()).suspend().await.unwrap();
    let record = engine.audit(&AuditQuery::default()).await.unwrap().rows.pop().unwrap();
    assert_eq!((&*record.action, record.author.as_deref()), ("suspend", Some("ira")));
    assert_eq!((record.token.as_deref(), record.tenant.as_deref()), (Some("https://id.example"), Some("acme")));
    // What is said of a user counts for nobody else, and not for the same user who has signed in otherwise.
    assert_eq!(ira.people().groups_of("boris").await.unwrap(), Vec::<potok::Name>::new());
    let plain = engine.as_user("ira");
    assert_eq!(plain.whoami().await.unwrap().roles, [Role::Participant]);
    assert_eq!(plain.instances(&potok::query::InstanceQuery::default()).await.unwrap(), []);
    let less = engine.with_identity(said(&[], &["acme"]));
    assert_eq!(less.instance(case.id()).resume().await.unwrap_err().code(), "forbidden");
    let other = engine.with_identity(said(&["operator"], &["bolt"]));
    assert_eq!(other.instance(case.id()).resume().await.unwrap_err().code(), "instance-unknown");
    assert_eq!(ira.as_tenant("bolt").instance(case.id()).resume().await.unwrap_err().code(), "tenant-foreign");
    // Neither a session nor a token comes of it, which could outlive it.
    assert_eq!(ira.begin_session().await.unwrap_err().code(), "not-authenticated");
    assert_eq!(ira.people().new_token("ira", "more").send().await.unwrap_err().code(), "forbidden");
    stop(&engine).await;
}

async fn sessions_are_known_on_other_nodes_and_after_a_restart(place: Place) {
    let engine = anna(&place).await;
    let session = engine.called_from("10.0.0.7").sign_in("anna", PASSWORD).await.unwrap();
    let signed_in = AuditQuery { subjects: vec!["10.0.0.7".into()], ..AuditQuery::default() };
    assert!(engine.audit(&signed_in).await.unwrap().rows.iter().all(|record| record.allowed));
    if matches!(place, Place::File(_)) {
        // Only one process at a time.
        stop(&engine).await;
    }
    let other = place.by_hand().await;
    let user = other.with_session(session.secret.reveal()).await.unwrap();
    assert_eq!(user.user().map(|name| &**name), Some("anna"));
    other.sign_out(session.secret.reveal()).await.unwrap();
    is_refused(other.with_session(session.secret.reveal()).await).await;
    stop(&other).await;
    if !matches!(place, Place::File(_)) {
        engine.stop().await;
    }
}
