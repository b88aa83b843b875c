//! SpiffWorkflow, in a Python process of its own that measures when it is told to.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The Python process.
pub struct SpiffWorkflow {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl SpiffWorkflow {
    /// Starts it; none if Python or its package is not there.
    #[must_use]
    pub fn start(python: &str) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/spiffworkflow.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let (input, output) = (child.stdin.take()?, child.stdout.take()?);
        let mut started = Self { child, input, output: BufReader::new(output) };
        started.answer().filter(|answer| answer.starts_with("ready")).map(|_| started)
    }

    /// Instances per second of a file's process.
    pub fn measure(&mut self, file: &Path) -> Option<f64> {
        writeln!(self.input, "{}", file.display()).ok()?;
        self.answer()?.trim().parse().ok()
    }

    fn answer(&mut self) -> Option<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).ok().filter(|bytes| *bytes > 0).map(|_| line)
    }
}

impl Drop for SpiffWorkflow {
    fn drop(&mut self) {
        // It ends by itself when its input does; this only makes sure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
