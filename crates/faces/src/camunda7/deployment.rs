//! `/deployment`: files, and what is defined in them.

use axum::Router;
use axum::extract::{FromRequest, Multipart, Path, Request};
use axum::http::{StatusCode, header};
use axum::routing::{get, post};
use potok::query::{DefinitionQuery, DeploymentQuery};
use potok::row::{Definition, DefinitionKind, Deployment as Row};
use potok::{DeploymentId, Engine, Error, Name, RefusedFile};
use serde_json::{Map, Value as Json, json};

use super::answer::{self, Answer, json as answer, nothing};
use super::date::date;
use super::error::Fault;
use super::fields::{Fields, InBody, InQuery};
use super::link::Here;
use super::list::{self, Asked, List};
use super::{decision_definition, id, process_definition};
use crate::acting::Acting;

pub(crate) fn routes() -> Router<Engine> {
    Router::new()
        .merge(list::routes::<Deployments>())
        .route("/deployment/create", post(create))
        .route("/deployment/registered", get(registered))
        .route("/deployment/{id}", get(one).delete(delete))
        .route("/deployment/{id}/resources", get(resources))
        .route("/deployment/{id}/resources/{resource}", get(resource))
        .route("/deployment/{id}/resources/{resource}/data", get(resource_data))
        .route("/deployment/{id}/redeploy", post(redeploy))
}

/// What stands in the parts of a deployment.
#[derive(Default)]
struct Parts {
    name: Option<String>,
    source: Option<String>,
    tenant: Option<String>,
    filter: bool,
    changed_only: bool,
    files: Vec<(String, Vec<u8>)>,
}

async fn parts(mut multipart: Multipart) -> Result<Parts, Fault> {
    let unreadable = |error: axum::extract::multipart::MultipartError| Fault::unsupported(error.body_text());
    let mut parts = Parts::default();
    while let Some(field) = multipart.next_field().await.map_err(unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        if let Some(file) = field.file_name().map(str::to_owned) {
            let bytes = field.bytes().await.map_err(unreadable)?.to_vec();
            check_form(&file, &bytes)?;
            // A part without a name is no part of a form; of two files of one name the last counts.
            if !name.is_empty() {
                parts.files.retain(|(other, _)| *other != file);
                parts.files.push((file, bytes));
            }
            continue;
        }
        let text = field.text().await.map_err(unreadable)?;
        let is_true = text.eq_ignore_ascii_case("true");
        match name.as_str() {
            "deployment-name" => parts.name = Some(text),
            "deployment-source" => parts.source = Some(text),
            "tenant-id" => parts.tenant = Some(text).filter(|text| !text.is_empty()),
            "enable-duplicate-filtering" => parts.filter = is_true,
            "deploy-changed-only" => parts.changed_only = is_true,
            "deployment-activation-time" => {
                return Err(Fault::not_offered("activating a deployment later (deployment-activation-time)"));
            }
            _ => {
                let message =
                    format!("No file name found in the deployment resource described by form parameter '{name}'.");
                return Err(Fault::invalid(message));
            }
        }
    }
    Ok(parts)
}

/// A form is JSON.
fn check_form(file: &str, bytes: &[u8]) -> Result<(), Fault> {
    if !file.ends_with(".form") {
        return Ok(());
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map(drop).map_err(|error| {
        Fault::failed(format!("ENGINE-09033 Could not parse Camunda Form resource {file}. Cause: {error}"))
    })
}

async fn create(Acting(engine): Acting, here: Here, request: Request) -> Answer {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return Err(Fault::wrong_media_type());
    }
    let multipart = Multipart::from_request(request, &()).await;
    let multipart = multipart.map_err(|rejection| Fault::unsupported(rejection.body_text()))?;
    let parts = parts(multipart).await?;
    if parts.files.is_empty() {
        return Err(Fault::invalid("No deployment resources contained in the form upload."));
    }
    let files = match parts.filter || parts.changed_only {
        true => match changed(&engine, &parts).await? {
            Changed::Files(files) => files,
            Changed::Nothing(row) => return created(&engine, &here, &row, &[]).await,
        },
        false => parts.files.iter().collect(),
    };
    let mut deployment = engine.deployment().keep_anything().anew();
    if let Some(name) = &parts.name {
        deployment = deployment.name(name.as_str());
    }
    if let Some(source) = &parts.source {
        deployment = deployment.source(source.as_str());
    }
    if let Some(tenant) = &parts.tenant {
        deployment = deployment.tenant(tenant.as_str());
    }
    for (name, bytes) in files {
        deployment = deployment.file(name.as_str(), bytes);
    }
    let deployed = deployment.send().await.map_err(of_refusal)?;
    let id = deployed.id.ok_or_else(|| Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, "nothing was deployed"))?;
    let row = find(&engine, id).await?.ok_or_else(|| missing(&id.to_string()))?;
    created(&engine, &here, &row, &deployed.definitions).await
}

/// What of a deployment is not there yet.
enum Changed<'a> {
    /// These files.
    Files(Vec<&'a (String, Vec<u8>)>),
    /// Nothing: it is the last one of its name.
    Nothing(Row),
}

/// Compares a deployment with those of the same name, source and tenant: as a whole with the last of them, or each file with the last that
/// has one of its name.
async fn changed<'a>(engine: &Engine, parts: &'a Parts) -> Result<Changed<'a>, Fault> {
    let query = DeploymentQuery { name: parts.name.as_deref().map(Name::from), ..DeploymentQuery::default() };
    let mut before = engine.search(&query).await?.rows;
    before.retain(|row| {
        row.name.as_deref() == parts.name.as_deref()
            // Who signs in and names none deploys to their own, and sees no other.
            && (row.tenant.as_deref() == parts.tenant.as_deref() || (parts.tenant.is_none() && engine.user().is_some()))
            && row.source.as_deref() == parts.source.as_deref()
    });
    before.sort_by_key(|row| std::cmp::Reverse(row.key));
    let Some(last) = before.first().cloned() else { return Ok(Changed::Files(parts.files.iter().collect())) };
    if !parts.changed_only {
        before.truncate(1);
    }
    let mut files = Vec::new();
    for file in &parts.files {
        let mut standing = None;
        for row in &before {
            standing = engine.resource(DeploymentId(row.key), &file.0).await?;
            if standing.is_some() {
                break;
            }
        }
        if standing.as_ref() != Some(&file.1) {
            files.push(file);
        }
    }
    match (files.is_empty(), parts.changed_only) {
        (true, _) => Ok(Changed::Nothing(last)),
        (false, true) => Ok(Changed::Files(files)),
        (false, false) => Ok(Changed::Files(parts.files.iter().collect())),
    }
}

/// Files that are no XML at all are the engine's trouble in Camunda 7, and only a wrong model is the caller's.
fn of_refusal(error: Error) -> Fault {
    match &error {
        Error::Refused(refused) if refused.iter().any(is_no_xml) => Fault::failed(error.to_string()),
        _ => error.into(),
    }
}

fn is_no_xml(file: &RefusedFile) -> bool {
    file.diagnostics.iter().any(|finding| finding.code.starts_with("xml-"))
}

async fn created(engine: &Engine, here: &Here, row: &Row, definitions: &[Definition]) -> Answer {
    let mut processes = Map::new();
    let mut decisions = Map::new();
    for definition in definitions {
        let id = id::definition(definition);
        match definition.kind {
            DefinitionKind::Process if process_definition::is_executable(engine, definition).await? => {
                processes.insert(id, process_definition::shown(engine, definition).await?);
            }
            DefinitionKind::Decision => {
                decisions.insert(id, decision_definition::shown(engine, definition).await?);
            }
            _ => {}
        }
    }
    let or_null = |map: Map<String, Json>| if map.is_empty() { Json::Null } else { Json::Object(map) };
    let mut body = shown(row);
    body["links"] = here.own("deployment", &id::id(row.key));
    body["deployedProcessDefinitions"] = or_null(processes);
    body["deployedDecisionDefinitions"] = or_null(decisions);
    body["deployedDecisionRequirementsDefinitions"] = Json::Null;
    body["deployedCaseDefinitions"] = Json::Null;
    Ok(answer(&body))
}

fn shown(row: &Row) -> Json {
    json!({
        "links": [],
        "id": id::id(row.key),
        "name": row.name.as_deref(),
        "source": row.source.as_deref(),
        "deploymentTime": date(row.deployed),
        "tenantId": row.tenant.as_deref(),
    })
}

fn missing(text: &str) -> Fault {
    Fault::missing(format!("Deployment with id '{text}' does not exist"))
}

async fn find(engine: &Engine, id: DeploymentId) -> Result<Option<Row>, Fault> {
    let query = DeploymentQuery { keys: vec![id.0], ..DeploymentQuery::default() };
    Ok(engine.search(&query).await?.rows.pop())
}

async fn found(engine: &Engine, text: &str) -> Result<Row, Fault> {
    let row = match id::parse::<DeploymentId>(text) {
        Some(id) => find(engine, id).await?,
        None => None,
    };
    row.ok_or_else(|| missing(text))
}

async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Row>, Fault> {
    let Asked { fields, order, .. } = asked;
    let mut query = DeploymentQuery { name: fields.text("name")?, ..DeploymentQuery::default() };
    if let Some(text) = fields.text("id")? {
        match id::parse(&text) {
            Some(key) => query.keys.push(key),
            None => return Ok(Vec::new()),
        }
    }
    let mut rows = engine.search(&query).await?.rows;
    let (pattern, source, tenants) = (fields.text("nameLike")?, fields.text("source")?, fields.list("tenantIdIn")?);
    let (without_source, without_tenant) = (fields.is_set("withoutSource")?, fields.is_set("withoutTenantId")?);
    let or_untenanted = fields.is_set("includeDeploymentsWithoutTenantId")?;
    let (after, before) = (fields.date("after")?, fields.date("before")?);
    rows.retain(|row| {
        pattern
            .as_ref()
            .is_none_or(|pattern| row.name.as_ref().is_some_and(|name| super::condition::like(pattern, name)))
            && source.as_ref().is_none_or(|source| row.source.as_ref() == Some(source))
            && (!without_source || row.source.is_none())
            && (!without_tenant || row.tenant.is_none())
            && tenants
                .as_ref()
                .is_none_or(|tenants| row.tenant.as_ref().map_or(or_untenanted, |own| tenants.contains(own)))
            && after.is_none_or(|after| super::date::is_after(row.deployed, after))
            && before.is_none_or(|before| row.deployed < before)
    });
    answer::sort(&mut rows, order, |by, left, right| match by {
        "name" => left.name.cmp(&right.name),
        "deploymentTime" => left.deployed.cmp(&right.deployed),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

async fn registered(Acting(engine): Acting) -> Answer {
    let rows = engine.search(&DeploymentQuery::default()).await?.rows;
    Ok(answer(&rows.iter().map(|row| Json::from(id::id(row.key))).collect()))
}

async fn one(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    Ok(answer(&shown(&found(&engine, &text).await?)))
}

async fn delete(Acting(engine): Acting, Path(text): Path<String>, InQuery(fields): InQuery) -> Answer {
    let row = found(&engine, &text).await?;
    let id = DeploymentId(row.key);
    let done = if fields.is_set("cascade")? {
        engine.delete_deployment_with_instances(id, "").await
    } else {
        engine.delete_deployment(id).await
    };
    match done {
        Ok(_) => Ok(nothing()),
        Err(Error::UnknownDeployment(_)) => Err(missing(&text)),
        Err(error) => Err(error.into()),
    }
}

/// A file of a deployment has its name as its id.
fn of_resource(deployment: &str, name: &str) -> Json {
    json!({"id": resource_id(name), "name": name, "deploymentId": deployment})
}

/// Names may have what ids in paths must not.
fn resource_id(name: &str) -> String {
    name.replace('/', "%2F")
}

fn name_of(id: &str) -> Name {
    id.replace("%2F", "/").into()
}

async fn resources(Acting(engine): Acting, Path(text): Path<String>) -> Answer {
    let row = match found(&engine, &text).await {
        Ok(row) => row,
        Err(_) => return Err(Fault::missing(format!("Deployment resources for deployment id '{text}' do not exist."))),
    };
    let resources = engine.resources(DeploymentId(row.key)).await?;
    Ok(answer(&resources.iter().map(|resource| of_resource(&text, &resource.name)).collect()))
}

async fn bytes_of(engine: &Engine, deployment: &str, name: &str) -> Result<Vec<u8>, Fault> {
    let missing =
        || Fault::missing(format!("Deployment resource '{name}' for deployment id '{deployment}' does not exist."));
    let id = id::parse::<DeploymentId>(deployment).ok_or_else(missing)?;
    engine.resource(id, &name_of(name)).await?.ok_or_else(missing)
}

async fn resource(Acting(engine): Acting, Path((deployment, name)): Path<(String, String)>) -> Answer {
    bytes_of(&engine, &deployment, &name).await?;
    Ok(answer(&of_resource(&deployment, &name_of(&name))))
}

async fn resource_data(Acting(engine): Acting, Path((deployment, name)): Path<(String, String)>) -> Answer {
    let bytes = bytes_of(&engine, &deployment, &name).await?;
    let media_type = match name.rsplit('.').next() {
        Some("bpmn" | "xml" | "dmn") => "application/xml",
        Some("json" | "form") => "application/json",
        Some("txt") => "text/plain",
        Some("html") => "text/html",
        _ => "application/octet-stream",
    };
    let name = name_of(&name);
    Ok(answer::file(media_type, bytes, name.rsplit(['/', '\\']).next().unwrap_or_default()))
}

/// The same files once more, or some of them, as a deployment of their own.
async fn redeploy(Acting(engine): Acting, here: Here, Path(text): Path<String>, InBody(fields): InBody) -> Answer {
    let row = found(&engine, &text).await?;
    let resources = engine.resources(DeploymentId(row.key)).await?;
    // A file's name is its id, too.
    let mut chosen = fields.list("resourceNames")?.unwrap_or_default();
    chosen.extend(fields.list("resourceIds")?.unwrap_or_default().iter().map(|id| name_of(id)));
    if let Some(name) = chosen.iter().find(|name| !resources.iter().any(|resource| resource.name == **name)) {
        return Err(Fault::missing_in_engine(format!("Deployment '{text}' does not contain a resource '{name}'.")));
    }
    let mut deployment = engine.deployment().keep_anything().anew();
    if let Some(name) = &row.name {
        deployment = deployment.name(name.clone());
    }
    if let Some(tenant) = &row.tenant {
        deployment = deployment.tenant(tenant.clone());
    }
    if let Some(source) = fields.text("source")? {
        deployment = deployment.source(source);
    }
    for resource in resources.into_iter().filter(|resource| chosen.is_empty() || chosen.contains(&resource.name)) {
        let bytes = engine.resource(DeploymentId(row.key), &resource.name).await?.unwrap_or_default();
        deployment = deployment.file(resource.name, bytes);
    }
    let deployed = deployment.send().await.map_err(of_refusal)?;
    let id = deployed.id.ok_or_else(|| Fault::refused(StatusCode::INTERNAL_SERVER_ERROR, "nothing was deployed"))?;
    let row = find(&engine, id).await?.ok_or_else(|| missing(&text))?;
    created(&engine, &here, &row, &deployed.definitions).await
}

/// The definitions of a kind that a query finds.
pub(crate) async fn definitions(engine: &Engine, kind: DefinitionKind) -> Result<Vec<Definition>, Fault> {
    Ok(engine.definitions(&DefinitionQuery { kind: Some(kind), ..DefinitionQuery::default() }).await?)
}

/// What a resource is called by its definition.
pub(crate) async fn file_of(engine: &Engine, definition: &Definition) -> Result<Vec<u8>, Fault> {
    let file: &Name = &definition.resource;
    let bytes = engine.resource(DeploymentId(definition.deployment), file).await?;
    bytes.ok_or_else(|| missing(&id::id(definition.deployment)))
}

/// The list of deployments.
struct Deployments;

impl List for Deployments {
    const PATH: &'static str = "/deployment";
    const BY_BODY: bool = false;
    const SORTED_BY: &'static [&'static str] = &["id", "name", "deploymentTime", "tenantId"];
    type Row = Row;

    async fn find(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Row>, Fault> {
        search(engine, asked).await
    }

    async fn shown(_: &Engine, rows: Vec<Row>, _: &Fields) -> Result<Vec<Json>, Fault> {
        Ok(rows.iter().map(shown).collect())
    }
}
