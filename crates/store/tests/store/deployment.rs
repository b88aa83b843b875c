//! Deployments, people, files, nodes.

use std::time::Duration;

use potok_core::instance::Key;
use potok_store::query::{DefinitionQuery, GroupQuery, UserQuery};
use potok_store::row::{
    Attachment, Claim, ClaimKind, Comment, Definition, DefinitionKind, Deployment, Group, Membership, Message, User,
};
use potok_store::{Changes, Guard, Store, StoreError, Unit, Version};

use crate::database::{at, committed, unit};

crate::on_every_database!(
    versions_are_counted_for_each_id,
    a_definition_is_found_by_version_tag_and_deployment,
    files_come_back_byte_for_byte,
    bytes_that_others_share_stay,
    attachments_are_taken_bit_by_bit,
    an_attachment_that_is_too_large_leaves_nothing,
    people_are_found_by_group,
    comments_are_kept_with_their_instance,
    node_numbers_are_leased,
    what_has_expired_is_swept_up,
);

const HOUR: Duration = Duration::from_secs(3600);

fn definition(key: u64, id: &str) -> Definition {
    Definition { key: Key(key), id: id.into(), resource: "loan.bpmn".into(), ..Definition::default() }
}

async fn deploy(store: &Store, key: u64, bytes: &[u8], definitions: Vec<Definition>) -> Vec<Definition> {
    let deployment = Deployment { key: Key(key), ..Deployment::default() };
    store
        .deploy(&deployment, &[("loan.bpmn".into(), bytes.into())], definitions, |_, _| Changes::default())
        .await
        .unwrap()
}

async fn versions_are_counted_for_each_id(store: Store) {
    let versions = |definitions: &[Definition]| definitions.iter().map(|it| it.version).collect::<Vec<_>>();
    let first = deploy(&store, 1, b"a", vec![definition(11, "loan"), definition(12, "order")]).await;
    assert_eq!(versions(&first), [1, 1]);
    let decision = Definition { kind: DefinitionKind::Decision, ..definition(14, "loan") };
    let tenant = Definition { tenant: "north".into(), ..definition(15, "loan") };
    let second = deploy(&store, 2, b"b", vec![definition(13, "loan"), decision, tenant, definition(16, "loan")]).await;
    assert_eq!(versions(&second), [2, 1, 1, 3]);
    assert_eq!(second[0].deployment, Key(2));
    assert_eq!(store.get::<Definition>(Key(13)).await.unwrap().as_ref(), Some(&second[0]));
    let of_loan = DefinitionQuery { ids: vec!["loan".into()], tenant: Some("".into()), ..DefinitionQuery::default() };
    assert_eq!(store.count(&of_loan).await.unwrap(), 4);
}

async fn a_definition_is_found_by_version_tag_and_deployment(store: Store) {
    let tagged = Definition { tag: Some("stable".into()), ..definition(11, "loan") };
    deploy(&store, 1, b"a", vec![tagged]).await;
    deploy(&store, 2, b"b", vec![definition(12, "loan")]).await;
    let find = async |version: Version| {
        let found = store.definition(DefinitionKind::Process, &"".into(), &"loan".into(), &version).await.unwrap();
        found.map(|definition| u64::from(definition.key))
    };
    assert_eq!(find(Version::Latest).await, Some(12));
    assert_eq!(find(Version::Number(1)).await, Some(11));
    assert_eq!(find(Version::Number(3)).await, None);
    assert_eq!(find(Version::Tag("stable".into())).await, Some(11));
    assert_eq!(find(Version::Deployment(Key(1))).await, Some(11));
    assert!(store.suspend_definition(Key(11), true).await.unwrap());
    assert!(store.get::<Definition>(Key(11)).await.unwrap().unwrap().suspended);
    assert!(!store.suspend_definition(Key(77), true).await.unwrap());
}

async fn files_come_back_byte_for_byte(store: Store) {
    let large: Vec<u8> = (0..600_000_u32).flat_map(|number| number.to_le_bytes()).collect();
    deploy(&store, 1, &large, vec![definition(11, "loan")]).await;
    assert_eq!(store.resource(Key(1), &"loan.bpmn".into()).await.unwrap(), Some(large));
    assert_eq!(store.resource(Key(1), &"other.bpmn".into()).await.unwrap(), None);
    deploy(&store, 2, b"", vec![]).await;
    assert_eq!(store.resource(Key(2), &"loan.bpmn".into()).await.unwrap(), Some(vec![]));
}

async fn bytes_that_others_share_stay(store: Store) {
    for key in [1, 2] {
        deploy(&store, key, b"same", vec![definition(key + 10, "loan")]).await;
    }
    let content = potok_store::digest(b"same");
    assert!(store.remove_deployment(Key(1), |_, _| Some(Changes::default())).await.unwrap());
    assert_eq!(store.get::<Deployment>(Key(1)).await.unwrap(), None);
    assert_eq!(store.get::<Definition>(Key(11)).await.unwrap(), None);
    assert_eq!(store.resource(Key(2), &"loan.bpmn".into()).await.unwrap(), Some(b"same".to_vec()));
    assert!(store.remove_deployment(Key(2), |_, _| Some(Changes::default())).await.unwrap());
    assert_eq!(store.chunk(&content, 0).await.unwrap(), None);
}

async fn attachments_are_taken_bit_by_bit(store: Store) {
    let bytes: Vec<u8> = (0..700_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let attach = async |key: u64| {
        let mut upload = store.upload(key, 1_000_000);
        for part in bytes.chunks(100_000) {
            upload.write(part).await.unwrap();
        }
        let attachment = Attachment { instance: Key(1), key: Key(key), name: "a.pdf".into(), ..Attachment::default() };
        upload.finish(attachment).await.unwrap()
    };
    assert_eq!(attach(1).await, None, "there is no such instance");
    committed(&store, unit(1, &[(1, 1)])).await;
    let attach = async |key: u64| attach(key).await.unwrap();
    let (first, second) = (attach(2).await, attach(3).await);
    assert_eq!((first.size, &first.content), (700_000, &potok_store::digest(&bytes)));
    let mut read = Vec::new();
    let mut chunk = 0;
    while let Some(more) = store.chunk(&first.content, chunk).await.unwrap() {
        read.extend_from_slice(&more);
        chunk += 1;
    }
    assert_eq!((read == bytes, chunk), (true, 3));
    assert_eq!(store.of_instance::<Attachment>(Key(1)).await.unwrap(), [first.clone(), second]);
    store.remove_attachment(Key(1), Key(2)).await.unwrap();
    assert!(store.chunk(&first.content, 0).await.unwrap().is_some(), "the other attachment has the same bytes");
    store.remove_attachment(Key(1), Key(3)).await.unwrap();
    assert!(store.chunk(&first.content, 0).await.unwrap().is_none());
}

async fn an_attachment_that_is_too_large_leaves_nothing(store: Store) {
    let mut upload = store.upload(7, 300_000);
    upload.write(&[1; 290_000]).await.unwrap();
    let error = upload.write(&[1; 20_000]).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { size: 310_000, limit: 300_000, .. }));
    let draft = 7_u64.to_be_bytes().as_slice().into();
    assert_eq!(store.chunk(&draft, 0).await.unwrap(), None);
}

async fn people_are_found_by_group(store: Store) {
    let mut unit = Unit { id: 1, ..Unit::default() };
    for (user, group) in [("anna", "sales"), ("bert", "sales"), ("bert", "support")] {
        unit.changes.put(User { id: user.into(), ..User::default() });
        unit.changes.put(Group { id: group.into(), ..Group::default() });
        unit.changes.put(Membership { member: user.into(), team: group.into() });
    }
    committed(&store, unit).await;
    let of_group = UserQuery { group: Some("sales".into()), ..UserQuery::default() };
    let users: Vec<_> = store.list(&of_group).await.unwrap().rows.into_iter().map(|user| user.id).collect();
    assert_eq!(users, ["anna", "bert"]);
    let of_user = GroupQuery { member: Some("anna".into()), ..GroupQuery::default() };
    assert_eq!(store.list(&of_user).await.unwrap().rows[0].id, "sales");
    let mut unit = Unit { id: 2, ..Unit::default() };
    unit.changes.remove::<Membership>(("bert".into(), "sales".into()));
    committed(&store, unit).await;
    assert_eq!(store.count(&of_group).await.unwrap(), 1);
}

async fn comments_are_kept_with_their_instance(store: Store) {
    let comment = Comment { instance: Key(1), key: Key(2), text: "Ok?".into(), written: at(1), ..Comment::default() };
    let mut unit = Unit { id: 1, ..Unit::default() };
    unit.changes.add(comment.clone());
    committed(&store, unit).await;
    assert_eq!(store.of_instance::<Comment>(Key(1)).await.unwrap(), [comment]);
    assert_eq!(store.of_instance::<Comment>(Key(2)).await.unwrap(), []);
}

async fn node_numbers_are_leased(store: Store) {
    let join = async |lease, duration| store.join("node".into(), lease, 1, duration).await.unwrap();
    let (first, second) = (join(1, HOUR).await, join(2, HOUR).await);
    assert_eq!((first.number, second.number), (0, 1));
    let numbers = store.nodes().await.unwrap().into_iter().map(|node| node.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [0, 1]);
    store.leave(&first, 4711).await.unwrap();
    let third = join(3, Duration::ZERO).await;
    assert_eq!(third.keys, 4711, "its keys go on where those before it ended");
    assert_eq!(third.number, 0);
    let fourth = join(4, HOUR).await;
    assert_eq!(fourth.number, 0, "the lease had run out");
    assert!(fourth.keys > third.keys, "what the third may have given out before it was renewed is not given again");
    assert!(!store.renew(&third, 0, HOUR).await.unwrap(), "somebody else has the number");
    assert!(store.renew(&fourth, 0, HOUR).await.unwrap());
    store.leave(&third, 0).await.unwrap();
    assert_eq!(store.bury().await.unwrap(), 0, "nobody is dead");
    assert_eq!(store.nodes().await.unwrap().len(), 2, "only one's own number is given back");
}

async fn what_has_expired_is_swept_up(store: Store) {
    let claim =
        |value: &str, expires| Claim { kind: ClaimKind::MessageId, value: value.into(), expires, ..Claim::default() };
    let mut unit = Unit { id: 1, ..Unit::default() };
    unit.guards = vec![Guard::Claim(claim("a", Some(at(1)))), Guard::Claim(claim("b", None))];
    unit.changes.add(Message { key: Key(1), expires: at(1), ..Message::default() });
    unit.changes.add(Message { key: Key(2), expires: at(253_000_000_000), ..Message::default() });
    committed(&store, unit.clone()).await;
    assert_eq!(store.sweep(at(2), at(2), 100).await.unwrap(), 2);
    assert_eq!(store.sweep(at(2), at(2), 100).await.unwrap(), 0);
    assert!(store.get::<Message>(Key(2)).await.unwrap().is_some());
    assert!(store.get::<Claim>(("".into(), ClaimKind::MessageId, "b".into())).await.unwrap().is_some());
    committed(&store, unit).await;
    assert!(store.get::<Message>(Key(1)).await.unwrap().is_none(), "the unit is still known");
}
