//! Filters, order and pages.

use potok_core::instance::Key;
use potok_store::query::{
    Comparison, IncidentQuery, InstanceOrder, InstanceQuery, JobQuery, MessageQuery, SubscriptionQuery, TaskOrder,
    TaskQuery, VariableFilter, VariableValue,
};
use potok_store::row::{Incident, Instance, Job, Message, Subscription, SubscriptionKind, Task, TaskState, Variable};
use potok_store::{Cursor, Paging, Query, Store, StoreError, Unit};

use crate::database::{at, committed};

crate::on_every_database!(
    tasks_are_found_by_each_filter,
    either_of_several_is_enough,
    tasks_are_sorted_and_paged,
    variables_are_compared_by_kind,
    names_are_compared_by_case,
    instances_are_found,
    waits_are_found,
    who_waits_for_a_message_is_found,
    many_that_fit_are_found_like_few,
    a_foreign_cursor_is_refused,
);

/// The keys of what is found; it is counted, too.
async fn found<Q: Query>(store: &Store, query: Q, key: impl Fn(&Q::Row) -> Key) -> Vec<u64> {
    let rows = store.list(&query).await.unwrap().rows;
    assert_eq!(store.count(&query).await.unwrap(), rows.len() as u64);
    rows.iter().map(|row| key(row).into()).collect()
}

async fn tasks(store: &Store, query: TaskQuery) -> Vec<u64> {
    found(store, query, |task| task.key).await
}

fn task(key: u64) -> Task {
    Task {
        instance: Key(key * 10),
        key: Key(key),
        process: "loan".into(),
        node: "check".into(),
        created: at(key.cast_signed()),
        ..Task::default()
    }
}

async fn with_tasks(store: &Store) {
    let names = |names: &[&str]| names.iter().map(|name| (*name).into()).collect::<Vec<_>>();
    let mut unit = Unit { id: 1, ..Unit::default() };
    unit.changes.add_task(Task {
        name: Some("Check 100%".into()),
        assignee: Some("anna".into()),
        owner: Some("carl".into()),
        priority: 5,
        due: Some(at(50)),
        ..task(1)
    });
    unit.changes.add_task(Task {
        name: Some("check 100x".into()),
        candidate_users: names(&["bert"]),
        candidate_groups: names(&["sales", "support"]),
        due: Some(at(40)),
        lane: Some("Sales".into()),
        ..task(2)
    });
    unit.changes.add_task(Task { node: "pay".into(), candidate_groups: names(&["sales"]), priority: -1, ..task(3) });
    unit.changes.add_task(Task { tenant: Some("north".into()), process: "order".into(), priority: 5, ..task(4) });
    unit.changes.add_task(Task { state: TaskState::Completed, ended: Some(at(9)), ..task(5) });
    for key in 1..=5 {
        unit.changes.set_variable(Variable::number(Key(key * 10), "amount".into(), 100.0 * key as f64));
    }
    committed(store, unit).await;
}

async fn tasks_are_found_by_each_filter(store: Store) {
    with_tasks(&store).await;
    let all = TaskQuery::default;
    let open = || TaskQuery { states: vec![TaskState::Open], ..all() };
    assert_eq!(tasks(&store, all()).await, [1, 2, 3, 4, 5]);
    assert_eq!(tasks(&store, open()).await, [1, 2, 3, 4]);
    let states = vec![TaskState::Completed, TaskState::Cancelled];
    assert_eq!(tasks(&store, TaskQuery { states, ..all() }).await, [5]);
    assert_eq!(tasks(&store, TaskQuery { keys: vec![Key(3), Key(1), Key(77)], ..all() }).await, [1, 3]);
    assert_eq!(tasks(&store, TaskQuery { instances: vec![Key(20)], ..all() }).await, [2]);
    assert_eq!(tasks(&store, TaskQuery { processes: vec!["order".into()], ..all() }).await, [4]);
    assert_eq!(tasks(&store, TaskQuery { nodes: vec!["pay".into()], ..all() }).await, [3]);
    assert_eq!(tasks(&store, TaskQuery { tenant: Some("north".into()), ..all() }).await, [4]);
    assert_eq!(tasks(&store, TaskQuery { lane: Some("Sales".into()), ..all() }).await, [2]);
    assert_eq!(tasks(&store, TaskQuery { assignee: Some("anna".into()), ..all() }).await, [1]);
    assert_eq!(tasks(&store, TaskQuery { owner: Some("carl".into()), ..all() }).await, [1]);
    assert_eq!(tasks(&store, TaskQuery { assigned: Some(false), ..open() }).await, [2, 3, 4]);
    assert_eq!(tasks(&store, TaskQuery { assigned: Some(true), ..open() }).await, [1]);
    assert_eq!(tasks(&store, TaskQuery { candidate_groups: vec!["sales".into()], ..open() }).await, [2, 3]);
    let groups = vec!["support".into(), "none".into()];
    assert_eq!(tasks(&store, TaskQuery { candidate_groups: groups, ..open() }).await, [2]);
    let users = vec!["bert".into()];
    assert_eq!(tasks(&store, TaskQuery { candidate_users: users.clone(), ..open() }).await, [2]);
    let either = TaskQuery { candidate_users: users, candidate_groups: vec!["sales".into()], ..open() };
    assert_eq!(tasks(&store, either).await, [2, 3]);
    assert_eq!(tasks(&store, TaskQuery { priority_from: Some(5), ..all() }).await, [1, 4]);
    assert_eq!(tasks(&store, TaskQuery { due_before: Some(at(50)), ..all() }).await, [2]);
    assert_eq!(tasks(&store, TaskQuery { due_from: Some(at(50)), ..all() }).await, [1], "not those without a date");
    assert_eq!(
        tasks(&store, TaskQuery { created_from: Some(at(2)), created_before: Some(at(4)), ..all() }).await,
        [2, 3]
    );
    let large = VariableFilter { name: "amount".into(), comparison: Comparison::Greater(VariableValue::Number(250.0)) };
    assert_eq!(tasks(&store, TaskQuery { variables: vec![large], ..open() }).await, [3, 4]);
    assert_eq!(tasks(&store, TaskQuery { tenants: vec!["north".into(), "south".into()], ..all() }).await, [4]);
    assert_eq!(tasks(&store, TaskQuery { tenants: vec!["".into()], ..open() }).await, [1, 2, 3], "those of none");
    assert_eq!(tasks(&store, TaskQuery { assignees: vec!["anna".into(), "none".into()], ..all() }).await, [1]);
    assert_eq!(tasks(&store, TaskQuery { assignee_like: Some("an%".into()), ..all() }).await, [1]);
    assert_eq!(tasks(&store, TaskQuery { has_candidate_users: Some(true), ..open() }).await, [2]);
    assert_eq!(tasks(&store, TaskQuery { has_candidate_groups: Some(false), ..open() }).await, [1, 4]);
    assert_eq!(tasks(&store, TaskQuery { priority_from: Some(0), priority_to: Some(4), ..open() }).await, [2]);
    assert_eq!(tasks(&store, TaskQuery { has_due: Some(true), ..open() }).await, [1, 2]);
    assert_eq!(tasks(&store, TaskQuery { has_due: Some(false), ..open() }).await, [3, 4]);
}

async fn either_of_several_is_enough(store: Store) {
    with_tasks(&store).await;
    let all = TaskQuery::default;
    let (of_anna, of_sales) = (
        TaskQuery { assignee: Some("anna".into()), ..all() },
        TaskQuery { candidate_groups: vec!["sales".into()], ..all() },
    );
    let either = |any: &[&TaskQuery]| any.iter().map(|query| (*query).clone()).collect::<Vec<_>>();
    let query = TaskQuery { either: vec![either(&[&of_anna, &of_sales])], ..all() };
    assert_eq!(tasks(&store, query.clone()).await, [1, 2, 3]);
    assert_eq!(store.count(&query).await.unwrap(), 3);
    let due = TaskQuery { due_before: Some(at(45)), ..all() };
    let both = TaskQuery { either: vec![either(&[&of_anna, &of_sales]), either(&[&due])], ..all() };
    assert_eq!(tasks(&store, both).await, [2], "one of each");
    let narrowed = TaskQuery { nodes: vec!["pay".into()], ..query };
    assert_eq!(tasks(&store, narrowed).await, [3], "and whatever else is asked");
}

async fn tasks_are_sorted_and_paged(store: Store) {
    with_tasks(&store).await;
    let sorted = |order, descending| {
        let page = Paging { descending, ..Paging::default() };
        TaskQuery { states: vec![TaskState::Open], order, page, ..TaskQuery::default() }
    };
    assert_eq!(tasks(&store, sorted(TaskOrder::Created, true)).await, [4, 3, 2, 1]);
    assert_eq!(tasks(&store, sorted(TaskOrder::Due, false)).await, [2, 1, 3, 4]);
    assert_eq!(tasks(&store, sorted(TaskOrder::Priority, true)).await, [4, 1, 2, 3]);
    assert_eq!(tasks(&store, sorted(TaskOrder::Priority, false)).await, [3, 2, 1, 4]);
    assert_eq!(tasks(&store, sorted(TaskOrder::Name, false)).await, [3, 4, 1, 2]);

    for (order, descending) in [(TaskOrder::Due, false), (TaskOrder::Name, true), (TaskOrder::Created, false)] {
        let whole = tasks(&store, sorted(order, descending)).await;
        let mut query = sorted(order, descending);
        query.page.limit = Some(1);
        let mut pages = Vec::new();
        loop {
            let page = store.list(&query).await.unwrap();
            assert_eq!(store.count(&query).await.unwrap(), 4, "the count is that of all pages");
            pages.extend(page.rows.iter().map(|task| u64::from(task.key)));
            let Some(next) = page.next else { break };
            // The way that it takes through an API.
            query.page.after = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(pages, whole);
    }
}

async fn variables_are_compared_by_kind(store: Store) {
    let mut unit = Unit { id: 1, ..Unit::default() };
    let name = || "x".into();
    let values = [
        Variable::number(Key(1), name(), 9.0),
        Variable::number(Key(2), name(), 10.0),
        Variable::text(Key(3), name(), "10".into()),
        Variable::text(Key(4), name(), "9*[x]_".into()),
        Variable::boolean(Key(5), name(), true),
        Variable::null(Key(6), name()),
    ];
    for value in values {
        unit.changes.add(Instance { key: value.instance, ..Instance::default() });
        unit.changes.set_variable(value);
    }
    unit.changes.add(Instance { key: Key(7), ..Instance::default() });
    committed(&store, unit).await;
    let number = VariableValue::Number;
    let text = |text: &str| VariableValue::Text(text.into());
    let cases = [
        (Comparison::Equal(number(10.0)), vec![2]),
        (Comparison::Equal(text("10")), vec![3]),
        (Comparison::Equal(VariableValue::Boolean(true)), vec![5]),
        (Comparison::Equal(VariableValue::Boolean(false)), vec![]),
        (Comparison::Equal(VariableValue::Null), vec![6]),
        (Comparison::NotEqual(number(10.0)), vec![1, 3, 4, 5, 6]),
        (Comparison::Less(number(10.0)), vec![1]),
        (Comparison::LessOrEqual(number(10.0)), vec![1, 2]),
        (Comparison::Greater(text("10")), vec![4]),
        (Comparison::GreaterOrEqual(text("10")), vec![3, 4]),
        (Comparison::Like("9*[%".into()), vec![4]),
        (Comparison::Like("%\\_".into()), vec![4]),
        (Comparison::Like("1_".into()), vec![3]),
        (Comparison::Like("1".into()), vec![]),
        (Comparison::In(vec![number(9.0), text("10"), text("?")]), vec![1, 3]),
        (Comparison::In(vec![]), vec![]),
    ];
    for (comparison, expected) in cases {
        let filter = VariableFilter { name: name(), comparison: comparison.clone() };
        let query = InstanceQuery { variables: vec![filter], ..InstanceQuery::default() };
        assert_eq!(found(&store, query, |instance| instance.key).await, expected, "{comparison:?}");
    }
}

async fn names_are_compared_by_case(store: Store) {
    with_tasks(&store).await;
    let like = |pattern: &str| TaskQuery { name_like: Some(pattern.into()), ..TaskQuery::default() };
    assert_eq!(tasks(&store, like("Check%")).await, [1]);
    assert_eq!(tasks(&store, like("%100_")).await, [1, 2]);
    assert_eq!(tasks(&store, like("%100\\%")).await, [1]);
    assert_eq!(tasks(&store, like("check 100x\\")).await, [0; 0], "a backslash at the end is itself");
}

async fn instances_are_found(store: Store) {
    let instance = |key: u64| Instance {
        key: Key(key),
        process: "loan".into(),
        started: at(key.cast_signed()),
        ..Instance::default()
    };
    let mut unit = Unit { id: 1, ..Unit::default() };
    unit.changes.add(Instance { business_key: Some("C-2".into()), ..instance(1) });
    unit.changes.add(Instance { business_key: Some("C-1".into()), suspended: true, ..instance(2) });
    unit.changes.add(Instance { parent: Some(Key(1)), ..instance(3) });
    committed(&store, unit).await;
    let all = InstanceQuery::default;
    let key = |instance: &Instance| instance.key;
    assert_eq!(found(&store, InstanceQuery { business_key: Some("C-1".into()), ..all() }, key).await, [2]);
    assert_eq!(found(&store, InstanceQuery { business_key_like: Some("C-%".into()), ..all() }, key).await, [1, 2]);
    assert_eq!(found(&store, InstanceQuery { parent: Some(Key(1)), ..all() }, key).await, [3]);
    assert_eq!(found(&store, InstanceQuery { suspended: Some(false), ..all() }, key).await, [1, 3]);
    assert_eq!(found(&store, InstanceQuery { started_from: Some(at(2)), ..all() }, key).await, [2, 3]);
    assert_eq!(found(&store, InstanceQuery { ended_from: Some(at(0)), ..all() }, key).await, [0; 0]);
    assert_eq!(found(&store, InstanceQuery { order: InstanceOrder::BusinessKey, ..all() }, key).await, [3, 2, 1]);
    let keys = vec!["C-1".into(), "C-9".into()];
    assert_eq!(found(&store, InstanceQuery { business_keys: keys, ..all() }, key).await, [2]);
    assert_eq!(found(&store, InstanceQuery { not_processes: vec!["loan".into()], ..all() }, key).await, [0; 0]);
    assert_eq!(found(&store, InstanceQuery { not_processes: vec!["order".into()], ..all() }, key).await, [1, 2, 3]);
    assert_eq!(found(&store, InstanceQuery { definitions: vec![Key(9)], ..all() }, key).await, [0; 0]);
    let either = vec![vec![
        InstanceQuery { parent: Some(Key(1)), ..all() },
        InstanceQuery { business_key: Some("C-2".into()), ..all() },
    ]];
    assert_eq!(found(&store, InstanceQuery { either, ..all() }, key).await, [1, 3]);
    let mut unit = Unit { id: 2, ..Unit::default() };
    unit.changes.add(Incident {
        instance: Key(2),
        key: Key(9),
        code: "job-failed".into(),
        message: "no ink".into(),
        ..Incident::default()
    });
    committed(&store, unit).await;
    let stuck = |incident: IncidentQuery| InstanceQuery { incident: Some(incident), ..InstanceQuery::default() };
    assert_eq!(found(&store, stuck(IncidentQuery { open: Some(true), ..IncidentQuery::default() }), key).await, [2]);
    let by_message = IncidentQuery { message_like: Some("no %".into()), ..IncidentQuery::default() };
    assert_eq!(found(&store, stuck(by_message), key).await, [2]);
    let not_of_jobs = IncidentQuery { not_codes: vec!["job-failed".into()], ..IncidentQuery::default() };
    assert_eq!(found(&store, stuck(not_of_jobs), key).await, [0; 0]);
}

async fn waits_are_found(store: Store) {
    let mut unit = Unit { id: 1, ..Unit::default() };
    unit.changes.add(Job { instance: Key(1), key: Key(2), topic: "mail".into(), retries: 1, ..Job::default() });
    unit.changes.add(Job { instance: Key(1), key: Key(3), topic: "print".into(), ..Job::default() });
    unit.changes.add(Incident { instance: Key(1), key: Key(4), code: "job-failed".into(), ..Incident::default() });
    unit.changes.add(Incident { instance: Key(1), key: Key(5), resolved: Some(at(1)), ..Incident::default() });
    committed(&store, unit).await;
    let (jobs, incidents) = (JobQuery::default, IncidentQuery::default);
    let (job, incident) = (|job: &Job| job.key, |incident: &Incident| incident.key);
    assert_eq!(found(&store, JobQuery { topics: vec!["print".into()], ..jobs() }, job).await, [3]);
    assert_eq!(found(&store, JobQuery { has_retries: Some(true), ..jobs() }, job).await, [2]);
    assert_eq!(found(&store, JobQuery { has_retries: Some(false), ..jobs() }, job).await, [3]);
    assert_eq!(found(&store, JobQuery { priority_from: Some(0), priority_to: Some(0), ..jobs() }, job).await, [2, 3]);
    assert_eq!(found(&store, JobQuery { priority_from: Some(1), ..jobs() }, job).await, [0; 0]);
    assert_eq!(found(&store, JobQuery { suspended: Some(true), ..jobs() }, job).await, [0; 0]);
    assert_eq!(found(&store, IncidentQuery { open: Some(true), ..incidents() }, incident).await, [4]);
    assert_eq!(found(&store, IncidentQuery { open: Some(false), ..incidents() }, incident).await, [5]);
    assert_eq!(found(&store, IncidentQuery { codes: vec!["job-failed".into()], ..incidents() }, incident).await, [4]);
}

async fn who_waits_for_a_message_is_found(store: Store) {
    let subscription = |key: u64, correlation: Option<&str>| Subscription {
        instance: Key(key * 10),
        key: Key(key),
        name: "paid".into(),
        correlation: correlation.map(Into::into),
        business_key: Some(format!("C-{key}").into()),
        ..Subscription::default()
    };
    let message = |key: u64, correlation: Option<&str>, expires| Message {
        key: Key(key),
        name: "paid".into(),
        correlation: correlation.map(Into::into),
        expires: at(expires),
        ..Message::default()
    };
    let mut unit = Unit { id: 1, ..Unit::default() };
    unit.changes.add(subscription(1, Some("17")));
    unit.changes.add(subscription(2, Some("18")));
    unit.changes.add(subscription(3, None));
    unit.changes.add(Subscription { kind: SubscriptionKind::Signal, ..subscription(4, None) });
    unit.changes.add(message(5, Some("17"), 100));
    unit.changes.add(message(6, None, 50));
    committed(&store, unit).await;
    let waiting = |takes: &str| SubscriptionQuery {
        kind: Some(SubscriptionKind::Message),
        names: vec!["paid".into()],
        takes: Some(takes.into()),
        ..SubscriptionQuery::default()
    };
    let key = |subscription: &Subscription| subscription.key;
    assert_eq!(found(&store, waiting("17"), key).await, [1, 3]);
    assert_eq!(found(&store, waiting("19"), key).await, [3]);
    assert_eq!(found(&store, SubscriptionQuery { business_key: Some("C-2".into()), ..waiting("18") }, key).await, [2]);
    let kept = |correlation: &str, time| MessageQuery {
        name: Some("paid".into()),
        for_correlation: Some(correlation.into()),
        kept_at: Some(at(time)),
        ..MessageQuery::default()
    };
    let key = |message: &Message| message.key;
    assert_eq!(found(&store, kept("17", 10), key).await, [5, 6]);
    assert_eq!(found(&store, kept("17", 50), key).await, [5]);
    assert_eq!(found(&store, kept("18", 10), key).await, [6]);
}

async fn many_that_fit_are_found_like_few(store: Store) {
    let mut unit = Unit { id: 1, ..Unit::default() };
    for key in 1..=700 {
        unit.changes.add_task(Task { candidate_groups: vec!["sales".into(), "all".into()], ..task(key) });
        unit.changes.set_variable(Variable::boolean(Key(key * 10), "odd".into(), key % 2 == 1));
        unit.changes.set_variable(Variable::number(Key(key * 10), "number".into(), key as f64));
    }
    committed(&store, unit).await;
    let filter = |name: &str, comparison| VariableFilter { name: name.into(), comparison };
    let query = TaskQuery {
        candidate_groups: vec!["sales".into(), "all".into()],
        variables: vec![
            filter("odd", Comparison::Equal(VariableValue::Boolean(true))),
            filter("number", Comparison::Greater(VariableValue::Number(10.0))),
        ],
        ..TaskQuery::default()
    };
    let expected: Vec<u64> = (11..=700).filter(|key| key % 2 == 1).collect();
    assert_eq!(tasks(&store, query.clone()).await, expected);
    let page = Paging { descending: true, limit: Some(3), after: None };
    let page = store.list(&TaskQuery { page, ..query }).await.unwrap();
    assert_eq!(page.rows.iter().map(|task| u64::from(task.key)).collect::<Vec<_>>(), [699, 697, 695]);
}

async fn a_foreign_cursor_is_refused(store: Store) {
    with_tasks(&store).await;
    let page = Paging { limit: Some(1), ..Paging::default() };
    let by_name = TaskQuery { order: TaskOrder::Name, page, ..TaskQuery::default() };
    let cursor = store.list(&by_name).await.unwrap().next.unwrap();
    let page = Paging { after: Some(cursor), ..Paging::default() };
    let by_due = TaskQuery { order: TaskOrder::Due, page, ..TaskQuery::default() };
    assert!(matches!(store.list(&by_due).await, Err(StoreError::InvalidCursor)));
    let first = Paging { limit: Some(1), ..Paging::default() };
    let next = store.list(&TaskQuery { page: first, ..TaskQuery::default() }).await.unwrap().next;
    let on = |descending| Paging { after: next.clone(), descending, ..Paging::default() };
    assert!(store.list(&TaskQuery { page: on(false), ..TaskQuery::default() }).await.is_ok());
    let backwards = store.list(&TaskQuery { page: on(true), ..TaskQuery::default() }).await;
    assert!(matches!(backwards, Err(StoreError::InvalidCursor)));
    // Its rows are sorted by a key, too.
    let of_instances = store.list(&InstanceQuery { page: on(false), ..InstanceQuery::default() }).await;
    assert!(matches!(of_instances, Err(StoreError::InvalidCursor)));
    for text in ["", "x", "W10x", "e30"] {
        assert!(matches!(text.parse::<Cursor>(), Err(StoreError::InvalidCursor)), "{text:?}");
    }
}
