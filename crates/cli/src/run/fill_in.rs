//! Filling in forms.

use potok_core::instance::{Instance, Key, ScopeId, WaitKind};
use potok_core::value::Value;

use super::field::{Field, Kind};
use super::interactive::{Variables, Walk};
use super::terminal::Stop;
use super::waiting::{Waiting, one_line};

impl Walk<'_> {
    pub(super) fn fields_of(&self, waiting: &Waiting) -> Option<Vec<Field>> {
        let running = self.session.host.instance(waiting.instance)?;
        let form = running.graph.get_node(waiting.node)?.details.form.as_deref();
        let key = match &running.instance.wait(waiting.key)?.kind {
            WaitKind::UserTask(task) => task.form_key.clone(),
            _ => None,
        };
        self.session.fields(form, key.as_deref())
    }

    pub(super) fn scope_of(&self, waiting: &Waiting) -> Option<(Key, ScopeId)> {
        let running = self.session.host.instance(waiting.instance)?;
        let wait = running.instance.wait(waiting.key)?;
        Some((waiting.instance, running.instance.scope_of(wait)))
    }

    /// Asks for a form's fields.
    pub(super) fn fill_in(&mut self, fields: &[Field], scope: Option<(Key, ScopeId)>) -> Result<Variables, Stop> {
        let mut variables = Vec::new();
        for field in fields {
            let first = {
                let seen = scope.and_then(|(instance, scope)| {
                    let running = self.session.host.instance(instance)?;
                    Some((&running.instance as &Instance, scope))
                });
                self.session.first_value(field, seen)
            };
            if !field.writable {
                let value = first.as_ref().map_or_else(|| "-".to_owned(), |value| field.show(value));
                self.terminal.say(&format!("  {}: {value}", field.label))?;
            } else if let Some(value) = self.ask_field(field, first)? {
                variables.push((field.variable.clone(), value));
            }
        }
        Ok(variables)
    }

    fn ask_field(&mut self, field: &Field, first: Option<Value>) -> Result<Option<Value>, Stop> {
        let hint = match (field.hint(), field.required) {
            ("", true) => " (required)".to_owned(),
            ("", false) => String::new(),
            (hint, true) => format!(" ({hint}; required)"),
            (hint, false) => format!(" ({hint})"),
        };
        let default = first.as_ref().map(|value| format!(" [{}]", field.show(value))).unwrap_or_default();
        let mut prompt = format!("  {}{hint}{default}: ", one_line(&field.label));
        if matches!(field.kind, Kind::Choice | Kind::Choices) {
            self.terminal.say(&format!("  {}{hint}", one_line(&field.label)))?;
            for (number, (value, label)) in (1..).zip(&field.choices) {
                let value = value.to_string();
                let label = if *label == value { label.clone() } else { format!("{label} ({value})") };
                self.terminal.say(&format!("  {number:3}. {label}"))?;
            }
            prompt = format!(" {default} > ");
        }
        loop {
            let answer = self.terminal.ask(&prompt)?;
            if answer.is_empty() {
                match &first {
                    Some(value) => return Ok(Some(value.clone())),
                    None if field.required => {
                        self.complain("an answer is required (quit leaves the process)")?;
                        continue;
                    }
                    None => return Ok(None),
                }
            }
            match field.parse(&answer) {
                Ok(value) => return Ok(Some(value)),
                Err(message) => self.complain(&message)?,
            }
        }
    }
}
