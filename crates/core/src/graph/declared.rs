//! What stands beside the processes of a file, to be looked up: each list is gone through once for all processes.

use std::collections::BTreeMap;

use crate::Name;
use crate::model::{Carriers, Definitions, Expression, GlobalTask, NodeIndex, ProcessIndex};

pub(super) struct Declared<'a> {
    /// The variable of each data store, by the store's id.
    pub(super) data_stores: BTreeMap<&'a Name, &'a Name>,
    pub(super) global_tasks: BTreeMap<&'a Name, &'a GlobalTask>,
    /// The message flows out of each flow node.
    pub(super) carriers: BTreeMap<(ProcessIndex, NodeIndex), Carriers<'a>>,
    /// The correlation properties that can be read from each message, and how.
    pub(super) retrievals: BTreeMap<usize, Vec<(usize, &'a Expression)>>,
}

impl<'a> Declared<'a> {
    pub(super) fn of(definitions: &'a Definitions) -> Self {
        let mut declared = Self {
            data_stores: BTreeMap::new(),
            global_tasks: BTreeMap::new(),
            carriers: definitions.carriers(),
            retrievals: BTreeMap::new(),
        };
        for store in &definitions.data_stores {
            let name = store.name.as_ref().filter(|name| !name.trim().is_empty());
            declared.data_stores.insert(&store.id, name.unwrap_or(&store.id));
        }
        for task in &definitions.global_tasks {
            declared.global_tasks.entry(&task.id).or_insert(task);
        }
        for (index, property) in definitions.correlation_properties.iter().enumerate() {
            for retrieval in &property.retrievals {
                let message = retrieval.message.as_ref().and_then(|message| message.target);
                let (Some(message), Some(path)) = (message, &retrieval.path) else { continue };
                let of_message = declared.retrievals.entry(message).or_default();
                // Of two ways to read one property the first counts.
                if of_message.last().is_none_or(|(last, _)| *last != index) {
                    of_message.push((index, path));
                }
            }
        }
        declared
    }
}
