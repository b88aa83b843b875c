//! People, and what they leave beside instances and tasks.

use potok::query::{GroupQuery, UserQuery};
use potok::row::{Group, SavedSearch, User};
use potok::{Engine, InstanceId, Role, TaskId};
use potok_core::instance::Key;

use crate::database::{Place, acting, deploy, stop};
use crate::model::approval;

crate::on_every_database!(
    users_and_groups_come_and_go,
    what_is_edited_is_edited_as_it_was_seen,
    no_edit_goes_over_another,
    no_user_takes_the_last_administrator_away,
    comments_stand_on_instances_and_tasks,
    no_words_are_lost_of_two_who_change_a_comment,
    attachments_are_read_in_chunks,
    too_large_attachments_are_refused,
    searches_are_kept,
    nobody_keeps_more_searches_than_allowed,
    what_is_kept_elsewhere_is_attached_by_its_address,
);

async fn users_and_groups_come_and_go(place: Place) {
    let engine = place.by_hand().await;
    let people = engine.people();
    assert_eq!(people.add_member("sales", "anna").await.unwrap_err().code(), "group-unknown");
    for group in ["sales", "support"] {
        people.put_group(Group { id: group.into(), ..Group::default() }).await.unwrap();
        people.add_member(group, "anna").await.unwrap();
    }
    people.put_user(User { id: "anna".into(), ..User::default() }).await.unwrap();
    people.put_user(User { id: "anna".into(), name: Some("Anna".into()), ..User::default() }).await.unwrap();
    people.add_member("sales", "boris").await.unwrap();
    people.add_member("sales", "boris").await.unwrap();
    assert_eq!(people.user("anna").await.unwrap().unwrap().name.as_deref(), Some("Anna"));
    assert_eq!(people.groups_of("anna").await.unwrap(), ["sales", "support"]);
    assert_eq!(people.members_of("sales").await.unwrap(), ["anna", "boris"]);
    assert_eq!(people.users(&UserQuery::default()).await.unwrap().rows.len(), 1);

    people.remove_member("support", "anna").await.unwrap();
    assert_eq!(people.groups_of("anna").await.unwrap(), ["sales"]);
    people.remove_user("anna").await.unwrap();
    assert_eq!(people.user("anna").await.unwrap(), None);
    assert_eq!(people.members_of("sales").await.unwrap(), ["boris"]);
    people.remove_group("sales").await.unwrap();
    assert_eq!(people.groups_of("boris").await.unwrap(), Vec::<potok::Name>::new());
    assert_eq!(people.groups(&GroupQuery::default()).await.unwrap().rows.len(), 1);
    stop(&engine).await;
}

async fn what_is_edited_is_edited_as_it_was_seen(place: Place) {
    let engine = place.by_hand().await;
    let people = engine.people();
    let name = |name: &'static str| move |user: &mut User| user.name = Some(name.into());
    let is_there = |user: Option<&User>| user.is_some();
    assert_eq!(people.update_user_if("anna", is_there, name("Anna")).await.unwrap_err().code(), "user-changed");
    people.update_user_if("anna", |user| user.is_none(), name("Anna")).await.unwrap();
    let is_anna = |user: Option<&User>| user.is_some_and(|user| user.name.as_deref() == Some("Anna"));
    people.update_user_if("anna", is_anna, name("Anna K.")).await.unwrap();
    assert_eq!(people.update_user_if("anna", is_anna, name("Anna L.")).await.unwrap_err().code(), "user-changed");
    assert_eq!(people.user("anna").await.unwrap().unwrap().name.as_deref(), Some("Anna K."));

    // What is not changed stays.
    let sales = Group { id: "sales".into(), name: None, kind: Some("department".into()) };
    people.put_group(sales.clone()).await.unwrap();
    let name = |group: &mut Group| group.name = Some("Sales".into());
    people.update_group_if("sales", |group| group == Some(&sales), name).await.unwrap();
    let group = people.group("sales").await.unwrap().unwrap();
    assert_eq!((group.name.as_deref(), group.kind.as_deref()), (Some("Sales"), Some("department")));
    let refused = people.update_group_if("sales", |group| group == Some(&sales), name).await.unwrap_err();
    assert_eq!(refused.code(), "group-changed");
    stop(&engine).await;
}

async fn no_edit_goes_over_another(place: Place) {
    let one = place.by_hand().await;
    // Only one node has a file.
    let other = if let Place::File(_) = place { one.clone() } else { place.by_hand().await };
    let count = async |engine: &Engine| {
        for _ in 0..20 {
            let next = |user: &mut User| {
                let count: u32 = user.name.as_deref().map_or(0, |name| name.parse().unwrap());
                user.name = Some((count + 1).to_string().into());
            };
            engine.people().update_user_if("counter", |_| true, next).await.unwrap();
        }
    };
    tokio::join!(count(&one), count(&other), count(&one), count(&other));
    assert_eq!(one.people().user("counter").await.unwrap().unwrap().name.as_deref(), Some("80"));
    stop(&other).await;
    one.stop().await;
}

async fn no_user_takes_the_last_administrator_away(place: Place) {
    let engine = place.by_hand().await;
    engine.people().add_administrator("olga", "correct horse battery").await.unwrap();
    let olga = engine.as_user("olga");
    let people = olga.people();
    // Who signs in elsewhere is none whom this engine knows, and a user without the role is none at all.
    people.add_member("administrators", "elsewhere").await.unwrap();
    people.put_user(User { id: "anna".into(), ..User::default() }).await.unwrap();
    for refused in [
        people.remove_user("olga").await,
        people.remove_member("administrators", "olga").await,
        people.revoke("administrators", Role::Administrator).await,
        people.remove_group("administrators").await,
        // One of a tenant sees to nobody.
        people.add_to_tenant("acme", "olga").await,
        people.add_group_to_tenant("acme", "administrators").await,
    ] {
        assert_eq!(refused.unwrap_err().code(), "administrator-last");
    }
    assert!(people.has_users().await.unwrap());
    assert_eq!(engine.as_user("anna").people().remove_user("olga").await.unwrap_err().code(), "forbidden");
    // As soon as there is another one they may go.
    people.add_member("administrators", "anna").await.unwrap();
    people.remove_user("olga").await.unwrap();
    let anna = engine.as_user("anna");
    assert_eq!(anna.people().remove_user("anna").await.unwrap_err().code(), "administrator-last");
    // Whoever has the program has the database.
    engine.people().remove_user("anna").await.unwrap();
    assert!(!engine.people().has_users().await.unwrap());
    stop(&engine).await;
}

async fn comments_stand_on_instances_and_tasks(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let (anna, boris) = (acting(&engine, "anna", Role::Viewer).await, acting(&engine, "boris", Role::Viewer).await);
    let first = anna.comment(case, "called back").await.unwrap();
    anna.comment(task, "too expensive").await.unwrap();
    assert_eq!(first.author.as_deref(), Some("anna"));
    assert_eq!(engine.comments(case).await.unwrap().len(), 2);
    assert_eq!(&*engine.comments(task).await.unwrap()[0].text, "too expensive");
    assert_eq!(boris.remove_comment(&first).await.unwrap_err().code(), "forbidden");
    anna.remove_comment(&first).await.unwrap();
    assert_eq!(engine.comments(case).await.unwrap().len(), 1);
    assert_eq!(engine.comment(InstanceId(Key(5)), "?").await.unwrap_err().code(), "instance-unknown");
    assert_eq!(engine.comment(TaskId(Key(5)), "?").await.unwrap_err().code(), "task-unknown");
    assert_eq!(engine.comment(case, "x".repeat(70_000)).await.unwrap_err().code(), "store-too-large");
    stop(&engine).await;
}

async fn attachments_are_read_in_chunks(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let anna = acting(&engine, "anna", Role::Viewer).await;
    let bytes: Vec<u8> = (0..700_000_u32).map(|number| number.to_le_bytes()[1]).collect();
    for subject in [potok::Subject::from(case), task.into()] {
        let mut file = anna.attach(subject, "scan.pdf").await.unwrap().media_type("application/pdf");
        for part in bytes.chunks(100_000) {
            file.write(part).await.unwrap();
        }
        let attachment = file.finish().await.unwrap();
        assert_eq!((attachment.size, attachment.author.as_deref()), (700_000, Some("anna")));
    }
    assert_eq!(engine.attachments(task).await.unwrap().len(), 1);
    let all = engine.attachments(case).await.unwrap();
    assert_eq!(all.len(), 2);
    engine.remove_attachment(&all[0]).await.unwrap();
    let (mut reading, mut read) = (engine.read_attachment(&all[1]), Vec::new());
    while let Some(chunk) = reading.chunk().await.unwrap() {
        assert!(chunk.len() < bytes.len());
        read.extend_from_slice(&chunk);
    }
    assert_eq!(read, bytes);
    engine.remove_attachment(&all[1]).await.unwrap();
    assert_eq!(engine.read_attachment(&all[1]).chunk().await.unwrap(), None);
    assert_eq!(engine.attachments(case).await.unwrap(), []);
    stop(&engine).await;
}

async fn what_is_kept_elsewhere_is_attached_by_its_address(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let task = engine.tasks().list().await.unwrap()[0].id();
    let url = "https://example.org/contract";
    let link = engine.attach_link(task, "contract", url, Some("signed".into()), None).await.unwrap();
    assert_eq!(engine.attachments(case).await.unwrap(), std::slice::from_ref(&link));
    assert_eq!((link.url.as_deref(), link.description.as_deref(), link.size), (Some(url), Some("signed"), 0));
    assert_eq!(engine.read_attachment(&link).chunk().await.unwrap(), None, "it is kept elsewhere");
    let long = "x".repeat(70_000);
    let refused = engine.attach_link(task, "contract", long, None, None).await.unwrap_err();
    assert_eq!(refused.code(), "store-too-large");
    let unknown = engine.attach_link(TaskId(Key(5)), "contract", url, None, None).await.unwrap_err();
    assert_eq!(unknown.code(), "task-unknown");
    engine.remove_attachment(&link).await.unwrap();
    assert_eq!(engine.attachments(case).await.unwrap(), []);
    stop(&engine).await;
}

async fn searches_are_kept(place: Place) {
    let engine = place.with(&[("approval.bpmn", &approval())]).await;
    let anna = acting(&engine, "anna", Role::Participant).await;
    let (boris, sara) =
        (acting(&engine, "boris", Role::Participant).await, acting(&engine, "sara", Role::Supervisor).await);
    let search = |name: &str, owner: Option<&str>| SavedSearch {
        name: name.into(),
        owner: owner.map(Into::into),
        query: "{}".into(),
        ..SavedSearch::default()
    };
    let names = async |engine: &Engine| -> Vec<String> {
        engine.saved_searches().await.unwrap().into_iter().map(|search| search.name.to_string()).collect()
    };
    let mine = anna.save_search(search("mine", Some("anna"))).await.unwrap();
    let all = sara.save_search(search("all", None)).await.unwrap();
    assert_eq!((names(&anna).await, names(&boris).await), (vec!["mine".into(), "all".into()], vec!["all".into()]));
    assert_eq!(anna.saved_search(mine.key).await.unwrap(), mine);
    assert_eq!(boris.saved_search(all.key).await.unwrap(), all);
    assert_eq!(sara.saved_search(mine.key).await.unwrap(), mine);
    assert_eq!(boris.saved_search(mine.key).await.unwrap_err().code(), "search-unknown", "he does not see it");
    assert_eq!(engine.as_tenant("acme").saved_search(all.key).await.unwrap_err().code(), "search-unknown");
    for (key, owner) in [(Key::default(), None), (Key::default(), Some("boris")), (all.key, Some("anna"))] {
        let refused = anna.save_search(SavedSearch { key, ..search("theirs", owner) }).await.unwrap_err();
        assert_eq!(refused.code(), "forbidden", "{owner:?}");
    }
    assert_eq!(boris.forget_search(mine.key).await.unwrap_err().code(), "search-unknown", "he does not see it");
    assert_eq!(boris.forget_search(all.key).await.unwrap_err().code(), "forbidden");
    anna.save_search(SavedSearch { name: "ours".into(), ..mine.clone() }).await.unwrap();
    assert_eq!(names(&anna).await, ["ours", "all"]);
    // Of two who have seen the same one changes it.
    let is_mine = |seen: &SavedSearch| &*seen.name == "ours";
    let change = |name: &str| anna.save_search_if(SavedSearch { key: mine.key, ..search(name, Some("anna")) }, is_mine);
    let (one, other) = tokio::join!(change("one"), change("other"));
    let lost = [one, other].into_iter().filter_map(Result::err).collect::<Vec<_>>();
    assert_eq!(lost.iter().map(potok::Error::code).collect::<Vec<_>>(), ["search-changed"]);
    let refused = boris.save_search_if(SavedSearch { key: mine.key, ..search("his", Some("boris")) }, |_| true).await;
    assert_eq!(refused.unwrap_err().code(), "search-unknown", "he does not see it");
    anna.forget_search(mine.key).await.unwrap();
    sara.forget_search(all.key).await.unwrap();
    assert_eq!(names(&engine).await, Vec::<String>::new());
    let long = SavedSearch { query: "x".repeat(70_000).into(), ..search("long", Some("anna")) };
    assert_eq!(anna.save_search(long).await.unwrap_err().code(), "store-too-large");
    stop(&engine).await;
}

async fn nobody_keeps_more_searches_than_allowed(place: Place) {
    let engine = place.builder().search_limit(2).job_execution(false).start().await.unwrap();
    let (anna, boris) =
        (acting(&engine, "anna", Role::Participant).await, acting(&engine, "boris", Role::Participant).await);
    let search = |owner: Option<&str>| SavedSearch {
        name: "Mine".into(),
        owner: owner.map(Into::into),
        query: "{}".into(),
        ..SavedSearch::default()
    };
    let of_anna = || anna.save_search(search(Some("anna")));
    let first = of_anna().await.unwrap();
    of_anna().await.unwrap();
    let refused = of_anna().await.unwrap_err();
    assert_eq!((refused.code(), refused.fault()), ("searches-too-many", potok::Fault::Conflict));
    assert!(refused.to_string().starts_with("user `anna` keeps 2 searches"), "{refused}");
    // Others have their own, and what stands is changed as before.
    boris.save_search(search(Some("boris"))).await.unwrap();
    anna.save_search(SavedSearch { name: "Late".into(), ..first.clone() }).await.unwrap();
    // Nobody is given more by others.
    let of_boris = boris.save_search(search(Some("boris"))).await.unwrap();
    let given = SavedSearch { owner: Some("anna".into()), ..of_boris };
    assert_eq!(engine.save_search(given.clone()).await.unwrap_err().code(), "searches-too-many");
    anna.forget_search(first.key).await.unwrap();
    engine.save_search(given).await.unwrap();
    // Everybody's are counted by tenant.
    let acme = engine.as_tenant("acme");
    for tenant in [&engine, &acme] {
        tenant.save_search(search(None)).await.unwrap();
        tenant.save_search(search(None)).await.unwrap();
        let refused = tenant.save_search(search(None)).await.unwrap_err();
        assert_eq!(refused.code(), "searches-too-many");
        assert!(refused.to_string().starts_with("everybody keeps 2 searches"), "{refused}");
    }
    stop(&engine).await;
}

async fn too_large_attachments_are_refused(place: Place) {
    let engine = place.builder().attachment_limit(10).job_execution(false).start().await.unwrap();
    deploy(&engine, &[("approval.bpmn", &approval())]).await;
    let case = engine.start("approval").send().await.unwrap().id();
    let mut file = engine.attach(case, "large").await.unwrap();
    file.write(b"123456").await.unwrap();
    assert_eq!(file.write(b"78901").await.unwrap_err().code(), "store-too-large");
    assert_eq!(engine.attachments(case).await.unwrap(), []);
    stop(&engine).await;
}

async fn no_words_are_lost_of_two_who_change_a_comment(place: Place) {
    let one = place.with(&[("approval.bpmn", &approval())]).await;
    // Only one node has a file.
    let other = if let Place::File(_) = place { one.clone() } else { place.by_hand().await };
    let case = one.start("approval").send().await.unwrap().id();
    let seen = one.comment(case, "called back").await.unwrap();
    let changed = one.change_comment(&seen, "called back twice").await.unwrap().unwrap();
    assert_eq!(one.change_comment(&seen, "written").await.unwrap_err().code(), "comment-changed");
    assert_eq!(one.comments(case).await.unwrap(), std::slice::from_ref(&changed));
    let mut seen = changed;
    for round in 0..20 {
        let (left, right) = tokio::join!(
            one.change_comment(&seen, format!("one {round}")),
            other.change_comment(&seen, format!("other {round}")),
        );
        seen = match (left, right) {
            (Ok(Some(won)), Err(error)) | (Err(error), Ok(Some(won))) => {
                assert_eq!(error.code(), "comment-changed");
                won
            }
            both => panic!("of two one must hear that the other was faster: {both:?}"),
        };
        assert_eq!(one.comments(case).await.unwrap(), std::slice::from_ref(&seen));
    }
    // In the moment of its removal it is changed before, or not any more.
    for _ in 0..20 {
        let comment = one.comment(case, "?").await.unwrap();
        let (changed, removed) = tokio::join!(one.change_comment(&comment, "!"), other.remove_comment(&comment));
        removed.unwrap();
        assert!(changed.is_ok_and(|changed| changed.is_none_or(|changed| &*changed.text == "!")));
        assert_eq!(one.comments(case).await.unwrap(), std::slice::from_ref(&seen), "it does not come back");
    }
    stop(&one).await;
}
