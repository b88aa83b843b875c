//! What a call activity calls and hands over.

use super::binding::CALLED_ELEMENT;
use super::expression::literal;
use super::reader::{is_true, own};
use super::{Binding, Call, Reader, VariableMapping};
use crate::xml::Element;

impl<'d> Reader<'d> {
    /// What a call activity calls and hands over, if a dialect says anything about it. Camunda 8's output mappings read
    /// the called instance's variables, so they are taken from the activity's own (`outputs`).
    pub(super) fn call(&self, element: Element<'d>, outputs: &mut Vec<VariableMapping>) -> Option<Box<Call>> {
        let call = match self.zeebe_element(element, "calledElement") {
            Some(called) => Some(self.zeebe_call(called, outputs)),
            None => self.classic_call(element),
        };
        call.map(Box::new)
    }

    fn zeebe_call(&self, called: Element<'d>, outputs: &mut Vec<VariableMapping>) -> Call {
        let propagate = |name| own(called, name).is_none_or(|value| is_true(&value));
        let outputs = std::mem::take(outputs);
        Call {
            target: own(called, "processId").map(|text| self.value(called, &text)),
            binding: self.binding_type(called),
            inputs: Vec::new(),
            inputs_before_all: 0,
            // What is mapped wins over what is propagated.
            propagate_out: outputs.is_empty() && propagate("propagateAllChildVariables"),
            outputs,
            outputs_before_all: 0,
            local_out: false,
            // Even without propagation the input mappings are handed over; they are the activity's local variables.
            propagate_in: true,
            local_in: !propagate("propagateAllParentVariables"),
            business_key: own(called, "businessId").map(|text| self.value(called, &text)),
            id_variable: None,
        }
    }

    fn classic_call(&self, element: Element<'d>) -> Option<Call> {
        let mut call = Call { binding: self.classic_binding(element, &CALLED_ELEMENT), ..Call::default() };
        if let Some((key, version)) = self.definition_id(element) {
            call.target = Some(literal(element, &key));
            call.binding = Binding::Version(literal(element, &version));
        }
        let same_deployment = self.flag(element, "sameDeployment") == Some(true);
        if same_deployment {
            call.binding = Binding::Deployment;
        }
        call.propagate_in = self.flag(element, "inheritVariables") == Some(true);
        if let Some(key) = self.classic(element, "businessKey") {
            call.business_key = Some(self.value(element, &key));
        } else if self.flag(element, "inheritBusinessKey") == Some(true) {
            call.business_key = Some(self.value(element, "${execution.processBusinessKey}"));
        }
        call.id_variable = self.classic(element, "idVariableName");
        let (ins, outs) = (self.classic_elements(element, "in"), self.classic_elements(element, "out"));
        let speaks = !ins.is_empty() || !outs.is_empty();
        let is_local = |handed| own(handed, "local").is_some_and(|local| is_true(&local));
        let handover = |handed| Some(VariableMapping { local: is_local(handed), ..self.handover(handed)? });
        // There each is handed over in its turn, and what comes later wins.
        let in_turn = self.dialect() == super::Dialect::Camunda;
        for handed in ins {
            if own(handed, "variables").as_deref() == Some("all") {
                call.propagate_in = true;
                call.local_in = is_local(handed);
                call.inputs_before_all = if in_turn { call.inputs.len() } else { 0 };
            } else if let Some(key) = own(handed, "businessKey") {
                call.business_key = Some(self.value(handed, &key));
            } else {
                call.inputs.extend(handover(handed));
            }
        }
        for handed in outs {
            if own(handed, "variables").as_deref() == Some("all") {
                let all = if is_local(handed) { &mut call.local_out } else { &mut call.propagate_out };
                *all = true;
                call.outputs_before_all = if in_turn { call.outputs.len() } else { 0 };
            } else {
                call.outputs.extend(handover(handed));
            }
        }
        let speaks = speaks || call.propagate_in || call.business_key.is_some() || call.binding != Binding::Latest;
        // In these dialects a call hands over nothing unless told to.
        let classic = matches!(self.dialect(), super::Dialect::Camunda | super::Dialect::Flowable);
        (speaks || classic).then_some(call)
    }

    /// The key and the version in the id of a definition that a call of Flowable names: `key:version:id`.
    pub(super) fn definition_id(&self, call: Element<'d>) -> Option<(String, String)> {
        if self.classic(call, "calledElementType").as_deref() != Some("id") {
            return None;
        }
        let called = call.attribute("calledElement")?;
        let mut parts = called.trim().splitn(3, ':');
        let (key, version) = (parts.next()?, parts.next()?);
        let is_number = !version.is_empty() && version.bytes().all(|digit| digit.is_ascii_digit());
        (parts.next().is_some() && is_number && !key.is_empty() && !key.contains('{'))
            .then(|| (key.to_owned(), version.to_owned()))
    }
}
