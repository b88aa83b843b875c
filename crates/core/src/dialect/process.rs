//! What the dialects say about a process and its lanes.

use super::namespace::ZEEBE;
use super::reader::{comma_separated, extensions, own, text};
use super::{ProcessProperties, Reader};
use crate::Name;
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// Reads what the dialects say about a process.
    #[must_use]
    pub fn process(&self, process: Element<'d>) -> ProcessProperties {
        let zeebe_tag = self.zeebe_element(process, "versionTag");
        let classic = |name: &str| self.classic(process, name).map(|text| self.value(process, &text));
        let task_priority = match self.zeebe_element(process, "jobPriorityDefinition") {
            Some(definition) => own(definition, "priority").map(|text| self.value(definition, &text)),
            None => classic("taskPriority"),
        };
        ProcessProperties {
            version_tag: zeebe_tag.and_then(|tag| own(tag, "value")).or_else(|| self.classic(process, "versionTag")),
            history_time_to_live: self.any(process, "historyTimeToLive"),
            candidate_starter_users: comma_separated(self.any(process, "candidateStarterUsers")),
            candidate_starter_groups: comma_separated(self.any(process, "candidateStarterGroups")),
            startable_in_tasklist: self.flag(process, "isStartableInTasklist"),
            forms: self.embedded_forms(process),
            task_priority,
            job_priority: classic("jobPriority"),
            listeners: self.listeners(process),
            properties: self.properties(process),
        }
    }

    /// The group that a lane's tasks go to, if it is not the lane's name (`potok:group`).
    #[must_use]
    pub fn lane_group(&self, lane: Element<'d>) -> Option<Name> {
        self.potok(lane, "group")
    }

    /// The forms that stand in a process (`zeebe:userTaskForm`): (id, JSON).
    fn embedded_forms(&self, process: Element<'d>) -> Vec<(Name, Name)> {
        let forms = extensions(process, "userTaskForm").filter(|form| form.namespace() == ZEEBE);
        forms.filter_map(|form| Some((own(form, "id")?, text(form)?))).collect()
    }
}
