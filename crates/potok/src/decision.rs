//! Decisions (DMN), asked from outside of any process.

use std::borrow::Cow;

use potok_core::Name;
use potok_core::expressions::{self, Binding, Decided, Deployment, Evaluation, EvaluationError, Expressions as _};
use potok_core::step::Variables;
use potok_core::value::Value;
use potok_store::row::DefinitionKind;

use crate::engine::Engine;
use crate::{Error, IntoVariables, Selector};

/// What a decision is given.
struct Given(Variables);

impl expressions::Variables for Given {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| Cow::Borrowed(value))
    }

    fn names(&self) -> Vec<Name> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Engine {
    /// How a decision decides for these variables: with the outputs of each rule that counts.
    ///
    /// # Errors
    /// If there is no such decision, it fails on these variables, or they are none.
    pub async fn evaluate(
        &self,
        tenant: &str,
        decision: &Selector,
        variables: impl IntoVariables,
    ) -> Result<Decided, Error> {
        let given = Given(self.inner.given(variables)?);
        let definition = self.definition(DefinitionKind::Decision, tenant, decision).await?;
        if definition.kind != DefinitionKind::Decision {
            return Err(Error::NotDeployed(decision.to_string().into()));
        }
        // Another node may have deployed it.
        self.inner.catalog.discover().await?;
        let mut evaluation = Evaluation::new(&given, self.inner.clock.now());
        let deployment = Deployment(definition.deployment.0);
        let decided =
            self.inner.catalog.evaluator().decide(&definition.id, &Binding::Deployment, deployment, &mut evaluation);
        decided.map_err(|error| match error {
            EvaluationError::UnknownDecision(id) => Error::NotDeployed(id),
            error => Error::Undecided { decision: definition.id, reason: error.to_string() },
        })
    }

    /// What a decision gives for these variables: the value of its only output, a map of several, a list of either where several rules
    /// may match.
    ///
    /// ```no_run
    /// # async fn example(engine: potok::Engine) -> Result<(), potok::Error> {
    /// use serde_json::json;
    ///
    /// let discount = engine.decide("", &"discount".parse().unwrap(), json!({"amount": 1200})).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If there is no such decision, it fails on these variables, or they are none.
    pub async fn decide(
        &self,
        tenant: &str,
        decision: &Selector,
        variables: impl IntoVariables,
    ) -> Result<Value, Error> {
        Ok(self.evaluate(tenant, decision, variables).await?.value)
    }
}
