//! `execution` and `task`: what an expression may ask and tell its process instance.

use potok_core::Name;
use potok_core::expressions::{Assignment, Evaluation, EvaluationError, Execution};
use potok_core::value::Value;
use std::borrow::Cow;

use super::coerce;
use crate::variables::{has, is_local, read};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Member {
    GetVariable { local: bool },
    HasVariable { local: bool },
    SetVariable { local: bool },
    RemoveVariable { local: bool },
    HasVariables { local: bool },
    Names { local: bool },
    Variables { local: bool },
    Instance,
    BusinessKey,
    Process,
    Element,
    ElementName,
    TaskName,
    Assignee,
    Event,
}

impl Member {
    /// The member of `execution` (or of `task`) by that name, as a method with so many arguments or as a property.
    pub(crate) fn find(task: bool, name: &str, arguments: Option<usize>) -> Option<Self> {
        let found = match name {
            "getVariable" => Self::GetVariable { local: false },
            "getVariableLocal" => Self::GetVariable { local: true },
            "hasVariable" => Self::HasVariable { local: false },
            "hasVariableLocal" => Self::HasVariable { local: true },
            "setVariable" => Self::SetVariable { local: false },
            "setVariableLocal" => Self::SetVariable { local: true },
            "removeVariable" => Self::RemoveVariable { local: false },
            "removeVariableLocal" => Self::RemoveVariable { local: true },
            "hasVariables" => Self::HasVariables { local: false },
            "hasVariablesLocal" => Self::HasVariables { local: true },
            "getVariableNames" | "variableNames" => Self::Names { local: false },
            "getVariableNamesLocal" | "variableNamesLocal" => Self::Names { local: true },
            "getVariables" | "variables" => Self::Variables { local: false },
            "getVariablesLocal" | "variablesLocal" => Self::Variables { local: true },
            "getProcessInstanceId" | "processInstanceId" | "getRootProcessInstanceId" => Self::Instance,
            "getId" | "id" if !task => Self::Instance,
            "getProcessBusinessKey"
            | "getBusinessKey"
            | "processBusinessKey"
            | "businessKey"
            | "getProcessInstanceBusinessKey"
            | "processInstanceBusinessKey" => Self::BusinessKey,
            "getProcessDefinitionId" | "processDefinitionId" | "getProcessDefinitionKey" | "processDefinitionKey" => {
                Self::Process
            }
            "getCurrentActivityId" | "currentActivityId" if !task => Self::Element,
            "getTaskDefinitionKey" | "taskDefinitionKey" if task => Self::Element,
            "getCurrentActivityName" | "currentActivityName" | "getCurrentFlowElement" if !task => Self::ElementName,
            "getName" | "name" if task => Self::TaskName,
            "getAssignee" | "assignee" if task => Self::Assignee,
            "getEventName" | "eventName" => Self::Event,
            _ => return None,
        };
        let method =
            name.starts_with("get") || name.starts_with("set") || name.starts_with("has") || name.starts_with("remove");
        let wanted = match found {
            Self::GetVariable { .. } | Self::HasVariable { .. } | Self::RemoveVariable { .. } => 1,
            Self::SetVariable { .. } => 2,
            _ => 0,
        };
        let fits = if method { arguments == Some(wanted) } else { arguments.is_none() };
        fits.then_some(found)
    }

    /// Whether it sets variables.
    pub(crate) fn sets(self) -> bool {
        matches!(self, Self::SetVariable { .. } | Self::RemoveVariable { .. })
    }

    /// Whether its first argument names a variable that is read.
    pub(crate) fn reads_by_name(self) -> bool {
        matches!(self, Self::GetVariable { .. } | Self::HasVariable { .. })
    }

    /// Whether it reads variables that it does not name.
    pub(crate) fn reads_all(self) -> bool {
        matches!(self, Self::HasVariables { .. } | Self::Names { .. } | Self::Variables { .. })
    }

    /// Asks or tells.
    pub(crate) fn evaluate(
        self,
        arguments: &[Value],
        evaluation: &mut Evaluation<'_>,
    ) -> Result<Value, EvaluationError> {
        let name = || arguments.first().map(coerce::text).unwrap_or_default();
        match self {
            Self::GetVariable { local: true } if !is_local(evaluation, &name()) => Ok(Value::Null),
            Self::GetVariable { .. } => Ok(read(evaluation, &name()).map_or(Value::Null, Cow::into_owned)),
            Self::HasVariable { local } => {
                let name = name();
                Ok((has(evaluation, &name) && (!local || is_local(evaluation, &name))).into())
            }
            Self::SetVariable { local } => {
                let value = arguments.get(1).cloned().unwrap_or_default();
                evaluation.assigned.push(Assignment { name: name().into(), value, local });
                Ok(Value::Null)
            }
            Self::RemoveVariable { local } => {
                evaluation.assigned.push(Assignment { name: name().into(), value: Value::Null, local });
                Ok(Value::Null)
            }
            Self::HasVariables { local } => Ok((!names(evaluation, local).is_empty()).into()),
            Self::Names { local } => Ok(names(evaluation, local).into_iter().map(Value::String).collect()),
            Self::Variables { local } => {
                let value = |name: Name| Some((name.clone(), read(evaluation, &name)?.into_owned()));
                Ok(names(evaluation, local).into_iter().filter_map(value).collect())
            }
            Self::Instance => fact(evaluation, |execution| execution.instance.into()),
            Self::BusinessKey => fact(evaluation, |execution| execution.business_key.into()),
            Self::Process => fact(evaluation, |execution| execution.process.into()),
            Self::Element => fact(evaluation, |execution| execution.element.into()),
            Self::ElementName => fact(evaluation, |execution| execution.element_name.into()),
            Self::TaskName => fact(evaluation, |execution| execution.task_name.into()),
            Self::Assignee => fact(evaluation, |execution| execution.assignee.into()),
            Self::Event => fact(evaluation, |execution| execution.event.map(Name::from).into()),
        }
    }
}

/// The names of all variables, or of the innermost scope's.
fn names(evaluation: &Evaluation<'_>, local: bool) -> Vec<Name> {
    let mut names = evaluation.variables.names();
    names.extend(evaluation.assigned.iter().map(|assignment| assignment.name.clone()));
    names.retain(|name| !local || is_local(evaluation, name));
    names.sort();
    names.dedup();
    names
}

fn fact(evaluation: &Evaluation<'_>, choose: impl FnOnce(Execution) -> Value) -> Result<Value, EvaluationError> {
    evaluation
        .variables
        .execution()
        .map(choose)
        .ok_or_else(|| EvaluationError::Failed("`execution` and `task` exist only inside a process instance".into()))
}
