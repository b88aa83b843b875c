//! Taking personal data out of what has happened.

use std::sync::Arc;

use super::{Event, Events};
use crate::Name;
use crate::instance::WaitKind;
use crate::value::Value;

impl Events {
    /// Finds what variables of that name were set to: what [`erase`](Self::erase) looks for in the items and results of loops.
    /// What tells nobody apart (null, booleans) is left out.
    pub fn values_of(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.list.iter().filter_map(move |event| match *event {
            Event::VariableSet { variable, .. } => {
                let (other, value) = self.variables.get(variable as usize)?;
                let tells = !matches!(value, Value::Null | Value::Boolean(_));
                (**other == *name && tells).then_some(value)
            }
            _ => None,
        })
    }

    /// Makes null what variables of that name held: where they were set, where messages, signals, errors and calls carried them, and
    /// where one of their `values` is the collection, an item or a result of a loop. Says whether there was anything.
    ///
    /// The events are still the same ones, so that folding them gives the same instance without these values.
    pub fn erase(&mut self, name: &str, values: &[Value]) -> bool {
        let mut erased = false;
        for event in &self.list {
            match *event {
                Event::VariableSet { variable, .. } => {
                    if let Some((other, value)) = self.variables.get_mut(variable as usize)
                        && **other == *name
                    {
                        erased |= clear(value);
                    }
                }
                Event::LoopStarted { items, .. } => {
                    if let Some(items) = self.values.get_mut(items as usize) {
                        erased |= clear_items(items, values);
                    }
                }
                Event::RoundEnded { result, .. } => {
                    if let Some(result) = self.values.get_mut(result as usize)
                        && values.contains(result)
                    {
                        erased |= clear(result);
                    }
                }
                Event::InstanceFailed { payload, .. } | Event::EscalationThrown { variables: payload, .. } => {
                    if let Some(Value::Map(payload)) = self.values.get_mut(payload as usize)
                        && payload.contains_key(name)
                        && let Some(value) = Arc::make_mut(payload).get_mut(name)
                    {
                        erased |= clear(value);
                    }
                }
                _ => {}
            }
        }
        let messages = self.messages.iter_mut().map(|message| &mut message.payload);
        let signals = self.signals.iter_mut().map(|signal| &mut signal.payload);
        for payload in messages.chain(signals) {
            erased |= erase_from(payload, name);
        }
        let waits = self.waits.iter_mut().map(|wait| &mut wait.kind).chain(&mut self.changes);
        for wait in waits {
            match wait {
                WaitKind::Call(call) => erased |= erase_from(&mut Arc::make_mut(call).variables, name),
                WaitKind::Occurred(occurred) => erased |= erase_from(&mut Arc::make_mut(occurred).payload, name),
                _ => {}
            }
        }
        erased
    }
}

/// Makes null what a list of variables holds under a name. Says whether there was anything.
pub fn erase_from(variables: &mut [(Name, Value)], name: &str) -> bool {
    let mut erased = false;
    for (other, value) in variables {
        if **other == *name {
            erased |= clear(value);
        }
    }
    erased
}

fn clear(value: &mut Value) -> bool {
    let held = *value != Value::Null;
    *value = Value::Null;
    held
}

/// A loop's collection: its rounds stay as many as they are.
fn clear_items(items: &mut Value, values: &[Value]) -> bool {
    let whole = values.contains(items);
    let Value::List(list) = items else { return whole && clear(items) };
    if !whole && !list.iter().any(|item| values.contains(item)) {
        return false;
    }
    let kept = list.iter().map(|item| if whole || values.contains(item) { Value::Null } else { item.clone() });
    *items = Value::List(kept.collect::<Vec<_>>().into());
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_rounds_stay() {
        let person = Value::from("Anna");
        let list = Value::List(vec![person.clone(), Value::from("Boris")].into());
        let mut events = Events {
            list: vec![
                Event::VariableSet { scope: 0, variable: 0 },
                Event::VariableSet { scope: 0, variable: 1 },
                Event::LoopStarted { scope: 1, total: 2, items: 0 },
                Event::CorrelationSet { property: 2 },
            ],
            variables: vec![
                ("client".into(), person.clone()),
                ("other".into(), Value::from(7)),
                ("client".into(), Value::from("a key")),
            ],
            values: vec![list],
            ..Events::new()
        };
        let values: Vec<Value> = events.values_of("client").cloned().collect();
        assert_eq!(values, [person]);
        assert!(events.erase("client", &values));
        assert_eq!(events.variables[0].1, Value::Null);
        assert_eq!(events.variables[1].1, Value::from(7));
        assert_eq!(events.variables[2].1, Value::from("a key"), "a correlation property is no variable");
        assert_eq!(events.values[0], Value::List(vec![Value::Null, Value::from("Boris")].into()));
        assert!(!events.erase("client", &values), "there is nothing left");
    }
}
