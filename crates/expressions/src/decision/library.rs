//! Files that use the whole of DMN, evaluated by the library.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use dsntk_feel::context::FeelContext;
use dsntk_model_evaluator::ModelEvaluator;
use potok_core::Name;
use potok_core::expressions::{Evaluation, EvaluationError};
use potok_core::value::Value;

use crate::feel;
use crate::variables::read;

/// How long an evaluation may take. A thread cannot be ended, so that one which runs on is left behind.
const TIME: Duration = Duration::from_secs(2);
const STACK: usize = 64 * 1024 * 1024;

const DMN_1_3: &str = "https://www.omg.org/spec/DMN/20191111/MODEL/";
const EARLIER: [&str; 2] =
    ["http://www.omg.org/spec/DMN/20151101/dmn.xsd", "http://www.omg.org/spec/DMN/20180521/MODEL/"];

/// A file that the library knows.
pub(crate) struct Library {
    evaluator: Arc<ModelEvaluator>,
    namespace: String,
    name: String,
    /// The names of input data.
    inputs: Vec<Name>,
}

impl Debug for Library {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Library").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Library {
    /// Gives a file to the library.
    pub(crate) fn read(text: &str, inputs: Vec<Name>) -> Result<Self, String> {
        // The library reads DMN 1.3 and later, of which the earlier versions are a part.
        let text = EARLIER.iter().fold(text.to_owned(), |text, earlier| text.replace(earlier, DMN_1_3));
        let built = watched(move || {
            let definitions = dsntk_model::parse(&text).map_err(|error| error.to_string())?;
            let evaluator =
                ModelEvaluator::new(std::slice::from_ref(&definitions)).map_err(|error| error.to_string())?;
            let name = dsntk_model::NamedElement::name(&definitions).to_owned();
            Ok::<_, String>((evaluator, dsntk_model::DmnElement::namespace(&definitions).to_owned(), name))
        });
        let (evaluator, namespace, name) = built.map_err(|error| error.to_string())??;
        Ok(Self { evaluator, namespace, name, inputs })
    }

    /// Evaluates a decision by its name.
    pub(crate) fn evaluate(&self, decision: &str, evaluation: &Evaluation<'_>) -> Result<Value, EvaluationError> {
        let mut context = FeelContext::default();
        for name in &self.inputs {
            if let Some(value) = read(evaluation, name) {
                context.set_entry(&(&**name).into(), feel::inward(&value)?);
            }
        }
        let evaluator = self.evaluator.clone();
        let (namespace, name, decision) = (self.namespace.clone(), self.name.clone(), decision.to_owned());
        let value = watched(move || evaluator.evaluate_invocable(&namespace, &name, &decision, &context))?;
        feel::outward(value)
    }
}

/// Runs the library where it can neither overflow this thread's stack nor hold it up.
fn watched<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, EvaluationError> {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        // Nobody listens any more if it took too long.
        let _ = sender.send(feel::contained(run));
    });
    if thread.is_err() {
        return Err(EvaluationError::Limit("there is no thread for the decision".into()));
    }
    receiver
        .recv_timeout(TIME)
        .unwrap_or_else(|_| Err(EvaluationError::Limit("the decision needs too much time; make it smaller".into())))
}
