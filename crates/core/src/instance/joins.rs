//! The table of joins: none in an instance in which no token waits for others.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Join, NONE, Ordinal, ScopeId};

/// All joins of an instance that hold tokens or wait for reset, by scope and flow node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Joins(Option<Box<Tables>>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tables {
    joins: BTreeMap<(ScopeId, Ordinal), Join>,
    /// Those that look upstream (inclusive, complex).
    upstream: BTreeSet<(ScopeId, Ordinal)>,
}

impl Joins {
    pub(crate) fn get(&self, scope: ScopeId, node: Ordinal) -> Option<&Join> {
        self.0.as_ref()?.joins.get(&(scope, node))
    }

    pub(crate) fn get_mut(&mut self, scope: ScopeId, node: Ordinal) -> Option<&mut Join> {
        self.0.as_mut()?.joins.get_mut(&(scope, node))
    }

    /// The join, new if there is none yet.
    pub(crate) fn entry(&mut self, scope: ScopeId, node: Ordinal, upstream: bool) -> &mut Join {
        let tables = self.0.get_or_insert_default();
        if upstream {
            tables.upstream.insert((scope, node));
        }
        tables.joins.entry((scope, node)).or_default()
    }

    /// The joins of one scope, in document order.
    pub(crate) fn of_scope(&self, scope: ScopeId) -> impl Iterator<Item = (Ordinal, &Join)> {
        let range = (scope, 0)..=(scope, NONE);
        self.0.iter().flat_map(move |tables| tables.joins.range(range.clone())).map(|((_, node), join)| (*node, join))
    }

    /// The joins of one scope that look upstream, in document order.
    pub(crate) fn upstream_of(&self, scope: ScopeId) -> impl Iterator<Item = Ordinal> {
        let range = (scope, 0)..=(scope, NONE);
        self.0.iter().flat_map(move |tables| tables.upstream.range(range.clone())).map(|(_, node)| *node)
    }

    /// Whether any join looks upstream.
    pub(crate) fn look_upstream(&self) -> bool {
        self.0.as_ref().is_some_and(|tables| !tables.upstream.is_empty())
    }

    pub(crate) fn remove(&mut self, scope: ScopeId, node: Ordinal) {
        let Some(tables) = &mut self.0 else { return };
        tables.joins.remove(&(scope, node));
        tables.upstream.remove(&(scope, node));
        if tables.joins.is_empty() {
            self.0 = None;
        }
    }

    /// Removes all of a scope.
    pub(crate) fn remove_scope(&mut self, scope: ScopeId) {
        while self.0.is_some() {
            let next = self.of_scope(scope).next().map(|(node, _)| node);
            let Some(node) = next else { return };
            self.remove(scope, node);
        }
    }
}
