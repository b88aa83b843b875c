//! `potok serve`, as a person or a service manager runs it.

mod command;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use command::potok;

/// A folder of its own, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("potok-serve-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn settings_come_from_flags_else_from_the_file() {
    let folder = Folder::new("settings");
    let file = folder.path("settings.toml");
    std::fs::write(&file, "db = \"other.db\"\njob-execution = false\nlisten = \"127.0.0.1:9000\"\n").expect("written");
    let shown = potok(&["serve", "--check-config", "--config", &file, "--listen", "[::1]:7000"], "");
    assert_eq!(shown.code, 0, "{shown:?}");
    shown.says(&["listen = \"[::1]:7000\"", "db = \"other.db\"", "job-execution = false", "body-limit = 16777216"]);
    shown.says(&["enforce-history-time-to-live = false", "setup = false"]);
    shown.says(&["log-format = \"text\"", "log-level = \"info\"", "webhook-hosts = []"]);
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/potok.toml");
    assert_eq!(
        potok(&["serve", "--check-config", "--config", example], "").out,
        potok(&["serve", "--check-config"], "").out
    );
    let usual = potok(&["serve", "--check-config"], "");
    usual.says(&["listen = \"127.0.0.1:8080\"", "db = \"potok.db\"", "job-execution = true"]);

    std::fs::write(&file, "listn = \"127.0.0.1:9000\"\n").expect("written");
    let wrong = potok(&["serve", "--check-config", "--config", &file], "");
    assert_eq!(wrong.code, 1);
    assert!(wrong.err.contains("listn"), "{wrong:?}");
    let missing = potok(&["serve", "--check-config", "--config", &folder.path("none.toml")], "");
    assert!(missing.code == 1 && missing.err.contains("cannot read"), "{missing:?}");
}

/// A set of keys: that of RFC 8037, appendix A.2.
const KEYS: &str =
    r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

#[test]
fn what_nothing_could_be_served_with_is_refused_before_anything_is_opened() {
    let folder = Folder::new("unfit");
    let (file, empty) = (folder.path("settings.toml"), folder.path("empty"));
    std::fs::create_dir(&empty).expect("a folder");
    for (setting, says, how) in [
        ("db = \"mysql://potok:secret@db/work\"", "names no database: `mysql://`", "postgres://USER@HOST/NAME"),
        ("db = \"postgres://db:no-port/work\"", "names no database", "postgres://USER@HOST/NAME"),
        ("db = \"/no/such/folder/work.db\"", "its folder is not there", "in a folder that is there"),
        ("otlp = \"ftp://collector\"", "no address of a collector: ftp://collector", "http://127.0.0.1:4318"),
        ("otlp = \"collector:4318\"", "no address of a collector", "http://127.0.0.1:4318"),
        ("origins = [\"http://a.b/path\"]", "`http://a.b/path` is no origin", "write `http://a.b`"),
        ("origins = [\"*\"]", "`*` is no origin", "name each origin"),
        ("webhook-hosts = [\"http://x/y\"]", "`http://x/y` is no host", "write `x`"),
        ("body-limit = 0", "settings.toml is not right", "docs/rest.md"),
    ] {
        std::fs::write(&file, format!("{setting}\n")).expect("written");
        let (key, _) = setting.split_once(' ').expect("a key");
        let db = folder.path("work.db");
        for asked in [
            &["serve", "--check-config", "--config", &file][..],
            &["serve", "--listen", "127.0.0.1:0", "--config", &file],
        ] {
            let asked = if key == "db" { asked.to_vec() } else { [asked, &["--db", &db]].concat() };
            let refused = potok(&asked, "");
            let err = &refused.err;
            assert!(refused.code == 1 && err.contains(says) && err.contains(how), "{setting}: {refused:?}");
            assert!(err.contains(key) && err.contains(&file) && !err.contains("secret"), "{setting}: {refused:?}");
        }
        assert!(!std::path::Path::new(&db).exists(), "{setting}");
    }
    for (models, says) in [(folder.path("none"), "cannot read"), (empty, "there is nothing to deploy in")] {
        for way in ["--check-config", "--setup=off"] {
            let refused = potok(&["serve", way, &models, "--db", &folder.path("work.db")], "");
            assert!(refused.code == 1 && refused.err.contains(says), "{refused:?}");
            assert!(refused.err.contains(&models) && refused.err.contains("name a folder"), "{refused:?}");
        }
    }
    let flag = potok(&["serve", "--check-config", "--db", "mysql://x"], "");
    assert!(flag.code == 1 && flag.err.contains("`--db` or `POTOK_DB` names no database"), "{flag:?}");
}

#[test]
fn whether_anybody_can_sign_in_is_checked_without_changing_the_database() {
    let folder = Folder::new("sign-in");
    let db = folder.path("work.db");
    let check = |more: &[&str]| {
        potok(&[&["serve", "--check-config", "--listen", "0.0.0.0:8080", "--db", &db], more].concat(), "")
    };
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(&folder.0)
            .expect("a folder")
            .map(|entry| {
                let path = entry.expect("a file").path();
                (path.clone(), std::fs::read(path).expect("its content"))
            })
            .collect();
        files.sort();
        files
    };
    let unchecked = check(&[]);
    assert_eq!(unchecked.code, 0, "{unchecked:?}");
    assert!(unchecked.err.contains("was not checked: there is no database"), "{unchecked:?}");
    assert_eq!(files(), []);

    let made = potok(&["user", "add", "olga", "--password-stdin", "--db", &db], "correct horse battery\n");
    assert_eq!(made.code, 0, "{made:?}");
    let before = files();
    let signed_in = check(&[]);
    assert!(signed_in.code == 0 && signed_in.err.is_empty(), "{signed_in:?}");
    assert_eq!(files(), before);

    let removed = potok(&["user", "remove", "olga", "--db", &db], "");
    assert_eq!(removed.code, 0, "{removed:?}");
    let before = files();
    let refused = check(&[]);
    assert!(refused.code == 1 && refused.err.contains("nobody can sign in yet"), "{refused:?}");
    assert_eq!(check(&["--setup", "on"]).code, 0);
    assert_eq!(files(), before);

    std::fs::write(&db, "no database, and long enough to be taken for one: ".repeat(30)).expect("written");
    let other = check(&[]);
    assert!(other.code == 1 && !other.err.contains("was not checked"), "{other:?}");
}

#[test]
fn settings_of_who_gets_in_are_checked_before_anything_is_opened() {
    let folder = Folder::new("security");
    let (file, keys) = (folder.path("potok.toml"), folder.path("keys.json"));
    let settings = format!(
        "origins = [\"https://portal.example\"]\nproxies = [\"10.0.0.0/8\", \"192.0.2.1\"]\n\
         [limits]\ncalls-per-minute = 600\n\
         [oidc]\nissuer = \"https://id.example\"\naudience = [\"potok\"]\nkeys = '{keys}'\nalgorithms = [\"EdDSA\"]\n"
    );
    std::fs::write(&file, &settings).expect("written");
    let nowhere = potok(&["serve", "--check-config", "--config", &file], "");
    assert!(nowhere.code == 1 && nowhere.err.contains(&format!("`oidc` in {file}")), "{nowhere:?}");
    assert!(nowhere.err.contains(&format!("cannot read {keys}")), "{nowhere:?}");
    for (set, says) in
        [("{}", "no set of keys"), ("{\"keys\": [{\"kty\": \"oct\", \"k\": \"AA\"}]}", "has no key for EdDSA")]
    {
        std::fs::write(&keys, set).expect("written");
        let wrong = potok(&["serve", "--check-config", "--config", &file], "");
        assert!(wrong.code == 1 && wrong.err.contains(says), "{set}: {wrong:?}");
    }
    std::fs::write(&keys, KEYS).expect("written");
    let shown = potok(&["serve", "--check-config", "--config", &file], "");
    assert_eq!(shown.code, 0, "{shown:?}");
    shown.says(&[
        "origins = [\"https://portal.example\"]",
        "calls-per-minute = 600",
        "issuer = \"https://id.example\"",
    ]);
    // What is shown can be read again.
    std::fs::write(&file, &shown.out).expect("written");
    assert_eq!(potok(&["serve", "--check-config", "--config", &file], "").out, shown.out);
    for (is, was, says) in [
        ("HS256", "EdDSA", "tokens signed by `HS256` are not taken"),
        ("\"http://id.example/keys\"", &*format!("'{keys}'"), "no https:// URL"),
        ("10.0.0.0/99", "10.0.0.0/8", "no address and no net of them"),
        ("calls-per-minute = 0", "calls-per-minute = 600", "calls-per-minute"),
        ("audience = []", "audience = [\"potok\"]", "`audience` is empty"),
        ("isuer", "issuer", "isuer"),
    ] {
        std::fs::write(&file, settings.replacen(was, is, 1)).expect("written");
        let wrong = potok(&["serve", "--check-config", "--config", &file], "");
        assert!(wrong.code == 1 && wrong.err.contains(says), "{is}: {wrong:?}");
    }
    let alone = potok(&["serve", "--check-config", "--tls-certificate", &file], "");
    assert!(alone.code == 1 && alone.err.contains("a certificate needs its key"), "{alone:?}");
    let none = potok(&["serve", "--check-config", "--tls-certificate", &file, "--tls-key", &keys], "");
    assert!(none.code == 1 && none.err.contains("TLS cannot be served") && none.err.contains("PEM"), "{none:?}");
}

#[cfg(unix)]
#[test]
fn with_a_certificate_it_is_served_by_tls_alone() {
    let folder = Folder::new("tls");
    let (certificate, key) = (folder.path("certificate.pem"), folder.path("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let child = Command::new(env!("CARGO_BIN_EXE_potok"))
        .args(["serve", "--listen", "127.0.0.1:0", "--db", &folder.path("work.db")])
        .env("POTOK_TLS_CERTIFICATE", &certificate)
        .env("POTOK_TLS_KEY", &key)
        .stdout(Stdio::piped())
        .spawn();
    let mut server = Server(child.expect("the binary starts"));
    let mut lines = BufReader::new(server.0.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let ready = lines.next().expect("it says that it is ready");
    let address = ready.split("https://").nth(1).expect("where it listens").to_owned();
    let mut stream = TcpStream::connect(&address).expect("it listens");
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

#[test]
fn what_others_could_reach_is_not_served_without_sign_in() {
    let folder = Folder::new("remote");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = potok(&["serve", "--listen", address, "--db", &folder.path("work.db")], "");
        assert_eq!(refused.code, 1, "{address}");
        assert!(refused.err.contains("nobody can sign in yet"), "{refused:?}");
        assert!(refused.err.contains("potok user add NAME --admin"), "{refused:?}");
        assert!(refused.err.contains("--setup on"), "{refused:?}");
    }
}

#[cfg(unix)]
#[test]
fn the_first_administrator_is_made_from_elsewhere_with_a_token_that_is_shown() {
    let folder = Folder::new("setup");
    let db = folder.path("work.db");
    let serve = |listen: &str| {
        let child = Command::new(env!("CARGO_BIN_EXE_potok"))
            .args(["serve", "--listen", listen, "--db", &db, "--setup", "on"])
            .stdout(Stdio::piped())
            .spawn();
        let mut server = Server(child.expect("the binary starts"));
        let mut lines = BufReader::new(server.0.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let ready = lines.next().expect("it says that it is ready");
        let address = ready.split("http://").nth(1).expect("where it listens").replace("0.0.0.0", "127.0.0.1");
        let said: Vec<String> = lines.by_ref().take_while(|line| !line.contains("sign in")).collect();
        assert!(said.len() > 3, "{said:?}");
        (server, lines, address)
    };
    let (server, mut lines, address) = serve("0.0.0.0:0");
    let told = lines.next().expect("how it is set up");
    let token = told.rsplit(' ').next().expect("the token").to_owned();
    assert!(told.contains("/api/v1/setup") && token.len() > 40, "{told}");
    assert!(get(&address, "/api/v1/statistics").starts_with("HTTP/1.1 401"));
    let set_up = |token: &str, password: &str| {
        let body = format!("{{\"token\": \"{token}\", \"user\": \"olga\", \"password\": \"{password}\"}}");
        let mut stream = TcpStream::connect(&address).expect("it listens");
        write!(
            stream,
            "POST /api/v1/setup HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    assert!(set_up("wrong", "correct horse battery").starts_with("HTTP/1.1 401"));
    assert!(set_up(&token, "correct horse battery").starts_with("HTTP/1.1 204"));
    assert!(set_up(&token, "correct horse battery").contains("setup-over"));
    drop(server);
    let listed = potok(&["user", "list", "--db", &db], "");
    assert!(listed.out.contains("olga") && listed.out.contains("administrator"), "{listed:?}");
    // Once there is somebody it shows none.
    let (server, lines, address) = serve("0.0.0.0:0");
    assert!(get(&address, "/api/v1/statistics").starts_with("HTTP/1.1 401"));
    let terminated = Command::new("kill").arg(server.0.id().to_string()).status();
    assert!(terminated.expect("told").success());
    assert_eq!(lines.collect::<Vec<_>>(), ["stopped"]);
}

#[cfg(unix)]
#[test]
fn where_it_is_enforced_processes_without_a_time_to_live_are_refused() {
    let folder = Folder::new("time-to-live");
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/payment.bpmn");
    let args = ["serve", models, "--listen", "127.0.0.1:0", "--db", &folder.path("work.db")];
    let refused = potok(&[&args[..], &["--enforce-history-time-to-live", "on"]].concat(), "");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("history-without-end") && refused.err.contains("historyTimeToLive"), "{refused:?}");
}

#[cfg(unix)]
#[test]
fn with_a_user_it_is_served_to_others() {
    let folder = Folder::new("users");
    let db = folder.path("work.db");
    let added = potok(&["user", "add", "olga", "--admin", "--password-stdin", "--db", &db], "correct horse battery\n");
    assert_eq!(added.code, 0, "{added:?}");
    let child = Command::new(env!("CARGO_BIN_EXE_potok"))
        .args(["serve", "--listen", "0.0.0.0:0", "--db", &db])
        .stdout(Stdio::piped())
        .spawn();
    let mut server = Server(child.expect("the binary starts"));
    let mut lines = BufReader::new(server.0.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let ready = lines.next().expect("it says that it is ready");
    let address = ready.split("http://").nth(1).expect("where it listens").replace("0.0.0.0", "127.0.0.1");
    assert!(get(&address, "/api/v1/statistics").starts_with("HTTP/1.1 401"));
    assert!(get(&address, "/healthz").starts_with("HTTP/1.1 204"));
}

/// A server that is killed if it has not been stopped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[cfg(unix)]
#[test]
fn a_server_that_is_told_to_stop_at_once_stops_as_later() {
    let folder = Folder::new("at-once");
    let database = folder.path("work.db");
    for _ in 0..5 {
        let child = Command::new(env!("CARGO_BIN_EXE_potok"))
            .args(["serve", "--listen", "127.0.0.1:0", "--db", &database])
            .stdout(Stdio::piped())
            .spawn();
        let mut server = Server(child.expect("the binary starts"));
        let mut lines = BufReader::new(server.0.stdout.take().expect("its output")).lines().map_while(Result::ok);
        assert!(lines.next().expect("it says that it is ready").contains("Potok is ready"));
        let terminated = Command::new("kill").arg(server.0.id().to_string()).status();
        assert!(terminated.expect("told").success());
        assert_eq!(lines.last().as_deref(), Some("stopped"));
        assert!(server.0.wait().expect("it ends").success());
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_is_told_to_stop_while_it_deploys_stops_at_once() {
    let folder = Folder::new("deploys");
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bpmn");
    let slow = folder.path("slow.bpmn");
    assert!(Command::new("mkfifo").arg(&slow).status().expect("`mkfifo` runs").success());
    let child = Command::new(env!("CARGO_BIN_EXE_potok"))
        .args(["serve", "--listen", "127.0.0.1:0", "--db", &folder.path("work.db"), &slow])
        .args([models; 20])
        .stdout(Stdio::piped())
        .spawn();
    let mut server = Server(child.expect("the binary starts"));
    let text = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/payment.bpmn")).expect("a model");
    // It is opened as soon as the server reads it.
    let mut model = std::fs::OpenOptions::new().write(true).open(&slow).expect("it is deployed");
    let terminated = Command::new("kill").arg(server.0.id().to_string()).status();
    assert!(terminated.expect("told").success());
    model.write_all(&text).expect("written");
    drop(model);
    let mut said = String::new();
    server.0.stdout.take().expect("its output").read_to_string(&mut said).expect("it ends");
    assert_eq!(said, "", "it has deployed all, and served");
    assert!(server.0.wait().expect("it ends").success());
}

#[cfg(unix)]
#[test]
fn a_folder_is_deployed_and_served_until_the_server_is_told_to_stop() {
    let folder = Folder::new("folder");
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bpmn");
    for state in ["deployed", "as before"] {
        let child = Command::new(env!("CARGO_BIN_EXE_potok"))
            .args(["serve", models, "--listen", "127.0.0.1:0", "--db", &folder.path("work.db")])
            .stdout(Stdio::piped())
            .spawn();
        let mut server = Server(child.expect("the binary starts"));
        let mut lines = BufReader::new(server.0.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let ready = lines.next().expect("it says that it is ready");
        let address = ready.split("http://").nth(1).expect("where it listens").to_owned();
        let said: Vec<String> = lines.by_ref().take(6).collect();
        assert!(said[1].contains("5 definitions") && said[1].contains(state), "{said:?}");
        assert!(said[3].contains("/docs") && said[4].contains("/engine-rest"), "{said:?}");
        assert!(said[5].contains("sign in"), "{said:?}");
        assert!(get(&address, "/engine-rest/version").contains("7.24.0"));
        assert!(get(&address, "/api/v1/definitions/contract").contains("\"version\":1"));
        let terminated = Command::new("kill").arg(server.0.id().to_string()).status();
        assert!(terminated.expect("told").success());
        assert_eq!(lines.last().as_deref(), Some("stopped"));
        assert!(server.0.wait().expect("it ends").success());
    }
}
