//! Message flows, as what is thrown goes along them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::compile::Compiler;
use crate::Name;
use crate::model::{Carrier, MessageFlowEnd, NodeIndex};

/// Where a message flow leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageTarget {
    /// The pool's id.
    pub participant: Option<Name>,
    /// The process's id; none for a black box.
    pub process: Option<Name>,
    /// The flow node's id; none if the flow ends at the pool itself.
    pub node: Option<Name>,
}

/// A message flow out of a flow node.
#[derive(Debug)]
pub struct MessageFlow {
    /// The names of the messages that it says it carries.
    names: Arc<BTreeSet<Name>>,
    /// It names none that its source throws: it carries those that no other flow names.
    carries_rest: bool,
    /// Where it leads.
    pub target: MessageTarget,
}

impl MessageFlow {
    /// The name of the message that it carries, if it names just one: what is thrown along it need not say it again.
    #[must_use]
    pub fn name(&self) -> Option<&Name> {
        self.names.first().filter(|_| self.names.len() == 1)
    }
}

/// The message flows out of a flow node.
#[derive(Debug, Default)]
pub struct MessageFlows {
    flows: Box<[MessageFlow]>,
    /// There is one message only, or each is named by a flow: those that name none carry all of them.
    is_rest_all: bool,
}

impl MessageFlows {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.flows.len()
    }

    /// Those that carry a message of this name. If none does, it goes by its name.
    pub fn carrying(&self, name: Option<&Name>) -> impl Iterator<Item = &MessageFlow> {
        let names = move |flow: &MessageFlow| !flow.carries_rest && name.is_some_and(|name| flow.names.contains(name));
        let is_rest = self.is_rest_all || !self.flows.iter().any(names);
        self.flows.iter().filter(move |flow| names(flow) || (flow.carries_rest && is_rest))
    }
}

impl Compiler<'_> {
    pub(super) fn message_flows(&self, node: u32) -> MessageFlows {
        let Some(carriers) = self.declared.carriers.get(&(self.index, NodeIndex(node))) else {
            return MessageFlows::default();
        };
        let flows = carriers.flows.iter().filter_map(|carrier| {
            let target = self.message_target(carrier)?;
            Some(MessageFlow { names: carrier.names.clone(), carries_rest: carrier.carries_rest, target })
        });
        MessageFlows { flows: flows.collect(), is_rest_all: carriers.thrown <= 1 || carriers.left == 0 }
    }

    fn message_target(&self, carrier: &Carrier<'_>) -> Option<MessageTarget> {
        let processes = &self.definitions.processes;
        Some(match carrier.flow.target.target? {
            MessageFlowEnd::Participant(participant) => {
                let participant = &carrier.collaboration.participants[participant];
                let process = participant.process.as_ref().and_then(|process| process.target);
                MessageTarget {
                    participant: Some(participant.id.clone()),
                    process: process.map(|process| processes[process.0 as usize].id.clone()),
                    node: None,
                }
            }
            MessageFlowEnd::FlowNode(process, node) => {
                let process = &processes[process.0 as usize];
                MessageTarget {
                    participant: None,
                    process: Some(process.id.clone()),
                    node: Some(process.flow_nodes[node.0 as usize].id.clone()),
                }
            }
        })
    }
}
