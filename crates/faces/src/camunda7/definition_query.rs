//! Which versions of processes and decisions are searched for, and in which order: what both have in common.

use std::collections::BTreeMap;

use potok::query::{DefinitionQuery, DeploymentQuery};
use potok::row::{Definition, DefinitionKind};
use potok::{Engine, Name};
use potok_core::instance::Key;

use super::condition::{is, like};
use super::error::Fault;
use super::fields::Fields;
use super::list::Asked;
use super::{answer, decision_definition, id, process_definition};

/// The versions that fields ask for, in their order.
pub(crate) async fn search(engine: &Engine, asked: &Asked<'_>, kind: DefinitionKind) -> Result<Vec<Definition>, Fault> {
    let Asked { fields, order, .. } = asked;
    let is_process = kind == DefinitionKind::Process;
    let [one, several] = match kind {
        DefinitionKind::Process => ["processDefinitionId", "processDefinitionIdIn"],
        _ => ["decisionDefinitionId", "decisionDefinitionIdIn"],
    };
    let mut ids = fields.list(several)?.unwrap_or_default();
    ids.extend(fields.text(one)?);
    if !is_process {
        // There are none of several decisions together: no decision is part of one.
        fields.is_set("withoutDecisionRequirementsDefinition")?;
    }
    let deployment = fields.text("deploymentId")?;
    let mut query = DefinitionQuery {
        kind: Some(kind),
        keys: ids.iter().filter_map(|text| id::parse_definition(text)).collect(),
        ids: fields.text("key")?.into_iter().collect(),
        deployment: deployment.as_ref().and_then(|text| id::parse(text)),
        tag: fields.text("versionTag")?,
        ..DefinitionQuery::default()
    };
    if (query.keys.is_empty() && !ids.is_empty()) || (query.deployment.is_none() && deployment.is_some()) {
        return Ok(Vec::new());
    }
    if is_process {
        query.ids.extend(fields.list("keysIn")?.unwrap_or_default());
    }
    let mut rows = Vec::new();
    for row in engine.definitions(&query).await? {
        if !is_process || process_definition::is_executable(engine, &row).await? {
            rows.push(row);
        }
    }
    rows = of_file(engine, fields, rows, is_process).await?;
    if fields.is_set("latestVersion")? || (is_process && fields.is_set("latest")?) {
        let mut newest: BTreeMap<(Name, Name), u32> = BTreeMap::new();
        for row in &rows {
            let version = newest.entry((row.tenant.clone(), row.id.clone())).or_default();
            *version = (*version).max(row.version);
        }
        rows.retain(|row| newest.get(&(row.tenant.clone(), row.id.clone())) == Some(&row.version));
    }
    let (name, resource) = (fields.text("name")?, fields.text("resourceName")?);
    // Of processes case is ignored.
    let fold = |name: &str| if is_process { name.to_lowercase() } else { name.to_owned() };
    let (name_like, key_like) =
        (fields.text("nameLike")?.map(|pattern| fold(&pattern).into()), fields.text("keyLike")?);
    let (resource_like, tag_like) = (fields.text("resourceNameLike")?, fields.text("versionTagLike")?);
    let version = fields.number("version")?.or(if is_process { fields.number("ver")? } else { None });
    let (tenants, untenanted) = (fields.list("tenantIdIn")?, fields.is_set("withoutTenantId")?);
    let or_untenanted = match is_process {
        true => fields.is_set("includeProcessDefinitionsWithoutTenantId")?,
        false => fields.is_set("includeDecisionDefinitionsWithoutTenantId")?,
    };
    let untagged = is_process && fields.is_set("withoutVersionTag")?;
    let matches = |pattern: &Option<Name>, own: Option<&str>| {
        pattern.as_ref().is_none_or(|pattern| own.is_some_and(|own| like(pattern, own)))
    };
    rows.retain(|row| {
        is(name.as_ref(), row.name.as_deref())
            && is(resource.as_ref(), Some(&row.resource))
            && matches(&name_like, row.name.as_deref().map(fold).as_deref())
            && matches(&key_like, Some(&row.id))
            && matches(&resource_like, Some(&row.resource))
            && matches(&tag_like, row.tag.as_deref())
            && version.is_none_or(|version| i64::from(row.version) == version)
            && (!untenanted || row.tenant.is_empty())
            && (!untagged || row.tag.is_none())
            && tenants
                .as_ref()
                .is_none_or(|tenants| tenants.contains(&row.tenant) || (or_untenanted && row.tenant.is_empty()))
    });
    answer::sort(&mut rows, order, |by, left, right| match by {
        "key" => left.id.cmp(&right.id),
        "name" => left.name.cmp(&right.name),
        "version" => left.version.cmp(&right.version),
        "deploymentId" | "deployTime" => left.deployment.cmp(&right.deployment),
        "versionTag" => left.tag.cmp(&right.tag),
        "tenantId" => left.tenant.cmp(&right.tenant),
        _ => left.key.cmp(&right.key),
    });
    Ok(rows)
}

/// Those whose files, deployments and starters are as fields ask.
async fn of_file(
    engine: &Engine,
    fields: &Fields,
    mut rows: Vec<Definition>,
    is_process: bool,
) -> Result<Vec<Definition>, Fault> {
    let (after, at) = (fields.date("deployedAfter")?, fields.date("deployedAt")?);
    if after.is_some() || at.is_some() {
        let times = engine.search(&DeploymentQuery::default()).await?.rows;
        let deployed = |row: &Definition| times.iter().find(|it| it.key == row.deployment).map(|it| it.deployed);
        rows.retain(|row| {
            deployed(row).is_some_and(|time| {
                after.is_none_or(|after| super::date::is_after(time, after))
                    && at.is_none_or(|at| time.as_millisecond() == at.as_millisecond())
            })
        });
    }
    let (category, pattern) = (fields.text("category")?, fields.text("categoryLike")?);
    let (startable, not_startable) = match is_process {
        true => (fields.is_set("startableInTasklist")?, fields.is_set("notStartableInTasklist")?),
        false => (false, false),
    };
    if category.is_some() || pattern.is_some() || startable || not_startable {
        let mut found = Vec::new();
        for row in rows {
            let shown = match is_process {
                true => process_definition::shown(engine, &row).await?,
                false => decision_definition::shown(engine, &row).await?,
            };
            let own = shown["category"].as_str();
            let is_startable = shown["startableInTasklist"] == true;
            if is(category.as_ref(), own)
                && pattern.as_ref().is_none_or(|pattern| own.is_some_and(|own| like(pattern, own)))
                && (!startable || is_startable)
                && (!not_startable || !is_startable)
            {
                found.push(row);
            }
        }
        rows = found;
    }
    if is_process && fields.is_set("startablePermissionCheck")? && engine.user().is_some() {
        let startable = engine.startable().await?;
        rows.retain(|row| startable.iter().any(|own| own.id == row.id && own.tenant == row.tenant));
    }
    Ok(rows)
}

/// The processes of such names, or in such deployments, if fields of what belongs to processes ask for these.
pub(crate) async fn named(engine: &Engine, fields: &Fields) -> Result<Option<Vec<Key>>, Fault> {
    let (name, pattern) = (fields.text("processDefinitionName")?, fields.text("processDefinitionNameLike")?);
    let deployments = fields.list("deploymentIdIn")?;
    if name.is_none() && pattern.is_none() && deployments.is_none() {
        return Ok(None);
    }
    let all = DefinitionQuery { kind: Some(DefinitionKind::Process), ..DefinitionQuery::default() };
    let fits = |row: &Definition| {
        name.as_ref().is_none_or(|name| row.name.as_ref() == Some(name))
            && pattern.as_ref().is_none_or(|pattern| row.name.as_ref().is_some_and(|own| like(pattern, own)))
            && deployments.as_ref().is_none_or(|all| all.contains(&id::id(row.deployment).into()))
    };
    Ok(Some(engine.definitions(&all).await?.into_iter().filter(fits).map(|row| row.key).collect()))
}
