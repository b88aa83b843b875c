//! How much stands where: counts of what runs, by flow node and by version.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use potok_core::Name;
use potok_core::instance::Key;
use potok_store::Query;
use potok_store::query::{IncidentQuery, InstanceQuery, JobQuery, SubscriptionQuery, TaskQuery, TimerQuery};
use potok_store::row::{InstanceState, TaskState};
use tokio::sync::Mutex;

use crate::engine::Engine;
use crate::{Action, DefinitionId, Error};

/// How long counts are good for at least.
const FRESH: Duration = Duration::from_secs(1);

/// What there is now on one flow node of a version of a process, in all its instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementStatistics {
    /// The id of the flow node.
    pub node: Name,
    /// Tokens that stand on it. Of a sub-process, call or loop that is the one outside, beside those inside; a round of a loop stands
    /// on the same flow node.
    pub tokens: u64,
    /// Open tasks.
    pub tasks: u64,
    /// Jobs that are not done, with or without tries left.
    pub jobs: u64,
    /// Timers that wait; a boundary event's stand on the event.
    pub timers: u64,
    /// Messages and signals that are waited for; a boundary event's stand on the event.
    pub subscriptions: u64,
    /// Open incidents.
    pub incidents: u64,
}

/// What runs of one version of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefinitionStatistics {
    /// The version.
    pub definition: DefinitionId,
    /// Running instances.
    pub instances: u64,
    /// Open incidents in them.
    pub incidents: u64,
}

/// The jobs of one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicStatistics {
    /// The topic.
    pub topic: Name,
    /// Jobs with tries left that nobody has.
    pub waiting: u64,
    /// Jobs that somebody has.
    pub locked: u64,
    /// Jobs without tries left.
    pub failed: u64,
}

/// Counts that were made a while ago, so that whoever asks often does not count often.
#[derive(Debug, Default)]
pub(crate) struct Topics(Mutex<Option<Counted>>);

#[derive(Clone, Debug)]
struct Counted {
    topics: Vec<TopicStatistics>,
    at: Instant,
    /// How long it took.
    taken: Duration,
}

impl Topics {
    /// What was counted, if that is not so long ago: the longer counting takes, the less often it is done, so that it takes a hundredth of
    /// the time at most.
    async fn recent(
        &self,
        count: impl Future<Output = Result<Vec<TopicStatistics>, Error>>,
    ) -> Result<Vec<TopicStatistics>, Error> {
        // Who asks meanwhile waits for the same count.
        let mut counted = self.0.lock().await;
        if let Some(counted) = &*counted
            && counted.at.elapsed() < (counted.taken * 100).max(FRESH)
        {
            return Ok(counted.topics.clone());
        }
        let begun = Instant::now();
        let topics = count.await?;
        *counted = Some(Counted { topics: topics.clone(), at: Instant::now(), taken: begun.elapsed() });
        Ok(topics)
    }
}

impl Engine {
    /// How many jobs of each topic wait, are in somebody's hands, or have failed, as it was a moment ago: a second, or, where there are so
    /// many that counting them takes its time, a hundred times as long as that.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be read.
    pub async fn jobs_by_topic(&self) -> Result<Vec<TopicStatistics>, Error> {
        let access = self.access(Action::SeeAll, &"").await?;
        let mut query = JobQuery::default();
        access.narrow(&mut query.sight);
        let count = async {
            let mut topics: BTreeMap<Name, TopicStatistics> = BTreeMap::new();
            let [with_tries, locked, failed] = self.inner.store.jobs_by_topic(&query).await?;
            for (counts, of) in [(with_tries, 0), (locked, 1), (failed, 2)] {
                for (topic, count) in counts {
                    let entry = topics.entry(topic.clone()).or_insert(TopicStatistics { topic, ..Default::default() });
                    match of {
                        0 => entry.waiting += count,
                        1 => entry.locked += count,
                        _ => entry.failed += count,
                    }
                }
            }
            let apart = |topic: TopicStatistics| {
                // Counted a moment later, more may be in somebody's hands than there were.
                TopicStatistics { waiting: topic.waiting.saturating_sub(topic.locked), ..topic }
            };
            Ok(topics.into_values().map(apart).collect())
        };
        if access.is_unlimited() { self.inner.topics.recent(count).await } else { count.await }
    }

    /// What stands on each flow node of a version of a process, as its model lists them; flow nodes with nothing on them are left
    /// out.
    ///
    /// # Errors
    /// If there is no such version of a process, or the database cannot be read.
    pub async fn statistics(&self, definition: DefinitionId) -> Result<Vec<ElementStatistics>, Error> {
        self.access(Action::SeeAll, &definition).await?;
        let graph = self.graph(definition).await?.ok_or(Error::UnknownDefinition(definition))?;
        let store = &self.inner.store;
        let mut nodes: Vec<ElementStatistics> = graph
            .nodes()
            .map(|node| ElementStatistics { node: node.id.clone(), ..ElementStatistics::default() })
            .collect();
        for (ordinal, tokens) in store.tokens_by_node(definition.0).await? {
            if let Some(node) = usize::try_from(ordinal).ok().and_then(|ordinal| nodes.get_mut(ordinal)) {
                node.tokens = tokens;
            }
        }
        let of = Some(definition.0);
        let tasks = TaskQuery { states: vec![TaskState::Open], definition: of, ..TaskQuery::default() };
        self.count_into(&mut nodes, &tasks, |node| &mut node.tasks).await?;
        let jobs = JobQuery { definition: of, ..JobQuery::default() };
        self.count_into(&mut nodes, &jobs, |node| &mut node.jobs).await?;
        // A token that waits at a task or a job is counted there.
        nodes.iter_mut().for_each(|node| node.tokens += node.tasks + node.jobs);
        let timers = TimerQuery { definition: of, ..TimerQuery::default() };
        self.count_into(&mut nodes, &timers, |node| &mut node.timers).await?;
        let waiting = SubscriptionQuery { definition: of, starts: Some(false), ..SubscriptionQuery::default() };
        self.count_into(&mut nodes, &waiting, |node| &mut node.subscriptions).await?;
        let incidents = IncidentQuery { open: Some(true), definition: of, ..IncidentQuery::default() };
        self.count_into(&mut nodes, &incidents, |node| &mut node.incidents).await?;
        nodes.retain(|node| *node != ElementStatistics { node: node.node.clone(), ..ElementStatistics::default() });
        Ok(nodes)
    }

    /// What runs of each version of each process, in the order in which they were deployed; those of which nothing runs are left
    /// out.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn definition_statistics(&self) -> Result<Vec<DefinitionStatistics>, Error> {
        let access = self.access(Action::SeeAll, &"").await?;
        let mut running =
            InstanceQuery { states: vec![InstanceState::Active], has_process: Some(true), ..InstanceQuery::default() };
        let mut stuck = IncidentQuery { open: Some(true), ..IncidentQuery::default() };
        access.narrow(&mut running.sight);
        access.narrow(&mut stuck.sight);
        let incidents = self.inner.store.count_by_definition(&stuck).await?;
        let incidents: BTreeMap<Key, u64> = incidents.into_iter().collect();
        let instances = self.inner.store.count_by_definition(&running).await?;
        let statistics = instances.into_iter().map(|(definition, instances)| DefinitionStatistics {
            definition: DefinitionId(definition),
            instances,
            incidents: incidents.get(&definition).copied().unwrap_or_default(),
        });
        Ok(statistics.collect())
    }

    async fn count_into<Q: Query>(
        &self,
        nodes: &mut [ElementStatistics],
        query: &Q,
        what: impl Fn(&mut ElementStatistics) -> &mut u64 + Send,
    ) -> Result<(), Error> {
        for (id, count) in self.inner.store.count_by_node(query).await? {
            if let Some(node) = nodes.iter_mut().find(|node| node.node == id) {
                *what(node) = count;
            }
        }
        Ok(())
    }
}
