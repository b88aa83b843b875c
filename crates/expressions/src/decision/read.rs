//! From a DMN file to decisions; all that is wrong with it at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use potok_core::Name;
use potok_core::diagnostic::{Diagnostic, Severity};
use potok_core::expressions::{CompileError, CompiledExpression, Language};
use potok_core::xml::{Document, Element};

use crate::feel;

use super::file::{Decision, File, Logic};
use super::kind::Kind;
use super::library::Library;
use super::table::{Aggregation, HitPolicy, Input, Output, Rule, Table};

type Compiled = Arc<dyn CompiledExpression>;

type CompileExpression<'a> = dyn Fn(&Language, &str, &[&str]) -> Result<Compiled, CompileError> + 'a;
type CompileTests<'a> = dyn Fn(&str, &[&str], &str) -> Result<Compiled, CompileError> + 'a;

/// Compiles the expressions of a file.
pub(crate) struct Compiler<'a> {
    /// An expression, with names known beforehand.
    pub(crate) expression: &'a CompileExpression<'a>,
    /// Unary tests, with the name that the tested value has besides `?`.
    pub(crate) tests: &'a CompileTests<'a>,
}

struct Reader<'a> {
    document: &'a Document,
    compiler: &'a Compiler<'a>,
    /// Whether the file was made for Camunda 7.
    camunda: bool,
    /// Names of inputs and decisions, which may hold symbols.
    known: Vec<String>,
    problems: Vec<Diagnostic>,
}

/// What Camunda calls the tested value where the table does not say otherwise.
const CELL_INPUT: &str = "cellInput";
const CAMUNDA: &str = "http://camunda.org/schema/1.0/dmn";

/// Reads a file.
pub(crate) fn read(bytes: &[u8], compiler: &Compiler<'_>) -> Result<File, Vec<Diagnostic>> {
    let document = Document::parse(bytes).map_err(|problem| vec![problem])?;
    let root = document.root();
    let mut reader = Reader {
        document: &document,
        compiler,
        camunda: is_for_camunda(root),
        known: Vec::new(),
        problems: Vec::new(),
    };
    if root.name() != "definitions" || !root.namespace().contains("/DMN/") && !root.namespace().contains("dmn") {
        reader.problem("decision-file-invalid", root, "the file is not DMN", "give a file whose root is `definitions`");
        return Err(reader.problems);
    }
    reader.known = root
        .children()
        .filter(|element| matches!(element.name(), "inputData" | "decision" | "businessKnowledgeModel"))
        .flat_map(|element| {
            let variable = child(element, "variable").and_then(|variable| variable.attribute("name"));
            [element.attribute("name"), variable].into_iter().flatten().map(Cow::into_owned).collect::<Vec<_>>()
        })
        .filter(|name| !name.trim().is_empty())
        .collect();
    let elements: Vec<Element<'_>> = root.children().filter(|element| element.name() == "decision").collect();
    if elements.is_empty() {
        reader.problem("decision-file-empty", root, "the file has no decision", "draw at least one decision");
    }
    let whole = root.descendants().any(|element| needs_library(element));
    let mut decisions = reader.decisions(&elements, whole);
    reader.order(&elements, &mut decisions);
    let library = if whole && reader.problems.is_empty() { reader.library(root) } else { None };
    if reader.problems.is_empty() { Ok(File { decisions, library }) } else { Err(reader.problems) }
}

/// Whether the file was made for Camunda 7: by the platform that it names, or else by what it uses of Camunda 7's namespace, which its
/// modeler also gives to new files as their own.
fn is_for_camunda(root: Element<'_>) -> bool {
    if let Some(platform) = root.attributes().find(|attribute| attribute.name() == "executionPlatform") {
        return platform.value() != "Camunda Cloud";
    }
    let uses = |element: Element<'_>| {
        element.namespace() == CAMUNDA || element.attributes().any(|attribute| attribute.namespace() == CAMUNDA)
    };
    root.attribute("namespace").as_deref() == Some(CAMUNDA) || uses(root) || root.descendants().any(uses)
}

fn child<'d>(element: Element<'d>, name: &str) -> Option<Element<'d>> {
    element.children().find(|child| child.name() == name)
}

fn children<'d, 'n>(element: Element<'d>, name: &'n str) -> impl Iterator<Item = Element<'d>> + use<'d, 'n> {
    element.children().filter(move |child| child.name() == name)
}

/// The trimmed text of an element's `text` child.
fn text_of(element: Element<'_>) -> String {
    child(element, "text").map(|text| text.text().trim().to_owned()).unwrap_or_default()
}

/// What is more than decision tables and literal expressions.
fn needs_library(element: Element<'_>) -> bool {
    match element.name() {
        "businessKnowledgeModel" | "decisionService" => true,
        "context" | "invocation" | "list" | "relation" | "functionDefinition" | "conditional" | "filter" | "for"
        | "every" | "some" => element.parent().is_some_and(|parent| parent.name() == "decision"),
        _ => false,
    }
}

impl Reader<'_> {
    fn problem(&mut self, code: &'static str, element: Element<'_>, message: impl Into<String>, help: &str) {
        self.problems.push(self.document.diagnostic(code, Severity::Error, element.index(), message, help));
    }

    fn decisions(&mut self, elements: &[Element<'_>], whole: bool) -> Vec<Decision> {
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
                logic: if whole { Logic::None } else { self.logic(*element) },
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
        let language = language(element, text);
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let compiled = (self.compiler.expression)(&language, text, &known);
        self.compiled(element, compiled)
    }

    fn tests(&mut self, element: Element<'_>, text: &str, input: &str) -> Option<Compiled> {
        if text.is_empty() || text == "-" {
            return None;
        }
        let known: Vec<&str> = self.known.iter().map(String::as_str).collect();
        let compiled = match language(element, text) {
            Language::Feel => (self.compiler.tests)(text, &known, input),
            language => (self.compiler.expression)(&language, text, &known),
        };
        self.compiled(element, compiled)
    }

    fn compiled(&mut self, element: Element<'_>, compiled: Result<Compiled, CompileError>) -> Option<Compiled> {
        compiled
            .map_err(|error| {
                let help = "correct the cell; cells are FEEL: text stands in double quotes";
                self.problem("decision-expression-invalid", element, error.message, help);
            })
            .ok()
    }

    fn table(&mut self, element: Element<'_>) -> Table {
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
                kind: kind.map_or(Kind::Any, |kind| Kind::of_input(&kind, self.camunda)),
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
                kind: kind.map_or(Kind::Any, |kind| Kind::of(&kind, self.camunda)),
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
                tests.push(self.tests(entry, &text_of(entry), &input));
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
    fn order(&mut self, elements: &[Element<'_>], decisions: &mut [Decision]) {
        let places: BTreeMap<Name, usize> =
            decisions.iter().enumerate().map(|(place, decision)| (decision.id.clone(), place)).collect();
        let mut requires = vec![Vec::new(); decisions.len()];
        for (place, element) in elements.iter().enumerate() {
            let required = element.descendants().filter(|required| required.name() == "requiredDecision");
            for required in required {
                let href = required.attribute("href").unwrap_or_default();
                let id = href.rsplit('#').next().unwrap_or_default();
                match places.get(id) {
                    Some(other) => requires[place].push(*other),
                    None => self.problem(
                        "decision-requirement-unknown",
                        *element,
                        format!("the decision requires `{href}`, which is not in the file"),
                        "draw the required decision in the same file",
                    ),
                }
            }
        }
        for (place, decision) in decisions.iter_mut().enumerate() {
            match ordered(place, &requires) {
                Some(order) => decision.order = order,
                None => self.problem(
                    "decision-circle",
                    elements[place],
                    "the decision requires itself, over others or directly",
                    "remove a requirement of the circle",
                ),
            }
        }
    }

    fn library(&mut self, root: Element<'_>) -> Option<Library> {
        let mut texts = Vec::new();
        for element in root.descendants() {
            let external = element.attribute("kind").is_some_and(|kind| matches!(&*kind, "Java" | "PMML"));
            if element.name() == "import" || external {
                let help = "write it in FEEL, or ask a worker";
                self.problem("decision-external", element, "the file reaches outside the engine", help);
            }
            if matches!(element.name(), "text") {
                texts.push((element, element.text().into_owned()));
            }
        }
        let parameters: BTreeSet<String> = root
            .descendants()
            .filter(|element| element.name() == "formalParameter")
            .filter_map(|parameter| parameter.attribute("name").map(Cow::into_owned))
            .collect();
        for (element, text) in texts {
            self.inspect(element, text.trim(), &parameters);
        }
        if self.knowledge_circle(root) {
            let help = "remove a requirement of the circle";
            self.problem("decision-circle", root, "business knowledge models require each other in a circle", help);
        }
        if !self.problems.is_empty() {
            return None;
        }
        let inputs = children(root, "inputData")
            .filter_map(|input| {
                let name = child(input, "variable").and_then(|variable| variable.attribute("name"));
                name.or_else(|| input.attribute("name")).map(|name| (&*name).into())
            })
            .collect();
        Library::read(self.document.text(), inputs)
            .map_err(|message| {
                let help = "a file with business knowledge models or boxed expressions must be valid DMN in all parts";
                self.problem("decision-file-invalid", root, message, help);
            })
            .ok()
    }

    /// The library compiles this text by itself; what it must not do is refused before.
    fn inspect(&mut self, element: Element<'_>, text: &str, parameters: &BTreeSet<String>) {
        if text.is_empty() {
            return;
        }
        let known: Vec<&str> =
            self.known.iter().map(String::as_str).chain(parameters.iter().map(String::as_str)).collect();
        match feel::inspect(text, &known) {
            Ok(called) if called.iter().any(|name| matches!(name.as_str(), "now" | "today")) => {
                let help = "let the process give the time as input data";
                self.problem("decision-clock", element, "this file's decisions cannot read the time", help);
            }
            Ok(called) => {
                if let Some(name) = called.iter().find(|name| parameters.contains(*name)) {
                    let message = format!("`{name}` is a function that is given as a parameter; it could call itself");
                    self.problem("decision-recursion", element, message, "call business knowledge models by name");
                }
            }
            // Descriptions of types are no expressions.
            Err(_) if !text.contains(['(', '{']) => {}
            Err(error) => {
                self.problem("decision-expression-invalid", element, error.message, "correct the expression");
            }
        }
    }

    fn knowledge_circle(&self, root: Element<'_>) -> bool {
        let models: Vec<Element<'_>> = root
            .children()
            .filter(|element| matches!(element.name(), "businessKnowledgeModel" | "decisionService" | "decision"))
            .collect();
        let place = |id: &str| models.iter().position(|model| model.attribute("id").as_deref() == Some(id));
        let requires: Vec<Vec<usize>> = models
            .iter()
            .map(|model| {
                let references = model.descendants().filter(|reference| {
                    matches!(reference.name(), "requiredKnowledge" | "encapsulatedDecision" | "outputDecision")
                        || reference.name() == "requiredDecision"
                });
                let ids = references.filter_map(|reference| reference.attribute("href"));
                ids.filter_map(|href| place(href.rsplit('#').next().unwrap_or_default())).collect()
            })
            .collect();
        (0..models.len()).any(|place| ordered(place, &requires).is_none())
    }
}

/// All that is needed from a place on, each after what it requires; `None` if there is a circle.
fn ordered(start: usize, requires: &[Vec<usize>]) -> Option<Vec<usize>> {
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

fn language(element: Element<'_>, text: &str) -> Language {
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
