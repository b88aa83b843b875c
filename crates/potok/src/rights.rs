//! Who may do what: each public operation and the right that it takes, in one table.

use serde::{Deserialize, Serialize};

/// What a user may be allowed to do. Rights come with [roles](Role).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// To see what is deployed.
    Read,
    /// To start processes that are open to them.
    Start,
    /// To see instances: those that they have a part in; with [`View`](Self::View), all.
    See,
    /// To work on tasks: their own, and those that are open to them or their groups.
    Work,
    /// To see all instances, tasks, jobs and statistics.
    View,
    /// To give anybody's task to anybody.
    Assign,
    /// To intervene: cancel, suspend, modify, migrate, retry, in batches too; to delete and erase.
    Operate,
    /// To deploy, and to remove deployments on which nothing stands.
    Deploy,
    /// To see jobs, whoever has them: for who does them, and who sees everything.
    SeeJobs,
    /// To do jobs.
    Jobs,
    /// To start any process, and to send messages and signals.
    Send,
    /// To read what was refused and done.
    Audit,
    /// To say who may do what, and to look after the database.
    Administer,
}

/// What the members of a group may do. Everybody is a participant; the other roles are given to groups with
/// [`People::grant`](crate::People::grant).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Starts what is open to them, works on their tasks, and sees what they have a part in.
    Participant,
    /// Sees everything, and changes nothing: for reports, and where everybody may know how a matter stands.
    Viewer,
    /// Sees everything, and gives tasks to whom they want: for the heads of departments.
    Supervisor,
    /// Sees everything, and intervenes where something is stuck or has gone wrong.
    Operator,
    /// Deploys: for those who draw processes, and for what builds them.
    Deployer,
    /// Does jobs, starts processes, sends messages and signals: for programs.
    Worker,
    /// May everything.
    Administrator,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::Participant,
        Self::Viewer,
        Self::Supervisor,
        Self::Operator,
        Self::Deployer,
        Self::Worker,
        Self::Administrator,
    ];

    /// The rights that come with it.
    #[must_use]
    pub fn rights(self) -> &'static [Right] {
        match self {
            Self::Participant => &[Right::Read, Right::Start, Right::See, Right::Work],
            Self::Viewer => &[Right::Read, Right::See, Right::View, Right::SeeJobs],
            Self::Supervisor => &[Right::Read, Right::See, Right::View, Right::SeeJobs, Right::Assign],
            Self::Operator => &[
                Right::Read,
                Right::Start,
                Right::See,
                Right::View,
                Right::SeeJobs,
                Right::Assign,
                Right::Operate,
                Right::Send,
            ],
            Self::Deployer => &[Right::Read, Right::Deploy],
            Self::Worker => &[Right::Read, Right::Start, Right::SeeJobs, Right::Jobs, Right::Send],
            Self::Administrator => &[
                Right::Read,
                Right::Start,
                Right::See,
                Right::Work,
                Right::View,
                Right::Assign,
                Right::Operate,
                Right::Deploy,
                Right::SeeJobs,
                Right::Jobs,
                Right::Send,
                Right::Audit,
                Right::Administer,
            ],
        }
    }

    /// Its name, in the database and for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Participant => "participant",
            Self::Viewer => "viewer",
            Self::Supervisor => "supervisor",
            Self::Operator => "operator",
            Self::Deployer => "deployer",
            Self::Worker => "worker",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Right {
    /// The roles that it comes with, the one that has least beside it first.
    pub(crate) fn roles(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| role.rights().contains(&self))
    }
}

/// Declares what can be asked of an engine: for each its name, the right that it takes, whether that it was allowed is written down, and
/// the public functions that ask for it.
macro_rules! actions {
    ($($variant:ident, $name:literal, $right:ident, $audited:literal, [$($function:literal)*];)*) => {
        /// What can be asked of an engine.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Action {
            $(
                #[doc = concat!("`", $name, "`: takes [`Right::", stringify!($right), "`].")]
                $variant,
            )*
        }

        impl Action {
            /// All there are.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, as audit records have it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The right that it takes.
            #[must_use]
            pub fn right(self) -> Right {
                match self { $(Self::$variant => Right::$right,)* }
            }

            /// Whether it is written down that it was allowed. That it was refused always is.
            #[must_use]
            pub fn is_audited(self) -> bool {
                match self { $(Self::$variant => $audited,)* }
            }

            /// The public functions that ask for it: `Type::function`.
            #[must_use]
            pub fn functions(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($function,)*],)* }
            }
        }
    };
}

actions! {
    ReadDefinitions, "read definitions", Read, false, [
        "Engine::definitions" "Engine::versions" "Engine::graph" "Engine::resource" "Engine::startable" "Engine::migration_plan"
        "Engine::resources" "Engine::due_policies" "Engine::definition" "Engine::decide" "Engine::evaluate"
    ];
    Start, "start", Start, false, ["Start::send"];
    StartAnywhere, "start anywhere", Operate, true, [];
    SeeInstances, "see instances", See, false, [
        "Engine::instances" "Engine::incidents" "Case::get" "Case::state" "Case::at" "Case::variable" "Case::variables"
        "Case::variables_from" "Case::history" "Case::happenings" "Case::work_log" "Case::ended" "Engine::comments" "Engine::attachments" "Reading::chunk"
        "Engine::search" "Engine::count" "Engine::variables_of" "Engine::instance_of_wait" "Engine::feed" "Engine::feed_end"
    ];
    SeeTasks, "see tasks", See, false, [
        "Tasks::list" "Tasks::page" "Tasks::count" "Engine::task" "Engine::task_variables" "Engine::local_task_variables"
        "Engine::are_suspended"
    ];
    SeeSearches, "see saved searches", See, false, ["Engine::saved_searches" "Engine::saved_search"];
    SaveSearch, "save search", See, false, [
        "Engine::save_search" "Engine::save_search_if" "Engine::forget_search" "Engine::forget_search_if"
    ];
    Remark, "remark", See, false, [
        "Engine::comment" "Engine::change_comment" "Engine::remove_comment" "Engine::remove_comment_if"
        "Engine::attach" "Engine::attach_link" "Engine::remove_attachment" "Attaching::write" "Attaching::finish" "Attaching::discard"
        "Engine::touch_task"
    ];
    ClaimTask, "claim task", Work, false, ["Engine::claim"];
    GiveTask, "give task", Work, false, [
        "Engine::unclaim" "Engine::assign" "Engine::delegate" "Engine::resolve" "Engine::update_task"
        "Engine::update_task_if"
    ];
    WorkOnTask, "work on task", Work, false, [
        "Engine::complete" "Engine::throw_task_error" "Engine::set_task_variables" "Engine::set_local_task_variables"
        "Engine::set_task_variables_if" "Engine::set_local_task_variables_if" "Engine::change_task_variables"
    ];
    CreateTask, "create task", Work, false, ["NewTask::send"];
    EndTask, "end task", Work, false, ["Engine::cancel_task" "Engine::delete_task" "Engine::delete_task_if"];
    ActivateAdHoc, "activate", Work, false, ["Case::activate"];
    SeeAll, "see all", View, false, [
        "Engine::statistics" "Engine::definition_statistics" "Engine::finished" "Export::chunk"
        "Engine::due" "Engine::jobs_by_topic" "Engine::commits"
    ];
    SeeJobs, "see jobs", SeeJobs, false, ["Engine::jobs" "Engine::job" "Engine::business_keys_of"];
    Deploy, "deploy", Deploy, true, ["Deployment::send" "Engine::deploy_path"];
    Check, "check", Deploy, false, ["Engine::check"];
    DeleteDeployment, "delete deployment", Deploy, true, ["Engine::delete_deployment"];
    DeleteDefinition, "delete definition", Deploy, true, ["Engine::delete_definition"];
    DeleteDefinitionWithInstances, "delete definition with instances", Operate, true, [
        "Engine::delete_definition_with_instances"
    ];
    DeleteDeploymentWithInstances, "delete deployment with instances", Operate, true, [
        "Engine::delete_deployment_with_instances"
    ];
    SuspendDefinition, "suspend definition", Operate, true, ["Engine::suspend_definition" "Engine::resume_definition"];
    KeepHistory, "keep history", Operate, true, ["Engine::keep_history"];
    SetVariables, "set variables", Operate, true, [
        "Case::set_variables" "Case::set_variables_if" "Case::set_variables_in" "Case::change_variables_from"
        "Case::remove_variables_if"
    ];
    SetRetries, "set retries", Operate, true, [
        "Engine::set_job_retries" "Engine::set_job_priority" "Engine::set_retries" "Engine::set_timer_priority"
    ];
    Reschedule, "reschedule", Operate, true, ["Engine::reschedule" "Engine::recalculate" "Engine::suspend_timer"];
    HoldDue, "hold back what is due", Operate, true, ["Engine::hold_due"];
    PrioritiseDue, "prioritise what is due", Operate, true, ["Engine::set_due_priority"];
    ForgetDue, "forget what is due", Operate, true, ["Engine::forget_due"];
    Execute, "execute", Operate, true, ["Engine::execute"];
    Cancel, "cancel", Operate, true, ["Case::cancel"];
    Suspend, "suspend", Operate, true, ["Case::suspend" "Case::resume"];
    Command, "command", Operate, true, ["Case::command"];
    Modify, "modify", Operate, true, ["Modification::send"];
    Migrate, "migrate", Operate, true, ["Migrating::send"];
    Restart, "restart", Operate, true, ["Restart::send"];
    ResolveIncident, "resolve incident", Operate, true, ["Engine::resolve_incident"];
    AnnotateIncident, "annotate incident", Operate, true, ["Engine::annotate_incident"];
    Delete, "delete", Operate, true, ["Case::delete"];
    Erase, "erase", Operate, true, ["Case::erase_variable" "Engine::erase_variable"];
    SeeBatches, "see batches", Operate, false, ["Engine::progress" "Engine::batches" "Engine::batch_failures"];
    Batch, "batch", Operate, true, [
        "NewBatch::send" "Engine::pause_batch" "Engine::resume_batch" "Engine::cancel_batch" "Engine::delete_batch"
    ];
    DoJobs, "do jobs", Jobs, false, [
        "Engine::fetch_jobs" "Engine::extend_job" "Engine::release_job" "Engine::complete_job" "Engine::fail_job"
        "Engine::throw_job_error" "Engine::throw_job_escalation" "Engine::fetch_wanted" "Engine::job_of"
        "Engine::leased_job" "Engine::lease_job" "Engine::free_job" "Engine::complete_job_with" "Engine::fail_job_with"
        "Engine::complete_as_handed_out"
    ];
    Send, "send", Send, false, [
        "Sending::send" "Engine::signal" "Correlation::send" "Correlation::send_to_all" "Engine::deliver_message"
        "ConditionEvaluation::send"
    ];
    ReadAudit, "read audit", Audit, false, ["Engine::audit"];
    AnnotateAudit, "annotate audit", Audit, true, ["Engine::annotate_audit"];
    SeePeople, "see people", Read, false, [
        "People::user" "People::users" "People::group" "People::groups" "People::groups_of" "People::members_of"
        "People::roles_of" "People::roles_of_group" "People::tenants_of" "People::tenants"
    ];
    ChangePeople, "change people", Administer, true, [
        "People::put_user" "People::update_user_if" "People::put_group" "People::update_group_if" "People::add_member" "People::remove_member" "People::remove_user"
        "People::remove_user_if" "People::remove_group" "People::remove_group_if" "People::add_administrator"
    ];
    Grant, "grant", Administer, true, ["People::grant" "People::revoke"];
    ChangeTenants, "change tenants", Administer, true, [
        "People::add_to_tenant" "People::remove_from_tenant" "People::add_group_to_tenant" "People::remove_group_from_tenant"
        "People::put_tenant" "People::remove_tenant"
    ];
    SetPassword, "set password", Administer, true, ["People::set_password" "People::remove_password"];
    ChangeTokens, "change tokens", Administer, true, [
        "NewToken::send" "People::revoke_token" "People::end_sessions"
    ];
    SeeTokens, "see tokens", Administer, false, ["People::tokens"];
    ChangeWebhooks, "change webhooks", Administer, true, [
        "NewWebhook::send" "Engine::remove_webhook" "Engine::retry_delivery" "Engine::discard_delivery"
    ];
    SeeWebhooks, "see webhooks", Administer, false, ["Engine::webhooks"];
    SignIn, "sign in", Read, true, ["Engine::sign_in" "Engine::change_password"];
    LookAfter, "look after the database", Administer, false, [
        "Engine::examine" "Engine::mend" "Engine::back_up" "Engine::execute_due" "Engine::clean_up"
    ];
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    /// Public operations that ask for no right, and why not.
    const FREE: [&str; 15] = [
        // Before anybody acts, and after.
        "Builder::start",
        "Engine::stop",
        // What is asked for is proved instead.
        "Engine::with_password",
        "Engine::with_session",
        "Engine::with_token",
        "Engine::sign_out",
        // It is the user's own, who has been let in.
        "Engine::begin_session",
        "Engine::may",
        "Engine::whoami",
        // What is done once asks for itself, as the same user.
        "Engine::once",
        // It says no more than that it may be worth asking.
        "JobWatch::woken",
        // It says no more than whether anybody can sign in.
        "People::has_users",
        // Its engine acts as the same user; its connection is the program's.
        "Engine::transaction",
        "Transaction::connection",
        "Transaction::commit",
    ];

    /// The public operations in the sources: `Type::function`.
    fn operations() -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut paths = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        while let Some(path) = paths.pop() {
            if path.is_dir() {
                paths.extend(std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let mut of = "";
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix("impl") {
                    let rest =
                        rest.strip_prefix('<').map_or(rest, |rest| rest.split_once("> ").map_or(rest, |it| it.1));
                    let name = rest.trim().split(" for ").last().unwrap_or_default();
                    of = name.split(['<', ' ', '{']).next().unwrap_or_default();
                } else if let Some(rest) = line.trim_start().strip_prefix("pub async fn ")
                    && line.starts_with("    ")
                {
                    found.insert(format!("{of}::{}", rest.split(['(', '<']).next().unwrap_or_default()));
                }
            }
        }
        found
    }

    #[test]
    fn every_public_operation_takes_a_right() {
        let declared: BTreeSet<String> =
            Action::ALL.iter().flat_map(|action| action.functions()).map(|it| (*it).to_owned()).collect();
        let operations = operations();
        assert!(operations.len() > 80, "the sources are read wrongly: {operations:?}");
        let free: BTreeSet<String> = FREE.iter().map(|it| (*it).to_owned()).collect();
        let forgotten: Vec<_> = operations.iter().filter(|it| !declared.contains(*it) && !free.contains(*it)).collect();
        assert!(forgotten.is_empty(), "these need a row in the table of actions: {forgotten:?}");
        let gone: Vec<_> = declared.iter().filter(|it| !operations.contains(*it)).collect();
        assert!(gone.is_empty(), "these are in the table, but no operations: {gone:?}");
    }

    #[test]
    fn no_operation_stands_there_twice() {
        let all: Vec<&str> = Action::ALL.iter().flat_map(|action| action.functions()).copied().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(Action::ALL.iter().map(|it| it.name()).collect::<BTreeSet<_>>().len(), Action::ALL.len());
    }

    #[test]
    fn every_right_comes_with_a_role() {
        for action in Action::ALL {
            assert!(action.right().roles().count() > 0, "{action:?}");
        }
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
        }
    }
}
