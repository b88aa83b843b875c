//! `potok user` and `potok token`.

mod command;

use command::{file, potok};

/// A path for a database that is not there yet.
fn database(name: &str) -> String {
    file(&format!("{name}-{}", std::process::id()), "any", "").replace("any", "work.db")
}

#[test]
fn users_are_added_listed_and_removed() {
    let db = database("users");
    let run = |arguments: &[&str], input: &str| potok(&[arguments, &["--db", &db]].concat(), input);
    let first = run(&["user", "add", "olga", "--admin"], "");
    assert_eq!(first.code, 0, "{}", first.err);
    first.says(&["added olga, an administrator", "password: "]);
    let anna =
        run(&["user", "add", "anna", "--group", "sales", "--tenant", "acme", "--password-stdin"], "correct horse\n");
    assert_eq!((anna.code, anna.out.as_str()), (0, "added anna\n"), "{}", anna.err);
    let secret = file("users", "secret", "battery staple\n");
    let boris = run(&["user", "add", "boris", "--password-file", &secret], "");
    assert_eq!((boris.code, boris.out.as_str()), (0, "added boris\n"), "{}", boris.err);
    assert_eq!(run(&["user", "remove", "boris"], "").code, 0);
    let twice = run(&["user", "add", "anna"], "");
    assert_eq!(twice.code, 1);
    assert!(twice.err.contains("there is a user anna already"), "{}", twice.err);
    let short = run(&["user", "add", "boris", "--admin", "--password-stdin"], "short\n");
    assert_eq!(short.code, 1);
    assert!(short.err.contains("at least 8 characters"), "{}", short.err);
    let listed = run(&["user", "list"], "");
    assert_eq!(
        listed.out, "anna  participant  [sales]\nolga  participant, administrator  [administrators]\n",
        "{}",
        listed.err
    );
    assert_eq!(run(&["user", "password", "anna", "--password-stdin"], "battery staple\n").code, 0);
    assert_eq!(run(&["user", "password", "nobody", "--password-stdin"], "battery staple\n").code, 1);
    assert_eq!(run(&["user", "remove", "anna"], "").code, 0);
    let gone = run(&["user", "remove", "anna"], "");
    assert!(gone.code == 1 && gone.err.contains("there is no user anna"), "{}", gone.err);
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let db = database("tokens");
    let run = |arguments: &[&str]| potok(&[arguments, &["--db", &db]].concat(), "");
    let missing = run(&["token", "list"]);
    assert!(missing.code == 1 && missing.err.contains("there is no database"), "{}", missing.err);
    assert_eq!(run(&["user", "add", "mailer"]).code, 0);
    let made = run(&["token", "add", "mailer", "sends letters", "--role", "worker", "--days", "30"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert!(made.out.starts_with("potok_") && made.out.lines().count() == 1, "{}", made.out);
    let listed = run(&["token", "list", "--user", "mailer"]);
    listed.says(&["mailer  sends letters  worker  until ", "never used"]);
    assert!(!listed.out.contains(made.out.trim()));
    let id = listed.out.split_whitespace().next().expect("an id").to_owned();
    assert_eq!(run(&["token", "revoke", &id]).code, 0);
    assert_eq!(run(&["token", "revoke", &id]).code, 1);
    assert_eq!(run(&["token", "list"]).out, "");
    let unknown = run(&["token", "add", "mailer", "?", "--role", "king"]);
    assert!(unknown.code == 2 && unknown.err.contains("administrator"), "{}", unknown.err);
    let nobody = run(&["token", "add", "nobody", "?"]);
    assert!(nobody.code == 1 && nobody.err.contains("there is no user `nobody`"), "{}", nobody.err);
}
