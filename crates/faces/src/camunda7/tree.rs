//! The tree of activity instances: where an instance stands.

use std::collections::BTreeMap;

use potok::row::{Definition, Incident};
use potok_core::graph::ProcessGraph;
use potok_core::instance::{Instance, NONE, ROOT, ScopeId, ScopeKind, Token, TokenId, WaitKind};
use serde_json::{Value as Json, json};

use super::id;
use super::model::Model;

/// What is the same for the whole tree.
pub(crate) struct Around<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) graph: &'a ProcessGraph,
    pub(crate) model: &'a Model,
    pub(crate) incidents: &'a [Incident],
}

/// What stands in a scope.
#[derive(Default)]
struct Children {
    activities: Vec<Json>,
    transitions: Vec<Json>,
}

/// The tree. It is put together from the inside out, so that nothing recurses over its depth.
pub(crate) fn tree(instance: &Instance, around: &Around<'_>) -> Json {
    let mut scopes: Vec<(usize, ScopeId)> =
        instance.scopes().map(|(scope, _)| (depth(instance, scope), scope)).collect();
    scopes.sort_unstable_by(|left, right| right.cmp(left));
    let mut tokens: BTreeMap<ScopeId, Vec<(TokenId, &Token)>> = BTreeMap::new();
    for (number, token) in instance.tokens() {
        tokens.entry(token.scope).or_default().push((number, token));
    }
    let mut done: BTreeMap<ScopeId, Children> = BTreeMap::new();
    for (_, scope) in scopes {
        let parent = own_id(instance, around, scope);
        let mut children = Children::default();
        for (number, token) in tokens.remove(&scope).unwrap_or_default() {
            let inside = done.remove(&token.inside).unwrap_or_default();
            let waits_for_its_turn =
                instance.waits_of(number).any(|wait| matches!(wait.kind, WaitKind::Continuation { .. }));
            if waits_for_its_turn {
                children.transitions.push(transition(instance, around, number, token, &parent));
            } else {
                children.activities.push(activity(instance, around, number, token, (&parent, inside)));
            }
        }
        done.insert(scope, children);
    }
    let Children { activities, transitions } = done.remove(&ROOT).unwrap_or_default();
    let own = id::id(instance.key());
    json!({
        "id": own,
        "parentActivityInstanceId": null,
        "activityId": id::definition(around.definition),
        "activityType": "processDefinition",
        "processInstanceId": own,
        "processDefinitionId": id::definition(around.definition),
        "childActivityInstances": activities,
        "childTransitionInstances": transitions,
        "executionIds": [own],
        "activityName": around.definition.name.as_deref(),
        "incidentIds": [],
        "incidents": [],
        "name": around.definition.name.as_deref(),
    })
}

fn depth(instance: &Instance, mut scope: ScopeId) -> usize {
    let mut depth = 0;
    while let Some(here) = instance.scope(scope) {
        depth += 1;
        scope = here.parent;
    }
    depth
}

/// The id of the activity instance that a scope belongs to.
fn own_id(instance: &Instance, around: &Around<'_>, scope: ScopeId) -> String {
    let Some(here) = instance.scope(scope).filter(|_| scope != ROOT) else { return id::id(instance.key()) };
    match instance.token(here.owner) {
        Some(token) => activity_id(instance, around, here.owner, token, here.kind == ScopeKind::Loop),
        None => id::id(instance.key()),
    }
}

fn activity_id(instance: &Instance, around: &Around<'_>, number: TokenId, token: &Token, is_loop: bool) -> String {
    let node = around.graph.get_node(token.node).map(|node| node.id.as_str()).unwrap_or_default();
    let node = if is_loop { format!("{node}#multiInstanceBody") } else { node.to_owned() };
    let work = instance.waits_of(number).find(|wait| matches!(wait.kind, WaitKind::UserTask(_) | WaitKind::Job(_)));
    match work {
        Some(wait) => id::activity_instance(&node, wait.key, id::ACTIVITY),
        None => id::activity_instance(&node, instance.key(), id::token(token.serial)),
    }
}

fn execution_id(instance: &Instance, number: TokenId, token: &Token) -> String {
    let work = instance.waits_of(number).find(|wait| matches!(wait.kind, WaitKind::UserTask(_) | WaitKind::Job(_)));
    match work {
        Some(wait) => id::part(wait.key, id::EXECUTION),
        None => id::part(instance.key(), id::token(token.serial)),
    }
}

/// The incidents of a token.
fn incidents(instance: &Instance, around: &Around<'_>, number: TokenId) -> (Vec<String>, Vec<Json>) {
    let keys: Vec<_> = instance
        .waits_of(number)
        .filter(|wait| matches!(wait.kind, WaitKind::Incident(_)))
        .map(|wait| wait.key)
        .collect();
    let found = around.incidents.iter().filter(|incident| keys.contains(&incident.key));
    found
        .map(|found| {
            let key = id::id(found.key);
            (key.clone(), json!({"id": key, "activityId": &*found.node}))
        })
        .unzip()
}

fn activity(
    instance: &Instance,
    around: &Around<'_>,
    number: TokenId,
    token: &Token,
    (parent, inside): (&str, Children),
) -> Json {
    let is_loop =
        token.inside != NONE && instance.scope(token.inside).is_some_and(|scope| scope.kind == ScopeKind::Loop);
    let node = around.graph.get_node(token.node);
    let plain = node.map(|node| node.id.to_string()).unwrap_or_default();
    let (activity, kind) = if is_loop {
        (format!("{plain}#multiInstanceBody"), "multiInstanceBody".to_owned())
    } else {
        (plain.clone(), around.model.kind(&plain).to_owned())
    };
    let name = node.filter(|_| !is_loop).and_then(|node| node.name.as_deref());
    let (incident_ids, incidents) = incidents(instance, around, number);
    json!({
        "id": activity_id(instance, around, number, token, is_loop),
        "parentActivityInstanceId": parent,
        "activityId": activity,
        "activityType": kind,
        "processInstanceId": id::id(instance.key()),
        "processDefinitionId": id::definition(around.definition),
        "childActivityInstances": inside.activities,
        "childTransitionInstances": inside.transitions,
        "executionIds": [execution_id(instance, number, token)],
        "activityName": name,
        "incidentIds": incident_ids,
        "incidents": incidents,
        "name": name,
    })
}

/// A token that waits for its next unit of work.
fn transition(instance: &Instance, around: &Around<'_>, number: TokenId, token: &Token, parent: &str) -> Json {
    let node = around.graph.get_node(token.node);
    let plain = node.map(|node| node.id.to_string()).unwrap_or_default();
    let (incident_ids, incidents) = incidents(instance, around, number);
    json!({
        "id": id::part(instance.key(), id::token(token.serial)),
        "parentActivityInstanceId": parent,
        "processInstanceId": id::id(instance.key()),
        "processDefinitionId": id::definition(around.definition),
        "activityId": plain,
        "activityType": around.model.kind(&plain),
        "executionId": execution_id(instance, number, token),
        "targetActivityId": plain,
        "activityName": node.and_then(|node| node.name.as_deref()),
        "incidentIds": incident_ids,
        "incidents": incidents,
    })
}
