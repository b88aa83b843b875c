//! What was said, held against the database.

use std::collections::{BTreeMap, BTreeSet};

use potok::query::{InstanceQuery, JobQuery};
use potok::row::{InstanceState, TaskState};
use potok::{Engine, InstanceId, JobId, Task, TaskId};

use super::{ORDER, Said, file, ledger};

/// What was acknowledged, and what may be there without.
#[derive(Debug, Default)]
pub struct Account {
    starting: BTreeSet<String>,
    started: BTreeMap<String, InstanceId>,
    claimed: BTreeMap<TaskId, String>,
    completed: BTreeSet<TaskId>,
    entering: BTreeSet<TaskId>,
    entered: BTreeSet<TaskId>,
    sending: BTreeSet<String>,
    sent: BTreeMap<String, Option<InstanceId>>,
    jobs: BTreeSet<JobId>,
    in_hand: BTreeMap<JobId, Vec<(i64, i64)>>,
    attached: BTreeSet<(InstanceId, String)>,
    /// Instances that had ended when it was last checked.
    ended: BTreeMap<InstanceId, InstanceState>,
    /// What the database could not do, with the errors' codes, and how often.
    pub trouble: BTreeMap<(String, String), u32>,
    /// How much was acknowledged.
    pub acknowledged: u32,
}

impl Account {
    /// Deploys the model, and makes the program's own table.
    ///
    /// # Panics
    /// If the database cannot do it.
    pub async fn prepare(engine: &Engine) {
        engine.deployment().file("order.bpmn", ORDER).send().await.expect("the model is deployed");
        ledger::create(engine).await.expect("the ledger is made");
    }

    /// Takes down what was said.
    ///
    /// # Panics
    /// If something was acknowledged twice.
    pub fn take_down(&mut self, said: Said) {
        let is_news = match said {
            Said::Ready => return,
            Said::Starting { order } => return self.starting.extend([order]),
            Said::Entering { task } => return self.entering.extend([task]),
            Said::Sending { id } => return self.sending.extend([id]),
            Said::InHand { job, from, until } => return self.in_hand.entry(job).or_default().push((from, until)),
            Said::Trouble { what, code } => return *self.trouble.entry((what, code)).or_default() += 1,
            Said::Started { ref order, instance } => self.started.insert(order.clone(), instance).is_none(),
            Said::Claimed { task, ref user } => {
                // A user may claim again what is the user's.
                let before = self.claimed.insert(task, user.clone());
                before.is_none_or(|before| before == *user)
            }
            Said::Completed { task } => self.completed.insert(task),
            Said::Entered { task } => self.completed.insert(task) && self.entered.insert(task),
            Said::Sent { ref id, to } => self.sent.insert(id.clone(), to).is_none(),
            Said::JobDone { job } => self.jobs.insert(job),
            Said::Attached { instance, ref name } => {
                self.attached.insert((instance, name.clone()));
                true
            }
        };
        assert!(is_news, "acknowledged twice: {said:?}");
        self.acknowledged += 1;
    }

    /// Checks that all that was acknowledged is there, and nothing twice; while nobody is at work.
    ///
    /// # Panics
    /// If not so.
    pub async fn check(&mut self, engine: &Engine) {
        let findings = engine.examine().await.expect("it can be read");
        assert!(findings.is_empty(), "the database is not as the log says: {findings:#?}");
        let instances = engine.instances(&InstanceQuery::default()).await.expect("instances");
        let mut orders = BTreeMap::new();
        let mut ended = BTreeMap::new();
        for instance in &instances {
            if instance.state != InstanceState::Active {
                ended.insert(instance.id(), instance.state);
            }
            if instance.process == "order" {
                let order = instance.business_key.as_deref().unwrap_or_default().to_owned();
                assert!(self.starting.contains(&order), "nobody started {order}");
                let before = orders.insert(order, instance.id());
                assert_eq!(before, None, "an order was started twice");
            }
        }
        for (order, instance) in &self.started {
            assert_eq!(orders.get(order), Some(instance), "the start of {order} was acknowledged and is lost");
        }
        for (instance, state) in &self.ended {
            assert_eq!(ended.get(instance), Some(state), "instance {instance} had ended and has not any more");
        }
        self.ended = ended;
        let tasks = tasks(engine).await;
        for task in &self.completed {
            let state = tasks.get(task).map(|task| task.state);
            assert_eq!(state, Some(TaskState::Completed), "the completion of task {task} was acknowledged and is lost");
        }
        for (task, user) in &self.claimed {
            let assignee = tasks.get(task).and_then(|task| task.assignee.as_deref());
            assert_eq!(assignee, Some(&**user), "the claim of task {task} was acknowledged and is lost");
        }
        self.check_ledger(engine, &tasks).await;
        self.check_jobs(engine).await;
        self.check_attachments(engine).await;
    }

    async fn check_ledger(&self, engine: &Engine, tasks: &BTreeMap<TaskId, Task>) {
        let ledger = ledger::tasks(engine).await;
        for (index, task) in ledger.iter().enumerate() {
            assert!(self.entering.contains(task), "nobody entered {task}");
            assert!(index == 0 || ledger[index - 1] != *task, "task {task} was entered twice");
            let state = tasks.get(task).map(|task| task.state);
            assert_eq!(state, Some(TaskState::Completed), "task {task} was entered, but is not completed");
        }
        for task in &self.entered {
            assert!(ledger.contains(task), "the entry of task {task} was acknowledged and is lost");
        }
    }

    async fn check_jobs(&self, engine: &Engine) {
        let open = engine.jobs(&JobQuery::default()).await.expect("jobs");
        let booked = ledger::booked(engine).await;
        assert!(booked.is_sorted_by(|one, other| one < other), "a job was booked twice: {booked:?}");
        for job in open {
            let done = self.jobs.contains(&JobId(job.key));
            assert!(!done, "the result of job {} was acknowledged and is lost", job.key);
            assert!(!booked.contains(&JobId(job.key)), "job {} was booked and is not done", job.key);
        }
        for (job, times) in &self.in_hand {
            let mut times: Vec<_> = times.iter().copied().filter(|(from, until)| from < until).collect();
            times.sort_unstable();
            for two in times.windows(2) {
                assert!(two[0].1 <= two[1].0, "job {job} was in two workers' hands: {times:?}");
            }
        }
    }

    async fn check_attachments(&self, engine: &Engine) {
        for (instance, name) in &self.attached {
            let attachments = engine.attachments(*instance).await.expect("attachments");
            let Some(attachment) = attachments.iter().find(|attachment| attachment.name == **name) else {
                panic!("{name} was attached to {instance}, acknowledged, and is lost")
            };
            let mut reading = engine.read_attachment(attachment);
            let mut bytes = Vec::new();
            while let Some(chunk) = reading.chunk().await.expect("a chunk") {
                bytes.extend_from_slice(&chunk);
            }
            assert!(bytes == file(name), "{name} is not as it was attached");
        }
    }

    /// Brings everything to its end with an engine that has the handlers and works by hand, and checks that each order went its way
    /// once.
    ///
    /// # Panics
    /// If not so, or it does not come to an end.
    pub async fn settle(&mut self, engine: &Engine) {
        let active = InstanceQuery { states: vec![InstanceState::Active], ..InstanceQuery::default() };
        for round in 0.. {
            engine.execute_due().await.expect("what is due is executed");
            let topics = ["send".into()];
            let lease = std::time::Duration::from_secs(60);
            let jobs = engine.fetch_jobs("last", &topics, 1000, lease, std::time::Duration::ZERO).await.expect("jobs");
            for job in jobs {
                let result = serde_json::json!({"sent": job.id().to_string()});
                engine.complete_job(&job, result).await.expect("a job is completed");
            }
            for task in engine.tasks().list().await.expect("tasks") {
                engine.complete(task.id(), ()).await.expect("a task is completed");
            }
            let left = engine.instances(&active).await.expect("instances");
            if left.is_empty() {
                break;
            }
            assert!(round < 1000, "these do not come to an end: {left:#?}");
            // Timers and leases of a fraction of a second run out.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.check(engine).await;
        let instances = engine.instances(&InstanceQuery::default()).await.expect("instances");
        let tasks = tasks(engine).await;
        let booked = ledger::booked(engine).await;
        let orders = instances.iter().filter(|instance| instance.process == "order").count();
        assert_eq!(booked.len(), orders, "each order is booked once");
        for order in instances.iter().filter(|instance| instance.process == "order") {
            let of_node =
                |node: &str| tasks.values().filter(|task| task.instance == order.key && task.node == node).count();
            assert_eq!((of_node("check"), of_node("close")), (1, 1), "{order:?}");
            let shipped = instances.iter().filter(|other| other.parent == Some(order.key)).count();
            assert_eq!(shipped, 1, "{order:?} was shipped {shipped} times");
            let variables = engine.instance(order.id()).variables().await.expect("variables");
            let has = |name: String| variables.iter().any(|(other, _)| *other == name);
            assert!(has("packed".into()), "{order:?} {variables:?}");
            let by = variables.iter().find(|(name, _)| name == "booked").and_then(|(_, value)| value.as_str());
            assert!(booked.iter().any(|job| by == Some(&*job.to_string())), "{order:?} {variables:?}");
            let news: Vec<u32> = (0..10).filter(|number| has(format!("news_{number}"))).collect();
            assert_eq!(of_node("note"), news.len(), "each message once: {news:?} in {order:?}");
            for number in news {
                assert!(self.sending.contains(&format!("{}-{number}", order.key)), "nobody sent it");
            }
        }
        for (id, to) in &self.sent {
            let Some(instance) = to else { continue };
            let number = id.rsplit('-').next().unwrap_or_default();
            let news = engine.instance(*instance).variable(&format!("news_{number}")).await.expect("a variable");
            assert!(news.is_some(), "message {id} was delivered, acknowledged, and is lost");
        }
    }
}

/// All tasks there ever were.
async fn tasks(engine: &Engine) -> BTreeMap<TaskId, Task> {
    let tasks = engine.tasks().and_ended().list().await.expect("tasks");
    tasks.into_iter().map(|task| (task.id(), task)).collect()
}
