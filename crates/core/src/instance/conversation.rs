//! The conversations that an instance takes part in, told apart by their correlation properties (BPMN 2.0.2 §8.4.2).
//!
//! An instance keeps them as one list: a name that the conversation at hand already has begins the next one. Any two of them have a
//! property with different values, so that what is known later of an earlier one can be put behind it as that one once more.

use super::Instance;
use crate::Name;
use crate::value::Value;

/// Values of correlation properties.
type Known<'a> = Vec<(&'a Name, &'a Value)>;

impl Instance {
    /// The list, taken apart.
    fn written(&self) -> Vec<Known<'_>> {
        let mut written: Vec<Known<'_>> = Vec::new();
        for (name, value) in &self.correlation {
            match written.last_mut() {
                Some(last) if find(last, name).is_none() => last.push((name, value)),
                _ => written.push(vec![(name, value)]),
            }
        }
        written
    }

    /// The conversations, in the order in which they began.
    pub(crate) fn conversations(&self) -> Vec<Known<'_>> {
        let mut conversations: Vec<Known<'_>> = Vec::new();
        for conversation in self.written() {
            let has = |(name, value): &(&Name, &Value)| find(&conversation, name) == Some(*value);
            match conversations.iter_mut().find(|earlier| earlier.iter().all(has)) {
                Some(earlier) => *earlier = conversation,
                None => conversations.push(conversation),
            }
        }
        conversations
    }

    /// The conversation that a message with these properties belongs to: one that it has a value in common with, else the latest
    /// that knows none of them yet; none if it begins another.
    pub(crate) fn conversation_of(&self, properties: &[(Name, Value)]) -> Option<Known<'_>> {
        let mut conversations = self.conversations();
        conversations.retain(|known| {
            let fits = |(name, value): &(Name, Value)| find(known, name).is_none_or(|known| known.loosely_equal(value));
            properties.iter().all(fits)
        });
        let shares = |known: &Known<'_>| properties.iter().any(|(name, _)| find(known, name).is_some());
        match conversations.iter().position(shares) {
            Some(place) => Some(conversations.swap_remove(place)),
            None => conversations.pop(),
        }
    }

    /// What comes behind the list when a message has carried these properties.
    pub(crate) fn learned(&self, properties: &[(Name, Value)]) -> Vec<(Name, Value)> {
        let Some(mut known) = self.conversation_of(properties) else { return properties.to_vec() };
        let news: Vec<_> = properties.iter().filter(|(name, _)| find(&known, name).is_none()).cloned().collect();
        let last = self.written().pop().unwrap_or_default();
        if news.is_empty() || last == known {
            return news;
        }
        // First what the last one has, too: so it is seen where this one begins.
        known.sort_by_key(|(name, _)| find(&last, name).is_none());
        known.into_iter().map(|(name, value)| (name.clone(), value.clone())).chain(news).collect()
    }
}

fn find<'a>(known: &Known<'a>, name: &str) -> Option<&'a Value> {
    known.iter().find(|(other, _)| ***other == *name).map(|(_, value)| *value)
}
