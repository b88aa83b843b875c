//! `/deployments`: files that are deployed together; `/check`: files that are only looked at.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use potok::query::{DefinitionQuery, DeploymentQuery};
use potok::{DeploymentId, Name, row};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::body::{Json, Path, Query};
use crate::caller::Caller;
use crate::definitions::Definition;
use crate::problem::{Finding, Problem, Problems};
use crate::routes::{Routes, routes};
use crate::search::{self, ByAge, Found, Search, find};
use crate::value::{Id, text};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(deploy))
        .routes(routes!(search))
        .routes(routes!(get, delete))
        .routes(routes!(file))
        .routes(routes!(check))
}

/// A file.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Its name says what it is: `.bpmn`, `.dmn`, `.form`, `calendar*.yaml`; whatever else is only kept.
    #[schema(examples("order.bpmn"))]
    name: String,
    /// Its text.
    #[serde(default)]
    text: Option<String>,
    /// Or its bytes, in base64.
    #[serde(default)]
    base64: Option<String>,
}

impl File {
    fn read(self) -> Result<(Name, Vec<u8>), Problem> {
        let Self { name, text, base64 } = self;
        let wrong = |what: &str| Problem::malformed("body-invalid", format!("file `{name}`: {what}"));
        let bytes = match (text, base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => STANDARD.decode(base64).map_err(|error| wrong(&format!("`base64`: {error}")))?,
            _ => return Err(wrong("give either `text` or `base64`")),
        };
        Ok((name.into(), bytes))
    }
}

/// Files to be deployed together.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDeployment {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    tenant: Option<String>,
    files: Vec<File>,
    /// Makes new versions also of what has not changed.
    #[serde(default)]
    anew: bool,
}

/// What was deployed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Deployed {
    /// The deployment; none if nothing has changed since the last one.
    id: Option<Id>,
    /// What its files define, in their newest versions: also those that have not changed.
    definitions: Vec<Definition>,
}

/// Deploys files: all of them or none
///
/// A file that is the same as in its newest version makes no new one.
#[utoipa::path(post, path = "/deployments", tag = "deployments", operation_id = "deploy",
    responses((status = 201, body = Deployed, description = "They are deployed"), Problems))]
async fn deploy(caller: Caller, Json(body): Json<NewDeployment>) -> Result<Response, Problem> {
    let files = body.files.into_iter().map(File::read).collect::<Result<Vec<_>, _>>()?;
    let deployed: Deployed = caller
        .once(|engine| async move {
            let mut deployment = engine.deployment();
            if let Some(name) = body.name {
                deployment = deployment.name(name);
            }
            if let Some(tenant) = body.tenant {
                deployment = deployment.tenant(tenant);
            }
            if body.anew {
                deployment = deployment.anew();
            }
            deployment = files.into_iter().fold(deployment, |deployment, (name, bytes)| deployment.file(name, bytes));
            let deployed = deployment.send().await?;
            let definitions = deployed.definitions.iter().map(Definition::from).collect();
            Ok(Deployed { id: deployed.id.map(Id::from), definitions })
        })
        .await?;
    Ok((StatusCode::CREATED, Json(deployed)).into_response())
}

/// A deployment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Deployment {
    id: Id,
    name: Option<String>,
    tenant: Option<String>,
    /// Who deployed it.
    deployer: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    deployed: Timestamp,
}

impl From<&row::Deployment> for Deployment {
    fn from(row: &row::Deployment) -> Self {
        Self {
            id: row.key.into(),
            name: text(row.name.as_ref()),
            tenant: text(row.tenant.as_ref()),
            deployer: text(row.deployer.as_ref()),
            deployed: row.deployed,
        }
    }
}

/// Which deployments. All that is given must hold.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeploymentFilter {
    #[serde(deserialize_with = "search::some")]
    #[schema(min_items = 1)]
    ids: Vec<Id>,
    name: Option<String>,
    tenant: Option<String>,
}

/// Searches deployments
#[utoipa::path(post, path = "/deployments/search", tag = "deployments", operation_id = "searchDeployments",
    responses((status = 200, body = Found<Deployment>, description = "A page of them"), Problems))]
async fn search(
    caller: Caller,
    Json(search): Json<Search<DeploymentFilter, ByAge>>,
) -> Result<Json<Found<Deployment>>, Problem> {
    let search = search.without_variables()?;
    let page = search.paging()?;
    let filter = search.filter.unwrap_or_default();
    let query = DeploymentQuery {
        keys: filter.ids.into_iter().map(Id::key).collect(),
        name: filter.name.map(Into::into),
        tenant: filter.tenant.map(Into::into),
        page,
        ..DeploymentQuery::default()
    };
    Ok(Json(find(&caller.engine, &query, search.count_only, |row| Deployment::from(&row)).await?))
}

/// A deployment with its files, and what they define.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeploymentContent {
    #[serde(flatten)]
    deployment: Deployment,
    files: Vec<DeployedFile>,
    definitions: Vec<Definition>,
}

/// A file of a deployment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeployedFile {
    name: String,
    /// Bytes.
    size: u64,
}

/// A deployment with its files, and what they define
#[utoipa::path(get, path = "/deployments/{id}", tag = "deployments", operation_id = "getDeployment",
    params(("id" = Id, Path, description = "Its id")),
    responses((status = 200, body = DeploymentContent, description = "The deployment"), Problems))]
async fn get(caller: Caller, Path(id): Path<Id>) -> Result<Json<DeploymentContent>, Problem> {
    let query = DeploymentQuery { keys: vec![id.key()], ..DeploymentQuery::default() };
    let found = caller.engine.search(&query).await?.rows.pop();
    let row = found.ok_or(potok::Error::UnknownDeployment(id.into()))?;
    let files = caller.engine.resources(id.into()).await?;
    let query = DefinitionQuery { deployment: Some(id.key()), ..DefinitionQuery::default() };
    let definitions = caller.engine.search(&query).await?.rows;
    Ok(Json(DeploymentContent {
        deployment: Deployment::from(&row),
        files: files.iter().map(|file| DeployedFile { name: file.name.to_string(), size: file.size }).collect(),
        definitions: definitions.iter().map(Definition::from).collect(),
    }))
}

/// Whether instances go with what is removed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct Removal {
    /// With all instances that stand on it; those that run are cancelled.
    pub(crate) with_instances: bool,
    /// Why.
    pub(crate) reason: String,
}

/// Removes a deployment
///
/// Unless `withInstances` is given, only if no instances, running or ended, stand on it.
#[utoipa::path(delete, path = "/deployments/{id}", tag = "deployments", operation_id = "deleteDeployment",
    params(("id" = Id, Path, description = "Its id"), Removal),
    responses((status = 204, description = "It is gone"), Problems))]
async fn delete(caller: Caller, Path(id): Path<Id>, Query(removal): Query<Removal>) -> Result<StatusCode, Problem> {
    let deployment: DeploymentId = id.into();
    let deleted = caller.once(|engine| async move {
        match removal.with_instances {
            true => engine.delete_deployment_with_instances(deployment, removal.reason).await,
            false => engine.delete_deployment(deployment).await,
        }
    });
    deleted.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file as it was deployed, byte for byte
#[utoipa::path(get, path = "/deployments/{id}/files/{name}", tag = "deployments", operation_id = "getFile",
    params(("id" = Id, Path), ("name" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream", description = "Its bytes"), Problems))]
async fn file(caller: Caller, Path((id, name)): Path<(Id, String)>) -> Result<Response, Problem> {
    let bytes = caller.engine.resource(id.into(), &name).await?;
    let missing =
        || Problem::new(StatusCode::NOT_FOUND, "file-unknown", format!("the deployment has no file `{name}`"));
    Ok(bytes_of(bytes.ok_or_else(missing)?))
}

/// Bytes that no browser takes for a page.
pub(crate) fn bytes_of(bytes: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

/// Files to be checked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ToCheck {
    files: Vec<File>,
}

/// A file, and what is wrong or unusual with it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Checked {
    file: String,
    diagnostics: Vec<Finding>,
}

/// Says what is wrong or unusual with files, without deploying them
#[utoipa::path(post, path = "/check", tag = "deployments", operation_id = "check",
    responses((status = 200, body = Vec<Checked>, description = "Each file with its findings"), Problems))]
async fn check(caller: Caller, Json(body): Json<ToCheck>) -> Result<Json<Vec<Checked>>, Problem> {
    let files = body.files.into_iter().map(File::read).collect::<Result<Vec<_>, _>>()?;
    let checked = caller.engine.check(files).await?;
    let shown = checked.iter().map(|checked| Checked {
        file: checked.file.to_string(),
        diagnostics: Finding::all(&checked.file, &checked.diagnostics),
    });
    Ok(Json(shown.collect()))
}
