//! `/history/user-operation`: what users have done to others or to the whole, as the audit tells. What they did with tasks and
//! variables in the course of their work stands in the instances' histories.

use axum::Router;
use axum::extract::Path;
use axum::routing::put;
use potok::query::AuditQuery;
use potok::row::Audit;
use potok::{Action, BatchId, DefinitionId, DeploymentId, Engine, InstanceId, JobId, Name};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use crate::acting::Acting;
use crate::camunda7::answer::{self, Answer, nothing};
use crate::camunda7::date::date;
use crate::camunda7::error::Fault;
use crate::camunda7::fields::{Fields, InBody};
use crate::camunda7::id;
use crate::camunda7::list::{self, Asked, List};

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Operations>())
        .route("/history/user-operation/{id}/set-annotation", put(annotate))
        .route("/history/user-operation/{id}/clear-annotation", put(clear_annotation))
}

async fn annotate(Acting(engine): Acting, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    set_annotation(&engine, &text, fields.text("annotation")?).await
}

async fn clear_annotation(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    set_annotation(&engine, &text, None).await
}

async fn set_annotation(engine: &Engine, text: &str, annotation: Option<Name>) -> Answer {
    let is_there = match id::parse::<Key>(text) {
        Some(record) => engine.annotate_audit(record, annotation).await?,
        None => false,
    };
    let missing = || Fault::bad_request_of("BadUserRequestException", "operation is null");
    is_there.then(nothing).ok_or_else(missing)
}

/// Camunda's words for an operation: what was done, to what kind of thing, and by whom as what.
fn words(action: Action) -> Option<(&'static str, &'static str, &'static str)> {
    const OPERATOR: &str = "Operator";
    const ADMIN: &str = "Admin";
    Some(match action {
        Action::Deploy => ("Create", "Deployment", OPERATOR),
        Action::DeleteDeployment | Action::DeleteDeploymentWithInstances => ("Delete", "Deployment", OPERATOR),
        Action::DeleteDefinition | Action::DeleteDefinitionWithInstances => ("Delete", "ProcessDefinition", OPERATOR),
        Action::SuspendDefinition => ("Suspend", "ProcessDefinition", OPERATOR),
        Action::StartAnywhere => ("Create", "ProcessInstance", OPERATOR),
        Action::Cancel => ("Delete", "ProcessInstance", OPERATOR),
        Action::Suspend => ("Suspend", "ProcessInstance", OPERATOR),
        Action::Modify => ("ModifyProcessInstance", "ProcessInstance", OPERATOR),
        Action::Migrate => ("Migrate", "ProcessInstance", OPERATOR),
        Action::Restart => ("RestartProcessInstance", "ProcessInstance", OPERATOR),
        Action::Delete => ("DeleteHistory", "ProcessInstance", OPERATOR),
        Action::SetVariables => ("SetVariable", "Variable", OPERATOR),
        Action::Erase => ("DeleteHistory", "Variable", OPERATOR),
        Action::SetRetries => ("SetJobRetries", "Job", OPERATOR),
        Action::Reschedule => ("SetDueDate", "Job", OPERATOR),
        Action::Execute => ("Execute", "Job", OPERATOR),
        Action::ForgetDue => ("Delete", "Job", OPERATOR),
        Action::HoldDue => ("SuspendJobDefinition", "JobDefinition", OPERATOR),
        Action::PrioritiseDue => ("SetPriority", "JobDefinition", OPERATOR),
        Action::KeepHistory => ("UpdateHistoryTimeToLive", "ProcessDefinition", OPERATOR),
        Action::AnnotateIncident => ("SetAnnotation", "Incident", OPERATOR),
        Action::ResolveIncident => ("Resolve", "Incident", OPERATOR),
        Action::Batch => ("CreateBatch", "Batch", OPERATOR),
        Action::ChangePeople => ("Update", "User", ADMIN),
        Action::SetPassword => ("Update", "User", ADMIN),
        Action::Grant => ("Update", "Authorization", ADMIN),
        Action::ChangeTenants => ("Update", "TenantMembership", ADMIN),
        _ => return None,
    })
}

/// The key that a record's subject names, if it names one of that kind of thing.
fn subject<T: std::str::FromStr + Into<Key>>(record: &Audit, is_kind: bool) -> Option<String> {
    let key: Key = record.subject.as_deref().filter(|_| is_kind)?.parse::<T>().ok()?.into();
    Some(id::id(key))
}

/// A record as an operation; nothing if Camunda has no words for it.
fn shown(record: &Audit) -> Option<Json> {
    let action = Action::ALL.iter().copied().find(|action| action.name() == &*record.action)?;
    let (operation, entity, category) = words(action)?;
    let own = id::id(record.key);
    Some(json!({
        "id": own,
        "deploymentId": subject::<DeploymentId>(record, entity == "Deployment"),
        "processDefinitionId": subject::<DefinitionId>(record, entity == "ProcessDefinition"),
        "processDefinitionKey": null,
        "processInstanceId": subject::<InstanceId>(record, matches!(entity, "ProcessInstance" | "Variable")),
        "executionId": null,
        "caseDefinitionId": null,
        "caseInstanceId": null,
        "caseExecutionId": null,
        "taskId": null,
        "externalTaskId": null,
        "batchId": subject::<BatchId>(record, entity == "Batch"),
        "jobId": subject::<JobId>(record, entity == "Job"),
        "jobDefinitionId": null,
        "userId": record.author.as_deref(),
        "timestamp": date(record.time),
        "operationId": own,
        "operationType": operation,
        "entityType": entity,
        "property": null,
        "orgValue": null,
        "newValue": null,
        "removalTime": null,
        "rootProcessInstanceId": null,
        "category": category,
        "annotation": record.annotation.as_deref().or(record.detail.as_deref()),
        "tenantId": record.tenant.as_deref(),
    }))
}

/// The list.
struct Operations;

impl List for Operations {
    const PATH: &'static str = "/history/user-operation";
    const NEVER: &'static [&'static str] = &["caseDefinitionId", "caseExecutionId", "caseInstanceId"];
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &["timestamp"];
    type Row = Json;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Json>, Fault> {
        let Asked { fields, order, .. } = asked;
        let query = AuditQuery {
            authors: fields.text("userId")?.into_iter().collect(),
            allowed: Some(true),
            from: fields.date("afterTimestamp")?,
            before: fields.date("beforeTimestamp")?,
            ..AuditQuery::default()
        };
        let records = engine.audit(&query).await?.rows;
        // What the program does by itself is no user's doing.
        let mut rows: Vec<Json> = records.iter().filter(|it| it.author.is_some()).filter_map(shown).collect();
        let same = [
            "deploymentId",
            "processDefinitionId",
            "processDefinitionKey",
            "processInstanceId",
            "executionId",
            "taskId",
            "externalTaskId",
            "batchId",
            "jobId",
            "jobDefinitionId",
            "operationId",
            "operationType",
            "entityType",
            "category",
            "property",
        ];
        for member in same {
            if let Some(wanted) = fields.text(member)? {
                rows.retain(|row| row[member].as_str() == Some(&*wanted));
            }
        }
        for (many, member) in [("entityTypeIn", "entityType"), ("categoryIn", "category")] {
            if let Some(wanted) = fields.list(many)? {
                rows.retain(|row| row[member].as_str().is_some_and(|own| wanted.iter().any(|it| it == own)));
            }
        }
        answer::sort(&mut rows, order, |_, left, right| left["timestamp"].as_str().cmp(&right["timestamp"].as_str()));
        Ok(rows)
    }

    async fn shown(_: &Engine, rows: Vec<Json>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows)
    }
}
