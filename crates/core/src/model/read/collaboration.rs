//! Collaborations: pools and the messages between them.

use super::outline::Target;
use super::source::Source;
use crate::Name;
use crate::model::{Collaboration, CorrelationKey, MessageFlow, MessageFlowEnd, Participant, Reference};
use crate::xml::Element;

impl<'d> Source<'d> {
    pub(super) fn collaborations(&self) -> Vec<Collaboration> {
        let outlines = self.outline.collaborations.iter().enumerate();
        outlines.map(|(own, (element, participants))| self.collaboration(own, *element, participants)).collect()
    }

    fn collaboration(&self, own: usize, element: Element<'d>, participants: &[Element<'d>]) -> Collaboration {
        Collaboration {
            id: self.optional_id(element),
            name: self.name(element),
            element: element.index(),
            participants: participants.iter().map(|participant| self.participant(*participant)).collect(),
            message_flows: self.children(element, "messageFlow").map(|flow| self.message_flow(flow, own)).collect(),
            correlation_keys: self.correlation_keys(element),
        }
    }

    fn participant(&self, element: Element<'d>) -> Participant {
        Participant {
            id: self.id(element),
            name: self.name(element),
            element: element.index(),
            process: self.referred_as(element, "processRef", |target| match target {
                Target::Process(process) => Some(process),
                _ => None,
            }),
        }
    }

    fn message_flow(&self, element: Element<'d>, collaboration: usize) -> MessageFlow {
        let end = |name| -> Reference<MessageFlowEnd> {
            let text = self.referred(element, name).unwrap_or_else(|| Name::from(""));
            self.reference(text, |target| match target {
                Target::Participant(of, participant) if of == collaboration => {
                    Some(MessageFlowEnd::Participant(participant))
                }
                Target::Node(process, node) => Some(MessageFlowEnd::FlowNode(process, node)),
                _ => None,
            })
        };
        MessageFlow {
            id: self.optional_id(element),
            name: self.name(element),
            element: element.index(),
            source: end("sourceRef"),
            target: end("targetRef"),
            message: self.message(element, "messageRef"),
        }
    }

    /// Those of the collaboration itself and of its conversations, also within sub-conversations (BPMN 2.0.2 §9.4).
    fn correlation_keys(&self, collaboration: Element<'d>) -> Vec<CorrelationKey> {
        let mut keys = Vec::new();
        let mut within = vec![collaboration];
        while let Some(element) = within.pop() {
            keys.extend(self.children(element, "correlationKey").map(|key| self.correlation_key(key)));
            for conversation in ["conversation", "subConversation", "callConversation"] {
                within.extend(self.children(element, conversation));
            }
        }
        keys
    }

    fn correlation_key(&self, element: Element<'d>) -> CorrelationKey {
        let properties = self.all_referred(element, "correlationPropertyRef");
        CorrelationKey {
            id: self.id(element),
            name: self.name(element),
            element: element.index(),
            properties: properties.into_iter().map(|text| self.correlation_property(text)).collect(),
        }
    }
}
