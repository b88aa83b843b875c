//! From a DMN file to decisions; all that is wrong with it at once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use potok_core::diagnostic::{Diagnostic, Severity};
use potok_core::expressions::{CompileError, CompiledExpression, Language};
use potok_core::xml::{Document, Element};

use crate::calendars::Calendars;
use crate::feel::{Doubt, Part, Tested, doubt, is_word};

use super::boxed::is_more_than_a_text;
use super::file::{Decision, File, Logic};
use super::kind::Kind;
use super::table::{Aggregation, HitPolicy, Input, Output, Rule, Table};

type Compiled = Arc<dyn CompiledExpression>;

type CompileExpression<'a> = dyn Fn(&Language, &str, &[&str]) -> Result<Compiled, CompileError> + 'a;
type CompileTests<'a> = dyn Fn(&str, &[&str], Tested<'_>) -> Result<Compiled, CompileError> + 'a;

/// Compiles the expressions of a file.
pub(crate) struct Compiler<'a> {
    /// An expression, with names known beforehand.
    pub(crate) expression: &'a CompileExpression<'a>,
    /// Unary tests.
    pub(crate) tests: &'a CompileTests<'a>,
    /// What expressions that are put together of several texts may ask.
    pub(crate) calendars: &'a Arc<Calendars>,
}

pub(super) struct Reader<'a> {
    document: &'a Document,
    pub(super) compiler: &'a Compiler<'a>,
    platform: Platform,
    /// Names of all that has one, which may hold symbols.
    known: Vec<String>,
    /// The functions in sight, each of which may call those before it.
    pub(super) functions: Vec<(String, Part)>,
    /// How many tables stand inside of other expressions.
    pub(super) tables: usize,
    /// How many expressions the one at hand is boxed in.
    pub(super) nested: usize,
    /// How long all expressions are with the functions that they call.
    composed: usize,
    problems: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

/// What a file was made for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Platform {
    Camunda7,
    Camunda8,
    Any,
}

/// Each expression has the functions that it calls in it: so many bytes of text together.
const MOST_COMPOSED: usize = 16 * 1024 * 1024;
/// What Camunda calls the tested value where the table does not say otherwise.
const CELL_INPUT: &str = "cellInput";
const CAMUNDA: &str = "http://camunda.org/schema/1.0/dmn";
const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";

/// Reads a file.
pub(crate) fn read(bytes: &[u8], compiler: &Compiler<'_>) -> Result<File, Vec<Diagnostic>> {
    let document = Document::parse(bytes).map_err(|problem| vec![problem])?;
    let root = document.root();
    let mut reader = Reader {
        document: &document,
        compiler,
        platform: platform(root),
        known: names(root),
        functions: Vec::new(),
        tables: 0,
        nested: 0,
        composed: 0,
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    if root.name() != "definitions" || !root.namespace().contains("/DMN/") && !root.namespace().contains("dmn") {
        reader.problem("decision-file-invalid", root, "the file is not DMN", "give a file whose root is `definitions`");
        return Err(reader.problems);
    }
    let elements: Vec<Element<'_>> = root.children().filter(|element| element.name() == "decision").collect();
    if elements.is_empty() {
        reader.problem("decision-file-empty", root, "the file has no decision", "draw at least one decision");
    }
    reader.knowledge(root, &elements);
    let mut decisions = reader.decisions(&elements);
    reader.order(root, &elements, &mut decisions);
    if reader.problems.is_empty() {
        Ok(File { decisions, warnings: each_once(reader.warnings) })
    } else {
        Err(each_once(reader.problems.into_iter().chain(reader.warnings).collect()))
    }
}

/// What calls a thing and what it is made of tell of the same problem.
fn each_once(problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut told: Vec<Diagnostic> = Vec::new();
    for problem in problems {
        if !told.contains(&problem) {
            told.push(problem);
        }
    }
    told
}

/// The names of a file: of inputs, decisions and functions, of their parameters, and of entries. One that is a plain word is understood
/// without being known beforehand.
fn names(root: Element<'_>) -> Vec<String> {
    let is_named = |element: &Element<'_>| {
        matches!(
            element.name(),
            "inputData"
                | "decision"
                | "businessKnowledgeModel"
                | "decisionService"
                | "variable"
                | "formalParameter"
                | "column"
        )
    };
    let named = root.descendants().filter(is_named).filter_map(|element| attribute(element, "name"));
    let iterated = root.descendants().filter_map(|element| attribute(element, "iteratorVariable"));
    let names: BTreeSet<String> =
        named.chain(iterated).filter(|name| !name.trim().is_empty() && !is_word(name)).collect();
    names.into_iter().collect()
}

/// What a file was made for: by the platform that it names, or else by what it uses of the engines' namespaces. Camunda 7's is also
/// what its modeler gives to new files as their own.
fn platform(root: Element<'_>) -> Platform {
    if let Some(platform) = root.attributes().find(|attribute| attribute.name() == "executionPlatform") {
        return if platform.value() == "Camunda Cloud" { Platform::Camunda8 } else { Platform::Camunda7 };
    }
    let uses = |namespace: &str| {
        let is_of_it = |element: Element<'_>| {
            element.namespace() == namespace || element.attributes().any(|attribute| attribute.namespace() == namespace)
        };
        is_of_it(root) || root.descendants().any(is_of_it)
    };
    if root.attribute("namespace").as_deref() == Some(CAMUNDA) || uses(CAMUNDA) {
        Platform::Camunda7
    } else if uses(ZEEBE) {
        Platform::Camunda8
    } else {
        Platform::Any
    }
}

pub(super) fn child<'d>(element: Element<'d>, name: &str) -> Option<Element<'d>> {
    element.children().find(|child| child.name() == name)
}

pub(super) fn children<'d, 'n>(element: Element<'d>, name: &'n str) -> impl Iterator<Item = Element<'d>> + use<'d, 'n> {
    element.children().filter(move |child| child.name() == name)
}

/// The trimmed text of an element's `text` child.
pub(super) fn text_of(element: Element<'_>) -> String {
    child(element, "text").map(|text| text.text().trim().to_owned()).unwrap_or_default()
}

pub(super) fn attribute(element: Element<'_>, name: &str) -> Option<String> {
    element.attribute(name).map(Cow::into_owned)
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, code: &'static str, element: Element<'_>, message: impl Into<String>, help: &str) {
        self.problems.push(self.document.diagnostic(code, Severity::Error, element.index(), message, help));
    }

    fn decisions(&mut self, elements: &[Element<'_>]) -> Vec<Decision> {
        let mut seen = BTreeSet::new();
        let mut decisions = Vec::new();
        for element in elements {
            let id = element.attribute("id").or_else(|| element.attribute("name")).unwrap_or_default();
            if id.is_empty() || !seen.insert(id.clone()) {
                self.problem(
                    "decision-id-invalid",
                    *element,
                    "the decision has no id of its own",
                    "give every decision of the file another id",
                );
            }
            let name = element.attribute("name").unwrap_or_else(|| id.clone());
            let variable = child(*element, "variable").and_then(|variable| variable.attribute("name"));
            let tag = element
                .attribute_in(CAMUNDA, "versionTag")
                .or_else(|| element.descendants().find(|tag| tag.name() == "versionTag")?.attribute("value"));
            decisions.push(Decision {
                id: (&*id).into(),
                name: (&*name).into(),
                variable: (&*variable.unwrap_or_else(|| name.clone())).into(),
                tag: tag.map(|tag| (&*tag).into()),
                logic: self.logic(*element),
                order: Vec::new(),
            });
        }
        decisions
    }

    fn logic(&mut self, decision: Element<'_>) -> Logic {
        if let Some(table) = child(decision, "decisionTable") {
            return Logic::Table(Box::new(self.table(table)));
        }
        if let Some(expression) = child(decision, "literalExpression") {
            return match self.expression(expression, &text_of(expression)) {
                Some(expression) => Logic::Expression(expression),
                None => Logic::None,
            };
        }
        if let Some(element) = decision.children().find(|child| is_more_than_a_text(child.name())) {
            let part = self.boxed(element);
            let compiled = self.knowing(Ok(part));
            return self.compiled(element, compiled).map_or(Logic::None, Logic::Boxed);
        }
        self.problem(
            "decision-logic-missing",
            decision,
            "the decision has neither a table nor an expression",
            "draw a decision table or a literal expression",
        );
        Logic::None
    }

    /// Compiles an element's text; nothing if it is empty or does not compile.
    fn expression(&mut self, element: Element<'_>, text: &str) -> Option<Compiled> {
        if text.is_empty() {
            return None;
        }
        let compiled = match language(element, text) {
            Language::Feel if !self.functions.is_empty() => {
                let part = Part::text(text, &self.known());
                self.knowing(part)
            }
            language => (self.compiler.expression)(&language, text, &self.known()),
        };
        self.compiled(element, compiled)
    }

    fn tests(&mut self, element: Element<'_>, text: &str, input: &str) -> Option<Compiled> {
        if text.is_empty() || text == "-" {
            return None;
        }
        let tested = Tested { name: input, truth_fits: self.platform != Platform::Any };
        let compiled = match language(element, text) {
            Language::Feel if !self.functions.is_empty() => {
                let part = Part::tests(text, &self.known(), tested);
                self.knowing(part)
            }
            Language::Feel => (self.compiler.tests)(text, &self.known(), tested),
            language => (self.compiler.expression)(&language, text, &self.known()),
        };
        self.compiled(element, compiled)
    }

    /// Warns of a cell that hardly means what it says.
    fn doubts(&mut self, cell: Element<'_>, text: &str, input: &str, kind: Kind) {
        if language(cell, text) != Language::Feel {
            return;
        }
        let (code, message, help) = match doubt(text, &self.known(), input) {
            Some(Doubt::NothingOnTheLeft) => (
                "decision-comparison-without-left-side",
                "a comparison in the cell has nothing on its left and is joined to another by `and` or `or`: it is never true",
                "repeat what is compared, as in `? > 1 and ? < 5`, or write `]1..5[`",
            ),
            Some(Doubt::InputOverlooked) if self.platform == Platform::Any && kind != Kind::Boolean => (
                "decision-input-overlooked",
                "the cell is a condition that does not ask for the input: it fits only where the input is itself what the condition \
                 gives, `true` or `false`",
                "write `?` for the input, as in `? > 5`; or make the condition an input column of its own, with `true` in the cell",
            ),
            _ => return,
        };
        self.warnings.push(self.document.diagnostic(code, Severity::Warning, cell.index(), message, help));
    }

    /// Compiles a part with the functions that it calls.
    fn knowing(&mut self, part: Result<Part, CompileError>) -> Result<Compiled, CompileError> {
        let part = part?.knowing(&self.functions);
        self.composed += part.length();
        if self.composed > MOST_COMPOSED {
            let message = "too many cells call functions that are too long; let a decision call them once";
            return Err(CompileError { message: message.to_owned(), offset: None });
        }
        Ok(Arc::new(part.compile(self.compiler.calendars)?))
    }

    pub(super) fn known(&self) -> Vec<&str> {
        self.known.iter().map(String::as_str).collect()
    }

    fn compiled(&mut self, element: Element<'_>, compiled: Result<Compiled, CompileError>) -> Option<Compiled> {
        compiled
            .map_err(|error| {
                let help = "correct the cell; cells are FEEL: text stands in double quotes";
                self.problem("decision-expression-invalid", element, error.message, help);
            })
            .ok()
    }

    pub(super) fn table(&mut self, element: Element<'_>) -> Table {
        let hit_policy = self.hit_policy(element);
        let mut inputs = Vec::new();
        for input in children(element, "input") {
            let expression = child(input, "inputExpression");
            let kind = expression.and_then(|expression| expression.attribute("typeRef"));
            inputs.push(Input {
                expression: expression.and_then(|expression| self.expression(expression, &text_of(expression))),
                variable: input
                    .attribute_in(CAMUNDA, "inputVariable")
                    .map_or(CELL_INPUT.into(), |name| (&*name).into()),
                kind: kind.map_or(Kind::Any, |kind| Kind::of_input(&kind, self.platform == Platform::Camunda7)),
            });
        }
        let mut outputs: Vec<Output> = Vec::new();
        for output in children(element, "output") {
            let values = child(output, "outputValues").map(|values| (values, text_of(values)));
            let default = child(output, "defaultOutputEntry");
            let kind = output.attribute("typeRef");
            let name = output.attribute("name").or_else(|| output.attribute("label")).unwrap_or_default();
            outputs.push(Output {
                name: (&*name).into(),
                // Camunda's outputs are typed; elsewhere text stays text.
                kind: kind.map_or(Kind::Any, |kind| Kind::of(&kind, self.platform == Platform::Camunda7)),
                values: values.and_then(|(values, text)| self.expression(values, &listed(&text))),
                default: default.and_then(|default| self.expression(default, &text_of(default))),
            });
        }
        if outputs.is_empty() {
            self.problem("decision-output-missing", element, "the table has no output", "add an output column");
        }
        if matches!(hit_policy, HitPolicy::Priority | HitPolicy::OutputOrder)
            && outputs.iter().all(|output| output.values.is_none())
        {
            self.problem(
                "decision-output-values-missing",
                element,
                "the table's hit policy orders results by their outputs' allowed values, but none are given",
                "list the allowed values of an output, the most important first, or choose another hit policy",
            );
        }
        let many = outputs.len() > 1;
        for (place, output) in outputs.iter_mut().enumerate() {
            if many && output.name.is_empty() {
                output.name = format!("output{}", place + 1).into();
            }
        }
        if many && matches!(hit_policy, HitPolicy::Collect(Some(_))) {
            self.problem(
                "decision-aggregation-invalid",
                element,
                "values of several outputs cannot be added up",
                "leave one output, or collect without an aggregation",
            );
        }
        let mut rules = Vec::new();
        for rule in children(element, "rule") {
            let mut tests = Vec::new();
            for (place, entry) in children(rule, "inputEntry").enumerate() {
                let input = inputs.get(place).map_or(CELL_INPUT.into(), |input: &Input| input.variable.clone());
                let text = text_of(entry);
                tests.push(self.tests(entry, &text, &input));
                self.doubts(entry, &text, &input, inputs.get(place).map_or(Kind::Any, |input| input.kind));
            }
            let mut entries = Vec::new();
            for entry in children(rule, "outputEntry") {
                entries.push(self.expression(entry, &text_of(entry)));
            }
            if tests.len() != inputs.len() || entries.len() != outputs.len() {
                self.problem(
                    "decision-rule-invalid",
                    rule,
                    "the rule does not have one cell per column",
                    "give it as many input and output entries as the table has inputs and outputs",
                );
            }
            rules.push(Rule { tests, entries });
        }
        Table { hit_policy, inputs, outputs, rules }
    }

    fn hit_policy(&mut self, table: Element<'_>) -> HitPolicy {
        let aggregation = match table.attribute("aggregation").as_deref() {
            Some("SUM") => Some(Aggregation::Sum),
            Some("COUNT") => Some(Aggregation::Count),
            Some("MIN") => Some(Aggregation::Min),
            Some("MAX") => Some(Aggregation::Max),
            None => None,
            Some(other) => {
                let message = format!("`{other}` is no aggregation");
                self.problem("decision-aggregation-invalid", table, message, "use SUM, COUNT, MIN or MAX, or none");
                None
            }
        };
        match table.attribute("hitPolicy").as_deref() {
            None | Some("UNIQUE") => HitPolicy::Unique,
            Some("FIRST") => HitPolicy::First,
            Some("PRIORITY") => HitPolicy::Priority,
            Some("ANY") => HitPolicy::Any,
            Some("COLLECT") => HitPolicy::Collect(aggregation),
            Some("RULE ORDER") => HitPolicy::RuleOrder,
            Some("OUTPUT ORDER") => HitPolicy::OutputOrder,
            Some(other) => {
                let message = format!("`{other}` is no hit policy");
                let help = "use UNIQUE, FIRST, PRIORITY, ANY, COLLECT, RULE ORDER or OUTPUT ORDER";
                self.problem("decision-hit-policy-unknown", table, message, help);
                HitPolicy::Unique
            }
        }
    }

    /// Puts every decision's requirements before it; refuses circles and what is not in the file.
    fn order(&mut self, root: Element<'_>, elements: &[Element<'_>], decisions: &mut [Decision]) {
        let knowledge: Vec<_> = root
            .children()
            .filter(|other| matches!(other.name(), "businessKnowledgeModel" | "decisionService"))
            .collect();
        self.requirements(elements, &knowledge, &["requiredKnowledge"]);
        let requires = self.requirements(elements, elements, &["requiredDecision"]);
        for (place, decision) in decisions.iter_mut().enumerate() {
            match ordered(place, &requires) {
                Some(order) => decision.order = order,
                None => self.circle(elements[place], "the decision"),
            }
        }
    }

    /// Which of the others each element refers to by references of these names; others are a problem.
    pub(super) fn requirements(
        &mut self,
        elements: &[Element<'_>],
        others: &[Element<'_>],
        names: &[&str],
    ) -> Vec<Vec<usize>> {
        let mut requires = vec![Vec::new(); elements.len()];
        for (element, places) in elements.iter().zip(&mut requires) {
            for reference in element.descendants().filter(|reference| names.contains(&reference.name())) {
                let href = reference.attribute("href").unwrap_or_default();
                let id = href.rsplit('#').next().unwrap_or_default();
                match others.iter().position(|other| other.attribute("id").as_deref() == Some(id)) {
                    Some(place) => places.push(place),
                    None => self.problem(
                        "decision-requirement-unknown",
                        *element,
                        format!("`{href}` is required, which is not in the file"),
                        "draw what is required in the same file",
                    ),
                }
            }
        }
        requires
    }
}

/// All that is needed from a place on, each after what it requires; `None` if there is a circle.
pub(super) fn ordered(start: usize, requires: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut order = Vec::new();
    let mut state = vec![0_u8; requires.len()];
    let mut open = vec![(start, 0)];
    state[start] = 1;
    while let Some((place, next)) = open.pop() {
        match requires[place].get(next) {
            Some(required) => {
                open.push((place, next + 1));
                match state[*required] {
                    0 => {
                        state[*required] = 1;
                        open.push((*required, 0));
                    }
                    1 => return None,
                    _ => {}
                }
            }
            None => {
                state[place] = 2;
                order.push(place);
            }
        }
    }
    Some(order)
}

pub(super) fn language(element: Element<'_>, text: &str) -> Language {
    let declared = element.attribute("expressionLanguage").unwrap_or_default().to_ascii_lowercase();
    if declared.contains("feel") || declared.is_empty() {
        return if text.contains("${") || text.contains("#{") { Language::Template } else { Language::Feel };
    }
    if declared.contains("juel") {
        return Language::Template;
    }
    if declared.contains("javascript") || declared.contains("ecmascript") {
        return Language::JavaScript;
    }
    Language::Other((&*declared).into())
}

/// Allowed values as a list.
fn listed(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("[{text}]") }
}
