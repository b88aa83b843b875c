//! Boxed expressions (DMN 1.5 §7.3, §10.2): read as the FEEL that they stand for.

use std::collections::BTreeSet;
use std::sync::Arc;

use potok_core::Name;
use potok_core::expressions::{Evaluation, Language, Variables};
use potok_core::value::Value;
use potok_core::xml::Element;

use super::file::Scope;
use super::read::{Reader, attribute, child, children, language, ordered, text_of};
use super::table::Table;
use crate::feel::{INPUT, Part};

/// How deep expressions may be boxed in others.
const DEEPEST: usize = 32;

impl Reader<'_> {
    /// Business knowledge models and decision services: functions, each of which may call those before it.
    pub(super) fn knowledge(&mut self, root: Element<'_>, decisions: &[Element<'_>]) {
        let models: Vec<_> = children(root, "businessKnowledgeModel").collect();
        let mut order = Vec::new();
        let requires = self.requirements(&models, &models, &["requiredKnowledge"]);
        for (place, model) in models.iter().enumerate() {
            match ordered(place, &requires) {
                Some(before) => before.into_iter().for_each(|place| {
                    if !order.contains(&place) {
                        order.push(place);
                    }
                }),
                None => {
                    self.circle(*model, "the business knowledge model");
                    self.functions.push((variable_name(*model), Part::function(Vec::new(), Part::null())));
                }
            }
        }
        for place in order {
            let model = models[place];
            let Some(logic) = child(model, "encapsulatedLogic") else {
                let help = "give it an encapsulated logic, or remove it";
                self.problem("decision-logic-missing", model, "the business knowledge model has no logic", help);
                continue;
            };
            let function = self.function(logic);
            self.know(model, function);
        }
        for service in children(root, "decisionService") {
            let function = self.service(root, service, decisions);
            self.know(service, function);
        }
    }

    /// A function that others may call.
    fn know(&mut self, element: Element<'_>, mut function: Part) {
        let alone = function.clone().knowing(&self.functions);
        if let Err(error) = alone.compile(self.compiler.calendars) {
            self.invalid(element, error.message);
            // What is wrong with it is not wrong with those that call it.
            function = Part::function(Vec::new(), Part::null());
        }
        self.functions.push((variable_name(element), function));
    }

    /// A decision service is a function of its input data and input decisions (DMN 1.5 §10.4).
    fn service(&mut self, root: Element<'_>, service: Element<'_>, decisions: &[Element<'_>]) -> Part {
        let all = ["outputDecision", "encapsulatedDecision"];
        let wanted = self.requirements(&[service], decisions, &all).remove(0);
        let outputs = self.requirements(&[service], decisions, &all[..1]).remove(0);
        let inputs: Vec<_> = children(root, "inputData").collect();
        let given = self.requirements(&[service], &inputs, &["inputData"]).remove(0);
        let decided = self.requirements(&[service], decisions, &["inputDecision"]).remove(0);
        let parameters = given.iter().map(|place| inputs[*place]).chain(decided.iter().map(|place| decisions[*place]));
        let parameters = parameters.map(variable_name).collect();
        let requires = self.requirements(decisions, decisions, &["requiredDecision"]);
        let mut entries: Vec<(usize, (String, Part))> = Vec::new();
        for place in wanted.iter().flat_map(|place| ordered(*place, &requires).unwrap_or_default()) {
            if wanted.contains(&place) && entries.iter().all(|(known, _)| *known != place) {
                let part = self.boxed_in(decisions[place]);
                entries.push((place, (variable_name(decisions[place]), part)));
            }
        }
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        let read = |place: &usize| {
            let name = variable_name(decisions[*place]);
            (name.clone(), Part::name(&name))
        };
        let result = match &outputs[..] {
            [only] => read(only).1,
            several => Part::context(several.iter().map(read).collect()),
        };
        Part::function(parameters, Part::result(entries, result))
    }

    /// The expression in an element.
    pub(super) fn boxed_in(&mut self, holder: Element<'_>) -> Part {
        if let Some(element) = holder.children().find(|child| is_boxed(child.name())) {
            return self.boxed(element);
        }
        let help = "give a decision table, a literal expression or another boxed expression";
        let message = format!("<{}> has no expression in it", holder.name());
        self.problem("decision-logic-missing", holder, message, help);
        Part::null()
    }

    pub(super) fn boxed(&mut self, element: Element<'_>) -> Part {
        self.nested += 1;
        let part = if self.nested > DEEPEST {
            self.invalid(element, format!("expressions are boxed in each other more than {DEEPEST} times"));
            Part::null()
        } else {
            self.part(element)
        };
        self.nested -= 1;
        part
    }

    fn part(&mut self, element: Element<'_>) -> Part {
        match element.name() {
            "literalExpression" => self.literal(element),
            "decisionTable" => self.table_part(element),
            "context" => self.context(element),
            "list" => {
                let items: Vec<_> = element.children().filter(|child| is_boxed(child.name())).collect();
                Part::list(items.into_iter().map(|item| self.boxed(item)).collect())
            }
            "relation" => self.relation(element),
            "invocation" => self.invocation(element),
            "functionDefinition" => self.function(element),
            "conditional" => {
                let [condition, then, otherwise] = ["if", "then", "else"].map(|name| self.part_of(element, name));
                Part::conditional(condition, then, otherwise)
            }
            "filter" => {
                let [list, condition] = ["in", "match"].map(|name| self.part_of(element, name));
                Part::filter(list, condition)
            }
            iterator => {
                let variable = attribute(element, "iteratorVariable").unwrap_or_default();
                let inner = if iterator == "for" { "return" } else { "satisfies" };
                let [list, inner] = ["in", inner].map(|name| self.part_of(element, name));
                match iterator {
                    "for" => Part::each(&variable, list, inner),
                    "every" => Part::every(&variable, list, inner),
                    _ => Part::some(&variable, list, inner),
                }
            }
        }
    }

    fn part_of(&mut self, element: Element<'_>, name: &str) -> Part {
        if let Some(holder) = child(element, name) {
            return self.boxed_in(holder);
        }
        let message = format!("<{}> has no <{name}>", element.name());
        self.problem("decision-logic-missing", element, message, "add it, with an expression in it");
        Part::null()
    }

    fn literal(&mut self, element: Element<'_>) -> Part {
        let text = text_of(element);
        if text.is_empty() {
            return Part::null();
        }
        if language(element, &text) != Language::Feel {
            self.invalid(element, "inside of other expressions only FEEL is evaluated");
            return Part::null();
        }
        Part::text(&text, &self.known()).unwrap_or_else(|error| {
            self.invalid(element, error.message);
            Part::null()
        })
    }

    /// Each entry sees those before it; the last may be the context's own result (DMN 1.5 §10.2.1.4).
    fn context(&mut self, context: Element<'_>) -> Part {
        let outer = self.functions.len();
        let mut entries = Vec::new();
        let mut result = None;
        for entry in children(context, "contextEntry") {
            if result.is_some() {
                let help = "give it a variable with a name, or let it be the last";
                self.problem("decision-entry-unnamed", entry, "an entry without a name has others behind it", help);
            }
            let part = self.boxed_in(entry);
            match child(entry, "variable").and_then(|variable| attribute(variable, "name")) {
                Some(name) => {
                    if child(entry, "functionDefinition").is_some() {
                        self.functions.push((name.clone(), part.clone()));
                    }
                    entries.push((name, part));
                }
                None => result = Some(part),
            }
        }
        self.functions.truncate(outer);
        match result {
            Some(result) => Part::result(entries, result),
            None => Part::context(entries),
        }
    }

    fn relation(&mut self, relation: Element<'_>) -> Part {
        let columns: Vec<String> =
            children(relation, "column").map(|column| attribute(column, "name").unwrap_or_default()).collect();
        let rows: Vec<_> = children(relation, "row").collect();
        let mut list = Vec::new();
        for row in rows {
            let cells: Vec<_> = row.children().filter(|child| is_boxed(child.name())).collect();
            if cells.len() != columns.len() {
                let help = "give it as many expressions as the relation has columns";
                self.problem("decision-rule-invalid", row, "the row does not have one cell per column", help);
            }
            let cells = cells.into_iter().map(|cell| self.boxed(cell));
            list.push(Part::context(columns.iter().cloned().zip(cells.collect::<Vec<_>>()).collect()));
        }
        Part::list(list)
    }

    fn invocation(&mut self, invocation: Element<'_>) -> Part {
        let function = self.boxed_in(invocation);
        let mut arguments = Vec::new();
        for binding in children(invocation, "binding") {
            let parameter = child(binding, "parameter").and_then(|parameter| attribute(parameter, "name"));
            let has_value = binding.children().any(|child| is_boxed(child.name()));
            let value = if has_value { self.boxed_in(binding) } else { Part::null() };
            arguments.push((parameter.unwrap_or_default(), value));
        }
        Part::call(function, arguments)
    }

    /// A function definition, also as a business knowledge model encapsulates it.
    fn function(&mut self, definition: Element<'_>) -> Part {
        if attribute(definition, "kind").is_some_and(|kind| matches!(kind.as_str(), "Java" | "PMML")) {
            let help = "write it in FEEL, or ask a worker";
            self.problem("decision-external", definition, "the function reaches outside the engine", help);
            return Part::null();
        }
        let parameters = children(definition, "formalParameter");
        let parameters = parameters.filter_map(|parameter| attribute(parameter, "name")).collect();
        Part::function(parameters, self.boxed_in(definition))
    }

    /// A table is computed from the variables that its cells read.
    fn table_part(&mut self, element: Element<'_>) -> Part {
        let table = Arc::new(self.table(element));
        let Some(reads) = reads(&table) else {
            self.invalid(element, "the cells of a table inside of other expressions are FEEL");
            return Part::null();
        };
        self.tables += 1;
        Part::table(self.tables, reads, move |own, now| {
            let outer = Evaluation::new(&Nothing, now);
            Ok(table.evaluate(&mut Scope { outer: &outer, own })?.value)
        })
    }

    fn invalid(&mut self, element: Element<'_>, message: impl Into<String>) {
        self.problem("decision-expression-invalid", element, message, "correct the expression");
    }

    pub(super) fn circle(&mut self, element: Element<'_>, what: &str) {
        let message = format!("{what} requires itself, over others or directly");
        self.problem("decision-circle", element, message, "remove a requirement of the circle");
    }
}

/// The name by which others read it or call it.
fn variable_name(element: Element<'_>) -> String {
    let variable = child(element, "variable").and_then(|variable| attribute(variable, "name"));
    variable.or_else(|| attribute(element, "name")).unwrap_or_default()
}

fn is_boxed(name: &str) -> bool {
    name == "literalExpression" || name == "decisionTable" || is_more_than_a_text(name)
}

/// Boxed expressions other than those that are evaluated without a tree of their own.
pub(super) fn is_more_than_a_text(name: &str) -> bool {
    matches!(
        name,
        "context"
            | "invocation"
            | "list"
            | "relation"
            | "functionDefinition"
            | "conditional"
            | "filter"
            | "for"
            | "every"
            | "some"
    )
}

/// The variables that a table's cells read; none if that cannot be told.
fn reads(table: &Table) -> Option<Vec<Name>> {
    let mut reads = BTreeSet::new();
    for expression in table.expressions() {
        reads.extend(expression.reads()?.iter().cloned());
    }
    for input in &table.inputs {
        reads.remove(&input.variable);
    }
    reads.remove(INPUT);
    Some(reads.into_iter().collect())
}

/// No variables.
struct Nothing;

impl Variables for Nothing {
    fn get(&self, _: &str) -> Option<std::borrow::Cow<'_, Value>> {
        None
    }

    fn names(&self) -> Vec<Name> {
        Vec::new()
    }
}
