//! Which instances are searched for: what the database can find, it does; the rest is looked at page by page.

use potok::query::{DefinitionQuery, IncidentQuery, InstanceOrder, InstanceQuery};
use potok::row::InstanceState;
use potok::{Engine, Instance, InstanceId, Name};
use potok_core::instance::{Key, Ordinal};

use super::condition::Conditions;
use super::error::Fault;
use super::fields::Fields;
use super::list::{self, Asked, Pages};
use super::process_instance::Instances;
use super::{answer, history, id, incident, model};

/// What the database does not look at.
const LOOKED_AT: [&str; 3] = ["leafProcessInstances", "activityIdIn", "rootProcessInstanceId"];

fn needs_a_look(fields: &Fields) -> Result<bool, Fault> {
    let by_name = LOOKED_AT.iter().any(|name| fields.has(name));
    Ok(by_name || Conditions::of(fields, "variables")?.need_a_look())
}

/// The instances that fields ask for, in their order.
pub(crate) async fn search(engine: &Engine, asked: &Asked<'_>) -> Result<Vec<Instance>, Fault> {
    let Asked { fields, order, .. } = asked;
    let Some(mut query) = whole(engine, fields).await? else { return Ok(Vec::new()) };
    let (mut until, mut descending) = (asked.until, false);
    match order.as_slice() {
        [] => {}
        [by] => (query.order, descending) = (in_database(&by.name), by.descending),
        _ => until = usize::MAX,
    }
    let mut rows = walk(engine, &query, fields, (until, descending)).await?;
    if until == usize::MAX {
        answer::sort(&mut rows, order, |by, left, right| match in_database(by) {
            InstanceOrder::Process => left.process.cmp(&right.process),
            InstanceOrder::Definition => left.definition.cmp(&right.definition),
            InstanceOrder::Tenant => left.tenant.cmp(&right.tenant),
            InstanceOrder::BusinessKey => left.business_key.cmp(&right.business_key),
            _ => left.key.cmp(&right.key),
        });
    }
    Ok(rows)
}

/// How many there are.
pub(crate) async fn count(engine: &Engine, asked: &Asked<'_>) -> Result<u64, Fault> {
    let Some(query) = whole(engine, asked.fields).await? else { return Ok(0) };
    if needs_a_look(asked.fields)? {
        return Ok(walk(engine, &query, asked.fields, (usize::MAX, false)).await?.len() as u64);
    }
    Ok(engine.count(&query).await?)
}

fn in_database(by: &str) -> InstanceOrder {
    match by {
        "definitionKey" => InstanceOrder::Process,
        "definitionId" => InstanceOrder::Definition,
        "tenantId" => InstanceOrder::Tenant,
        "businessKey" => InstanceOrder::BusinessKey,
        _ => InstanceOrder::Started,
    }
}

/// The rows that the database finds and that are as fields ask, until there are as many as are looked at.
async fn walk(
    engine: &Engine,
    query: &InstanceQuery,
    fields: &Fields,
    (until, descending): (usize, bool),
) -> Result<Vec<Instance>, Fault> {
    let mut pages = Pages::new(until, descending);
    let mut rows = Vec::new();
    while let Some(page) = pages.next(rows.len()) {
        let found = engine.search(&InstanceQuery { page, ..query.clone() }).await?;
        pages.turn(found.next);
        let found = found.rows.into_iter().map(Instance::from).collect();
        rows.extend(if needs_a_look(fields)? { look(engine, fields, found).await? } else { found });
    }
    Ok(rows)
}

/// Those without called instances, or with a token on such flow nodes.
async fn look(engine: &Engine, fields: &Fields, rows: Vec<Instance>) -> Result<Vec<Instance>, Fault> {
    let (are_leaves, nodes) = (fields.is_set("leafProcessInstances")?, fields.list("activityIdIn")?);
    let (root, variables) = (fields.text("rootProcessInstanceId")?, Conditions::of(fields, "variables")?);
    let mut found = Vec::new();
    for row in rows {
        if let Some(root) = &root
            && id::id(history::root(engine, &row).await?) != **root
        {
            continue;
        }
        if variables.need_a_look() && !variables.hold(&engine.instance(row.id()).variables().await?) {
            continue;
        }
        if are_leaves {
            let active = vec![InstanceState::Active];
            let called = InstanceQuery { states: active, parent: Some(row.key), ..InstanceQuery::default() };
            if engine.count(&called).await? > 0 {
                continue;
            }
        }
        if let Some(nodes) = &nodes
            && !stands_at(engine, &row, nodes).await?
        {
            continue;
        }
        found.push(row);
    }
    Ok(found)
}

/// Whether a token stands on one of some flow nodes, and no others inside of it.
pub(crate) async fn stands_at(engine: &Engine, instance: &Instance, nodes: &[Name]) -> Result<bool, Fault> {
    let Some(graph) = engine.graph(instance.definition_id()).await? else { return Ok(false) };
    let state = engine.instance(instance.id()).state().await?;
    let is_one = |node: Ordinal| {
        graph.get_node(node).is_some_and(|node| nodes.contains(&node.id)) && !model::is_around_others(&graph, node)
    };
    Ok(state.tokens().any(|(_, token)| is_one(token.node)))
}

/// All that fields ask for, and that at least one of each of their `orQueries` holds; nothing if that cannot be.
async fn whole(engine: &Engine, fields: &Fields) -> Result<Option<InstanceQuery>, Fault> {
    let Some(mut query) = query(engine, fields).await? else { return Ok(None) };
    for any in fields.objects("orQueries")? {
        let (mut either, each) = (Vec::new(), any.each::<Instances>());
        if each.is_empty() {
            continue;
        }
        for one in each {
            let Some(found) = self::query(engine, &one).await? else { continue };
            if !needs_a_look(&one)? {
                either.push(found);
                continue;
            }
            let keys: Vec<Key> =
                walk(engine, &found, &one, (usize::MAX, false)).await?.iter().map(|row| row.key).collect();
            if !keys.is_empty() {
                either.push(InstanceQuery { keys, ..InstanceQuery::default() });
            }
        }
        if either.is_empty() {
            return Ok(None);
        }
        query.either.push(either);
    }
    Ok(Some(query))
}

/// What the database finds for all other fields; nothing if that cannot be.
async fn query(engine: &Engine, fields: &Fields) -> Result<Option<InstanceQuery>, Fault> {
    if list::is_never::<Instances>(fields) {
        return Ok(None);
    }
    for (flag, id) in [("rootProcessInstances", "superProcessInstance"), ("leafProcessInstances", "subProcessInstance")]
    {
        if fields.is_set(flag)? && fields.has(id) {
            return Err(Fault::failed(format!("Invalid query usage: cannot set both {flag} and {id}Id")));
        }
    }
    let mut query = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
    if let Some(ids) = fields.array("processInstanceIds")? {
        if ids.is_empty() {
            return Err(Fault::failed("Set of process instance ids is empty"));
        }
        query.keys = ids.iter().filter_map(|text| id::parse(text)).collect();
        if query.keys.is_empty() {
            return Ok(None);
        }
    }
    if let Some(text) = fields.text("subProcessInstance")? {
        let parent = match id::parse::<InstanceId>(&text) {
            Some(called) => engine.instance(called).get().await.ok().and_then(|called| called.parent),
            None => None,
        };
        let Some(parent) = parent.filter(|parent| query.keys.is_empty() || query.keys.contains(parent)) else {
            return Ok(None);
        };
        query.keys = vec![parent];
    }
    query.business_key = fields.text("businessKey")?;
    query.business_key_like = fields.text("businessKeyLike")?.map(|pattern| pattern.to_string());
    query.processes = fields.list("processDefinitionKeyIn")?.unwrap_or_default();
    query.processes.extend(fields.text("processDefinitionKey")?);
    query.not_processes = fields.list("processDefinitionKeyNotIn")?.unwrap_or_default();
    for (name, key) in [("processDefinitionId", &mut query.definition), ("superProcessInstance", &mut query.parent)] {
        if let Some(text) = fields.text(name)? {
            *key = id::parse_definition(&text);
            if key.is_none() {
                return Ok(None);
            }
        }
    }
    if let Some(text) = fields.text("deploymentId")? {
        let Some(deployment) = id::parse::<Key>(&text) else { return Ok(None) };
        let of = DefinitionQuery { deployment: Some(deployment), ..DefinitionQuery::default() };
        query.definitions = engine.definitions(&of).await?.iter().map(|row| row.key).collect();
        if query.definitions.is_empty() {
            return Ok(None);
        }
    }
    if fields.is_set("rootProcessInstances")? {
        query.called = Some(false);
    }
    if fields.is_set("active")? {
        query.suspended = Some(false);
    }
    if fields.is_set("suspended")? {
        query.suspended = Some(true);
    }
    query.tenants = fields.list("tenantIdIn")?.unwrap_or_default();
    if fields.is_set("withoutTenantId")? || fields.is_set("processDefinitionWithoutTenantId")? {
        query.tenants.push(Name::new());
    }
    query.variables = Conditions::of(fields, "variables")?.in_database();
    query.incident = match stuck(fields)? {
        Stuck::Whatever => None,
        Stuck::By(incident) => Some(*incident),
        Stuck::Never => return Ok(None),
    };
    Ok(Some(query))
}

/// By which incidents instances are to be stuck.
pub(crate) enum Stuck {
    Whatever,
    By(Box<IncidentQuery>),
    /// No incident can be meant.
    Never,
}

pub(crate) fn stuck(fields: &Fields) -> Result<Stuck, Fault> {
    let (of, kind) = (fields.text("incidentId")?, fields.text("incidentType")?);
    let (message, pattern) = (fields.text("incidentMessage")?, fields.text("incidentMessageLike")?);
    if !fields.is_set("withIncident")? && of.is_none() && kind.is_none() && message.is_none() && pattern.is_none() {
        return Ok(Stuck::Whatever);
    }
    let mut query = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
    if let Some(text) = of {
        let Some(key) = id::parse(&text) else { return Ok(Stuck::Never) };
        query.keys.push(key);
    }
    if let Some(kind) = kind
        && !incident::of_kind(&mut query, &kind)
    {
        return Ok(Stuck::Never);
    }
    (query.message, query.message_like) = (message, pattern.map(|pattern| pattern.to_string()));
    Ok(Stuck::By(query.into()))
}
