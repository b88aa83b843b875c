//! Conditional start events, told of data from outside.

use potok::query::InstanceQuery;
use potok::{DefinitionId, Engine, Error, Instance};
use potok_core::instance::Key;
use serde_json::{Value as Json, json};

use crate::database::{Place, deploy, stop};
use crate::model::{file, process, row};

crate::on_every_database!(
    data_starts_where_its_condition_holds,
    the_newest_version_is_asked_or_the_one_that_is_named,
    a_suspended_process_is_passed_over,
    a_condition_that_fails_starts_nothing,
    what_gets_stuck_starts_nothing_where_that_is_not_wanted,
    camunda_conditions_look_at_what_is_given,
    what_is_told_twice_under_a_key_starts_once,
    a_condition_may_be_one_of_several_events,
    each_tenants_processes_call_their_own,
);

fn start(id: &str, condition: &str) -> String {
    format!(
        r#"<startEvent id="{id}"><conditionalEventDefinition><condition>{condition}</condition></conditionalEventDefinition></startEvent>"#
    )
}

/// A process that starts with a condition.
fn conditional(id: &str, condition: &str) -> String {
    row(id, &format!("\n{}\n<userTask id=\"look\"/>\n", start("begin", condition)))
}

/// The same in Camunda 7's dialect.
fn of_camunda(id: &str, attributes: &str, condition: &str) -> String {
    let model = conditional(id, condition)
        .replace("xmlns:potok=\"urn:potok:bpmn:1.0\"", "xmlns:camunda=\"http://camunda.org/schema/1.0/bpmn\"")
        .replace("isExecutable", "camunda:historyTimeToLive=\"P1D\" isExecutable");
    model.replace("<conditionalEventDefinition", &format!("<conditionalEventDefinition {attributes}"))
}

/// The processes that start.
async fn started(engine: &Engine, data: Json) -> Vec<String> {
    processes(&engine.evaluate_conditions(data).send().await.unwrap())
}

fn processes(instances: &[Instance]) -> Vec<String> {
    instances.iter().map(|instance| instance.process.to_string()).collect()
}

async fn count(engine: &Engine) -> usize {
    engine.instances(&InstanceQuery::default()).await.unwrap().len()
}

async fn data_starts_where_its_condition_holds(place: Place) {
    let both = [conditional("hot", "temperature &gt; 100"), conditional("alarm", "temperature &gt; 200")];
    let engine = place.with(&[("hot.bpmn", &both[0]), ("alarm.bpmn", &both[1])]).await;
    assert!(started(&engine, json!({"temperature": 90})).await.is_empty());
    assert!(started(&engine, json!({})).await.is_empty());
    assert!(started(&engine, json!({"temperature": "high"})).await.is_empty());
    assert_eq!(started(&engine, json!({"temperature": 110})).await, ["hot"]);
    let data = engine.evaluate_conditions(json!({"temperature": 300})).business_key("boiler-3");
    let begun = data.send().await.unwrap();
    assert_eq!(processes(&begun), ["hot", "alarm"]);
    stop(&engine).await;
    let engine = place.by_hand().await;
    assert_eq!(engine.tasks().node("look").count().await.unwrap(), 3);
    for instance in begun {
        let case = engine.instance(instance.id());
        assert_eq!(case.get().await.unwrap(), instance);
        assert_eq!(instance.business_key.as_deref(), Some("boiler-3"));
        assert_eq!(case.variable("temperature").await.unwrap(), Some(300.into()));
    }
    stop(&engine).await;
}

async fn the_newest_version_is_asked_or_the_one_that_is_named(place: Place) {
    let engine = place.by_hand().await;
    let none = engine.evaluate_conditions(json!({"n": 1})).send().await.unwrap_err();
    assert_eq!(none.code(), "condition-unexpected");
    let of = async |condition: &str| {
        let deployed = deploy(&engine, &[("count.bpmn", &conditional("count", condition))]).await;
        DefinitionId(deployed.definition("count").unwrap().key)
    };
    let (first, second) = (of("n = 1").await, of("n = 2").await);
    assert!(started(&engine, json!({"n": 1})).await.is_empty());
    assert_eq!(started(&engine, json!({"n": 2})).await, ["count"]);
    for (definition, n, begun) in [(first, 1, 1), (first, 2, 0), (second, 1, 0), (second, 2, 1)] {
        let told = engine.evaluate_conditions(json!({"n": n})).definition(definition).send().await.unwrap();
        assert_eq!(told.len(), begun, "{definition} of {n}");
        assert!(told.iter().all(|instance| instance.definition_id() == definition));
    }
    let deployed =
        deploy(&engine, &[("plain.bpmn", &row("plain", "\n<startEvent id=\"s\"/>\n<userTask id=\"t\"/>\n"))]).await;
    let plain = DefinitionId(deployed.definition("plain").unwrap().key);
    for (definition, code) in [(plain, "condition-unexpected"), (DefinitionId(Key(7)), "definition-unknown")] {
        let refused = engine.evaluate_conditions(json!({"n": 1})).definition(definition).send().await.unwrap_err();
        assert_eq!(refused.code(), code);
    }
    stop(&engine).await;
}

async fn a_suspended_process_is_passed_over(place: Place) {
    let both = [conditional("one", "n &gt; 0"), conditional("two", "n &gt; 0")];
    let engine = place.by_hand().await;
    let deployed = deploy(&engine, &[("one.bpmn", &both[0]), ("two.bpmn", &both[1])]).await;
    let one = DefinitionId(deployed.definition("one").unwrap().key);
    assert_eq!(started(&engine, json!({"n": 1})).await, ["one", "two"]);
    engine.suspend_definition(one).await.unwrap();
    assert_eq!(started(&engine, json!({"n": 1})).await, ["two"]);
    assert!(engine.evaluate_conditions(json!({"n": 1})).definition(one).send().await.unwrap().is_empty());
    engine.resume_definition(one).await.unwrap();
    assert_eq!(started(&engine, json!({"n": 1})).await, ["one", "two"]);
    stop(&engine).await;
}

async fn a_condition_that_fails_starts_nothing(place: Place) {
    let both = [conditional("good", "n &gt; 0"), conditional("bad", "n")];
    let engine = place.with(&[("good.bpmn", &both[0]), ("bad.bpmn", &both[1])]).await;
    let failed = engine.evaluate_conditions(json!({"n": 1})).send().await.unwrap_err();
    assert_eq!(failed.code(), "condition-failed");
    let Error::ConditionFailed { process, event, .. } = failed else { panic!("{failed}") };
    assert_eq!((&*process, &*event), ("bad", "begin"));
    assert_eq!(count(&engine).await, 0);
    let deep = (0..2000).fold(json!(1), |inside, _| json!([inside]));
    let deep = engine.evaluate_conditions(json!({"n": deep})).send().await.unwrap_err();
    assert_eq!(deep.code(), "value-too-deep");
    assert_eq!(engine.evaluate_conditions(json!([1])).send().await.unwrap_err().code(), "variables-no-object");
    stop(&engine).await;
}

async fn what_gets_stuck_starts_nothing_where_that_is_not_wanted(place: Place) {
    let stuck = row(
        "stuck",
        &format!(
            "\n{}\n<scriptTask id=\"fail\" scriptFormat=\"javascript\"><script>throw 1</script></scriptTask>\n",
            start("begin", "n &gt; 0")
        ),
    );
    let engine = place.with(&[("good.bpmn", &conditional("good", "n &gt; 0")), ("stuck.bpmn", &stuck)]).await;
    let refused = engine.without_incidents().evaluate_conditions(json!({"n": 1})).send().await.unwrap_err();
    assert_eq!(refused.code(), "stuck");
    assert_eq!(count(&engine).await, 0);
    assert_eq!(started(&engine, json!({"n": 1})).await, ["good", "stuck"]);
    stop(&engine).await;
}

async fn camunda_conditions_look_at_what_is_given(place: Place) {
    let files = [
        of_camunda("over", "", "${n > 1}").replace("n > 1", "n &gt; 1"),
        of_camunda("named", "camunda:variableName=\"n\"", "${true}"),
        of_camunda("deleted", "camunda:variableName=\"m\" camunda:variableEvents=\"delete\"", "${m == 1}"),
        of_camunda("asking", "", "${execution.getVariable('n') == 2}"),
    ];
    let names = ["over.bpmn", "named.bpmn", "deleted.bpmn", "asking.bpmn"];
    let files: Vec<(&str, &str)> = names.into_iter().zip(files.iter().map(String::as_str)).collect();
    let engine = place.with(&files).await;
    assert_eq!(started(&engine, json!({"n": 2})).await, ["over", "named", "asking"]);
    assert_eq!(started(&engine, json!({"n": 1})).await, ["named"]);
    assert_eq!(started(&engine, json!({"m": 1})).await, ["deleted"]);
    assert!(started(&engine, json!({"other": 1})).await.is_empty());
    let failed = engine.evaluate_conditions(json!({"n": "x"})).send().await.unwrap_err();
    assert_eq!(failed.code(), "condition-failed");
    stop(&engine).await;
}

async fn what_is_told_twice_under_a_key_starts_once(place: Place) {
    let engine = place.with(&[("hot.bpmn", &conditional("hot", "temperature &gt; 100"))]).await;
    let tell = async |temperature: u32| {
        let data = json!({"temperature": temperature});
        let key = format!("sensor {temperature}");
        engine.once(key, "data", |engine| async move { engine.evaluate_conditions(data).send().await }).await.unwrap()
    };
    let first = tell(110).await;
    assert_eq!((first.len(), tell(110).await), (1, first));
    assert_eq!((tell(90).await, tell(90).await), (Vec::new(), Vec::new()));
    assert_eq!(count(&engine).await, 1);
    stop(&engine).await;
}

async fn a_condition_may_be_one_of_several_events(place: Place) {
    let events = start("begin", "level &gt; 1")
        .replace("<startEvent ", "<startEvent parallelMultiple=\"true\" ")
        .replace("</startEvent>", "<messageEventDefinition messageRef=\"m\"/></startEvent>");
    let nodes = format!("\n{events}\n<userTask id=\"look\"/>\n");
    let model = file(&format!(r#"<message id="m" name="go"/>{}"#, process("both", &nodes)));
    let engine = place.with(&[("both.bpmn", &model), ("one.bpmn", &conditional("one", "level &gt; 1"))]).await;
    assert_eq!(started(&engine, json!({"level": 2})).await, ["one"]);
    engine.message("go").variables(json!({"word": "now"})).send().await.unwrap();
    let both = InstanceQuery { processes: vec!["both".into()], ..InstanceQuery::default() };
    let instances = engine.instances(&both).await.unwrap();
    assert_eq!(instances.len(), 1);
    assert_eq!(engine.instance(instances[0].id()).variable("level").await.unwrap(), Some(2.into()));
    // The other way round, the data is what was missing.
    engine.message("go").send().await.unwrap();
    assert_eq!(started(&engine, json!({"level": 3})).await.len(), 2);
    stop(&engine).await;
}

async fn each_tenants_processes_call_their_own(place: Place) {
    let caller = |id: &str| {
        row(id, &format!("\n{}\n<callActivity id=\"call\" calledElement=\"called\"/>\n", start("begin", "n &gt; 0")))
    };
    let called = |task: &str| row("called", &format!("\n<startEvent id=\"s\"/>\n<userTask id=\"{task}\"/>\n"));
    let engine = place.by_hand().await;
    for tenant in ["", "acme", "bolt"] {
        let files = engine.deployment().tenant(tenant).file("caller.bpmn", caller("caller"));
        files.file("called.bpmn", called(&format!("of_{tenant}"))).send().await.unwrap();
    }
    let tenants = |instances: &[Instance]| -> Vec<String> {
        instances.iter().map(|instance| instance.tenant.as_deref().unwrap_or_default().to_owned()).collect()
    };
    let tell = |engine: &Engine, tenant: Option<&str>| {
        let (engine, tenant) = (engine.clone(), tenant.map(str::to_owned));
        async move {
            let told = engine.evaluate_conditions(json!({"n": 1}));
            let told = match tenant {
                Some(tenant) => told.tenant(tenant),
                None => told,
            };
            told.send().await
        }
    };
    assert_eq!(tenants(&tell(&engine, None).await.unwrap()), ["", "acme", "bolt"]);
    for task in ["of_", "of_acme", "of_bolt"] {
        assert_eq!(engine.tasks().node(task).count().await.unwrap(), 1, "{task}");
    }
    for tenant in ["", "acme", "bolt"] {
        assert_eq!(tenants(&tell(&engine, Some(tenant)).await.unwrap()), [tenant]);
        let own = engine.as_tenant(tenant);
        assert_eq!(tenants(&tell(&own, None).await.unwrap()), [tenant]);
    }
    assert_eq!(tell(&engine, Some("other")).await.unwrap_err().code(), "condition-unexpected");
    let acme = engine.as_tenant("acme");
    assert_eq!(tell(&acme, Some("bolt")).await.unwrap_err().code(), "tenant-foreign");
    // Another tenant's version is not there.
    let of_bolt =
        engine.as_tenant("bolt").startable().await.unwrap().into_iter().find(|it| &*it.id == "caller").unwrap();
    let of_bolt = DefinitionId(of_bolt.key);
    let named = async |engine: &Engine| engine.evaluate_conditions(json!({"n": 1})).definition(of_bolt).send().await;
    assert_eq!(named(&acme).await.unwrap_err().code(), "definition-unknown");
    assert_eq!(tenants(&named(&engine).await.unwrap()), ["bolt"]);
    stop(&engine).await;
}
