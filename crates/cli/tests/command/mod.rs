//! The `potok` binary, run as a person or a script runs it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run of the binary gave.
#[derive(Debug)]
#[allow(dead_code, reason = "not every test file asks this")]
pub(crate) struct Output {
    /// The exit code.
    pub(crate) code: i32,
    /// Its standard output.
    pub(crate) out: String,
    /// Its error output.
    pub(crate) err: String,
}

impl Output {
    /// Fails unless the output has each of these texts, in this order.
    #[track_caller]
    #[allow(dead_code, reason = "not every test file asks this")]
    pub(crate) fn says(&self, texts: &[&str]) -> &Self {
        let mut rest = self.out.as_str();
        for text in texts {
            let Some(place) = rest.find(text) else {
                panic!(
                    "`{text}` is not (or not in this order) in:\n{}\n--- and on the error output:\n{}",
                    self.out, self.err
                )
            };
            rest = &rest[place + text.len()..];
        }
        self
    }
}

/// Runs `potok` with lines of input.
#[allow(dead_code, reason = "not every test file asks this")]
pub(crate) fn potok(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_potok"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("TERM")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("its input");
    // A run that ends early does not read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    Output {
        code: output.status.code().expect("it was not killed"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A file of the customer's processes.
#[allow(dead_code, reason = "not every test file asks this")]
pub(crate) fn bpmn(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bpmn").join(file);
    path.to_str().expect("UTF-8").to_owned()
}

/// A file with that content, in a folder of its own.
#[allow(dead_code, reason = "not every test file asks this")]
pub(crate) fn file(folder: &str, name: &str, content: impl AsRef<[u8]>) -> String {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a file");
    path.to_str().expect("UTF-8").to_owned()
}
