//! Units, the log's lock, guards and changes.

use potok_core::instance::Key;
use potok_store::query::TaskQuery;
use potok_store::row::{
    Claim, ClaimKind, Incident, Instance, InstanceState, Message, Snapshot, Task, TaskState, Timer, User, Variable,
    Work,
};
use potok_store::{Changes, Guard, Outcome, Seen, Store, Unit};

use crate::database::{at, commit, committed, history, log, unit};

crate::on_every_database!(
    a_row_enters_only_where_the_one_before_stands,
    losers_are_taken_out_alone,
    a_unit_spans_instances_or_does_nothing,
    a_unit_sent_again_is_done_once,
    a_unit_builds_on_one_before_it_in_the_same_batch,
    a_unit_that_was_stepped_on_a_loser_loses,
    what_was_written_is_read_back,
    a_claim_is_taken_once_until_given_back_or_expired,
    work_and_messages_are_taken_once,
    only_one_claims_a_task,
    what_is_edited_is_edited_as_it_was_seen,
    changes_of_one_batch_end_as_their_last,
    closing_keeps_the_row,
    a_removed_row_is_gone,
    an_instance_is_removed_alone,
    what_is_removed_for_good_ends_with_its_unit,
    large_batches_commit,
    snapshots_of_the_past_are_found,
    text_with_a_null_character_does_not_fail_the_batch,
);

async fn a_row_enters_only_where_the_one_before_stands(store: Store) {
    committed(&store, unit(1, &[(10, 1)])).await;
    assert_eq!(commit(&store, &[unit(2, &[(10, 3)])]).await, [Outcome::Conflict(Key(10))], "a gap");
    assert_eq!(commit(&store, &[unit(3, &[(10, 1)])]).await, [Outcome::Conflict(Key(10))], "somebody was faster");
    assert_eq!(commit(&store, &[unit(4, &[(11, 2)])]).await, [Outcome::Conflict(Key(11))], "no first row");
    committed(&store, unit(5, &[(10, 2)])).await;
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 5)]);
}

async fn losers_are_taken_out_alone(store: Store) {
    committed(&store, unit(1, &[(10, 1)])).await;
    let outcomes = commit(&store, &[unit(2, &[(11, 1)]), unit(3, &[(10, 1)]), unit(4, &[(12, 1)])]).await;
    assert_eq!(outcomes, [Outcome::Committed, Outcome::Conflict(Key(10)), Outcome::Committed]);
    assert_eq!(history(&store, 10).await, [(1, 1)]);
    assert_eq!(history(&store, 11).await, [(1, 2)]);
    assert_eq!(history(&store, 12).await, [(1, 4)]);
}

async fn a_unit_spans_instances_or_does_nothing(store: Store) {
    committed(&store, unit(1, &[(10, 1), (11, 1)])).await;
    let mut lost = unit(2, &[(10, 2), (11, 1)]);
    lost.changes.put(Variable::number(Key(10), "amount".into(), 1.0));
    assert_eq!(commit(&store, &[lost]).await, [Outcome::Conflict(Key(11))]);
    assert_eq!(history(&store, 10).await, [(1, 1)]);
    assert_eq!(store.of_instance::<Variable>(Key(10)).await.unwrap(), []);
}

async fn a_unit_sent_again_is_done_once(store: Store) {
    let mut first = unit(1, &[(10, 1), (10, 2), (11, 1)]);
    first.changes.put(Variable::number(Key(10), "amount".into(), 1.0));
    committed(&store, first.clone()).await;
    let mut second = unit(2, &[(10, 3)]);
    second.changes.put(Variable::number(Key(10), "amount".into(), 2.0));
    committed(&store, second).await;
    committed(&store, first).await;
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 1), (3, 2)]);
    let variables = store.of_instance::<Variable>(Key(10)).await.unwrap();
    assert_eq!(variables, [Variable::number(Key(10), "amount".into(), 2.0)], "nothing of it is done again");

    let message = Message { key: Key(5), name: "paid".into(), ..Message::default() };
    let mut without_log = Unit { id: 3, ..Unit::default() };
    without_log.changes.put(message);
    committed(&store, without_log.clone()).await;
    let mut take = Unit { id: 4, guards: vec![Guard::Message(Key(5))], ..unit(4, &[(10, 4)]) };
    committed(&store, take.clone()).await;
    committed(&store, without_log).await;
    assert_eq!(store.get::<Message>(Key(5)).await.unwrap(), None, "the message is not kept a second time");
    committed(&store, take.clone()).await;
    take.id = 5;
    assert_eq!(commit(&store, &[take]).await, [Outcome::Conflict(Key(10))]);
}

async fn a_unit_builds_on_one_before_it_in_the_same_batch(store: Store) {
    let batch = [unit(1, &[(10, 1)]), unit(2, &[(10, 2)]), unit(3, &[(10, 2)]), unit(4, &[(10, 3), (10, 4)])];
    let outcomes = commit(&store, &batch).await;
    let committed = Outcome::Committed;
    assert_eq!(outcomes, [committed.clone(), committed.clone(), Outcome::Conflict(Key(10)), committed]);
    // Whatever was stepped on a loser loses too.
    let outcomes = commit(&store, &[unit(5, &[(10, 4)]), unit(6, &[(10, 6)])]).await;
    assert_eq!(outcomes, [Outcome::Conflict(Key(10)), Outcome::Conflict(Key(10))]);
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 2), (3, 4), (4, 4)]);
}

async fn a_unit_that_was_stepped_on_a_loser_loses(store: Store) {
    committed(&store, unit(1, &[(10, 1)])).await;
    let on = |instance, seq, unit| Guard::Row { instance: Key(instance), seq, unit };
    let first = Unit { guards: vec![on(10, 1, 1)], ..unit(2, &[(10, 2)]) };
    let second = Unit { guards: vec![on(10, 2, 2)], ..unit(3, &[(10, 3)]) };
    assert_eq!(commit(&store, &[first, second]).await, [Outcome::Committed, Outcome::Committed]);
    // Somebody else writes row 4: what was stepped on a row 4 of our own must not follow.
    committed(&store, unit(9, &[(10, 4)])).await;
    let own = Unit { guards: vec![on(10, 3, 3)], ..unit(4, &[(10, 4)]) };
    let on_own = Unit { guards: vec![on(10, 4, 4)], ..unit(5, &[(10, 5)]) };
    let missed = Outcome::Missed { guard: 0, standing: None };
    assert_eq!(commit(&store, &[own, on_own]).await, [Outcome::Conflict(Key(10)), missed]);
    assert_eq!(history(&store, 10).await, [(1, 1), (2, 2), (3, 3), (4, 9)]);
}

async fn what_was_written_is_read_back(store: Store) {
    let task = Task {
        instance: Key(10),
        key: Key(u64::MAX),
        definition: Key(1),
        process: "loan".into(),
        node: "check".into(),
        name: Some("Prüfen".into()),
        description: Some("Call back".into()),
        assignee: None,
        owner: Some("anna".into()),
        delegation: potok_store::row::Delegation::Pending,
        candidate_users: vec!["bert".into()],
        candidate_groups: vec!["sales, \"north\"".into(), "лес".into()],
        priority: -5,
        due: Some(at(7)),
        follow_up: None,
        form: None,
        lane: Some("Sales".into()),
        tenant: None,
        created: at(1),
        changed: Some(at(2)),
        state: TaskState::Open,
        ended: None,
    };
    let mut unit = unit(u64::MAX, &[(10, 1)]);
    unit.changes.add_task(task.clone());
    committed(&store, unit).await;
    assert_eq!(store.get::<Task>((Key(10), Key(u64::MAX))).await.unwrap(), Some(task));
    let row = store.history(Key(10), 0, 10).await.unwrap().remove(0);
    let expected = log(10, 1);
    assert_eq!((row.unit, row.events, row.time), (u64::MAX, expected.events, expected.time));
    assert_eq!(store.history(Key(10), 1, 10).await.unwrap(), []);
}

fn claim(value: &str, owner: u64) -> Claim {
    Claim { kind: ClaimKind::BusinessKey, value: value.into(), owner: Key(owner), ..Claim::default() }
}

async fn a_claim_is_taken_once_until_given_back_or_expired(store: Store) {
    let taking =
        |id, instance, claim: &Claim| Unit { guards: vec![Guard::Claim(claim.clone())], ..unit(id, &[(instance, 1)]) };
    let first = claim("C-17", 10);
    let outcomes = commit(&store, &[taking(1, 10, &first), taking(2, 11, &claim("C-17", 11))]).await;
    let missed = Outcome::Missed { guard: 0, standing: Some(Box::new(first.clone())) };
    assert_eq!(outcomes, [Outcome::Committed, missed.clone()]);
    assert_eq!(commit(&store, &[taking(3, 12, &claim("C-17", 12))]).await, [missed]);
    assert_eq!(history(&store, 12).await, [], "the unit is left out whole");

    let mut end = unit(4, &[(10, 2)]);
    end.changes.remove::<Claim>(("".into(), ClaimKind::BusinessKey, "C-17".into()));
    committed(&store, end).await;
    committed(&store, taking(5, 12, &Claim { expires: Some(at(1)), ..claim("C-17", 12) })).await;
    committed(&store, taking(6, 13, &claim("C-17", 13))).await;
}

async fn work_and_messages_are_taken_once(store: Store) {
    let mut first = unit(1, &[(10, 1)]);
    first.changes.add(Work { instance: Key(10), key: Key(2), ..Work::default() });
    first.changes.add(Message { key: Key(3), ..Message::default() });
    committed(&store, first).await;
    let guards = vec![Guard::Work { instance: Key(10), work: Key(2) }, Guard::Message(Key(3))];
    let doing = |id, seq| Unit { guards: guards.clone(), ..unit(id, &[(10, seq)]) };
    let outcomes = commit(&store, &[doing(2, 2), doing(3, 3)]).await;
    assert_eq!(outcomes, [Outcome::Committed, Outcome::Missed { guard: 0, standing: None }]);
    assert_eq!(commit(&store, &[doing(4, 3)]).await, [Outcome::Missed { guard: 0, standing: None }]);
    assert_eq!(store.of_instance::<Work>(Key(10)).await.unwrap(), []);
    assert_eq!(store.get::<Message>(Key(3)).await.unwrap(), None);
}

async fn only_one_claims_a_task(store: Store) {
    let task = Task { instance: Key(10), key: Key(11), ..Task::default() };
    let mut first = unit(1, &[(10, 1)]);
    first.changes.add_task(task.clone());
    committed(&store, first).await;
    let claiming = |id, user: &str| {
        let guard = Guard::Assignee { instance: Key(10), task: Key(11), assignee: None };
        let mut unit = Unit { id, guards: vec![guard], ..Unit::default() };
        unit.changes.put_task(Task { assignee: Some(user.into()), ..task.clone() });
        unit
    };
    let missed = Outcome::Missed { guard: 0, standing: None };
    assert_eq!(commit(&store, &[claiming(2, "anna"), claiming(3, "bert")]).await, [Outcome::Committed, missed.clone()]);
    assert_eq!(commit(&store, &[claiming(4, "carl")]).await, [missed]);
    let task = store.get::<Task>((Key(10), Key(11))).await.unwrap().unwrap();
    assert_eq!(task.assignee.as_deref(), Some("anna"));
}

async fn what_is_edited_is_edited_as_it_was_seen(store: Store) {
    let anna = |name: &str| User { id: "anna".into(), name: Some(name.into()), ..User::default() };
    let putting = |id, name: &str| {
        let mut unit = Unit { id, ..Unit::default() };
        unit.changes.put(anna(name));
        unit
    };
    let editing = |id, seen: Option<&str>, name: &str| {
        let guards = vec![Guard::Seen(Seen::new::<User>("anna".into(), seen.map(anna)))];
        Unit { guards, ..putting(id, name) }
    };
    let missed = Outcome::Missed { guard: 0, standing: None };
    assert_eq!(
        commit(&store, &[editing(1, Some("Anna"), "Ann")]).await,
        std::slice::from_ref(&missed),
        "there is none"
    );
    let outcomes = commit(&store, &[editing(2, None, "Anna"), editing(3, None, "Anne")]).await;
    assert_eq!(outcomes, [Outcome::Committed, missed.clone()]);
    assert_eq!(commit(&store, &[editing(4, None, "Anne")]).await, std::slice::from_ref(&missed), "there is one");
    let outcomes = commit(&store, &[editing(5, Some("Anna"), "Anna K."), editing(6, Some("Anna"), "Anna L.")]).await;
    assert_eq!(outcomes, [Outcome::Committed, missed.clone()], "of two who have seen the same one is refused");
    // Nor does it go over what somebody writes in the same batch without having looked.
    let outcomes = commit(&store, &[putting(7, "Anna M."), editing(8, Some("Anna K."), "Anna L.")]).await;
    assert_eq!(outcomes, [Outcome::Committed, missed.clone()]);
    let mut removing = Unit { id: 9, ..Unit::default() };
    removing.changes.remove::<User>("anna".into());
    assert_eq!(
        commit(&store, &[removing, editing(10, Some("Anna M."), "Anna L.")]).await,
        [Outcome::Committed, missed]
    );
    assert_eq!(store.get::<User>("anna".into()).await.unwrap(), None);
}

async fn changes_of_one_batch_end_as_their_last(store: Store) {
    let timer = |key, due| Timer { instance: Key(10), key: Key(key), due: at(due), ..Timer::default() };
    let task = Task { instance: Key(10), key: Key(11), candidate_groups: vec!["sales".into()], ..Task::default() };
    let mut first = unit(1, &[(10, 1)]);
    first.changes.add(timer(1, 1));
    first.changes.add(timer(2, 1));
    first.changes.add_task(task.clone());
    let mut second = unit(2, &[(10, 2)]);
    second.changes.remove::<Timer>((Key(10), Key(1)));
    second.changes.put(timer(2, 2));
    second.changes.put_task(Task { candidate_groups: vec!["support".into()], ..task });
    let mut third = unit(3, &[(10, 3)]);
    third.changes.remove::<Timer>((Key(10), Key(2)));
    third.changes.add(timer(2, 3));
    third.changes.end_task(Key(10), Key(11), TaskState::Completed, at(3));
    assert_eq!(commit(&store, &[first, second, third]).await, vec![Outcome::Committed; 3]);
    assert_eq!(store.of_instance::<Timer>(Key(10)).await.unwrap(), [timer(2, 3)]);
    let task = store.get::<Task>((Key(10), Key(11))).await.unwrap().unwrap();
    assert_eq!((task.state, task.ended), (TaskState::Completed, Some(at(3))));
    let of_group = |group: &str| potok_store::query::TaskQuery {
        candidate_groups: vec![group.into()],
        ..potok_store::query::TaskQuery::default()
    };
    assert_eq!(store.count(&of_group("sales")).await.unwrap(), 0);
    assert_eq!(store.count(&of_group("support")).await.unwrap(), 0);
}

async fn closing_keeps_the_row(store: Store) {
    let mut first = unit(1, &[(10, 1)]);
    first.changes.add(Instance { key: Key(10), process: "loan".into(), ..Instance::default() });
    first.changes.add(Incident { instance: Key(10), key: Key(11), code: "job-failed".into(), ..Incident::default() });
    committed(&store, first).await;
    let mut second = unit(2, &[(10, 2)]);
    second.changes.resolve_incident(Key(10), Key(11), at(5));
    second.changes.end_instance(Key(10), InstanceState::Failed, at(6), None);
    committed(&store, second).await;
    let instance = store.get::<Instance>(Key(10)).await.unwrap().unwrap();
    assert_eq!((instance.state, instance.ended, &*instance.process), (InstanceState::Failed, Some(at(6)), "loan"));
    let incident = store.get::<Incident>((Key(10), Key(11))).await.unwrap().unwrap();
    assert_eq!((incident.resolved, &*incident.code), (Some(at(5)), "job-failed"));
}

async fn a_removed_row_is_gone(store: Store) {
    let mut first = unit(1, &[(10, 1)]);
    first.changes.set_variable(Variable::text(Key(10), "name".into(), "Anna".into()));
    first.changes.set_variable(Variable::text(Key(10), "long".into(), "x".repeat(300).into()));
    committed(&store, first).await;
    let variables = store.of_instance::<Variable>(Key(10)).await.unwrap();
    assert_eq!(variables, [Variable::text(Key(10), "name".into(), "Anna".into())]);
    let mut second = unit(2, &[(10, 2)]);
    second.changes.set_variable(Variable::text(Key(10), "name".into(), "x".repeat(300).into()));
    committed(&store, second).await;
    assert_eq!(store.of_instance::<Variable>(Key(10)).await.unwrap(), []);
}

async fn an_instance_is_removed_alone(store: Store) {
    let mut all = unit(1, &[(10, 1), (20, 1)]);
    for (instance, task) in [(10, 11), (20, 21), (20, 22)] {
        let (instance, key) = (Key(instance), Key(task));
        all.changes.add_task(Task { instance, key, candidate_groups: vec!["sales".into()], ..Task::default() });
    }
    committed(&store, all).await;
    let mut removal = Unit { id: 2, ..Unit::default() };
    removal.changes.remove_instance(Key(10));
    let mut completion = unit(3, &[(20, 2)]);
    completion.changes.end_task(Key(20), Key(21), TaskState::Completed, at(5));
    assert_eq!(commit(&store, &[removal, completion]).await, [Outcome::Committed, Outcome::Committed]);
    let open_to_sales = TaskQuery { candidate_groups: vec!["sales".into()], ..TaskQuery::default() };
    let tasks = store.list(&open_to_sales).await.unwrap().rows;
    assert_eq!(tasks.iter().map(|task| task.key).collect::<Vec<_>>(), [Key(22)]);
}

async fn what_is_removed_for_good_ends_with_its_unit(store: Store) {
    committed(&store, unit(1, &[(10, 1)])).await;
    let mut removal = Unit { id: 3, ..Unit::default() };
    removal.changes.remove_instance(Key(10));
    let outcomes = commit(&store, &[unit(2, &[(10, 2)]), removal, unit(4, &[(10, 3)])]).await;
    assert_eq!(outcomes, [Outcome::Committed, Outcome::Committed, Outcome::Conflict(Key(10))]);
    assert_eq!(history(&store, 10).await, []);
}

async fn large_batches_commit(store: Store) {
    let batch: Vec<Unit> = (1..=300)
        .map(|number| {
            let mut changes = Changes::default();
            changes.add(Instance { key: Key(number), ..Instance::default() });
            changes.add_task(Task { instance: Key(number), key: Key(number + 1000), ..Task::default() });
            Unit { changes, ..unit(number, &[(number, 1), (number, 2)]) }
        })
        .collect();
    assert_eq!(commit(&store, &batch).await, vec![Outcome::Committed; 300]);
    let batch: Vec<Unit> = (1..=300)
        .map(|number| {
            let mut changes = Changes::default();
            changes.end_task(Key(number), Key(number + 1000), TaskState::Completed, at(9));
            Unit { changes, ..unit(number + 300, &[(number, 3)]) }
        })
        .collect();
    assert_eq!(commit(&store, &batch).await, vec![Outcome::Committed; 300]);
    for number in [1, 129, 300] {
        assert_eq!(history(&store, number).await, [(1, number), (2, number), (3, number + 300)]);
        let task = store.get::<Task>((Key(number), Key(number + 1000))).await.unwrap().unwrap();
        assert_eq!(task.ended, Some(at(9)));
    }
}

async fn snapshots_of_the_past_are_found(store: Store) {
    let mut unit = unit(1, &[(10, 1)]);
    let snapshot = |seq| Snapshot { instance: Key(10), seq, bytes: (*b"state").into(), ..Snapshot::default() };
    unit.changes.put(snapshot(1));
    unit.changes.put(snapshot(5));
    committed(&store, unit).await;
    assert_eq!(store.snapshot(Key(10), u64::MAX).await.unwrap(), Some(snapshot(5)));
    assert_eq!(store.snapshot(Key(10), 4).await.unwrap(), Some(snapshot(1)));
    assert_eq!(store.snapshot(Key(10), 0).await.unwrap(), None);
    assert_eq!(store.snapshot(Key(11), 9).await.unwrap(), None);
}

async fn text_with_a_null_character_does_not_fail_the_batch(store: Store) {
    let mut unit = unit(1, &[(10, 1)]);
    unit.changes.set_variable(Variable::text(Key(10), "odd".into(), "a\0b".into()));
    committed(&store, unit).await;
    let variables = store.of_instance::<Variable>(Key(10)).await.unwrap();
    assert_eq!(&*variables[0].text, "a\u{fffd}b");
}
