//! Execution and task listeners.

use super::job::header_list;
use super::reader::{children, own};
use super::{ExpressionUse, JobProperties, Listener, ListenerAction, ListenerStage, Reader};
use crate::model::{TimerDefinition, TimerKind};
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// The listeners of an element, a sequence flow or a process, in document order of each kind.
    pub(super) fn listeners(&self, host: Element<'d>) -> Vec<Listener> {
        let mut listeners = Vec::new();
        let classic = self.classic_elements(host, "executionListener").into_iter();
        for element in classic.chain(self.classic_elements(host, "taskListener")) {
            let Some(action) = self.classic_action(element) else {
                continue;
            };
            let stages = classic_stages(host, element).iter();
            listeners.extend(stages.map(|stage| Listener {
                element: element.index(),
                stage: *stage,
                action: action.clone(),
                timer: self.timer_of(element).filter(|_| *stage == ListenerStage::Timeout),
            }));
        }
        let execution = self.zeebe_element(host, "executionListeners").into_iter();
        let execution = execution.flat_map(|list| children(list, "executionListener"));
        let task = self.zeebe_element(host, "taskListeners").into_iter();
        let task = task.flat_map(|list| children(list, "taskListener"));
        listeners.extend(execution.chain(task).filter_map(|element| {
            Some(Listener {
                element: element.index(),
                stage: zeebe_stage(element)?,
                action: ListenerAction::Job(Box::new(self.zeebe_job(element)?)),
                timer: None,
            })
        }));
        listeners
    }

    fn classic_action(&self, element: Element<'d>) -> Option<ListenerAction> {
        if let Some(script) = children(element, "script").next() {
            return Some(ListenerAction::Script(self.expression(script, ExpressionUse::Script)));
        }
        if let Some(expression) = own(element, "expression") {
            return Some(ListenerAction::Expression(self.value(element, &expression)));
        }
        let fields: Vec<_> = children(element, "field").collect();
        Some(ListenerAction::Job(Box::new(JobProperties {
            kind: self.java_kind(element)?,
            retries: None,
            priority: None,
            headers: self.fields(&fields),
            retry_cycle: None,
            mapped_only: false,
            in_place_of_engine: true,
        })))
    }

    /// The timer of a task listener on `timeout`.
    fn timer_of(&self, listener: Element<'d>) -> Option<TimerDefinition> {
        let definition = children(listener, "timerEventDefinition").next()?;
        let (kind, time) =
            definition.children().find_map(|child| Some((TimerKind::of_element(child.name())?, child)))?;
        let expression = self.expression(time, ExpressionUse::Timer);
        Some(TimerDefinition { kind, expression, end: self.cycle_end(time) })
    }

    fn zeebe_job(&self, element: Element<'d>) -> Option<JobProperties> {
        let inner = children(element, "taskHeaders").next();
        Some(JobProperties {
            kind: self.value(element, &own(element, "type")?),
            retries: own(element, "retries").map(|text| self.value(element, &text)),
            priority: None,
            headers: inner.map(header_list).unwrap_or_default(),
            retry_cycle: None,
            mapped_only: false,
            in_place_of_engine: false,
        })
    }
}

/// The stages that a listener of Camunda 7 or Flowable is called at; empty if it is one that does not exist here.
pub(super) fn classic_stages(host: Element<'_>, listener: Element<'_>) -> &'static [ListenerStage] {
    let event = own(listener, "event");
    let event = event.as_deref().map(str::trim);
    if listener.name() == "taskListener" {
        return match event {
            Some("create") => &[ListenerStage::Create],
            Some("assignment") => &[ListenerStage::Assignment],
            Some("update") => &[ListenerStage::Update],
            Some("complete") => &[ListenerStage::Complete],
            Some("delete") => &[ListenerStage::Delete],
            Some("timeout") => &[ListenerStage::Timeout],
            Some("all") => {
                &[ListenerStage::Create, ListenerStage::Assignment, ListenerStage::Complete, ListenerStage::Delete]
            }
            _ => &[],
        };
    }
    match event {
        // A sequence flow knows only one moment.
        None | Some("take") if host.name() == "sequenceFlow" => &[ListenerStage::Take],
        Some("start") => &[ListenerStage::Start],
        Some("end") => &[ListenerStage::End],
        _ => &[],
    }
}

/// The stage that a listener of Camunda 8 is called at.
pub(super) fn zeebe_stage(listener: Element<'_>) -> Option<ListenerStage> {
    let event = own(listener, "eventType")?;
    match (listener.name(), event.trim()) {
        ("executionListener", "start") => Some(ListenerStage::Start),
        ("executionListener", "end") => Some(ListenerStage::End),
        ("taskListener", "creating" | "create") => Some(ListenerStage::Create),
        ("taskListener", "assigning" | "assignment") => Some(ListenerStage::Assignment),
        ("taskListener", "updating" | "update") => Some(ListenerStage::Update),
        ("taskListener", "completing" | "complete") => Some(ListenerStage::Complete),
        ("taskListener", "canceling" | "cancel") => Some(ListenerStage::Delete),
        _ => None,
    }
}
