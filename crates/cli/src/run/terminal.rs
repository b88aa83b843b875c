//! Questions and answers, line by line.

use std::io::{self, BufRead, IsTerminal as _, Write};

use potok_core::Name;
use potok_core::value::Value;
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::style::Style;

/// Why a question was not answered.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The user has had enough, or there is no more input.
    Quit,
    /// The user wants to choose something else.
    Back,
    /// It went wrong.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Where questions are asked.
pub(crate) struct Terminal {
    input: Box<dyn BufRead>,
    output: Box<dyn Write>,
    pub(crate) style: Style,
    /// What is typed does not appear by itself, so that a line must be ended for the user.
    silent: bool,
}

impl Terminal {
    /// Reads from the standard input; writes to the standard output, or to the error output where that is for events.
    pub(crate) fn new(events_on_output: bool) -> Self {
        let (output, style): (Box<dyn Write>, _) = if events_on_output {
            (Box::new(io::stderr()), Style::of(&io::stderr()))
        } else {
            (Box::new(io::stdout()), Style::of(&io::stdout()))
        };
        Self { input: Box::new(io::stdin().lock()), output, style, silent: !io::stdin().is_terminal() }
    }

    /// Writes a line, or several.
    pub(crate) fn say(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.output, "{}", text.trim_end())
    }

    /// Asks for a line, without the spaces around it.
    pub(crate) fn ask(&mut self, prompt: &str) -> Result<String, Stop> {
        write!(self.output, "{prompt}")?;
        self.output.flush()?;
        let mut line = Vec::new();
        self.input.read_until(b'\n', &mut line)?;
        if self.silent || line.is_empty() {
            writeln!(self.output)?;
        }
        if line.is_empty() {
            return Err(Stop::Quit);
        }
        let line = String::from_utf8_lossy(&line);
        match line.trim() {
            "quit" | "exit" => Err(Stop::Quit),
            "back" => Err(Stop::Back),
            line => Ok(line.to_owned()),
        }
    }

    /// Asks for variables, one a line, up to an empty line. A line in JSON is all of them. Other lines are given to
    /// `other`, which takes them or says what is wrong.
    pub(crate) fn ask_variables<T>(
        &mut self,
        prompt: &str,
        mut other: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<Answer<T>, Stop> {
        let mut variables: Vec<(Name, Value)> = Vec::new();
        loop {
            let line = self.ask(prompt)?;
            if line.is_empty() {
                return Ok(Answer::Variables(variables));
            }
            let understood = if line.starts_with('{') {
                match object(&line) {
                    Ok(all) => {
                        variables.extend(all);
                        return Ok(Answer::Variables(variables));
                    }
                    Err(message) => Err(message),
                }
            } else if let Some(variable) = assignment(&line) {
                variables.push(variable);
                Ok(())
            } else {
                match other(&line) {
                    Ok(other) => return Ok(Answer::Other(other)),
                    Err(message) => Err(message),
                }
            };
            if let Err(message) = understood {
                let message = self.style.unusual(&message);
                self.say(&format!("    {message}"))?;
            }
        }
    }
}

/// What was answered where variables were asked for.
pub(crate) enum Answer<T> {
    Variables(Vec<(Name, Value)>),
    Other(T),
}

/// `name=value`; the value is JSON, or else text.
pub(crate) fn assignment(line: &str) -> Option<(Name, Value)> {
    let (name, value) = line.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_name = !name.is_empty()
        && name.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character))
        && !name.starts_with(|character: char| character.is_ascii_digit());
    is_name.then(|| (name.into(), loose(value)))
}

/// JSON, or else text.
fn loose(text: &str) -> Value {
    let json = serde_json::from_str::<Json>(text).ok();
    json.and_then(|json| Value::from_json(json).ok()).unwrap_or_else(|| Value::from(text))
}

fn object(text: &str) -> Result<Vec<(Name, Value)>, String> {
    let json: Json = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
    let Json::Object(entries) = json else { return Err("variables are a JSON object".to_owned()) };
    entries
        .into_iter()
        .map(|(name, value)| Ok((name.into(), Value::from_json(value).map_err(|error| error.to_string())?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_or_else_text() {
        assert_eq!(assignment("amount = 12"), Some(("amount".into(), Value::Integer(12))));
        assert_eq!(assignment("number=\"12\""), Some(("number".into(), "12".into())));
        assert_eq!(assignment("имя=Анна Петровна"), Some(("имя".into(), "Анна Петровна".into())));
        assert_eq!(assignment("fail a=b"), None);
    }
}
