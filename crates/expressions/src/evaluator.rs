//! The one door for all languages.

use std::sync::Arc;

use potok_core::Name;
use potok_core::diagnostic::Diagnostic;
use potok_core::expressions::{
    Binding, CompileError, CompiledExpression, Decided, Deployment, Evaluation, EvaluationError, Expressions, Language,
    Purpose,
};
use potok_core::time::Calendar;
use potok_core::value::Value;

use crate::calendars::Calendars;
use crate::decision::{Added, Compiler, Registry};
use crate::{feel, template, timed};

/// Compiles and evaluates what models compute with. It may be shared between threads.
///
/// ```
/// use std::borrow::Cow;
///
/// use potok_core::Name;
/// use potok_core::expressions::{Binding, Deployment, Evaluation, Expressions, Variables};
/// use potok_core::value::Value;
/// use potok_expressions::Evaluator;
///
/// struct Amount(i64);
///
/// impl Variables for Amount {
///     fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
///         (name == "amount").then_some(Cow::Owned(Value::Integer(self.0)))
///     }
///     fn names(&self) -> Vec<Name> {
///         vec!["amount".into()]
///     }
/// }
///
/// let evaluator = Evaluator::new();
/// evaluator.add_decisions(br#"
///   <definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Discounts" namespace="shop">
///     <decision id="discount" name="Discount">
///       <decisionTable>
///         <input><inputExpression><text>amount</text></inputExpression></input>
///         <output name="percent"/>
///         <rule><inputEntry><text>&lt; 1000</text></inputEntry><outputEntry><text>0</text></outputEntry></rule>
///         <rule><inputEntry><text>&gt;= 1000</text></inputEntry><outputEntry><text>5</text></outputEntry></rule>
///       </decisionTable>
///     </decision>
///   </definitions>"#).map_err(|problems| problems[0].to_string())?;
/// let mut evaluation = Evaluation::new(&Amount(1_500), "2026-11-03T09:30:00Z".parse()?);
/// assert_eq!(evaluator.decide("discount", &Binding::Latest, Deployment(0), &mut evaluation)?.value, Value::Integer(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Evaluator {
    decisions: Registry,
    calendars: Arc<Calendars>,
}

impl Evaluator {
    /// An evaluator without decisions and calendars.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An evaluator with the same decisions. What is added to either from now on, or removed, is not the other's; but working calendars
    /// are always of both, for what is compiled names them.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { decisions: self.decisions.fork(), calendars: self.calendars.clone() }
    }

    /// Adds the decisions of a DMN file, each as the newest version of its id.
    ///
    /// # Errors
    /// All that is wrong with the file; then none of its decisions is added.
    pub fn add_decisions(&self, bytes: &[u8]) -> Result<Added, Vec<Diagnostic>> {
        self.add_decisions_of(bytes, Deployment::default(), |_| None)
    }

    /// The same for a file of one of several deployments: models of the same one find it by the binding `deployment`. `number`
    /// says which version of its id a decision is; unless it knows, it is the next.
    ///
    /// # Errors
    /// As [`add_decisions`](Self::add_decisions).
    pub fn add_decisions_of(
        &self,
        bytes: &[u8],
        deployment: Deployment,
        number: impl Fn(&Name) -> Option<u32>,
    ) -> Result<Added, Vec<Diagnostic>> {
        let compiler = Compiler {
            expression: &|language, text, known| match language {
                Language::Feel => Ok(Arc::new(feel::compile(text, known, &self.calendars)?)),
                other => self.compile(other, Purpose::Expression, text),
            },
            tests: &|text, known, tested| Ok(Arc::new(feel::compile_tests(text, known, tested, &self.calendars)?)),
            calendars: &self.calendars,
        };
        self.decisions.add(bytes, deployment, number, &compiler)
    }

    /// The name and the version tag of a decision in its newest version.
    #[must_use]
    pub fn description_of(&self, decision: &str) -> Option<(Name, Option<Name>)> {
        self.decisions.description(decision)
    }

    /// Removes the decisions of a deployment.
    pub fn remove_decisions_of(&self, deployment: Deployment) {
        self.decisions.remove(deployment);
    }

    /// Adds a working calendar under a name, for FEEL's `add working hours(from, hours, "name")` and the like. One of
    /// the same name is replaced, also for expressions that are compiled already.
    pub fn add_calendar(&self, name: impl Into<Name>, calendar: Calendar) {
        self.calendars.add(name.into(), calendar);
    }
}

impl Expressions for Evaluator {
    fn compile(
        &self,
        language: &Language,
        purpose: Purpose,
        text: &str,
    ) -> Result<Arc<dyn CompiledExpression>, CompileError> {
        match language {
            Language::Feel => Ok(Arc::new(feel::compile(text, &[], &self.calendars)?)),
            Language::Template => Ok(Arc::new(template::compile(text, purpose)?)),
            Language::JavaScript => javascript(purpose, text),
            Language::Literal => Ok(Arc::new(Literal(text.into()))),
            Language::Other(language) => Err(CompileError {
                message: format!(
                    "`{language}` is not evaluated here; write it in FEEL, as ${{...}} or in JavaScript, or make it a \
                     job for a worker"
                ),
                offset: None,
            }),
        }
    }

    fn decide(
        &self,
        decision: &str,
        binding: &Binding,
        deployment: Deployment,
        evaluation: &mut Evaluation<'_>,
    ) -> Result<Decided, EvaluationError> {
        timed(evaluation, |evaluation| self.decisions.decide(decision, binding, deployment, evaluation))
    }
}

#[cfg(feature = "javascript")]
fn javascript(purpose: Purpose, text: &str) -> Result<Arc<dyn CompiledExpression>, CompileError> {
    Ok(Arc::new(crate::script::compile(text, purpose)?))
}

#[cfg(not(feature = "javascript"))]
fn javascript(_: Purpose, _: &str) -> Result<Arc<dyn CompiledExpression>, CompileError> {
    Err(CompileError {
        message: "this program was built without JavaScript; build it with the feature `javascript`, or write the \
                  script in FEEL"
            .into(),
        offset: None,
    })
}

/// Text that is its own value.
#[derive(Debug)]
struct Literal(Name);

impl CompiledExpression for Literal {
    fn evaluate(&self, _: &mut Evaluation<'_>) -> Result<Value, EvaluationError> {
        Ok(Value::String(self.0.clone()))
    }

    fn reads(&self) -> Option<&[Name]> {
        Some(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(language: &Language, text: &str) -> String {
        match Evaluator::new().compile(language, Purpose::Script, text) {
            Ok(compiled) => panic!("{text}: {compiled:?}"),
            Err(error) => error.message,
        }
    }

    #[test]
    fn languages_that_are_not_there_say_what_to_do() {
        assert!(refusal(&Language::Other("groovy".into()), "1").contains("job for a worker"));
        #[cfg(not(feature = "javascript"))]
        assert!(refusal(&Language::JavaScript, "1").contains("feature `javascript`"));
    }

    #[test]
    fn a_fork_has_what_was_there_and_decisions_of_its_own() {
        let file = |id: &str| {
            format!(
                r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">
                <decision id="{id}" name="{id}"><literalExpression><text>1</text></literalExpression></decision></definitions>"#
            )
        };
        let add = |to: &Evaluator, id: &str| to.add_decisions(file(id).as_bytes()).map(drop).expect("a decision");
        let knows = |who: &Evaluator| ["both", "one", "other"].map(|id| who.description_of(id).is_some());
        let evaluator = Evaluator::new();
        add(&evaluator, "both");
        let fork = evaluator.fork();
        add(&evaluator, "one");
        add(&fork, "other");
        assert_eq!((knows(&evaluator), knows(&fork)), ([true, true, false], [true, false, true]));
        fork.remove_decisions_of(Deployment::default());
        assert_eq!((knows(&evaluator), knows(&fork)), ([true, true, false], [false, false, false]));
    }

    #[test]
    fn it_can_be_shared() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Evaluator::new());
    }
}
