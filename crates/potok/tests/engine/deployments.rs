//! Deployments and their versions.

use potok::query::DeploymentQuery;
use potok::{DefinitionId, Error};
use potok_core::diagnostic::{Diagnostic, Severity};
use serde_json::json;

use crate::database::{Place, deploy, stop};
use crate::model::{approval, file, process, row};
use crate::polls::go_on;

crate::on_every_database!(
    the_same_content_is_no_new_version,
    versions_run_beside_each_other,
    a_broken_file_deploys_nothing,
    decisions_and_calendars_come_with_their_models,
    what_was_the_newest_version_before_is_not_kept,
    a_suspended_definition_starts_nothing,
    what_has_not_changed_may_come_along,
    a_process_says_how_long_its_history_is_kept_where_each_must,
);

async fn the_same_content_is_no_new_version(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let other = row("other", "<startEvent id=\"s\"/>\n<endEvent id=\"e\"/>");
    let again = deploy(&engine, &[("approval.bpmn", &approval()), ("other.bpmn", &other)]).await;
    assert_eq!(again.definition("approval").unwrap().version, 1);
    assert_eq!(again.definition("other").unwrap().version, 1);
    let nothing = deploy(&engine, &[("approval.bpmn", &approval())]).await;
    assert_eq!(nothing.id, None);
    let anew = engine.deployment().file("approval.bpmn", approval()).anew().send().await.unwrap();
    assert_eq!(anew.definition("approval").unwrap().version, 2);
    let resource = engine.resource(anew.id.unwrap(), "approval.bpmn").await.unwrap();
    assert_eq!(resource.as_deref(), Some(approval().as_bytes()));
    stop(&engine).await;
}

async fn versions_run_beside_each_other(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let old = engine.start("approval").send().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval().replace("\"pay\"", "\"invoice\""))]).await;
    let new = engine.start("approval").send().await.unwrap();
    let first = engine.start("approval").version(1).send().await.unwrap();
    for task in engine.tasks().node("approve").list().await.unwrap() {
        engine.complete(task.id(), ()).await.unwrap();
    }
    for (case, node) in [(old, "pay"), (new, "invoice"), (first, "pay")] {
        assert_eq!(&*engine.tasks().instance(case.id()).list().await.unwrap()[0].node, node);
    }
    assert_eq!(engine.start("approval").version(7).send().await.unwrap_err().code(), "process-unknown");
    stop(&engine).await;
}

async fn a_broken_file_deploys_nothing(place: Place) {
    let engine = place.by_hand().await;
    let broken = approval().replace("targetRef=\"pay\"", "targetRef=\"nowhere\"");
    let files = engine.deployment().file("bad.bpmn", broken).file("good.bpmn", approval()).file("worse.dmn", "no XML");
    let sent = files.send().await;
    let Err(Error::Refused(refused)) = &sent else { panic!("{sent:?}") };
    assert_eq!(refused.iter().map(|file| &*file.file).collect::<Vec<_>>(), ["bad.bpmn", "worse.dmn"]);
    assert!(refused.iter().all(|file| file.diagnostics.iter().any(|diagnostic| diagnostic.line > 0)));
    let said = sent.unwrap_err().to_string();
    assert!(
        said.contains("bad.bpmn cannot be deployed: ") && said.contains("; worse.dmn cannot be deployed: "),
        "{said}"
    );
    assert_eq!(engine.start("approval").send().await.unwrap_err().code(), "process-unknown");
    assert_eq!(engine.deployment().file("notes.txt", "x").send().await.unwrap_err().code(), "deployment-empty");
    stop(&engine).await;
}

async fn a_process_says_how_long_its_history_is_kept_where_each_must(place: Place) {
    let engine = place.builder().job_execution(false).enforce_history_time_to_live(true).start().await.unwrap();
    let kept = |time: &str| approval().replace("id=\"approval\"", &format!("id=\"approval\" {time}"));
    for endless in ["", "potok:historyTimeToLive=\"\"", "potok:historyTimeToLive=\"long\""] {
        let files = vec![("approval.bpmn".into(), kept(endless).into_bytes())];
        let sent = engine.deployment().file("approval.bpmn", kept(endless)).send().await;
        let Err(Error::Refused(refused)) = sent else { panic!("{endless}: {sent:?}") };
        let [refused] = &refused[..] else { panic!("{refused:?}") };
        let errors = |found: &[Diagnostic]| {
            let errors = found.iter().filter(|it| it.severity == Severity::Error);
            errors.map(|it| (it.code, it.element.clone())).collect::<Vec<_>>()
        };
        assert_eq!(errors(&refused.diagnostics), [("history-without-end", Some("approval".into()))]);
        assert_eq!(errors(&engine.check(files).await.unwrap()[0].diagnostics), errors(&refused.diagnostics));
    }
    let drawing = approval().replace("isExecutable=\"true\"", "isExecutable=\"false\"");
    for model in [kept("potok:historyTimeToLive=\"30\""), kept("potok:historyTimeToLive=\"P30D\""), drawing] {
        engine.deployment().file("approval.bpmn", model).send().await.unwrap();
    }
    stop(&engine).await;
}

async fn decisions_and_calendars_come_with_their_models(place: Place) {
    let dmn = |percent: u32| {
        format!(
            r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="Discounts" namespace="shop">
            <decision id="discount" name="Discount"><decisionTable><input><inputExpression><text>amount</text></inputExpression></input>
            <output name="percent"/><rule><inputEntry><text>&gt;= 100</text></inputEntry><outputEntry><text>{percent}</text></outputEntry></rule>
            </decisionTable></decision></definitions>"#
        )
    };
    let model = row(
        "order",
        r#"
        <startEvent id="start"/>
        <businessRuleTask id="rate" potok:decision="discount" potok:resultVariable="discount"/>
        <endEvent id="end"/>"#,
    );
    let engine = place.with(&[("order.bpmn", &model), ("discount.dmn", &dmn(5))]).await;
    let discount = async |engine: &potok::Engine| {
        let case = engine.start("order").variables(json!({"amount": 100})).send().await.unwrap();
        engine.instance(case.id()).variable("discount").await.unwrap().unwrap().as_i64()
    };
    assert_eq!(discount(&engine).await, Some(5));
    deploy(&engine, &[("order.bpmn", &model), ("discount.dmn", &dmn(7))]).await;
    assert_eq!(discount(&engine).await, Some(7));
    stop(&engine).await;
    let engine = place.by_hand().await;
    assert_eq!(discount(&engine).await, Some(7), "the same after a restart");
    stop(&engine).await;
}

async fn a_suspended_definition_starts_nothing(place: Place) {
    let engine = place.by_hand().await;
    let two = file(&(process("a", "<startEvent id=\"s\"/>\n<endEvent id=\"e\"/>")));
    let deployed = deploy(&engine, &[("a.bpmn", &two)]).await;
    let definition = DefinitionId(deployed.definition("a").unwrap().key);
    assert!(engine.suspend_definition(definition).await.unwrap());
    assert_eq!(engine.start("a").send().await.unwrap_err().code(), "process-suspended");
    engine.resume_definition(definition).await.unwrap();
    engine.start("a").send().await.unwrap();
    stop(&engine).await;
}

async fn what_has_not_changed_may_come_along(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let both = |other: &str| {
        let other = row("other", &format!("<startEvent id=\"{other}\"/>\n<endEvent id=\"e\"/>"));
        engine.deployment().file("approval.bpmn", approval()).file("other.bpmn", other).all_or_none()
    };
    let deployed = both("s").source("modeler").send().await.unwrap();
    assert_eq!(deployed.definition("approval").unwrap().version, 2);
    assert_eq!(both("s").send().await.unwrap().id, None, "nothing has changed");
    let row =
        engine.search(&DeploymentQuery { keys: vec![deployed.id.unwrap().0], ..Default::default() }).await.unwrap();
    assert_eq!(row.rows[0].source.as_deref(), Some("modeler"));
    let kept = engine.deployment().file("notes.txt", "x").keep_anything().send().await.unwrap();
    assert!(kept.id.is_some() && kept.definitions.is_empty());
    let empty = engine.deployment().keep_anything().send().await.unwrap_err();
    assert_eq!(empty.code(), "deployment-empty");
    stop(&engine).await;
}

async fn what_was_the_newest_version_before_is_not_kept(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let anew = async || {
        let deployed = engine.deployment().file("approval.bpmn", approval()).anew().send().await.unwrap();
        deployed.definition("approval").unwrap().key
    };
    for times in 0..40 {
        let before = anew().await;
        let mut starting = Box::pin(engine.start("approval").send());
        let early = go_on(&mut starting, times).await;
        let newest = anew().await;
        let started = match early {
            Some(started) => started,
            None => starting.await,
        };
        assert!([before, newest].contains(&started.unwrap().definition));
        let next = engine.start("approval").send().await.unwrap();
        assert_eq!(next.definition, newest, "after {times} times");
    }
    stop(&engine).await;
}
