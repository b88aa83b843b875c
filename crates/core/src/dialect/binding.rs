//! Which version of a process, a decision or a form is meant.

use super::namespace::{Family, usual_prefix};
use super::reader::own;
use super::unsupported::Findings;
use super::{Binding, Dialect, Reader, vocabulary};
use crate::diagnostic::Severity;
use crate::xml::Element;

/// The attributes that say which version of something is meant.
pub(super) struct BindingWords {
    binding: &'static str,
    version: &'static str,
    tag: &'static str,
}

macro_rules! binding_words {
    ($what:literal) => {
        BindingWords {
            binding: concat!($what, "Binding"),
            version: concat!($what, "Version"),
            tag: concat!($what, "VersionTag"),
        }
    };
}

pub(super) const CALLED_ELEMENT: BindingWords = binding_words!("calledElement");
pub(super) const DECISION: BindingWords = binding_words!("decisionRef");
pub(super) const FORM: BindingWords = binding_words!("formRef");

impl<'d> Reader<'d> {
    /// `xBinding`, `xVersion` and `xVersionTag`, as Camunda 7 writes them for calls, decisions and forms.
    pub(super) fn classic_binding(&self, element: Element<'d>, words: &BindingWords) -> Binding {
        match self.classic(element, words.binding).as_deref() {
            Some("deployment") => Binding::Deployment,
            Some("version") => {
                Binding::Version(self.value(element, &self.classic(element, words.version).unwrap_or_default()))
            }
            Some("versionTag") => {
                Binding::VersionTag(self.value(element, &self.classic(element, words.tag).unwrap_or_default()))
            }
            _ => Binding::Latest,
        }
    }

    /// `bindingType` and `versionTag`, as Camunda 8 writes them.
    pub(super) fn binding_type(&self, element: Element<'d>) -> Binding {
        match own(element, "bindingType").as_deref() {
            Some("deployment") => Binding::Deployment,
            Some("versionTag") => {
                Binding::VersionTag(self.value(element, &own(element, "versionTag").unwrap_or_default()))
            }
            _ => Binding::Latest,
        }
    }
}

impl<'d> Findings<'d> {
    /// What Camunda 7's attributes on a call, a task or a start event say of the version. Without a version, or with one that
    /// there cannot be, nothing would ever be found.
    pub(super) fn look_at_bindings(&mut self, element: Element<'d>) {
        self.look_for_form_binding(element);
        let fits = |words: &BindingWords| vocabulary::has_host(words.binding, element.name());
        for words in [CALLED_ELEMENT, DECISION, FORM].into_iter().filter(fits) {
            let said = element.attributes().find(|attribute| {
                attribute.name() == words.binding
                    && self.reader.family(attribute.namespace_id()) == Some(Family::Classic)
            });
            let (Some(said), Some(binding)) = (said, self.reader.classic(element, words.binding)) else { continue };
            let prefix = usual_prefix(said.namespace());
            if words.binding == FORM.binding
                && self.reader.dialect() == Dialect::Camunda
                && !matches!(&*binding, "latest" | "deployment" | "version")
            {
                let written = format!("{prefix}:{}=\"{binding}\"", words.binding);
                let help = "write `latest`, `deployment` or `version`".to_owned();
                self.invalid(Severity::Error, element, said.span(), written, help);
                continue;
            }
            let needed = match &*binding {
                "latest" | "deployment" => continue,
                "version" => words.version,
                "versionTag" => words.tag,
                _ => {
                    let help = "write `latest`, `deployment`, `version` or `versionTag`";
                    let word = format!("this value of {}", words.binding);
                    self.ignored(element, said.span(), &word, help);
                    continue;
                }
            };
            match self.reader.classic(element, needed) {
                None => {
                    let written = format!("{prefix}:{}=\"{binding}\" without {prefix}:{needed}", words.binding);
                    let help = format!("add {prefix}:{needed}, or write `latest`");
                    self.invalid(Severity::Error, element, said.span(), written, help);
                }
                Some(version) if needed == words.version && !is_version(&version) => {
                    let written = format!("{prefix}:{needed}=\"{version}\"");
                    let help = "write the number of a version, e.g. 3, or an expression that gives one".to_owned();
                    self.invalid(Severity::Error, element, said.span(), written, help);
                }
                Some(_) => {}
            }
        }
    }

    /// Camunda 7 wants to be told which version of a form, also where it is the newest.
    fn look_for_form_binding(&mut self, element: Element<'d>) {
        let reader = self.reader;
        let says = |name| reader.classic(element, name).is_some();
        if reader.dialect() == Dialect::Camunda && says("formRef") && !says(FORM.binding) {
            let written = "a formRef without formRefBinding".to_owned();
            let help = "add formRefBinding: `latest`, `deployment` or `version`".to_owned();
            self.invalid(Severity::Error, element, element.tag_span(), written, help);
        }
    }

    /// What Camunda 8 says of the version.
    pub(super) fn look_at_binding_type(&mut self, element: Element<'d>) {
        let by_tag = own(element, "bindingType").is_some_and(|binding| &*binding == "versionTag");
        if by_tag && own(element, "versionTag").is_none() {
            let written = format!("bindingType=\"versionTag\" of <zeebe:{}> without versionTag", element.name());
            let help = "add the attribute `versionTag`, or write `latest`".to_owned();
            self.invalid(Severity::Error, element, element.tag_span(), written, help);
        }
    }
}

/// The number of a version, or what gives it.
fn is_version(text: &str) -> bool {
    let is_computed = text.contains("${") || text.contains("#{") || text.trim_start().starts_with('=');
    is_computed || text.trim().parse::<u32>().is_ok_and(|version| version > 0)
}
