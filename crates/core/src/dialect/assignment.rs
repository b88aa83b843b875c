//! Who does a user task.

use super::reader::own;
use super::{Assignment, Reader};
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// Who does a user task, if a dialect says anything about it.
    pub(super) fn assignment(&self, task: Element<'d>) -> Option<Box<Assignment>> {
        let expression = |name: &str, zeebe: &str| {
            if let Some(text) = self.potok(task, name) {
                return Some(self.value(task, &text));
            }
            if let Some((holder, text)) =
                self.zeebe_element(task, zeebe).and_then(|holder| Some((holder, own(holder, name)?)))
            {
                return Some(self.value(holder, &text));
            }
            self.classic(task, name).map(|text| self.value(task, &text))
        };
        let assignment = Assignment {
            assignee: expression("assignee", "assignmentDefinition"),
            owner: expression("owner", "assignmentDefinition"),
            candidate_users: expression("candidateUsers", "assignmentDefinition"),
            candidate_groups: expression("candidateGroups", "assignmentDefinition"),
            due_date: expression("dueDate", "taskSchedule"),
            follow_up_date: expression("followUpDate", "taskSchedule"),
            priority: expression("priority", "priorityDefinition"),
        };
        let says = [
            &assignment.assignee,
            &assignment.owner,
            &assignment.candidate_users,
            &assignment.candidate_groups,
            &assignment.due_date,
            &assignment.follow_up_date,
            &assignment.priority,
        ];
        says.iter().any(|said| said.is_some()).then(|| Box::new(assignment))
    }
}
