//! What Camunda 8 wants of its elements as a whole.

use super::Dialect;
use super::reader::own;
use super::unsupported::Findings;
use crate::diagnostic::Severity;
use crate::xml::Element;

impl<'d> Findings<'d> {
    /// What is missing beside what is there, or is not what its author may think.
    pub(super) fn look_at_zeebe(&mut self, element: Element<'d>) {
        match element.name() {
            "calledElement" | "calledDecision" | "formDefinition" => self.look_at_binding_type(element),
            "input" | "output" => self.look_at_mapping(element),
            _ => {}
        }
    }

    /// A user task that Camunda 8 leaves to a worker.
    pub(super) fn look_at_user_task(&mut self, task: Element<'d>) {
        if self.reader.dialect() == Dialect::Zeebe
            && matches!(task.name(), "userTask" | "globalUserTask")
            && self.reader.zeebe_element(task, "userTask").is_none()
        {
            let message =
                "a user task without <zeebe:userTask/> is a worker's job of type `io.camunda.zeebe:userTask` in \
                           Camunda 8; here people do it"
                    .to_owned();
            let help = "add <zeebe:userTask/>, or let a service task of that type call the worker".to_owned();
            self.add("extension-missing", Severity::Warning, task, task.tag_span(), message, help);
        }
    }

    /// Versions of Camunda 8 differ about inputs without a source; names with blanks are FEEL's, but not Camunda 8's.
    fn look_at_mapping(&mut self, mapping: Element<'d>) {
        let Some(target) = own(mapping, "target").filter(|target| is_path(target)) else { return };
        let mut warn = |message: String, help: &str| {
            self.add(
                "extension-value-invalid",
                Severity::Warning,
                mapping,
                mapping.tag_span(),
                message,
                help.to_owned(),
            );
        };
        if target.contains(' ') {
            let message = format!("the target `{target}` has blanks in it, which Camunda 8 refuses");
            warn(message, "write it without blanks, if the model is to run there, too");
        }
        if mapping.name() == "input" && own(mapping, "source").is_none() {
            let message = format!("an input without `source` sets `{target}` to null, or is refused by Camunda 8");
            warn(message, "write what it is set to, e.g. source=\"=order.amount\"");
        }
    }
}

/// A path of names, as Camunda 8 has it but for two things: it knows Latin letters only, and no blanks, which FEEL's names may
/// have. What FEEL uses as words names nothing.
pub(super) fn is_path(path: &str) -> bool {
    const WORDS: &[&str] =
        &["null", "true", "false", "function", "if", "then", "else", "for", "between", "instance", "of"];
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let is_name = |name: &str| !name.starts_with(|first: char| first.is_numeric()) && name.split(' ').all(is_word);
    path.split('.').all(is_name) && !WORDS.contains(&path)
}
