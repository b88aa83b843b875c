//! Tenants: what belongs to one is out of reach for others.

use std::time::Duration;

use potok::query::{
    AuditQuery, BatchQuery, DefinitionQuery, DeploymentQuery, GroupQuery, IncidentQuery, InstanceQuery, JobQuery,
    MessageQuery, SubscriptionQuery, TaskQuery, TimerQuery, UserQuery,
};
use potok::row::{DefinitionKind, Group, Tenant, User};
use potok::{Delivery, Engine, Operation, Position, Right, Role, Selector};
use serde_json::json;

use crate::database::{Place, acting, stop};
use crate::model::{file, process, row};

crate::on_every_database!(
    what_another_tenant_has_is_not_there,
    a_tenant_calls_its_own_versions,
    messages_and_signals_stay_within_a_tenant,
    kept_messages_stay_within_a_tenant,
    what_receivers_throw_stays_within_their_tenants,
    message_ids_are_each_tenants_own,
    tasks_of_no_process_belong_to_a_tenant,
    jobs_are_handed_out_within_a_tenant,
    batches_stay_within_a_tenant,
    users_reach_their_tenants,
    groups_bring_their_members_into_tenants,
    administrators_of_a_tenant_administer_nothing_else,
    nobody_administers_more_by_what_is_taken_from_them,
    what_is_waited_for_and_who_there_is_is_each_tenants_own,
    what_the_whole_engine_does_is_for_who_sees_all_tenants,
);

const NOW: Duration = Duration::ZERO;

/// Others at work on the same server hold the feed up for a moment.
const MINUTE: Duration = Duration::from_secs(60);

fn work() -> String {
    row(
        "work",
        r#"
        <startEvent id="start"/>
        <userTask id="look"/>
        <serviceTask id="mail" potok:job="mail"/>
        <endEvent id="end"/>"#,
    )
}

/// An engine on which two tenants have deployed the same.
async fn two(place: &Place, model: &str) -> (Engine, Engine, Engine) {
    let engine = place.by_hand().await;
    let (acme, bolt) = (engine.as_tenant("acme"), engine.as_tenant("bolt"));
    for tenant in [&acme, &bolt] {
        tenant.deployment().file("work.bpmn", model).send().await.unwrap();
    }
    (engine, acme, bolt)
}

async fn what_another_tenant_has_is_not_there(place: Place) {
    let (engine, acme, bolt) = two(&place, &work()).await;
    assert_eq!(engine.start("work").send().await.unwrap_err().code(), "process-unknown");
    let case = acme.start("work").variables(json!({"secret": 1})).send().await.unwrap();
    assert_eq!(case.tenant.as_deref(), Some("acme"));
    let task = acme.tasks().list().await.unwrap().remove(0);
    assert_eq!(task.tenant.as_deref(), Some("acme"));

    // The searches find nothing, the reads and the commands find nothing there.
    assert_eq!(bolt.instances(&InstanceQuery::default()).await.unwrap(), []);
    assert_eq!(bolt.tasks().and_ended().count().await.unwrap(), 0);
    assert_eq!(bolt.incidents(&IncidentQuery::default()).await.unwrap(), []);
    assert_eq!(bolt.definition_statistics().await.unwrap(), []);
    assert_eq!(bolt.count(&InstanceQuery::default()).await.unwrap(), 0);
    assert_eq!(bolt.count(&TaskQuery::default()).await.unwrap(), 0);
    assert_eq!(bolt.count(&DefinitionQuery::default()).await.unwrap(), 1);
    assert_eq!(bolt.count(&DeploymentQuery::default()).await.unwrap(), 1);
    assert_eq!(engine.count(&DeploymentQuery::default()).await.unwrap(), 2);
    assert_eq!(bolt.search(&JobQuery::default()).await.unwrap().rows, []);
    assert_eq!(bolt.variables_of([case.id()], &["secret".into()]).await.unwrap().len(), 0);
    assert_eq!(acme.variables_of([case.id()], &["secret".into()]).await.unwrap().len(), 1);
    let (of_acme, of_bolt) = (acme.feed(Position::default(), 1, MINUTE), bolt.feed(Position::default(), 1, MINUTE));
    let (of_acme, of_bolt) = (of_acme.await.unwrap(), of_bolt.await.unwrap());
    assert!(!of_acme.news.is_empty() && of_bolt.news.is_empty());
    assert_eq!(of_acme.end, of_bolt.end, "what cannot be seen is gone on behind");
    assert_eq!(bolt.finished(&InstanceQuery::default()).await.unwrap(), []);
    let mut export = bolt.export(InstanceQuery::default());
    while let Some(piece) = export.chunk().await.unwrap() {
        assert!(!piece.contains("secret"), "{piece}");
    }
    let there = bolt.instance(case.id());
    let unknown = |code: &'static str| assert_eq!(code, "instance-unknown");
    unknown(there.get().await.unwrap_err().code());
    unknown(there.state().await.unwrap_err().code());
    unknown(there.at(1).await.unwrap_err().code());
    unknown(there.history(0, 9).await.unwrap_err().code());
    unknown(there.happenings().await.unwrap_err().code());
    unknown(there.set_variables(json!({"a": 1})).await.unwrap_err().code());
    unknown(there.suspend().await.unwrap_err().code());
    unknown(there.cancel("").await.unwrap_err().code());
    unknown(there.delete().await.unwrap_err().code());
    unknown(there.erase_variable("secret").await.unwrap_err().code());
    unknown(bolt.modify(case.id()).cancel_all("look").send().await.unwrap_err().code());
    unknown(bolt.restart(case.id()).send().await.unwrap_err().code());
    unknown(bolt.comment(case.id(), "?").await.unwrap_err().code());
    unknown(bolt.comments(case.id()).await.unwrap_err().code());
    assert_eq!(bolt.erase_variable(&InstanceQuery::default(), "secret").await.unwrap(), 0);
    for refused in [
        bolt.claim(task.id(), "boris").await,
        bolt.assign(task.id(), "boris").await,
        bolt.complete(task.id(), ()).await,
        bolt.set_task_variables(task.id(), json!({"a": 1})).await,
        bolt.task(task.id()).await.map(drop),
        bolt.task_variables(task.id()).await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), "task-unknown");
    }
    let definitions = acme.definitions(&DefinitionQuery::default()).await.unwrap();
    assert_eq!(definitions.len(), 1);
    let (definition, deployment) = (case.definition_id(), definitions[0].deployment.into());
    let process = DefinitionKind::Process;
    let (by_id, by_name) = (Selector::Id(definition), "work".parse().unwrap());
    assert_eq!(acme.definition(process, "", &by_id).await.unwrap().key, definition.0);
    assert_eq!(acme.definition(process, "", &by_name).await.unwrap().key, definition.0);
    assert_eq!(bolt.definition(process, "", &by_id).await.unwrap_err().code(), "definition-unknown");
    assert_ne!(bolt.definition(process, "", &by_name).await.unwrap().key, definition.0, "it has its own");
    let foreign = bolt.definition(process, "acme", &by_name).await;
    assert_eq!(foreign.unwrap_err().code(), "tenant-foreign");
    assert_eq!(bolt.resources(deployment).await.unwrap_err().code(), "deployment-unknown");
    assert_eq!(acme.resources(deployment).await.unwrap().len(), 1);
    assert!(bolt.graph(definition).await.unwrap().is_none());
    assert!(bolt.resource(deployment, "work.bpmn").await.unwrap().is_none());
    assert_eq!(bolt.statistics(definition).await.unwrap_err().code(), "definition-unknown");
    assert_eq!(bolt.migration_plan(definition, definition).await.unwrap_err().code(), "process-unknown");
    assert!(!bolt.suspend_definition(definition).await.unwrap());
    assert_eq!(bolt.delete_deployment(deployment).await.unwrap_err().code(), "deployment-unknown");
    let deleted = bolt.delete_deployment_with_instances(deployment, "").await;
    assert_eq!(deleted.unwrap_err().code(), "deployment-unknown");
    assert_eq!(bolt.start("work").tenant("acme").send().await.unwrap_err().code(), "tenant-foreign");
    let deployed = bolt.deployment().tenant("acme").file("work.bpmn", work()).send().await;
    assert_eq!(deployed.unwrap_err().code(), "tenant-foreign");

    assert_eq!(acme.instance(case.id()).variables().await.unwrap().len(), 1);
    acme.complete(task.id(), ()).await.unwrap();
    assert_eq!(engine.instances(&InstanceQuery::default()).await.unwrap().len(), 1);
    stop(&engine).await;
}

async fn a_tenant_calls_its_own_versions(place: Place) {
    let engine = place.by_hand().await;
    for (tenant, task) in [("acme", "theirs"), ("bolt", "ours")] {
        let model = file(&format!(
            r#"<process id="caller" isExecutable="true"><startEvent id="start"/><callActivity id="call" calledElement="called"/>
                <sequenceFlow id="a" sourceRef="start" targetRef="call"/></process>
               <process id="called" isExecutable="true"><startEvent id="begin"/><userTask id="{task}"/>
                <sequenceFlow id="b" sourceRef="begin" targetRef="{task}"/></process>"#
        ));
        engine.as_tenant(tenant).deployment().file("caller.bpmn", model).send().await.unwrap();
    }
    let bolt = engine.as_tenant("bolt");
    bolt.start("caller").send().await.unwrap();
    let tasks = bolt.tasks().list().await.unwrap();
    assert_eq!(tasks.iter().map(|task| &*task.node).collect::<Vec<_>>(), ["ours"]);
    let all = bolt.instances(&InstanceQuery::default()).await.unwrap();
    assert!(all.len() == 2 && all.iter().all(|it| it.tenant.as_deref() == Some("bolt")));
    stop(&engine).await;
}

fn waiting() -> String {
    file(
        r#"<message id="m" name="news"/><signal id="s" name="alarm"/>
        <process id="work" isExecutable="true"><startEvent id="start"/><parallelGateway id="fork"/>
            <intermediateCatchEvent id="letter"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>
            <intermediateCatchEvent id="bell"><signalEventDefinition signalRef="s"/></intermediateCatchEvent>
            <userTask id="read"/><userTask id="run"/>
            <sequenceFlow id="a" sourceRef="start" targetRef="fork"/><sequenceFlow id="b" sourceRef="fork" targetRef="letter"/>
            <sequenceFlow id="c" sourceRef="fork" targetRef="bell"/><sequenceFlow id="d" sourceRef="letter" targetRef="read"/>
            <sequenceFlow id="e" sourceRef="bell" targetRef="run"/></process>
        <process id="begun" isExecutable="true">
            <startEvent id="alarmed"><signalEventDefinition signalRef="s"/></startEvent><userTask id="rescue"/>
            <sequenceFlow id="f" sourceRef="alarmed" targetRef="rescue"/></process>"#,
    )
}

async fn nodes(engine: &Engine) -> Vec<String> {
    let mut nodes: Vec<_> = engine.tasks().list().await.unwrap().iter().map(|task| task.node.to_string()).collect();
    nodes.sort();
    nodes
}

async fn messages_and_signals_stay_within_a_tenant(place: Place) {
    let (engine, acme, bolt) = two(&place, &waiting()).await;
    let theirs = acme.start("work").business_key("C-1").send().await.unwrap();
    let ours = bolt.start("work").business_key("C-1").send().await.unwrap();
    assert_eq!(bolt.message("news").send().await.unwrap(), Delivery::Delivered(ours.id()));
    assert_eq!(nodes(&acme).await, Vec::<String>::new());
    bolt.signal("alarm", ()).await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(nodes(&bolt).await, ["read", "rescue", "run"]);
    assert_eq!(nodes(&acme).await, Vec::<String>::new());
    // The program names the tenant, or none.
    engine.signal("alarm", ()).await.unwrap();
    assert_eq!(engine.message("news").business_key("C-1").send().await.unwrap(), Delivery::Kept);
    engine.execute_due().await.unwrap();
    assert_eq!(nodes(&acme).await, Vec::<String>::new());
    let sent = engine.message("news").tenant("acme").send().await.unwrap();
    assert_eq!(sent, Delivery::Delivered(theirs.id()));
    assert_eq!(bolt.message("news").tenant("acme").send().await.unwrap_err().code(), "tenant-foreign");
    stop(&engine).await;
}

async fn kept_messages_stay_within_a_tenant(place: Place) {
    let (engine, acme, bolt) = two(&place, &waiting()).await;
    assert_eq!(acme.message("news").send().await.unwrap(), Delivery::Kept);
    assert_eq!(engine.message("news").send().await.unwrap(), Delivery::Kept);
    bolt.start("work").send().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(nodes(&bolt).await, Vec::<String>::new());
    acme.start("work").send().await.unwrap();
    assert_eq!(nodes(&acme).await, ["read"]);
    assert_eq!(engine.store().list(&MessageQuery::default()).await.unwrap().rows.len(), 1);
    // Who looks again, as after a crash, keeps to it too.
    stop(&engine).await;
    let engine = place.by_hand().await;
    engine.execute_due().await.unwrap();
    assert_eq!(nodes(&engine.as_tenant("bolt")).await, Vec::<String>::new());
    stop(&engine).await;
}

async fn what_receivers_throw_stays_within_their_tenants(place: Place) {
    let declared = r#"<message id="m" name="news"/><signal id="s" name="alarm"/>"#;
    let receiver = process(
        "receiver",
        r#"
        <startEvent id="start"/>
        <intermediateCatchEvent id="hear"><messageEventDefinition messageRef="m"/></intermediateCatchEvent>
        <endEvent id="shout"><signalEventDefinition signalRef="s"/></endEvent>"#,
    );
    let listener = process(
        "listener",
        r#"
        <startEvent id="listener_start"/>
        <intermediateCatchEvent id="bell"><signalEventDefinition signalRef="s"/></intermediateCatchEvent>
        <userTask id="run"/>"#,
    );
    let begun = process(
        "begun",
        r#"
        <startEvent id="alarmed"><signalEventDefinition signalRef="s"/></startEvent>
        <userTask id="rescue"/>"#,
    );
    let model = file(&[declared, &receiver, &listener, &begun].concat());
    let (engine, acme, bolt) = two(&place, &model).await;
    for tenant in [&acme, &bolt] {
        tenant.start("receiver").send().await.unwrap();
        tenant.start("listener").send().await.unwrap();
    }
    assert_eq!(engine.correlate("news").send_to_all().await.unwrap().len(), 2);
    for tenant in [&acme, &bolt] {
        assert_eq!(nodes(tenant).await, ["rescue", "run"]);
    }
    stop(&engine).await;
}

async fn message_ids_are_each_tenants_own(place: Place) {
    let (engine, acme, bolt) = two(&place, &waiting()).await;
    for tenant in [&acme, &bolt] {
        assert_eq!(tenant.message("news").id("1").send().await.unwrap(), Delivery::Kept);
        assert_eq!(tenant.message("news").id("1").send().await.unwrap_err().code(), "message-repeated");
    }
    stop(&engine).await;
}

async fn tasks_of_no_process_belong_to_a_tenant(place: Place) {
    let engine = place.by_hand().await;
    let (acme, bolt) = (engine.as_tenant("acme"), engine.as_tenant("bolt"));
    let task = acme.create_task("Call").variables(json!({"phone": "12"})).send().await.unwrap();
    assert_eq!(task.tenant.as_deref(), Some("acme"));
    engine.create_task("Nobody's").send().await.unwrap();
    assert_eq!(bolt.tasks().count().await.unwrap(), 0);
    assert_eq!(acme.tasks().count().await.unwrap(), 1);
    assert_eq!(engine.as_tenant("").tasks().count().await.unwrap(), 1);
    assert_eq!(bolt.complete(task.id(), ()).await.unwrap_err().code(), "task-unknown");
    assert_eq!(bolt.cancel_task(task.id(), "").await.unwrap_err().code(), "task-unknown");
    assert_eq!(bolt.delete_task(task.id()).await.unwrap_err().code(), "task-unknown");
    assert_eq!(bolt.create_task("Call").tenant("acme").send().await.unwrap_err().code(), "tenant-foreign");
    acme.claim(task.id(), "anna").await.unwrap();
    stop(&engine).await;
    let engine = place.by_hand().await;
    let acme = engine.as_tenant("acme");
    acme.complete(task.id(), json!({"reached": true})).await.unwrap();
    assert_eq!(acme.task(task.id()).await.unwrap().tenant.as_deref(), Some("acme"));
    stop(&engine).await;
}

async fn jobs_are_handed_out_within_a_tenant(place: Place) {
    let (engine, acme, bolt) = two(&place, &work()).await;
    acme.start("work").send().await.unwrap();
    let task = acme.tasks().list().await.unwrap()[0].id();
    acme.complete(task, ()).await.unwrap();
    let (topics, hour) = (["mail".into()], Duration::from_secs(3600));
    assert_eq!(bolt.jobs(&JobQuery::default()).await.unwrap().len(), 0);
    assert!(bolt.fetch_jobs("w", &topics, 5, hour, NOW).await.unwrap().is_empty());
    let jobs = acme.fetch_jobs("w", &topics, 5, hour, NOW).await.unwrap();
    assert_eq!(jobs.len(), 1);
    assert_eq!(bolt.complete_job(&jobs[0], ()).await.unwrap_err().code(), "job-unknown");
    assert_eq!(bolt.extend_job(&jobs[0], hour).await.unwrap_err().code(), "job-unknown");
    acme.complete_job(&jobs[0], ()).await.unwrap();
    stop(&engine).await;
}

async fn batches_stay_within_a_tenant(place: Place) {
    let (engine, acme, bolt) = two(&place, &work()).await;
    let theirs = acme.start("work").send().await.unwrap();
    let ours = bolt.start("work").send().await.unwrap();
    let cancel = || Operation::Cancel { reason: None };
    let all = InstanceQuery::default();
    let batch = bolt.batch(cancel()).matching(all.clone()).instances([theirs.id(), ours.id()]).send().await.unwrap();
    engine.execute_due().await.unwrap();
    engine.execute_due().await.unwrap();
    assert_eq!(bolt.progress(batch).await.unwrap().total(), 1);
    assert!(acme.instance(theirs.id()).get().await.unwrap().is_active());
    assert_eq!(acme.progress(batch).await.unwrap_err().code(), "batch-unknown");
    assert_eq!(acme.delete_batch(batch).await.unwrap_err().code(), "batch-unknown");
    assert_eq!(acme.batches(&BatchQuery::default()).await.unwrap(), []);
    bolt.delete_batch(batch).await.unwrap();
    stop(&engine).await;
}

async fn users_reach_their_tenants(place: Place) {
    let (engine, acme, _) = two(&place, &work()).await;
    let people = engine.people();
    for id in ["anna", "boris", "clara", "both"] {
        people.put_user(User { id: id.into(), ..User::default() }).await.unwrap();
    }
    for (tenant, user) in [("acme", "anna"), ("bolt", "boris"), ("acme", "both"), ("bolt", "both")] {
        people.add_to_tenant(tenant, user).await.unwrap();
    }
    people.put_tenant(Tenant { id: "empty".into(), name: Some("Empty".into()) }).await.unwrap();
    let known = async |engine: &Engine| engine.people().tenants().await.unwrap().into_iter().map(|tenant| tenant.id);
    assert_eq!(known(&engine).await.collect::<Vec<_>>(), ["acme", "bolt", "empty"]);
    let (anna, boris, both) = (engine.as_user("anna"), engine.as_user("boris"), engine.as_user("both"));
    let case = anna.start("work").send().await.unwrap();
    assert_eq!(case.tenant.as_deref(), Some("acme"));
    // A task that is open to everybody is open to everybody of the tenant.
    assert_eq!((anna.tasks().count().await.unwrap(), boris.tasks().count().await.unwrap()), (1, 0));
    assert_eq!(both.tasks().count().await.unwrap(), 1);
    assert_eq!(engine.as_user("clara").tasks().count().await.unwrap(), 0);
    assert_eq!(engine.as_user("clara").start("work").send().await.unwrap_err().code(), "process-unknown");
    let viewer = acting(&engine, "boris", Role::Viewer).await;
    assert_eq!(known(&viewer).await.collect::<Vec<_>>(), ["bolt"]);
    for (tenant, found) in [("bolt", 2), ("acme", 0)] {
        let query = UserQuery { tenants: Some(vec![tenant.into()]), ..UserQuery::default() };
        assert_eq!(viewer.people().users(&query).await.unwrap().rows.len(), found, "{tenant}");
    }
    assert_eq!(viewer.instances(&InstanceQuery::default()).await.unwrap(), []);
    assert_eq!(viewer.instance(case.id()).get().await.unwrap_err().code(), "instance-unknown");

    // Who is in several says which.
    assert_eq!(both.start("work").send().await.unwrap_err().code(), "tenant-needed");
    let other = both.start("work").tenant("bolt").send().await.unwrap();
    assert_eq!(other.tenant.as_deref(), Some("bolt"));
    both.as_tenant("bolt").start("work").send().await.unwrap();
    assert_eq!(both.as_tenant("acme").tasks().count().await.unwrap(), 1);
    assert_eq!(boris.as_tenant("acme").tasks().count().await.unwrap_err().code(), "tenant-foreign");
    assert_eq!(acme.as_user("boris").tasks().count().await.unwrap_err().code(), "tenant-foreign");

    // Colleagues are those of the same tenant.
    let names = |found: Vec<User>| found.into_iter().map(|user| user.id.to_string()).collect::<Vec<_>>();
    assert_eq!(names(anna.people().users(&UserQuery::default()).await.unwrap().rows), ["anna", "both"]);
    let clara = engine.as_user("clara");
    assert_eq!(names(clara.people().users(&UserQuery::default()).await.unwrap().rows), ["clara"]);
    assert_eq!(anna.people().user("boris").await.unwrap(), None);
    assert_eq!(anna.people().groups_of("boris").await.unwrap(), Vec::<potok::Name>::new());
    assert_eq!(both.people().tenants_of("both").await.unwrap(), ["acme", "bolt"]);
    assert_eq!(anna.people().tenants_of("both").await.unwrap(), ["acme"]);
    people.remove_from_tenant("acme", "anna").await.unwrap();
    assert_eq!(anna.tasks().count().await.unwrap(), 0);
    stop(&engine).await;
}

async fn groups_bring_their_members_into_tenants(place: Place) {
    let (engine, ..) = two(&place, &work()).await;
    let people = engine.people();
    for id in ["anna", "boris", "clara"] {
        people.put_user(User { id: id.into(), ..User::default() }).await.unwrap();
    }
    for id in ["sales", "stock"] {
        people.put_group(Group { id: id.into(), ..Group::default() }).await.unwrap();
    }
    people.add_member("sales", "anna").await.unwrap();
    people.add_to_tenant("bolt", "boris").await.unwrap();
    let anna = engine.as_user("anna");
    assert_eq!(anna.start("work").send().await.unwrap_err().code(), "process-unknown");
    people.add_group_to_tenant("acme", "sales").await.unwrap();
    people.add_group_to_tenant("empty", "stock").await.unwrap();
    assert_eq!(people.add_group_to_tenant("acme", "nothing").await.unwrap_err().code(), "group-unknown");
    let known: Vec<_> = people.tenants().await.unwrap().into_iter().map(|tenant| tenant.id).collect();
    assert_eq!(known, ["acme", "bolt", "empty"]);
    assert_eq!(people.tenants_of("anna").await.unwrap(), ["acme"]);
    assert_eq!(anna.start("work").send().await.unwrap().tenant.as_deref(), Some("acme"));
    assert_eq!(anna.tasks().count().await.unwrap(), 1);
    assert_eq!(engine.as_user("boris").tasks().count().await.unwrap(), 0);

    let found = async |query: UserQuery| {
        people.users(&query).await.unwrap().rows.into_iter().map(|user| user.id).collect::<Vec<_>>()
    };
    let of = |tenant: &str| UserQuery { tenants: Some(vec![tenant.into()]), ..UserQuery::default() };
    assert_eq!(found(of("acme")).await, ["anna"]);
    assert_eq!(found(of("bolt")).await, ["boris"]);
    assert_eq!(found(of("")).await, ["clara"], "who is in none, by themselves or by a group");
    let own = UserQuery { own_tenant: Some("acme".into()), ..UserQuery::default() };
    assert_eq!(found(own).await, Vec::<potok::Name>::new());
    let groups = GroupQuery { tenant: Some("acme".into()), ..GroupQuery::default() };
    assert_eq!(&*people.groups(&groups).await.unwrap().rows[0].id, "sales");
    let colleagues = anna.people().users(&UserQuery::default()).await.unwrap().rows;
    assert_eq!(colleagues.len(), 1, "colleagues are those of the same tenant");

    people.remove_group_from_tenant("acme", "sales").await.unwrap();
    assert_eq!(anna.tasks().count().await.unwrap(), 0);
    people.add_group_to_tenant("acme", "sales").await.unwrap();
    people.remove_group("sales").await.unwrap();
    people.remove_tenant("empty").await.unwrap();
    let known: Vec<_> = people.tenants().await.unwrap().into_iter().map(|tenant| tenant.id).collect();
    assert_eq!(known, ["bolt"]);
    stop(&engine).await;
}

async fn administrators_of_a_tenant_administer_nothing_else(place: Place) {
    let (engine, acme, bolt) = two(&place, &work()).await;
    acme.start("work").send().await.unwrap();
    bolt.start("work").send().await.unwrap();
    let everywhere = acting(&engine, "root", Role::Administrator).await;
    assert_eq!(everywhere.instances(&InstanceQuery::default()).await.unwrap().len(), 2);
    everywhere.people().put_group(Group { id: "new".into(), ..Group::default() }).await.unwrap();

    let local = acting(&engine, "adam", Role::Administrator).await;
    engine.people().add_to_tenant("acme", "adam").await.unwrap();
    assert!(local.may(Right::Administer).await.unwrap());
    assert_eq!(local.instances(&InstanceQuery::default()).await.unwrap().len(), 1);
    local.deployment().file("more.bpmn", work().replace("\"work\"", "\"more\"")).send().await.unwrap();
    for refused in [
        local.people().add_to_tenant("bolt", "adam").await,
        local.people().grant("new", Role::Administrator).await,
        local.people().set_password("root", "a new password").await,
        local.examine().await.map(drop),
    ] {
        assert_eq!(refused.unwrap_err().code(), "forbidden");
    }
    // Nor does one who acts as one tenant, or keeps to it.
    let refused = everywhere.as_tenant("acme").people().grant("new", Role::Viewer).await;
    assert_eq!(refused.unwrap_err().code(), "forbidden");
    assert_eq!(acme.people().remove_user("root").await.unwrap_err().code(), "forbidden");
    let seen = local.audit(&AuditQuery::default()).await.unwrap().rows;
    assert!(!seen.is_empty() && seen.iter().all(|record| record.tenant.as_deref() == Some("acme")), "{seen:?}");
    stop(&engine).await;
}

async fn nobody_administers_more_by_what_is_taken_from_them(place: Place) {
    let engine = place.by_hand().await;
    acting(&engine, "root", Role::Administrator).await;
    for user in ["adam", "dora", "clara"] {
        acting(&engine, user, Role::Administrator).await;
    }
    for (group, tenant) in [("sales", "acme"), ("heads", "bolt")] {
        engine.people().put_group(Group { id: group.into(), ..Group::default() }).await.unwrap();
        engine.people().add_group_to_tenant(tenant, group).await.unwrap();
    }
    // By themselves, by a group, and by a group that has the role, of which nobody is known here.
    engine.people().add_to_tenant("acme", "adam").await.unwrap();
    engine.people().add_member("sales", "dora").await.unwrap();
    engine.people().add_to_tenant("", "clara").await.unwrap();
    engine.people().grant("heads", Role::Administrator).await.unwrap();
    // Neither an administrator of all nor the program.
    for engine in [engine.as_user("root"), engine.clone()] {
        let people = engine.people();
        for (refused, who) in [
            (people.remove_from_tenant("acme", "adam").await, "adam"),
            (people.remove_group_from_tenant("acme", "sales").await, "dora"),
            (people.remove_member("sales", "dora").await, "dora"),
            (people.remove_group("sales").await, "dora"),
            (people.remove_tenant("acme").await, "adam"),
            (people.remove_from_tenant("", "clara").await, "clara"),
            (people.remove_group_from_tenant("bolt", "heads").await, "heads"),
            (people.remove_tenant("bolt").await, "heads"),
        ] {
            let refused = refused.unwrap_err();
            assert_eq!((refused.code(), refused.fault()), ("tenant-last", potok::Fault::Conflict));
            assert!(refused.to_string().contains(&format!("`{who}`")), "{refused}");
        }
    }
    let root = engine.as_user("root");
    let people = root.people();
    for (user, tenant) in [("adam", "acme"), ("dora", "acme"), ("clara", "")] {
        assert_eq!(engine.people().tenants_of(user).await.unwrap(), [tenant], "{user}");
    }
    // Nor is what is not there in the way of anything.
    people.remove_from_tenant("bolt", "adam").await.unwrap();
    people.remove_from_tenant("acme", "root").await.unwrap();
    people.remove_group_from_tenant("bolt", "sales").await.unwrap();
    // Out of one of several.
    people.add_to_tenant("bolt", "dora").await.unwrap();
    people.remove_member("sales", "dora").await.unwrap();
    assert_eq!(people.remove_from_tenant("bolt", "dora").await.unwrap_err().code(), "tenant-last");
    // Nor by two who take away one each at the same time.
    people.add_to_tenant("acme", "dora").await.unwrap();
    let (one, other) =
        tokio::join!(people.remove_from_tenant("acme", "dora"), people.remove_from_tenant("bolt", "dora"));
    assert_eq!([one, other].iter().filter(|removed| removed.is_ok()).count(), 1);
    assert_eq!(engine.people().tenants_of("dora").await.unwrap().len(), 1);
    // The role goes first; and whoever gives it anew says so.
    people.remove_member("administrator", "adam").await.unwrap();
    people.remove_from_tenant("acme", "adam").await.unwrap();
    assert!(!engine.as_user("adam").may(Right::Administer).await.unwrap());
    people.add_member("administrator", "adam").await.unwrap();
    assert_eq!(engine.as_user("adam").whoami().await.unwrap().tenants, None);
    people.remove_group("heads").await.unwrap();
    people.remove_user("dora").await.unwrap();
    stop(&engine).await;
}

async fn what_is_waited_for_and_who_there_is_is_each_tenants_own(place: Place) {
    let engine = place.by_hand().await;
    let waiting = file(
        r#"
        <message id="paid" name="paid"/>
        <process id="waiting" isExecutable="true">
          <startEvent id="start"/>
          <eventBasedGateway id="either"/>
          <intermediateCatchEvent id="money"><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>
          <intermediateCatchEvent id="day"><timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></intermediateCatchEvent>
          <sequenceFlow id="f1" sourceRef="start" targetRef="either"/>
          <sequenceFlow id="f2" sourceRef="either" targetRef="money"/>
          <sequenceFlow id="f3" sourceRef="either" targetRef="day"/>
        </process>"#,
    );
    for tenant in ["acme", "bolt"] {
        let own = engine.as_tenant(tenant);
        own.deployment().file("waiting.bpmn", waiting.clone()).send().await.unwrap();
        own.start("waiting").send().await.unwrap();
        own.message("kept").time_to_live(Duration::from_secs(60)).send().await.unwrap();
    }
    let people = engine.people();
    for (tenant, user) in [("acme", "anna"), ("bolt", "boris")] {
        people.put_user(User { id: user.into(), ..User::default() }).await.unwrap();
        people.put_group(Group { id: format!("{user}s").into(), ..Group::default() }).await.unwrap();
        people.add_member(format!("{user}s"), user).await.unwrap();
        people.add_to_tenant(tenant, user).await.unwrap();
    }
    let counts = |engine: Engine| async move {
        [
            engine.count(&SubscriptionQuery::default()).await.unwrap(),
            engine.count(&TimerQuery::default()).await.unwrap(),
            engine.count(&MessageQuery::default()).await.unwrap(),
            engine.count(&UserQuery::default()).await.unwrap(),
            engine.count(&GroupQuery::default()).await.unwrap(),
        ]
    };
    assert_eq!(counts(engine.clone()).await, [2, 2, 2, 2, 2]);
    // A program of a tenant is in no group.
    assert_eq!(counts(engine.as_tenant("acme")).await, [1, 1, 1, 1, 0]);
    let anna = acting(&engine, "anna", Role::Viewer).await;
    assert_eq!(counts(anna).await, [1, 1, 1, 1, 2], "her groups are what she is in");
    stop(&engine).await;
}

async fn what_the_whole_engine_does_is_for_who_sees_all_tenants(place: Place) {
    let (engine, acme, _) = two(&place, &work()).await;
    acme.start("work").send().await.unwrap();
    let (walter, otto) =
        (acting(&engine, "walter", Role::Viewer).await, acting(&engine, "otto", Role::Administrator).await);
    let olga = acting(&engine, "olga", Role::Administrator).await;
    engine.people().add_to_tenant("acme", "otto").await.unwrap();
    engine.people().put_user(User { id: "olga".into(), ..User::default() }).await.unwrap();
    let (_, secret) = engine.people().new_token("olga", "metrics").role(Role::Viewer).send().await.unwrap();
    let token = engine.with_token(secret.reveal()).await.unwrap();
    for (whole, sees) in
        [(&engine, true), (&olga, true), (&token, true), (&acme, false), (&walter, false), (&otto, false)]
    {
        assert_eq!(whole.commits().await.unwrap().is_some(), sees, "{whole:?}");
    }
    assert!(engine.commits().await.unwrap().unwrap().durable > 0);
    stop(&engine).await;
}
