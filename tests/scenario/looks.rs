//! What is seen.

use potok_core::instance::{JobWait, State, TRIES, UserTaskWait, WaitKind};
use serde_json::Value as Json;

use super::verbs::is_tried;
use super::{Scenario, is, variables, waits};

impl Scenario {
    // --- which instance is looked at

    /// Looks at the newest instance of a process from here on.
    #[track_caller]
    pub fn instance_of(mut self, process: &str) -> Self {
        match self.host.instances_of(process).last() {
            Some(key) => self.focus = Some(*key),
            None => self.fail(format!("no instance of `{process}` has started")),
        }
        self
    }

    /// Looks at an instance of a process, counted from 0 and the oldest, from here on.
    #[track_caller]
    pub fn nth_instance_of(mut self, process: &str, index: usize) -> Self {
        match self.host.instances_of(process).get(index) {
            Some(key) => self.focus = Some(*key),
            None => self.fail(format!("not so many instances of `{process}` have started")),
        }
        self
    }

    /// Looks at the first instance again.
    #[must_use]
    pub fn main_instance(mut self) -> Self {
        self.focus = self.main;
        self
    }

    /// How many instances of a process have started.
    #[must_use]
    pub fn instances(&self, process: &str) -> usize {
        self.host.instances_of(process).len()
    }

    /// So many instances of a process have started.
    #[track_caller]
    pub fn has_instances(self, process: &str, count: usize) -> Self {
        let found = self.instances(process);
        if found != count {
            self.fail(format!("{found} instances of `{process}` have started, not {count}"));
        }
        self
    }

    // --- where its tokens are

    /// Tokens wait at these elements, and at no others.
    #[track_caller]
    pub fn waits_at<const N: usize>(self, elements: [&str; N]) -> Self {
        let running = self.running();
        let found = waits::places(&running.instance, &running.graph);
        if found != sorted(&elements) {
            self.fail(format!("tokens wait at {found:?}, not at {elements:?}"));
        }
        self
    }

    /// So many tokens wait at this element, whatever waits elsewhere.
    #[track_caller]
    pub fn is_at(self, element: &str, count: usize) -> Self {
        let running = self.running();
        let found = waits::places(&running.instance, &running.graph).iter().filter(|id| *id == element).count();
        if found != count {
            self.fail(format!("{found} tokens wait at `{element}`, not {count}"));
        }
        self
    }

    /// Tokens queue at these joins, and at no others: once for each token.
    #[track_caller]
    pub fn joins<const N: usize>(self, elements: [&str; N]) -> Self {
        let running = self.running();
        let found = waits::queues(&running.instance, &running.graph);
        if found != sorted(&elements) {
            self.fail(format!("tokens queue at {found:?}, not at {elements:?}"));
        }
        self
    }

    /// Tokens entered these elements in this order; separated by spaces.
    #[track_caller]
    pub fn trace(self, elements: &str) -> Self {
        let found = self.host.path(self.key());
        let expected = elements.split_whitespace().collect::<Vec<_>>().join(" ");
        if found != expected {
            self.fail(format!("the trace is\n  {found}\nnot\n  {expected}"));
        }
        self
    }

    /// A token entered this element so many times.
    #[track_caller]
    pub fn passed(self, element: &str, times: usize) -> Self {
        let found = self.host.trace(self.key()).iter().filter(|id| **id == element).count();
        if found != times {
            self.fail(format!("`{element}` was entered {found} times, not {times}"));
        }
        self
    }

    /// Incidents stand at this element and of this kind, and there are no others.
    #[track_caller]
    pub fn incident(self, element: &str, code: &str) -> Self {
        let running = self.running();
        let found: Vec<_> = waits::incidents(&running.instance, &running.graph)
            .into_iter()
            .map(|(element, kind, _)| (element, kind.code()))
            .collect();
        if found != [(element.to_owned(), code)] {
            self.fail(format!("the incidents are {found:?}, not {code} at `{element}`"));
        }
        self
    }

    /// So many incidents stand, all of this code and at this element.
    #[track_caller]
    pub fn incidents(self, element: &str, code: &str, count: usize) -> Self {
        let running = self.running();
        let found = waits::incidents(&running.instance, &running.graph);
        let alike = found.iter().filter(|(at, kind, _)| at == element && kind.code() == code).count();
        if (found.len(), alike) != (count, count) {
            self.fail(format!("of {} incidents {alike} are {code} at `{element}`, not {count}", found.len()));
        }
        self
    }

    /// The only incident's message contains this.
    #[track_caller]
    pub fn incident_says(self, part: &str) -> Self {
        let running = self.running();
        let found = waits::incidents(&running.instance, &running.graph);
        if !matches!(&found[..], [(_, _, message)] if message.contains(part)) {
            self.fail(format!("the incidents are {found:?}: none, or more than the one that says `{part}`"));
        }
        self
    }

    /// Nothing is stuck.
    #[track_caller]
    pub fn no_incident(self) -> Self {
        let running = self.running();
        let found = waits::incidents(&running.instance, &running.graph);
        if !found.is_empty() {
            self.fail(format!("there are incidents: {found:?}"));
        }
        self
    }

    // --- how it ended

    #[track_caller]
    fn state(&self, expected: &str, is_expected: impl Fn(&State) -> bool) {
        if !is_expected(self.running().instance.state()) {
            self.fail(format!("the instance is not {expected}"));
        }
    }

    /// The instance runs.
    #[track_caller]
    pub fn active(self) -> Self {
        self.state("active", |state| *state == State::Active);
        self
    }

    /// The instance ended as its model says.
    #[track_caller]
    pub fn completed(self) -> Self {
        self.state("completed", |state| *state == State::Completed);
        self
    }

    /// The instance ended by an error that nothing caught.
    #[track_caller]
    pub fn failed(self, expected: &str) -> Self {
        self.state(
            &format!("failed with `{expected}`"),
            |state| matches!(state, State::Failed { code, .. } if &**code == expected),
        );
        self
    }

    /// The instance was ended from outside.
    #[track_caller]
    pub fn cancelled(self) -> Self {
        self.state("cancelled", |state| matches!(state, State::Cancelled { .. }));
        self
    }

    // --- its variables

    /// The process has these variables (and maybe others).
    #[track_caller]
    pub fn variables(self, expected: Json) -> Self {
        for (name, _) in variables(expected.clone()) {
            self.check_variable(&name, &expected[&*name]);
        }
        self
    }

    /// The process has this variable.
    #[track_caller]
    pub fn variable(self, name: &str, expected: impl Into<Json>) -> Self {
        self.check_variable(name, &expected.into());
        self
    }

    #[track_caller]
    fn check_variable(&self, name: &str, expected: &Json) {
        let found = self.running().instance.variable(name);
        if found.is_none() || !is(found, expected) {
            self.fail(format!("variable `{name}` is {found:?}, not {expected}"));
        }
    }

    /// The process has no variable of that name.
    #[track_caller]
    pub fn no_variable(self, name: &str) -> Self {
        if let Some(found) = self.running().instance.variable(name) {
            let found = found.clone();
            self.fail(format!("there is a variable `{name}`: {found:?}"));
        }
        self
    }

    /// The oldest token at an element sees this variable (null: none, or null).
    #[track_caller]
    pub fn sees(self, element: &str, name: &str, expected: impl Into<Json>) -> Self {
        self.nth_sees(element, 0, name, expected)
    }

    /// A token at an element, counted from 0 and the oldest, sees this variable.
    #[track_caller]
    pub fn nth_sees(self, element: &str, index: usize, name: &str, expected: impl Into<Json>) -> Self {
        let expected = expected.into();
        let waits = self.waits_of(element, |_| true);
        let wait = waits.get(index).and_then(|key| self.host.runner.waits().find(|(_, wait)| wait.key == *key));
        let Some((running, wait)) = wait else { self.fail(format!("no token {index} waits at `{element}`")) };
        let found = running.instance.visible(running.instance.scope_of(wait), name);
        if !is(found.as_deref(), &expected) {
            self.fail(format!("`{element}` sees `{name}` as {found:?}, not {expected}"));
        }
        self
    }

    /// The instance has this business key.
    #[track_caller]
    pub fn has_business_key(self, expected: &str) -> Self {
        let found = self.running().instance.business_key();
        if found.map(|key| &**key) != Some(expected) {
            self.fail(format!("the business key is {found:?}, not {expected}"));
        }
        self
    }

    /// The instance has no business key.
    #[track_caller]
    pub fn no_business_key(self) -> Self {
        if let Some(found) = self.running().instance.business_key() {
            self.fail(format!("there is a business key: {found}"));
        }
        self
    }

    // --- its tasks and jobs

    /// Looks closely at the oldest user task of an element.
    #[track_caller]
    pub fn task(self, element: &str, look: impl FnOnce(&UserTaskWait)) -> Self {
        let key = self.wait_of(element, "user task", |kind| matches!(kind, WaitKind::UserTask(_)));
        let found = self.host.runner.waits().find(|(_, wait)| wait.key == key);
        if let Some(WaitKind::UserTask(task)) = found.map(|(_, wait)| &wait.kind) {
            look(task);
        }
        self
    }

    /// The oldest user task of an element is assigned to this user.
    #[track_caller]
    pub fn assignee(self, element: &str, expected: &str) -> Self {
        self.task(element, |task| assert_eq!(task.assignee.as_deref(), Some(expected), "assignee of `{element}`"))
    }

    /// The oldest user task of an element belongs to these groups.
    #[track_caller]
    pub fn groups<const N: usize>(self, element: &str, expected: [&str; N]) -> Self {
        self.task(element, |task| {
            let found: Vec<_> = task.candidate_groups.iter().map(|group| &**group).collect();
            assert_eq!(found, expected, "groups of `{element}`");
        })
    }

    /// Looks closely at the oldest job of an element.
    #[track_caller]
    pub fn job_is(self, element: &str, look: impl FnOnce(&JobWait)) -> Self {
        let key = self.wait_of(element, "job", |kind| matches!(kind, WaitKind::Job(_)));
        let found = self.host.runner.waits().find(|(_, wait)| wait.key == key);
        if let Some(WaitKind::Job(job)) = found.map(|(_, wait)| &wait.kind) {
            look(job);
        }
        self
    }

    /// The oldest savepoint or timer of an element has so many tries left.
    #[track_caller]
    pub fn retries_left(self, element: &str, expected: i64) -> Self {
        let key = self.wait_of(element, "savepoint or timer", is_tried);
        let found = self.host.runner.waits().find(|(_, wait)| wait.key == key);
        let left = found.map(|(_, wait)| wait.kind.retry().map_or(TRIES, |retry| retry.left));
        if left == Some(expected) {
            return self;
        }
        self.fail(format!("`{element}` has {left:?} tries left, not {expected}"))
    }

    /// The oldest savepoint or timer of an element is so urgent.
    #[track_caller]
    pub fn has_priority(self, element: &str, expected: i64) -> Self {
        let key = self.wait_of(element, "savepoint or timer", is_tried);
        let found = self.host.runner.waits().find(|(_, wait)| wait.key == key);
        let priority = found.map(|(_, wait)| wait.kind.retry().map_or(0, |retry| retry.priority));
        if priority == Some(expected) {
            return self;
        }
        self.fail(format!("`{element}` has the priority {priority:?}, not {expected}"))
    }

    /// So much of a kind waits at an element.
    #[track_caller]
    pub fn has_waits(self, element: &str, kind: &str, count: usize) -> Self {
        let found = self.waits_of(element, |wait| wait.word() == kind).len();
        if found == count {
            self
        } else {
            self.fail(format!("{found} of the kind {kind} wait at `{element}`, not {count}"))
        }
    }

    // --- what went on between instances

    /// So many messages are kept, because nobody waits for them yet.
    #[track_caller]
    pub fn kept_messages(self, count: usize) -> Self {
        let found = self.host.runner.kept_messages().count();
        if found != count {
            self.fail(format!("{found} messages are kept, not {count}"));
        }
        self
    }

    /// A message of this name was sent to the outside world.
    #[track_caller]
    pub fn sent(self, name: &str) -> Self {
        if !self.was_sent(name) {
            self.fail(format!("no message `{name}` was sent to the outside world"));
        }
        self
    }

    /// No message of this name was sent to the outside world.
    #[track_caller]
    pub fn not_sent(self, name: &str) -> Self {
        if self.was_sent(name) {
            self.fail(format!("a message `{name}` was sent to the outside world"));
        }
        self
    }

    fn was_sent(&self, name: &str) -> bool {
        let is_it = |notice: &potok_core::routing::Notice| matches!(notice, potok_core::routing::Notice::MessageSent { message } if message.name.as_deref() == Some(name));
        self.host.notices.iter().any(is_it)
    }

    /// A message or signal of this name was not carried any further, because instances answer each other without end.
    #[track_caller]
    pub fn stopped(self, name: &str) -> Self {
        let is_it = |notice: &potok_core::routing::Notice| matches!(notice, potok_core::routing::Notice::ChainTooLong { name: Some(stopped), .. } if &**stopped == name);
        if !self.host.notices.iter().any(is_it) {
            self.fail(format!("`{name}` was carried on and on"));
        }
        self
    }

    /// The time, e.g. `2026-01-05T10:00:00Z`.
    #[track_caller]
    pub fn now(self, expected: &str) -> Self {
        let found = self.host.runner.now().to_string();
        if found != expected {
            self.fail(format!("it is {found}, not {expected}"));
        }
        self
    }
}

fn sorted(elements: &[&str]) -> Vec<String> {
    let mut sorted: Vec<_> = elements.iter().map(|id| (*id).to_owned()).collect();
    sorted.sort();
    sorted
}
