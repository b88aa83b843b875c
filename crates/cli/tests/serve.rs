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

#[test]
fn what_others_could_reach_is_not_served_without_sign_in() {
    let folder = Folder::new("remote");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = potok(&["serve", "--listen", address, "--db", &folder.path("work.db")], "");
        assert_eq!(refused.code, 1, "{address}");
        assert!(refused.err.contains("nobody can sign in yet"), "{refused:?}");
        assert!(refused.err.contains("potok user add NAME --admin"), "{refused:?}");
    }
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
