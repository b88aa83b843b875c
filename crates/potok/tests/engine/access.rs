//! Who may do what.

use std::time::Duration;

use potok::query::{
    AuditQuery, BatchQuery, DefinitionQuery, DeploymentQuery, GroupQuery, IncidentQuery, InstanceQuery, JobQuery,
    MessageQuery, SubscriptionQuery, TaskQuery, TimerQuery, UserQuery, WebhookQuery,
};
use potok::row::{Attachment, Comment, DefinitionKind, Group, SavedSearch, Tenant, User};
use potok::{
    Action, BatchId, DefinitionId, DeliveryId, DeploymentId, Due, DueKind, DueQuery, Engine, Error, First, IncidentId,
    InstanceId, Job, JobFailure, JobId, Modification, Operation, Position, Right, Role, Search, Selector, TaskId,
    TimerId, Viewpoint, WebhookId,
};
use potok_core::instance::Key;
use potok_core::step::Command;
use serde_json::json;

use crate::database::{Place, acting, deploy, morning, stop};
use crate::model::{approval, file, row};

crate::on_every_database!(
    every_role_may_do_what_its_rights_say,
    a_user_sees_what_they_have_a_part_in,
    pages_and_counts_are_those_of_what_is_seen,
    searches_and_the_feed_take_the_right_of_what_is_found,
    a_model_says_who_starts_it,
    only_operators_start_elsewhere,
    heads_give_tasks_to_others,
    operators_do_what_others_have,
    who_has_written_a_remark_the_database_says,
    a_role_goes_with_its_group,
    what_is_refused_and_what_is_done_is_written_down,
    records_are_kept_for_a_while,
    ad_hoc_activities_are_begun_by_who_has_a_part,
    whose_task_it_is_is_always_as_it_stands,
    rights_are_a_transactions_too,
);

const NO: Key = Key(5);

/// Others at work on the same server hold the feed up for a moment.
const MINUTE: Duration = Duration::from_secs(60);

/// Tries an operation on what is not there: it is forbidden, or something else is wrong with it.
async fn attempt(function: &str, engine: &Engine, job: &Job) -> Result<(), Error> {
    let (case, task, people) = (engine.instance(InstanceId(NO)), TaskId(NO), engine.people());
    let (definition, deployment, batch) = (DefinitionId(NO), DeploymentId(NO), BatchId(NO));
    let instances = InstanceQuery { processes: vec!["none".into()], ..InstanceQuery::default() };
    let comment = Comment { instance: NO, ..Comment::default() };
    let attachment = Attachment { instance: NO, ..Attachment::default() };
    let second = Duration::from_secs(1);
    match function {
        "Engine::definitions" => engine.definitions(&DefinitionQuery::default()).await.map(drop),
        "Engine::versions" => engine.versions([definition]).await.map(drop),
        "Engine::graph" => engine.graph(definition).await.map(drop),
        "Engine::resource" => engine.resource(deployment, "none").await.map(drop),
        "Engine::startable" => engine.startable().await.map(drop),
        "Engine::migration_plan" => engine.migration_plan(definition, definition).await.map(drop),
        "Engine::resources" => engine.resources(deployment).await.map(drop),
        "Engine::definition" => {
            engine.definition(DefinitionKind::Process, "", &Selector::Id(definition)).await.map(drop)
        }
        "Engine::decide" => engine.decide("", &Selector::Id(definition), ()).await.map(drop),
        "Engine::evaluate" => engine.evaluate("", &Selector::Id(definition), ()).await.map(drop),
        "NewWebhook::send" => engine.webhook("https://example.com").event("none").send().await.map(drop),
        "Engine::remove_webhook" => engine.remove_webhook(WebhookId(NO)).await,
        "Engine::retry_delivery" => engine.retry_delivery(DeliveryId(NO)).await,
        "Engine::discard_delivery" => engine.discard_delivery(DeliveryId(NO)).await,
        "Engine::webhooks" => engine.webhooks(&WebhookQuery::default()).await.map(drop),
        "Engine::commits" => engine.commits().await.map(drop),
        "Engine::jobs_by_topic" => engine.jobs_by_topic().await.map(drop),
        "Engine::check" => engine.check(Vec::new()).await.map(drop),
        "Engine::search" => engine.search(&instances).await.map(drop),
        "Engine::count" => engine.count(&instances).await.map(drop),
        "Engine::variables_of" => engine.variables_of([InstanceId(NO)], &[]).await.map(drop),
        "Engine::instance_of_wait" => engine.instance_of_wait(NO).await.map(drop),
        "Engine::feed" => engine.feed(Position::default(), 1, Duration::ZERO).await.map(drop),
        "Engine::feed_end" => engine.feed_end().await.map(drop),
        "Start::send" => engine.start("none").send().await.map(drop),
        "Engine::instances" => engine.instances(&instances).await.map(drop),
        "Engine::incidents" => engine.incidents(&IncidentQuery::default()).await.map(drop),
        "Case::get" => case.get().await.map(drop),
        "Case::state" => case.state().await.map(drop),
        "Case::at" => case.at(1).await.map(drop),
        "Case::variable" => case.variable("a").await.map(drop),
        "Case::variables" => case.variables().await.map(drop),
        "Case::history" => case.history(0, 1).await.map(drop),
        "Case::happenings" => case.happenings().await.map(drop),
        "Case::work_log" => case.work_log().await.map(drop),
        "Case::ended" => case.ended().await.map(drop),
        "Engine::comments" => engine.comments(task).await.map(drop),
        "Engine::attachments" => engine.attachments(task).await.map(drop),
        "Reading::chunk" => engine.read_attachment(&attachment).chunk().await.map(drop),
        "Tasks::list" => engine.tasks().list().await.map(drop),
        "Tasks::page" => engine.tasks().page().await.map(drop),
        "Tasks::count" => engine.tasks().count().await.map(drop),
        "Engine::task" => engine.task(task).await.map(drop),
        "Engine::task_variables" => engine.task_variables(task).await.map(drop),
        "Engine::are_suspended" => engine.are_suspended(&[]).await.map(drop),
        "Engine::local_task_variables" => engine.local_task_variables(task).await.map(drop),
        "Engine::saved_searches" => engine.saved_searches().await.map(drop),
        "Engine::saved_search" => engine.saved_search(NO).await.map(drop),
        "Engine::save_search" => {
            // Their own: others' take more.
            let owner = engine.user().cloned();
            engine.save_search(SavedSearch { key: NO, owner, ..SavedSearch::default() }).await.map(drop)
        }
        "Engine::save_search_if" => {
            let owner = engine.user().cloned();
            engine.save_search_if(SavedSearch { key: NO, owner, ..SavedSearch::default() }, |_| true).await.map(drop)
        }
        "Engine::forget_search" => engine.forget_search(NO).await,
        "Engine::forget_search_if" => engine.forget_search_if(NO, |_| true).await,
        "Engine::comment" => engine.comment(task, "text").await.map(drop),
        "Engine::change_task_variables" => engine.change_task_variables(task, false, json!({}), []).await,
        "Engine::touch_task" => engine.touch_task(task).await,
        "Engine::change_comment" => engine.change_comment(&comment, "x").await.map(drop),
        "Engine::remove_comment" => engine.remove_comment(&comment).await,
        "Engine::remove_comment_if" => engine.remove_comment_if(&comment, |_| true).await,
        "Engine::attach" | "Attaching::write" | "Attaching::finish" | "Attaching::discard" => {
            engine.attach(task, "file").await.map(drop)
        }
        "Engine::attach_link" => engine.attach_link(task, "file", "https://example.org", None, None).await.map(drop),
        "Engine::remove_attachment" => engine.remove_attachment(&attachment).await,
        "Engine::claim" => engine.claim(task, "anna").await,
        "Engine::unclaim" => engine.unclaim(task).await,
        "Engine::assign" => engine.assign(task, "anna").await,
        "Engine::delegate" => engine.delegate(task, "anna").await,
        "Engine::resolve" => engine.resolve(task).await,
        "Engine::update_task" => engine.update_task(task, |_| {}).await,
        "Engine::update_task_if" => engine.update_task_if(task, |_| true, |_| {}).await,
        "Engine::complete" => engine.complete(task, ()).await,
        "Engine::throw_task_error" => engine.throw_task_error(task, "e", None, ()).await,
        "Engine::set_task_variables_if" => engine.set_task_variables_if(task, |_| true, ()).await,
        "Engine::set_local_task_variables_if" => engine.set_local_task_variables_if(task, |_| true, ()).await,
        "Engine::set_task_variables" => engine.set_task_variables(task, ()).await,
        "Engine::set_local_task_variables" => engine.set_local_task_variables(task, ()).await,
        "NewTask::send" => engine.create_task("task").send().await.map(drop),
        "Engine::cancel_task" => engine.cancel_task(task, "").await,
        "Engine::delete_task" => engine.delete_task(task).await,
        "Engine::delete_task_if" => engine.delete_task_if(task, |_| true).await,
        "Case::activate" => case.activate(NO, ["a"]).await,
        "Engine::jobs" => engine.jobs(&JobQuery::default()).await.map(drop),
        "Engine::business_keys_of" => engine.business_keys_of(&[]).await.map(drop),
        "Engine::statistics" => engine.statistics(definition).await.map(drop),
        "Engine::definition_statistics" => engine.definition_statistics().await.map(drop),
        "Engine::finished" => engine.finished(&instances).await.map(drop),
        "Export::chunk" => engine.export(instances).chunk().await.map(drop),
        "Deployment::send" => engine.deployment().send().await.map(drop),
        "Engine::deploy_path" => engine.deploy_path(std::env::temp_dir().join("no.bpmn.folder")).await.map(drop),
        "Engine::delete_deployment" => engine.delete_deployment(deployment).await,
        "Engine::delete_deployment_with_instances" => engine.delete_deployment_with_instances(deployment, "").await,
        "Engine::delete_definition" => engine.delete_definition(definition).await,
        "Engine::delete_definition_with_instances" => engine.delete_definition_with_instances(definition, "").await,
        "Engine::suspend_definition" => engine.suspend_definition(definition).await.map(drop),
        "Engine::resume_definition" => engine.resume_definition(definition).await.map(drop),
        "Case::set_variables_if" => case.set_variables_if(|_| true, ()).await,
        "Case::remove_variables_if" => case.remove_variables_if(|_| true, ["a".into()]).await,
        "Case::set_variables" => case.set_variables(()).await,
        "Case::set_variables_in" => case.set_variables_in(0, ()).await,
        "Case::cancel" => case.cancel("").await,
        "Case::suspend" => case.suspend().await,
        "Case::resume" => case.resume().await,
        "Case::command" => case.command(Command::Cancel { reason: None }).await,
        "Modification::send" => engine.modify(InstanceId(NO)).cancel_all("a").send().await,
        // A plan needs two versions; what it asks for first is the same.
        "Migrating::send" => {
            let [from, to] = plans(engine).await;
            let plan = engine.as_user("root").migration_plan(from, to).await?;
            engine.migrate(InstanceId(NO), &plan).send().await
        }
        "Restart::send" => engine.restart(InstanceId(NO)).send().await.map(drop),
        "Engine::resolve_incident" => engine.resolve_incident(IncidentId(NO)).await,
        "Case::delete" => case.delete().await,
        "Case::erase_variable" => case.erase_variable("a").await,
        "Engine::erase_variable" => engine.erase_variable(&instances, "a").await.map(drop),
        "Engine::progress" => engine.progress(batch).await.map(drop),
        "Engine::batches" => engine.batches(&BatchQuery::default()).await.map(drop),
        "Engine::batch_failures" => engine.batch_failures(batch, potok::query::Paging::default()).await.map(drop),
        "NewBatch::send" => {
            engine.batch(Modification::new().cancel_all("a").operation()?).matching(instances).send().await.map(drop)
        }
        "Engine::pause_batch" => engine.pause_batch(batch).await,
        "Engine::resume_batch" => engine.resume_batch(batch).await,
        "Engine::cancel_batch" => engine.cancel_batch(batch).await,
        "Engine::delete_batch" => engine.delete_batch(batch).await,
        "Engine::fetch_jobs" => {
            engine.fetch_jobs("worker", &["none".into()], 1, second, Duration::ZERO).await.map(drop)
        }
        "Engine::leased_job" => engine.leased_job(potok::JobId(NO), 1).await.map(drop),
        "Engine::extend_job" => engine.extend_job(job, second).await,
        "Engine::release_job" => engine.release_job(job).await,
        "Engine::complete_job" => engine.complete_job(job, ()).await,
        "Engine::fail_job" => engine.fail_job(job, &JobFailure::default()).await,
        "Engine::throw_job_error" => engine.throw_job_error(job, "e", None, ()).await,
        "Engine::throw_job_escalation" => engine.throw_job_escalation(job, "e", ()).await,
        "Sending::send" => engine.message("none").send().await.map(drop),
        "Engine::signal" => engine.signal("none", ()).await,
        "Engine::audit" => engine.audit(&AuditQuery::default()).await.map(drop),
        "People::user" => people.user("anna").await.map(drop),
        "People::users" => people.users(&UserQuery::default()).await.map(drop),
        "People::group" => people.group("sales").await.map(drop),
        "People::groups" => people.groups(&GroupQuery::default()).await.map(drop),
        "People::groups_of" => people.groups_of("anna").await.map(drop),
        "People::members_of" => people.members_of("sales").await.map(drop),
        "People::roles_of_group" => people.roles_of_group("heads").await.map(drop),
        "People::roles_of" => people.roles_of("anna").await.map(drop),
        "People::tenants_of" => people.tenants_of("anna").await.map(drop),
        "People::tenants" => people.tenants().await.map(drop),
        "People::put_tenant" => people.put_tenant(Tenant { id: "acme".into(), name: None }).await,
        "People::remove_tenant" => people.remove_tenant("nothing").await,
        "People::add_administrator" => people.add_administrator("new", "long enough").await,
        "People::update_user_if" => people.update_user_if("new", |_| true, |_| {}).await,
        "People::update_group_if" => people.update_group_if("new", |_| true, |_| {}).await,
        "People::put_user" => people.put_user(User { id: "new".into(), ..User::default() }).await,
        "People::put_group" => people.put_group(Group { id: "new".into(), ..Group::default() }).await,
        "People::add_member" => people.add_member("viewer", "nobody").await,
        "People::remove_member" => people.remove_member("viewer", "nobody").await,
        "People::remove_user" => people.remove_user("new").await,
        "People::remove_user_if" => people.remove_user_if("new", |_| true).await,
        "People::remove_group_if" => people.remove_group_if("new", |_| true).await,
        "People::remove_group" => people.remove_group("new").await,
        "People::grant" => people.grant("none", Role::Viewer).await,
        "People::revoke" => people.revoke("none", Role::Viewer).await,
        "People::add_to_tenant" => people.add_to_tenant("acme", "nobody").await,
        "People::remove_from_tenant" => people.remove_from_tenant("acme", "nobody").await,
        "People::add_group_to_tenant" => people.add_group_to_tenant("acme", "none").await,
        "People::remove_group_from_tenant" => people.remove_group_from_tenant("acme", "none").await,
        "People::set_password" => people.set_password("nobody", "long enough").await,
        "People::remove_password" => people.remove_password("nobody").await,
        "NewToken::send" => people.new_token("nobody", "test").send().await.map(drop),
        "People::revoke_token" => people.revoke_token(potok::ApiTokenId(NO)).await,
        "People::end_sessions" => people.end_sessions("nobody").await,
        "People::tokens" => people.tokens(&potok::query::ApiTokenQuery::default()).await.map(drop),
        "Engine::sign_in" => engine.sign_in("nobody", "wrong").await.map(drop),
        "Engine::change_password" => engine.change_password("nobody", "wrong", "longer than that").await,
        "Engine::examine" => engine.examine().await.map(drop),
        "Engine::mend" => engine.mend().await.map(drop),
        "Engine::back_up" => engine.back_up("/no/such/folder/copy.db").await,
        "Engine::execute_due" => engine.execute_due().await.map(drop),
        "Engine::clean_up" => engine.clean_up().await.map(drop),
        "Case::variables_from" => case.variables_from(Viewpoint::Process, false).await.map(drop),
        "Case::change_variables_from" => case.change_variables_from(Viewpoint::Process, false, json!({}), []).await,
        "Engine::due" => engine.due(&DueQuery::default()).await.map(drop),
        "Engine::keep_history" => engine.keep_history(definition, Some(1)).await.map(drop),
        "Engine::annotate_incident" => engine.annotate_incident(IncidentId(NO), Some("x".into())).await,
        "Engine::annotate_audit" => engine.annotate_audit(NO, None).await.map(drop),
        "Engine::due_policies" => engine.due_policies(&[definition]).await.map(drop),
        "Engine::hold_due" => engine.hold_due(&due_of(definition), true, true, None).await,
        "Engine::set_due_priority" => engine.set_due_priority(&due_of(definition), Some(1), true).await,
        "Engine::recalculate" => engine.recalculate(TimerId(NO), None).await,
        "Engine::execute" | "Engine::forget_due" => {
            let (key, kind, instance) = (NO, DueKind::StartTimer, None);
            let (process, node, tenant) = ("none".into(), "none".into(), None);
            let (due, retries, failure, priority, suspended) = (None, 3, None, 0, false);
            let due = Due {
                key,
                kind,
                instance,
                definition,
                process,
                node,
                due,
                retries,
                failure,
                priority,
                suspended,
                tenant,
            };
            match function {
                "Engine::execute" => engine.execute(&due).await,
                _ => engine.forget_due(&due).await,
            }
        }
        "Engine::set_job_retries" => engine.set_job_retries(JobId(NO), 1).await,
        "Engine::set_job_priority" => engine.set_job_priority(JobId(NO), 1).await,
        "Engine::set_timer_priority" => engine.set_timer_priority(TimerId(NO), 1).await,
        "Engine::reschedule" => engine.reschedule(TimerId(NO), morning()).await,
        "Engine::suspend_timer" => engine.suspend_timer(TimerId(NO), true).await,
        "Engine::set_retries" => engine.set_retries(InstanceId(NO), TimerId(NO), 1).await,
        "Engine::fetch_wanted" => {
            engine.fetch_wanted("test", Vec::new(), First::Urgent, 1, Duration::ZERO).await.map(drop)
        }
        "Engine::job" => engine.job(JobId(NO)).await.map(drop),
        "Engine::job_of" => engine.job_of(JobId(NO), "test").await.map(drop),
        "Engine::lease_job" => engine.lease_job(JobId(NO), "test", second).await,
        "Engine::free_job" => engine.free_job(JobId(NO)).await,
        "Engine::complete_job_with" => engine.complete_job_with(job, json!({}), json!({})).await,
        "Engine::complete_as_handed_out" => {
            engine.complete_as_handed_out(JobId(NO), "test", json!({}), json!({})).await.map(drop)
        }
        "Engine::fail_job_with" => engine.fail_job_with(job, &JobFailure::default(), json!({}), json!({})).await,
        "Correlation::send" => engine.correlate("none").send().await.map(drop),
        "ConditionEvaluation::send" => engine.evaluate_conditions(()).send().await.map(drop),
        "Correlation::send_to_all" => engine.correlate("none").send_to_all().await.map(drop),
        "Engine::deliver_message" => {
            engine.deliver_message(InstanceId(NO), Viewpoint::Process, "none", json!({})).await
        }
        other => panic!("say here how `{other}` is tried"),
    }
}

fn due_of(definition: DefinitionId) -> potok::DueOf {
    potok::DueOf { definition, node: "send".into(), kind: potok::DueType::Before }
}

/// Two versions of a process.
async fn plans(engine: &Engine) -> [DefinitionId; 2] {
    let found = engine.definitions(&DefinitionQuery { ids: vec!["mail".into()], ..DefinitionQuery::default() }).await;
    let found = found.unwrap();
    [DefinitionId(found[0].key), DefinitionId(found[1].key)]
}

fn mail() -> String {
    row(
        "mail",
        r#"
        <startEvent id="start"/>
        <serviceTask id="send" potok:job="mail"/>
        <endEvent id="end"/>"#,
    )
}

async fn every_role_may_do_what_its_rights_say(place: Place) {
    let program = place.with(&[("mail.bpmn", &mail())]).await;
    program.deployment().file("mail.bpmn", mail()).anew().send().await.unwrap();
    acting(&program, "root", Role::Administrator).await;
    for role in Role::ALL {
        program.start("mail").send().await.unwrap();
        let topics = ["mail".into()];
        let hour = Duration::from_secs(3600);
        let job = program.fetch_jobs("test", &topics, 1, hour, Duration::ZERO).await.unwrap().remove(0);
        let user = format!("a {}", role.name());
        // Everybody is a participant: what a role alone may do shows a token that is narrowed to it.
        acting(&program, &user, role).await;
        program.people().put_user(User { id: user.clone().into(), ..User::default() }).await.unwrap();
        let (_, secret) = program.people().new_token(&*user, "test").role(role).send().await.unwrap();
        let engine = program.with_token(secret.reveal()).await.unwrap();
        for action in Action::ALL {
            let may = role.rights().contains(&action.right());
            for function in action.functions() {
                let refused = matches!(attempt(function, &engine, &job).await, Err(Error::Forbidden { .. }));
                assert_eq!(refused, !may, "{function} by {user}");
            }
        }
    }
    let administrator = program.as_user("root");
    assert!(administrator.may(Right::Administer).await.unwrap());
    assert!(!program.as_user("nobody").may(Right::View).await.unwrap());
    let why = program.as_user("nobody").instance(InstanceId(NO)).cancel("").await.unwrap_err().to_string();
    assert_eq!(
        why,
        "nobody may not cancel: it takes the role operator or administrator; an administrator gives it to one of the \
         user's groups"
    );
    stop(&program).await;
}

async fn sales(engine: &Engine, users: &[&str]) {
    engine.people().put_group(Group { id: "sales".into(), ..Group::default() }).await.unwrap();
    for user in users {
        engine.people().add_member("sales", *user).await.unwrap();
    }
}

async fn a_user_sees_what_they_have_a_part_in(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    sales(&engine, &["anna", "clara"]).await;
    let case = engine.as_user("vera").start("approval").variables(json!({"amount": 3})).send().await.unwrap().id();
    let approve = engine.tasks().list().await.unwrap()[0].id();
    let sees = |user: &'static str| {
        let engine = engine.as_user(user);
        async move {
            let found = engine.instances(&InstanceQuery::default()).await.unwrap().len();
            let seen = match engine.instance(case).variables().await {
                Ok(_) => true,
                Err(Error::UnknownInstance(_)) => false,
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found == 1, seen, "{user}");
            assert_eq!(engine.tasks().count().await.unwrap() == 1, seen, "{user}");
            assert_eq!(engine.instance(case).history(0, 10).await.is_ok(), seen);
            assert_eq!(engine.instance(case).at(1).await.is_ok(), seen);
            assert_eq!(engine.comments(case).await.is_ok(), seen);
            seen
        }
    };
    // Who has started it; those to whom its task is open; nobody else.
    assert!(sees("vera").await);
    assert!(sees("anna").await && sees("clara").await);
    assert!(!sees("boris").await);
    assert_eq!(engine.as_user("boris").task(approve).await.unwrap_err().code(), "task-unknown");
    assert_eq!(engine.as_user("boris").task_variables(approve).await.unwrap_err().code(), "task-unknown");
    assert_eq!(engine.as_user("boris").claim(approve, "boris").await.unwrap_err().code(), "task-unknown");

    engine.as_user("anna").claim(approve, "anna").await.unwrap();
    engine.as_user("anna").complete(approve, ()).await.unwrap();
    // Whose task it is by now, and whose it was.
    assert!(sees("boris").await && sees("anna").await && sees("vera").await);
    assert!(!sees("clara").await);
    let pay = engine.tasks().list().await.unwrap()[0].id();
    // Who sees the instance is told why not.
    assert_eq!(engine.as_user("vera").complete(pay, ()).await.unwrap_err().code(), "forbidden");
    assert_eq!(engine.as_user("clara").complete(pay, ()).await.unwrap_err().code(), "task-unknown");
    let viewer = acting(&engine, "walter", Role::Viewer).await;
    assert_eq!(viewer.instances(&InstanceQuery::default()).await.unwrap().len(), 1);
    assert_eq!(viewer.complete(pay, ()).await.unwrap_err().code(), "forbidden");

    // A task that is open to everybody is seen by everybody.
    let open = engine.create_task("Water the flowers").send().await.unwrap();
    assert_eq!(engine.as_user("nobody").tasks().list().await.unwrap()[0].id(), open.id());
    engine.as_user("nobody").claim(open.id(), "nobody").await.unwrap();
    assert_eq!(engine.as_user("clara").tasks().count().await.unwrap(), 0);
    stop(&engine).await;
}

async fn pages_and_counts_are_those_of_what_is_seen(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let (anna, boris) = (engine.as_user("anna"), engine.as_user("boris"));
    for number in 0..30 {
        let user = if number % 3 == 0 { &anna } else { &boris };
        user.start("approval").send().await.unwrap();
    }
    assert_eq!(engine.tasks().count().await.unwrap(), 30);
    assert_eq!(anna.tasks().count().await.unwrap(), 10);
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let mut tasks = anna.tasks().limit(4);
        if let Some(cursor) = after {
            tasks = tasks.after(cursor);
        }
        let page = tasks.page().await.unwrap();
        assert!(page.rows.len() == 4 || page.next.is_none());
        found.extend(page.rows.into_iter().map(|task| task.instance));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 10);
    let own = anna.instances(&InstanceQuery::default()).await.unwrap();
    assert_eq!(own.iter().map(|it| it.key).collect::<Vec<_>>(), found);
    // What one has, and what is open to one's groups, is asked for as such; what is open to others is not found by asking for it.
    sales(&engine, &["clara"]).await;
    let clara = engine.as_user("clara");
    assert_eq!(clara.tasks().candidate_group("sales").count().await.unwrap(), 30);
    assert_eq!(clara.tasks().count().await.unwrap(), 30);
    assert_eq!(anna.tasks().candidate_group("sales").count().await.unwrap(), 10);
    assert_eq!(anna.tasks().assignee("anna").count().await.unwrap(), 0);
    assert_eq!(engine.as_user("nobody").tasks().candidate_group("sales").count().await.unwrap(), 0);
    let one_of_others = boris.instances(&InstanceQuery::default()).await.unwrap()[0].key;
    let asked = InstanceQuery { keys: vec![one_of_others, found[0]], ..InstanceQuery::default() };
    assert_eq!(anna.instances(&asked).await.unwrap().len(), 1);
    stop(&engine).await;
}

async fn searches_and_the_feed_take_the_right_of_what_is_found(place: Place) {
    async fn may<Q: Search + Default>(engine: &Engine) -> bool {
        let (found, counted) = (engine.search(&Q::default()).await, engine.count(&Q::default()).await);
        assert_eq!(found.is_ok(), counted.is_ok());
        !matches!(found, Err(Error::Forbidden { .. }))
    }
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.as_user("vera").start("approval").variables(json!({"amount": 3})).send().await.unwrap().id();
    for role in Role::ALL {
        let user = acting(&engine, role.name(), role).await;
        for (right, may) in [
            (Right::See, may::<InstanceQuery>(&user).await && may::<IncidentQuery>(&user).await),
            (Right::See, may::<TaskQuery>(&user).await),
            (Right::SeeJobs, may::<JobQuery>(&user).await),
            (Right::View, may::<TimerQuery>(&user).await),
            (Right::View, may::<SubscriptionQuery>(&user).await),
            (Right::View, may::<MessageQuery>(&user).await),
            (Right::Operate, may::<BatchQuery>(&user).await),
            (Right::Read, may::<DefinitionQuery>(&user).await && may::<DeploymentQuery>(&user).await),
            (Right::Read, may::<UserQuery>(&user).await && may::<GroupQuery>(&user).await),
        ] {
            assert_eq!(may, user.may(right).await.unwrap(), "{right:?} of {role:?}");
        }
        let sees = user.may(Right::View).await.unwrap();
        let names = ["amount".into()];
        assert_eq!(user.variables_of([case], &names).await.unwrap().len(), usize::from(sees), "{role:?}");
        assert_eq!(user.count(&InstanceQuery::default()).await.unwrap(), u64::from(sees), "{role:?}");
        let feed = user.feed(Position::default(), 1, MINUTE).await.unwrap();
        assert_eq!(!feed.news.is_empty(), sees, "{role:?}");
    }
    let own = engine.as_user("vera");
    assert_eq!(own.variables_of([case], &["amount".into()]).await.unwrap().len(), 1);
    assert_eq!(own.feed(Position::default(), 1, MINUTE).await.unwrap().news[0].instance, case);
    stop(&engine).await;
}

async fn a_model_says_who_starts_it(place: Place) {
    let closed = approval().replace(
        "<process id=\"approval\"",
        "<process id=\"approval\" potok:candidateStarterUsers=\"vera\" potok:candidateStarterGroups=\"sales\"",
    );
    let engine = place.with(&[("closed.bpmn", &closed), ("mail.bpmn", &mail())]).await;
    sales(&engine, &["anna"]).await;
    for user in ["vera", "anna"] {
        engine.as_user(user).start("approval").send().await.unwrap();
        assert_eq!(engine.as_user(user).startable().await.unwrap().len(), 2);
    }
    let boris = engine.as_user("boris");
    assert_eq!(boris.start("approval").send().await.unwrap_err().code(), "forbidden");
    let startable = boris.startable().await.unwrap();
    assert_eq!(startable.iter().map(|it| &*it.id).collect::<Vec<_>>(), ["mail"]);
    boris.start("mail").send().await.unwrap();
    acting(&engine, "program", Role::Worker).await.start("approval").send().await.unwrap();
    engine.start("approval").send().await.unwrap();
    stop(&engine).await;
}

async fn only_operators_start_elsewhere(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let skipped = engine.as_user("anna").start("approval").before(["pay"]).send().await;
    assert_eq!(skipped.unwrap_err().code(), "forbidden");
    acting(&engine, "olga", Role::Operator).await.start("approval").before(["pay"]).send().await.unwrap();
    stop(&engine).await;
}

async fn heads_give_tasks_to_others(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    sales(&engine, &["anna", "clara"]).await;
    engine.start("approval").send().await.unwrap();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let (anna, clara) = (engine.as_user("anna"), engine.as_user("clara"));
    // For oneself, not for others.
    assert_eq!(anna.claim(task, "clara").await.unwrap_err().code(), "forbidden");
    anna.claim(task, "anna").await.unwrap();
    assert_eq!(clara.claim(task, "clara").await.unwrap_err().code(), "task-claimed");
    assert_eq!(clara.assign(task, "clara").await.unwrap_err().code(), "forbidden");
    let head = acting(&engine, "helena", Role::Supervisor).await;
    head.assign(task, "clara").await.unwrap();
    head.update_task(task, |task| task.priority = 90).await.unwrap();
    assert_eq!(head.complete(task, ()).await.unwrap_err().code(), "forbidden");
    clara.complete(task, ()).await.unwrap();
    stop(&engine).await;
}

async fn operators_do_what_others_have(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let olga = acting(&engine, "olga", Role::Operator).await;
    olga.complete(task, ()).await.unwrap();
    olga.instance(case).suspend().await.unwrap();
    olga.instance(case).resume().await.unwrap();
    olga.batch(Operation::Cancel { reason: None }).instances([case]).send().await.unwrap();
    engine.execute_due().await.unwrap();
    assert!(!olga.instance(case).get().await.unwrap().is_active());
    olga.instance(case).delete().await.unwrap();
    assert_eq!(olga.deploy_path("none").await.unwrap_err().code(), "forbidden");
    stop(&engine).await;
}

async fn who_has_written_a_remark_the_database_says(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    sales(&engine, &["anna", "clara"]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let (anna, clara) = (engine.as_user("anna"), engine.as_user("clara"));
    let comment = anna.comment(case, "too expensive").await.unwrap();
    let forged = Comment { author: Some("clara".into()), ..comment.clone() };
    assert_eq!(clara.remove_comment(&forged).await.unwrap_err().code(), "forbidden");
    let mut file = anna.attach(case, "offer.txt").await.unwrap();
    file.write(b"three roubles").await.unwrap();
    let offer = file.finish().await.unwrap();
    assert!(clara.read_attachment(&offer).chunk().await.unwrap().is_some());
    // Bytes are reached through what they are attached to, which boris cannot see.
    assert!(engine.as_user("boris").read_attachment(&offer).chunk().await.unwrap().is_none());
    let own = engine.as_user("boris").start("approval").send().await.unwrap();
    let forged = Attachment { instance: own.key, ..offer.clone() };
    assert!(engine.as_user("boris").read_attachment(&forged).chunk().await.unwrap().is_none());
    assert_eq!(engine.as_user("boris").comment(case, "?").await.unwrap_err().code(), "instance-unknown");
    anna.remove_comment(&comment).await.unwrap();
    stop(&engine).await;
}

async fn a_role_goes_with_its_group(place: Place) {
    let engine = place.by_hand().await;
    let people = engine.people();
    let anna = acting(&engine, "anna", Role::Viewer).await;
    assert!(anna.may(Right::View).await.unwrap());
    people.remove_member("viewer", "anna").await.unwrap();
    assert!(!anna.may(Right::View).await.unwrap());
    people.add_member("viewer", "anna").await.unwrap();
    assert!(anna.may(Right::View).await.unwrap());
    people.revoke("viewer", Role::Viewer).await.unwrap();
    assert!(!anna.may(Right::View).await.unwrap());
    people.grant("viewer", Role::Operator).await.unwrap();
    assert_eq!(people.roles_of("anna").await.unwrap(), [Role::Participant, Role::Operator]);
    people.remove_group("viewer").await.unwrap();
    people.put_group(Group { id: "viewer".into(), ..Group::default() }).await.unwrap();
    people.add_member("viewer", "anna").await.unwrap();
    assert_eq!(people.roles_of("anna").await.unwrap(), [Role::Participant]);
    assert_eq!(people.grant("none", Role::Viewer).await.unwrap_err().code(), "group-unknown");
    stop(&engine).await;
}

async fn what_is_refused_and_what_is_done_is_written_down(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let boris = engine.as_user("boris");
    assert_eq!(boris.instance(case).cancel("").await.unwrap_err().code(), "forbidden");
    assert_eq!(boris.instance(case).variables().await.unwrap_err().code(), "instance-unknown");
    assert_eq!(boris.instance(InstanceId(NO)).variables().await.unwrap_err().code(), "instance-unknown");
    assert_eq!(engine.with_password("eve", "whatever").await.unwrap_err().code(), "not-authenticated");
    let olga = acting(&engine, "olga", Role::Operator).await;
    olga.instance(case).cancel("ordered twice").await.unwrap();
    let told = |query: AuditQuery| {
        let engine = engine.clone();
        async move {
            let records = engine.audit(&query).await.unwrap().rows;
            let tell = |it: potok::row::Audit| {
                let (who, sign) = (it.author.unwrap_or_default(), if it.allowed { "" } else { "not " });
                format!("{who} {sign}{} {}", it.action, it.subject.unwrap_or_default()).trim().to_owned()
            };
            records.into_iter().map(tell).collect::<Vec<_>>()
        }
    };
    let refused = AuditQuery { allowed: Some(false), ..AuditQuery::default() };
    assert_eq!(
        told(refused).await,
        [format!("boris not cancel {case}"), format!("boris not see instances {case}"), "eve not sign in".into()]
    );
    let done = AuditQuery { allowed: Some(true), ..AuditQuery::default() };
    assert_eq!(
        told(done).await,
        [
            "change people operator".to_owned(),
            "grant operator: operator".into(),
            "change people olga in operator".into(),
            format!("olga cancel {case}")
        ]
    );
    let of_olga = AuditQuery { authors: vec!["olga".into()], actions: vec!["cancel".into()], ..AuditQuery::default() };
    assert_eq!(told(of_olga).await.len(), 1);
    assert_eq!(boris.audit(&AuditQuery::default()).await.unwrap_err().code(), "forbidden");
    stop(&engine).await;
}

async fn records_are_kept_for_a_while(place: Place) {
    let engine = place.builder().clock(potok::Clock::standing_at(crate::database::morning())).job_execution(false);
    let engine = engine.audit_time_to_live(Duration::from_secs(3600)).start().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval())]).await;
    engine.as_user("boris").signal("none", ()).await.unwrap_err();
    engine.clock().advance(crate::database::at("2026-01-05T09:59:59Z"));
    engine.as_user("anna").signal("none", ()).await.unwrap_err();
    engine.clean_up().await.unwrap();
    assert_eq!(engine.audit(&AuditQuery::default()).await.unwrap().rows.len(), 2);
    engine.clock().advance(crate::database::at("2026-01-05T10:00:01Z"));
    engine.clean_up().await.unwrap();
    let left = engine.audit(&AuditQuery::default()).await.unwrap().rows;
    assert_eq!(left.iter().map(|it| it.author.as_deref().unwrap()).collect::<Vec<_>>(), ["anna"]);
    stop(&engine).await;
}

async fn whose_task_it_is_is_always_as_it_stands(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    sales(&engine, &["anna", "clara"]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let (anna, clara) = (engine.as_user("anna"), engine.as_user("clara"));
    anna.claim(task, "anna").await.unwrap();
    anna.set_task_variables(task, json!({"a": 1})).await.unwrap();
    // On this engine, and past it in a transaction of the program's.
    engine.assign(task, "clara").await.unwrap();
    assert_eq!(anna.complete(task, ()).await.unwrap_err().code(), "forbidden");
    clara.set_task_variables(task, json!({"a": 2})).await.unwrap();
    let transaction = engine.transaction().await.unwrap();
    transaction.engine().assign(task, "anna").await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(clara.complete(task, ()).await.unwrap_err().code(), "forbidden");
    // What is undone has not been.
    let transaction = engine.transaction().await.unwrap();
    transaction.engine().assign(task, "clara").await.unwrap();
    drop(transaction);
    assert_eq!(clara.complete(task, ()).await.unwrap_err().code(), "forbidden");
    if !matches!(place, Place::File(_)) {
        let other = place.by_hand().await;
        other.assign(task, "clara").await.unwrap();
        assert_eq!(anna.complete(task, ()).await.unwrap_err().code(), "forbidden");
        clara.update_task(task, |task| task.priority = 1).await.unwrap();
        other.assign(task, "anna").await.unwrap();
        assert_eq!(other.as_user("anna").task(task).await.unwrap().priority, 1);
        other.stop().await;
    }
    anna.complete(task, ()).await.unwrap();
    assert_eq!(engine.instance(case).variable("a").await.unwrap(), Some(2.into()));
    stop(&engine).await;
}

async fn rights_are_a_transactions_too(place: Place) {
    let engine = place.by_hand().await;
    let anna = engine.as_user("anna");
    assert!(!anna.may(Right::View).await.unwrap());
    let transaction = engine.transaction().await.unwrap();
    acting(transaction.engine(), "anna", Role::Viewer).await;
    transaction.commit().await.unwrap();
    assert!(anna.may(Right::View).await.unwrap());
    let transaction = anna.transaction().await.unwrap();
    assert_eq!(transaction.engine().signal("none", ()).await.unwrap_err().code(), "forbidden");
    drop(transaction);
    stop(&engine).await;
}

async fn ad_hoc_activities_are_begun_by_who_has_a_part(place: Place) {
    let model = file(
        r#"<process id="case" isExecutable="true"><startEvent id="start"/>
             <adHocSubProcess id="choose"><userTask id="call"/><userTask id="write"/>
               <completionCondition>done</completionCondition></adHocSubProcess>
             <sequenceFlow id="a" sourceRef="start" targetRef="choose"/></process>"#,
    );
    let engine = place.with(&[("case.bpmn", &model)]).await;
    let case = engine.as_user("anna").start("case").send().await.unwrap().id();
    let state = engine.instance(case).state().await.unwrap();
    let is_ad_hoc = |wait: &&potok_core::instance::Wait| matches!(wait.kind, potok_core::instance::WaitKind::AdHoc);
    let choose = state.waits().find(is_ad_hoc).unwrap().key;
    let begin = |engine: Engine| async move { engine.instance(case).activate(choose, ["call"]).await };
    assert_eq!(begin(engine.as_user("boris")).await.unwrap_err().code(), "instance-unknown");
    assert_eq!(begin(acting(&engine, "walter", Role::Viewer).await).await.unwrap_err().code(), "forbidden");
    begin(engine.as_user("anna")).await.unwrap();
    begin(acting(&engine, "olga", Role::Operator).await).await.unwrap();
    assert_eq!(engine.tasks().node("call").count().await.unwrap(), 2);
    stop(&engine).await;
}
