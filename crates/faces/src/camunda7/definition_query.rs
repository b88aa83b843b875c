//! Which versions of processes and decisions are searched for, and in which order: what both have in common.

use std::collections::BTreeMap;

use potok::query::DefinitionQuery;
use potok::row::{Definition, DefinitionKind};
use potok::{Engine, Name};

use super::condition::{is, like};
use super::error::Fault;
use super::list::Asked;
use super::{answer, id, process_definition};

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
    if fields.is_set("latestVersion")? {
        let mut newest: BTreeMap<(Name, Name), u32> = BTreeMap::new();
        for row in &rows {
            let version = newest.entry((row.tenant.clone(), row.id.clone())).or_default();
            *version = (*version).max(row.version);
        }
        rows.retain(|row| newest.get(&(row.tenant.clone(), row.id.clone())) == Some(&row.version));
    }
    let (name, resource) = (fields.text("name")?, fields.text("resourceName")?);
    let (name_like, key_like) = (fields.text("nameLike")?, fields.text("keyLike")?);
    let (resource_like, tag_like) = (fields.text("resourceNameLike")?, fields.text("versionTagLike")?);
    let version = fields.number("version")?;
    let (tenants, untenanted) = (fields.list("tenantIdIn")?, fields.is_set("withoutTenantId")?);
    let matches = |pattern: &Option<Name>, own: Option<&str>| {
        pattern.as_ref().is_none_or(|pattern| own.is_some_and(|own| like(pattern, own)))
    };
    rows.retain(|row| {
        is(name.as_ref(), row.name.as_deref())
            && is(resource.as_ref(), Some(&row.resource))
            && matches(&name_like, row.name.as_deref())
            && matches(&key_like, Some(&row.id))
            && matches(&resource_like, Some(&row.resource))
            && matches(&tag_like, row.tag.as_deref())
            && version.is_none_or(|version| i64::from(row.version) == version)
            && (!untenanted || row.tenant.is_empty())
            && tenants.as_ref().is_none_or(|tenants| tenants.contains(&row.tenant))
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
