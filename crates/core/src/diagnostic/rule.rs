//! What a rule is, and the list of all of them.

use super::{
    Severity, activities, attributes, boundary, collaboration, compensation, conditions, correlation, data,
    declarations, event_gateways, events, flow_lists, flows, gateways, io, lanes, links, loops, places, processes,
    reachability, references, schema, starts, structures, sub_processes, timers, triggers,
};

/// A rule that models are checked against.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stable code that its findings carry.
    pub code: &'static str,
    /// How bad it is to break it. In a process with `isExecutable="false"` errors are shown as warnings.
    pub severity: Severity,
    /// Where it comes from.
    pub source: &'static str,
    /// What it says, in one sentence.
    pub summary: &'static str,
}

/// Declares the rules of a file as constants, and all of them as `RULES`.
macro_rules! define {
    ($($name:ident = $code:literal, $severity:ident, $source:literal, $summary:literal;)*) => {
        $(
            const $name: crate::diagnostic::Rule = crate::diagnostic::Rule {
                code: $code,
                severity: crate::diagnostic::Severity::$severity,
                source: $source,
                summary: $summary,
            };
        )*
        /// The rules of this file.
        pub(super) const RULES: &[crate::diagnostic::Rule] = &[$($name),*];
    };
}
pub(super) use define;

/// All rules of structure, by subject. Codes of reading (XML, dialects) are listed in `docs/diagnostics.md` too.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        processes::RULES,
        places::RULES,
        schema::RULES,
        attributes::RULES,
        references::RULES,
        structures::RULES,
        declarations::RULES,
        flows::RULES,
        flow_lists::RULES,
        conditions::RULES,
        reachability::RULES,
        events::RULES,
        starts::RULES,
        boundary::RULES,
        triggers::RULES,
        timers::RULES,
        links::RULES,
        compensation::RULES,
        gateways::RULES,
        event_gateways::RULES,
        activities::RULES,
        loops::RULES,
        sub_processes::RULES,
        data::RULES,
        io::RULES,
        lanes::RULES,
        collaboration::RULES,
        correlation::RULES,
    ]
    .into_iter()
    .flatten()
}

/// The rule with this code.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code == code)
}
