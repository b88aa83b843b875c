//! Who somebody is: by the word of another system, and as this one sees it.

use std::sync::Arc;

use potok_core::Name;

use crate::access::Scope;
use crate::engine::Engine;
use crate::{Error, Role};

/// Who somebody is by the word of another system, which has signed them in: an OpenID Connect provider, say. Whoever passes it on has
/// checked it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: Name,
    /// Groups that they are in, beside those that are written here. Roles come of all of them.
    pub groups: Vec<Name>,
    /// Tenants that they are in, beside those that are written here.
    pub tenants: Vec<Name>,
    /// Who says so, for the audit.
    pub issuer: Name,
}

/// How the engine sees whoever acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whoami {
    /// The user; none if it is the program itself.
    pub user: Option<Name>,
    /// The name of the token that they act by, or who has signed them in elsewhere.
    pub token: Option<Name>,
    /// The groups that they are in.
    pub groups: Vec<Name>,
    /// The roles that they have, as far as they act in them.
    pub roles: Vec<Role>,
    /// The tenants that they keep to; none if to no one. An empty name stands for what belongs to none.
    pub tenants: Option<Vec<Name>>,
}

impl Engine {
    /// The same engine for a user whom another system has signed in. They need not be known here. As with a token, no tokens and sessions
    /// can be made by it, which could outlive it.
    #[must_use]
    pub fn with_identity(&self, identity: Identity) -> Self {
        let Identity { user, groups, tenants, issuer } = identity;
        let scope = Scope { name: issuer, roles: None, groups, tenants };
        Self { scope: Some(Arc::new(scope)), ..self.as_user(user) }
    }

    /// The same engine for callers at some place, such as an address: the audit says where somebody has signed in from or failed to, and
    /// whoever guesses passwords there is slowed down without holding up others.
    #[must_use]
    pub fn called_from(&self, source: impl Into<Name>) -> Self {
        Self { source: Some(source.into()), ..self.clone() }
    }

    /// Who acts, with what they may.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn whoami(&self) -> Result<Whoami, Error> {
        let access = self.standing().await?;
        let (user, groups) = access.user().map(|(user, groups)| (user.clone(), groups.to_vec())).unzip();
        let token = self.scope.as_ref().map(|scope| scope.name.clone());
        let roles = if self.user.is_some() { access.roles().to_vec() } else { Role::ALL.to_vec() };
        Ok(Whoami { user, token, groups: groups.unwrap_or_default(), roles, tenants: access.tenants() })
    }

    /// The name of the token that the user acts by, or who has signed them in elsewhere.
    #[must_use]
    pub fn token_name(&self) -> Option<&Name> {
        self.scope.as_ref().map(|scope| &scope.name)
    }
}
