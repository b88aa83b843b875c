//! Expressions, mappings and variables.

use std::borrow::Cow;
use std::iter;

use super::{Event, Ref, Step, index_of};
use crate::Name;
use crate::dialect::{Dialect, ListenerStage};
use crate::expressions::{Assignment, Binding, Evaluation, EvaluationError, Execution, Quick, Sight, Variables};
use crate::graph::{Expression, ExpressionKind, Loop, Mapping, MappingSource, NodeKind, ProcessGraph, VersionBinding};
use crate::instance::{Instance, NONE, Ordinal, ROOT, Scope, ScopeId, UserTaskWait};
use crate::value::{Value, ValueError};

/// A change of a variable that conditional events with a filter may look at.
pub(crate) struct Change {
    pub(crate) scope: ScopeId,
    pub(crate) name: Name,
    pub(crate) created: bool,
}

/// Why an element's work did not succeed.
#[derive(Clone, Debug)]
pub(crate) enum Problem {
    /// Something failed: an incident.
    Failed(EvaluationError),
    /// A BPMN error was thrown: to be caught by an error event.
    Error { code: Name, message: Option<Name> },
}

impl From<EvaluationError> for Problem {
    fn from(error: EvaluationError) -> Self {
        match error {
            EvaluationError::BpmnError { code, message } => Self::Error { code, message: message.map(Into::into) },
            other => Self::Failed(other),
        }
    }
}

impl Problem {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(EvaluationError::Failed(message.into()))
    }
}

/// The variables that an expression sees from a scope.
pub(crate) struct ScopeView<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) graph: &'a ProcessGraph,
    pub(crate) scope: ScopeId,
    pub(crate) node: Ordinal,
    /// Seen before all others.
    pub(crate) extra: &'a [(Name, Value)],
    /// What the listener that asks is told.
    pub(crate) told: Option<&'a Told>,
    /// What is local there stands in a scope that is opened only when something is set in it.
    pub(crate) unopened: bool,
}

/// What a listener is told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The stage that it is called at.
    pub(crate) stage: ListenerStage,
    /// The user task; none before it stands, when it is what the model says of it.
    pub(crate) task: Option<StandingTask>,
}

/// What listeners may ask of a user task that stands.
#[derive(Clone, Debug)]
pub(crate) struct StandingTask {
    /// Its name, where the model computes that.
    pub(crate) name: Option<Name>,
    /// Who has it.
    pub(crate) assignee: Option<Name>,
}

impl From<&UserTaskWait> for StandingTask {
    fn from(task: &UserTaskWait) -> Self {
        Self { name: task.name.clone(), assignee: task.assignee.clone() }
    }
}

impl From<ListenerStage> for Told {
    fn from(stage: ListenerStage) -> Self {
        Self { stage, task: None }
    }
}

impl Variables for ScopeView<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        match self.extra.iter().find(|(other, _)| &**other == name) {
            Some((_, value)) => Some(Cow::Borrowed(value)),
            None => self.instance.visible(self.scope, name),
        }
    }

    fn names(&self) -> Vec<Name> {
        let chain = self.instance.scope_chain(self.scope);
        let mut names: Vec<Name> = chain.flat_map(|scope| scope.variables()).map(|(name, _)| name.clone()).collect();
        names.extend(self.extra.iter().map(|(name, _)| name.clone()));
        let counters =
            self.graph.dialect().counters().iter().filter(|name| self.instance.visible(self.scope, name).is_some());
        names.extend(counters.map(|name| Name::from(*name)));
        names.sort();
        names.dedup();
        names
    }

    fn execution(&self) -> Option<Execution> {
        let node = self.graph.get_node(self.node);
        Some(Execution {
            instance: self.instance.key().to_string().into(),
            business_key: self.instance.business_key().cloned(),
            process: self.graph.id().clone(),
            element: node.map_or_else(|| self.graph.id().clone(), |node| node.id.clone()),
            element_name: node.and_then(|node| node.name.clone()),
            task_name: self.task_name(),
            assignee: self.assignee(),
            event: self.told.map(|told| told.stage.event_name()),
        })
    }

    fn is_local(&self, name: &str) -> bool {
        let is_in_scope = || {
            let scope = self.instance.scopes.get(self.scope);
            scope.is_none_or(|scope| scope.parent == NONE || scope.variable(name).is_some())
        };
        self.extra.iter().any(|(other, _)| &**other == name) || (!self.unopened && is_in_scope())
    }
}

impl ScopeView<'_> {
    /// Who has the user task whose listener asks, or whom the model assigns it to.
    fn assignee(&self) -> Option<Name> {
        if let Some(task) = self.told.and_then(|told| told.task.as_ref()) {
            return task.assignee.clone();
        }
        let NodeKind::UserTask(task) = &self.graph.get_node(self.node)?.kind else { return None };
        self.said_of_task(task.assignee.as_ref()?).filter(|assignee| !assignee.is_empty())
    }

    /// The name of the user task whose listener asks, as people see it.
    fn task_name(&self) -> Option<Name> {
        let node = self.graph.get_node(self.node)?;
        let NodeKind::UserTask(task) = &node.kind else { return None };
        let computed = match self.told.and_then(|told| told.task.as_ref()) {
            Some(task) => task.name.clone(),
            None => task.name.as_ref().and_then(|name| self.said_of_task(name)),
        };
        computed.or_else(|| node.name.clone())
    }

    /// What the model says of a user task that does not stand yet.
    fn said_of_task(&self, expression: &Expression) -> Option<Name> {
        // Who is asked meanwhile is no task: else it would ask itself.
        let view = ScopeView { node: NONE, ..*self };
        as_text(&expression.evaluate(&mut Evaluation::new(&view, self.instance.now())).ok()?).ok()?
    }
}

/// Whether a condition holds that gave a value. Camunda 7 takes nothing but true and false.
pub(crate) fn truth(dialect: Dialect, condition: &Expression, value: &Value) -> Result<bool, EvaluationError> {
    let is_lenient = dialect != Dialect::Camunda;
    match value.plain() {
        Value::Boolean(value) => Ok(*value),
        Value::Null if is_lenient => Ok(false),
        Value::String(text) if is_lenient && &**text == "true" => Ok(true),
        Value::String(text) if is_lenient && &**text == "false" => Ok(false),
        other => Err(EvaluationError::Failed(format!(
            "the condition `{}` gives a value of type {}, not true or false; compare it with something",
            condition.text,
            other.kind()
        ))),
    }
}

/// A value as text, none of null; what has no text gives its kind.
fn as_text(value: &Value) -> Result<Option<Name>, &'static str> {
    match value.plain() {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Integer(number) => Ok(Some(number.to_string().into())),
        Value::Number(number) => Ok(Some(number.to_string().into())),
        Value::Boolean(value) => Ok(Some(value.to_string().into())),
        other => Err(other.kind()),
    }
}

impl Step<'_, '_> {
    /// Evaluates in a scope. What a script sets is set, also if it then throws a BPMN error.
    pub(crate) fn evaluate(
        &mut self,
        expression: &Expression,
        scope: ScopeId,
        node: Ordinal,
    ) -> Result<Value, EvaluationError> {
        self.evaluate_with(expression, scope, node, &[])
    }

    /// Evaluates in a scope, with some more variables in sight.
    pub(crate) fn evaluate_with(
        &mut self,
        expression: &Expression,
        scope: ScopeId,
        node: Ordinal,
        extra: &[(Name, Value)],
    ) -> Result<Value, EvaluationError> {
        if let Some(value) = expression.as_literal() {
            return Ok(value.clone());
        }
        let (result, assigned) = self.compute(expression, scope, node, extra, false);
        if !assigned.is_empty() {
            self.assign(scope, assigned)?;
        }
        result
    }

    /// Computes a value, and what is to be set beside it.
    #[inline]
    pub(super) fn compute(
        &mut self,
        expression: &Expression,
        scope: ScopeId,
        node: Ordinal,
        extra: &[(Name, Value)],
        unopened: bool,
    ) -> (Result<Value, EvaluationError>, Vec<Assignment>) {
        let told = self.listening.as_ref();
        let view = ScopeView { instance: self.instance, graph: self.graph, scope, node, extra, told, unopened };
        let mut evaluation = Evaluation::new(&view, self.context.now);
        let result = expression.evaluate(&mut evaluation);
        let (took, assigned) = (evaluation.took, evaluation.assigned);
        if !took.is_zero() {
            self.charge_time(took);
        }
        match result {
            Ok(value) => match value.check() {
                Ok(()) => (Ok(value), assigned),
                Err(error) => (Err(error.into()), Vec::new()),
            },
            Err(EvaluationError::BpmnError { .. }) => (result, assigned),
            Err(_) => (result, Vec::new()),
        }
    }

    /// Evaluates what a listener does.
    pub(crate) fn call_listener(
        &mut self,
        expression: &Expression,
        told: impl Into<Told>,
        scope: ScopeId,
        node: Ordinal,
    ) -> Result<(), EvaluationError> {
        self.listening = Some(told.into());
        let result = self.evaluate(expression, scope, node);
        self.listening = None;
        result.map(drop)
    }

    /// Sets what a script has set.
    #[cold]
    pub(super) fn assign(&mut self, scope: ScopeId, assigned: Vec<Assignment>) -> Result<(), EvaluationError> {
        for Assignment { name, value, .. } in &assigned {
            value.check().map_err(|error| EvaluationError::Limit(format!("variable `{name}`: {error}")))?;
        }
        if self.instance.scopes.get(scope).is_none() {
            return Ok(()); // Of a called process that has ended: its variables have gone with it.
        }
        for assignment in assigned {
            if assignment.local {
                self.set_local(scope, assignment.name, assignment.value);
            } else {
                self.set_nearest(scope, assignment.name, assignment.value);
            }
        }
        Ok(())
    }

    /// The value of a plain expression, where it can be told at once.
    #[inline]
    pub(crate) fn quick(&self, expression: &Expression, scope: ScopeId) -> Option<Quick> {
        let ExpressionKind::Compiled(compiled) = &expression.kind else { return None };
        compiled.quick(Sight::new(self.instance, scope))
    }

    /// Evaluates a condition: only true is true; null is not; anything else is an error, in Camunda 7's dialect null and texts, too.
    #[inline(always)]
    pub(crate) fn holds(
        &mut self,
        condition: &Expression,
        scope: ScopeId,
        node: Ordinal,
        extra: &[(Name, Value)],
    ) -> Result<bool, EvaluationError> {
        let quick = if extra.is_empty() { self.quick(condition, scope) } else { None };
        match quick {
            Some(Quick::Boolean(holds)) => Ok(holds),
            _ => self.holds_after_all(condition, scope, node, extra),
        }
    }

    fn holds_after_all(
        &mut self,
        condition: &Expression,
        scope: ScopeId,
        node: Ordinal,
        extra: &[(Name, Value)],
    ) -> Result<bool, EvaluationError> {
        truth(self.graph.dialect(), condition, &self.evaluate_with(condition, scope, node, extra)?)
    }

    /// Evaluates to text; null gives none.
    pub(crate) fn text(
        &mut self,
        expression: &Expression,
        scope: ScopeId,
        node: Ordinal,
    ) -> Result<Option<Name>, EvaluationError> {
        let value = self.evaluate(expression, scope, node)?;
        as_text(&value).map_err(|kind| {
            EvaluationError::Failed(format!("`{}` gives a value of type {kind} where text is needed", expression.text))
        })
    }

    /// A name by which a job, message, signal, error or escalation is found. An empty one, where it is computed, would reach nobody.
    pub(crate) fn name(
        &mut self,
        expression: &Expression,
        scope: ScopeId,
        node: Ordinal,
    ) -> Result<Name, EvaluationError> {
        match self.text(expression, scope, node)? {
            Some(name) if !name.is_empty() || expression.as_literal().is_some() => Ok(name),
            _ => Err(EvaluationError::Failed(format!(
                "`{}` gives no name; set the variables that it is computed from",
                expression.text
            ))),
        }
    }

    /// Which version is meant.
    pub(crate) fn binding(
        &mut self,
        binding: &VersionBinding,
        scope: ScopeId,
        node: Ordinal,
    ) -> Result<Binding, EvaluationError> {
        let mut text = |expression: &Expression| {
            self.text(expression, scope, node)?.ok_or_else(|| {
                EvaluationError::Failed(format!(
                    "the version `{}` has no value; set the variables that it is computed from",
                    expression.text
                ))
            })
        };
        Ok(match binding {
            VersionBinding::Latest => Binding::Latest,
            VersionBinding::Deployment => Binding::Deployment,
            VersionBinding::Version(version) => Binding::Version(text(version)?),
            VersionBinding::VersionTag(tag) => Binding::VersionTag(text(tag)?),
        })
    }

    /// Computes a mapping's value.
    pub(crate) fn mapped(
        &mut self,
        source: &MappingSource,
        scope: ScopeId,
        node: Ordinal,
        extra: &[(Name, Value)],
    ) -> Result<Value, EvaluationError> {
        let value = match source {
            MappingSource::Expression(expression) => return self.evaluate_with(expression, scope, node, extra),
            MappingSource::Outer(node, name) => {
                let scope = self.instance.scope_around(scope, *node);
                return Ok(self.instance.visible(scope, name).map_or(Value::Null, Cow::into_owned));
            }
            MappingSource::List(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.mapped(item, scope, node, extra)).collect();
                Value::from(items?)
            }
            MappingSource::Map(entries) => {
                let mut map = std::collections::BTreeMap::new();
                for (key, item) in entries {
                    let name = match key.as_literal() {
                        Some(Value::String(name)) => name.clone(),
                        _ => self.evaluate_with(key, scope, node, extra)?.to_string().into(),
                    };
                    map.insert(name, self.mapped(item, scope, node, extra)?);
                }
                Value::Map(map.into())
            }
        };
        value.check()?;
        Ok(value)
    }

    /// The variable that a mapping sets, or the path into one. What computes its name sees the same as the mapping itself.
    pub(crate) fn target<'m>(
        &mut self,
        mapping: &'m Mapping,
        scope: ScopeId,
        node: Ordinal,
        extra: &[(Name, Value)],
    ) -> Result<Cow<'m, [Name]>, EvaluationError> {
        let Some(expression) = &mapping.computed_target else { return Ok(Cow::Borrowed(&mapping.target)) };
        let name = self.evaluate_with(expression, scope, node, extra)?;
        match name.as_str() {
            Some(name) if !name.trim().is_empty() => Ok(Cow::Owned(vec![name.into()])),
            _ => Err(EvaluationError::Failed(format!("`{}` gives no name of a variable", expression.text))),
        }
    }

    /// Computes mappings into plain variables, without setting any.
    pub(crate) fn map_all(
        &mut self,
        mappings: &[Mapping],
        scope: ScopeId,
        node: Ordinal,
        extra: &[(Name, Value)],
    ) -> Result<Vec<(Name, Value)>, EvaluationError> {
        let mut variables: Vec<(Name, Value)> = Vec::with_capacity(mappings.len());
        for mapping in mappings {
            let value = self.mapped(&mapping.source, scope, node, extra)?;
            let target = self.target(mapping, scope, node, extra)?;
            let Some((first, rest)) = target.split_first() else { continue };
            let before = variables.iter().rposition(|(name, _)| name == first);
            let base = before.map(|index| variables[index].1.clone());
            let value = put(base, rest, value)?;
            match before {
                Some(index) => variables[index].1 = value,
                None => variables.push((first.clone(), value)),
            }
        }
        Ok(variables)
    }

    /// Sets a variable, or a part of one, where it stands, seen from `scope`; else in the process.
    pub(crate) fn set_target(&mut self, scope: ScopeId, target: &[Name], value: Value) -> Result<(), ValueError> {
        let Some((first, rest)) = target.split_first() else { return Ok(()) };
        let value = if rest.is_empty() {
            value
        } else {
            put(self.instance.visible(scope, first).map(Cow::into_owned), rest, value)?
        };
        self.set_nearest(scope, first.clone(), value);
        Ok(())
    }

    /// Sets a variable of that very scope, or a part of one: a path goes into a variable there, never into one outside.
    pub(crate) fn set_own(&mut self, scope: ScopeId, target: &[Name], value: Value) -> Result<(), ValueError> {
        let Some((first, rest)) = target.split_first() else { return Ok(()) };
        let own = self.instance.scopes.get(scope).and_then(|scope| scope.variable(first)).cloned();
        self.set_local(scope, first.clone(), put(own, rest, value)?);
        Ok(())
    }

    /// Sets a variable in the innermost scope that has it, else in the process itself.
    #[inline(always)]
    pub(crate) fn set_nearest(&mut self, scope: ScopeId, name: Name, value: Value) {
        let scope = self.nearest(scope, &name);
        self.set_local(scope, name, value);
    }

    /// The same for what was computed at once: it is written where it stays, not moved there.
    #[inline]
    pub(crate) fn set_quick(&mut self, scope: ScopeId, name: &Name, value: Quick) {
        let scope = self.nearest(scope, name);
        if self.graph.filters_conditions() {
            return self.set_local(scope, name.clone(), value.into());
        }
        let variable: Ref = index_of(self.events.variables.len());
        self.events.variables.extend(iter::once_with(|| (name.clone(), value.into())));
        self.emit(Event::VariableSet { scope, variable });
        self.variables_changed = true;
    }

    /// The innermost scope that has a variable, else the process itself; nothing leaves a round whose loop aggregates.
    #[inline(always)]
    pub(crate) fn nearest(&self, scope: ScopeId, name: &str) -> ScopeId {
        if scope == ROOT { ROOT } else { self.nearest_around(scope, name) }
    }

    fn nearest_around(&self, scope: ScopeId, name: &str) -> ScopeId {
        let mut current = scope;
        while let Some(candidate) = self.instance.scopes.get(current) {
            if candidate.parent == NONE || candidate.variable(name).is_some() || self.is_kept_apart(candidate) {
                break;
            }
            current = candidate.parent;
        }
        current
    }

    /// Whether a scope is a round's whose variables are its own (Flowable's aggregation).
    fn is_kept_apart(&self, scope: &Scope) -> bool {
        scope.round != NONE
            && matches!(&self.graph.node(scope.node).details.repeat, Some(Loop::MultiInstance(multi)) if multi.aggregates)
    }

    /// Sets variables, each in the innermost scope that has it.
    pub(crate) fn set_all(&mut self, scope: ScopeId, variables: impl IntoIterator<Item = (Name, Value)>) {
        for (name, value) in variables {
            self.set_nearest(scope, name, value);
        }
    }

    /// Removes a variable of that very scope, if it has it.
    pub(crate) fn remove_local(&mut self, scope: ScopeId, name: Name) {
        if self.instance.scopes.get(scope).is_none_or(|scope| scope.variable(&name).is_none()) {
            return;
        }
        if self.graph.filters_conditions() {
            self.changes.push(Change { scope, name: name.clone(), created: false });
        }
        let name = self.keep(Value::String(name));
        self.emit(Event::VariableRemoved { scope, name });
        self.variables_changed = true;
    }

    /// Sets a variable of that very scope.
    pub(crate) fn set_local(&mut self, scope: ScopeId, name: Name, value: Value) {
        if self.graph.filters_conditions() {
            let created = self.instance.scopes.get(scope).is_some_and(|scope| scope.variable(&name).is_none());
            self.changes.push(Change { scope, name: name.clone(), created });
        }
        self.charge_data(value.bytes());
        let variable: Ref = index_of(self.events.variables.len());
        self.events.variables.push((name, value));
        self.emit(Event::VariableSet { scope, variable });
        self.variables_changed = true;
    }
}

/// Puts a value into a map, along a path of names; what is no map on the way becomes one.
pub(crate) fn put(base: Option<Value>, path: &[Name], value: Value) -> Result<Value, ValueError> {
    if path.is_empty() {
        return Ok(value);
    }
    let value = put_inside(base, path, value);
    value.check()?;
    Ok(value)
}

fn put_inside(base: Option<Value>, path: &[Name], value: Value) -> Value {
    let Some((first, rest)) = path.split_first() else { return value };
    let mut map = match base {
        Some(Value::Map(map)) => map,
        _ => std::sync::Arc::default(),
    };
    let entries = std::sync::Arc::make_mut(&mut map);
    let inner = put_inside(entries.get(first).cloned(), rest, value);
    entries.insert(first.clone(), inner);
    Value::Map(map)
}
