//! API tokens: what programs sign in by.

use std::ops::Deref;
use std::sync::Arc;

use jiff::SignedDuration;
use potok_core::Name;
use potok_core::time::Timestamp;
use potok_store::query::ApiTokenQuery;
use potok_store::row::ApiToken as TokenRow;
use potok_store::{Changes, Page};

use crate::access::Scope;
use crate::engine::{Engine, Inner};
use crate::people::People;
use crate::secret::{Secret, kept};
use crate::{Action, ApiTokenId, Error, Role};

/// How long its use is not written down again.
const COARSE: SignedDuration = SignedDuration::from_mins(10);

/// What a program signs in by, without its secret. It derefs to its row.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiToken {
    row: TokenRow,
}

impl Deref for ApiToken {
    type Target = TokenRow;

    fn deref(&self) -> &TokenRow {
        &self.row
    }
}

impl ApiToken {
    fn of(row: TokenRow) -> Self {
        // Not even what the secret is known by.
        Self { row: TokenRow { secret: Default::default(), ..row } }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> ApiTokenId {
        ApiTokenId(self.row.key)
    }

    /// The roles that it keeps to; all of its user's if it is none.
    #[must_use]
    pub fn scope(&self) -> Option<Vec<Role>> {
        scope(&self.row)
    }
}

/// The roles of a token; one that a newer version knows says nothing here, and does not make it one without a scope.
fn scope(row: &TokenRow) -> Option<Vec<Role>> {
    (!row.roles.is_empty()).then(|| row.roles.iter().filter_map(|role| Role::named(role)).collect())
}

/// A token about to be made.
#[derive(Debug)]
#[must_use = "nothing is made until `send`"]
pub struct NewToken<'e> {
    engine: &'e Engine,
    member: Name,
    name: Name,
    roles: Vec<Role>,
    tenant: Option<Name>,
    expires: Option<Timestamp>,
}

impl NewToken<'_> {
    /// With no more than these roles, and only as far as its user has them.
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Keeps to that tenant.
    pub fn tenant(self, tenant: impl Into<Name>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Ends by itself then.
    pub fn expires(self, time: Timestamp) -> Self {
        Self { expires: Some(time), ..self }
    }

    /// Makes it. The secret cannot be had again.
    ///
    /// Users may make tokens for themselves, but not with a token; for others it takes an administrator.
    ///
    /// # Errors
    /// If that is forbidden, there is no such user, or the token would have ended already.
    pub async fn send(self) -> Result<(ApiToken, Secret), Error> {
        let (engine, inner) = (self.engine, &self.engine.inner);
        engine.own_or(Action::ChangeTokens, &self.member, &self.name).await?;
        if !inner.knows(&self.member).await? {
            return Err(Error::UnknownUser(self.member));
        }
        // An empty name would be kept as none, which stands for all.
        if self.tenant.as_ref().is_some_and(|tenant| tenant.is_empty()) {
            return Err(Error::TenantNeeded);
        }
        let now = inner.clock.now();
        if let Some(expires) = self.expires.filter(|expires| *expires <= now) {
            return Err(Error::TokenExpired(expires));
        }
        let secret = Secret::random("potok_")?;
        let row = TokenRow {
            key: inner.next_key(now),
            secret: secret.kept(),
            name: self.name,
            member: self.member,
            roles: self.roles.into_iter().map(|role| role.name().into()).collect(),
            tenant: self.tenant,
            author: engine.user.clone(),
            created: now,
            expires: self.expires,
            used: None,
        };
        let mut changes = Changes::default();
        changes.add(row.clone());
        let token = ApiToken::of(row);
        inner.write_once(None, engine.once.as_deref(), changes, &token.id()).await?;
        Ok((token, secret))
    }
}

impl<'e> People<'e> {
    /// A token by which a program signs in as a user, under a name that says what it is for.
    ///
    /// ```
    /// # async fn example(engine: potok::Engine) -> Result<(), potok::Error> {
    /// use potok::Role;
    ///
    /// let (_, secret) = engine.people().new_token("mailer", "sends letters").role(Role::Worker).send().await?;
    /// let mailer = engine.with_token(secret.reveal()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new_token(&self, user: impl Into<Name>, name: impl Into<Name>) -> NewToken<'e> {
        let (member, name) = (user.into(), name.into());
        NewToken { engine: self.engine, member, name, roles: Vec::new(), tenant: None, expires: None }
    }

    /// Tokens that are searched for: a user's own, or for an administrator all.
    ///
    /// # Errors
    /// If that is forbidden, or the database cannot be read.
    pub async fn tokens(&self, query: &ApiTokenQuery) -> Result<Page<ApiToken>, Error> {
        match (&query.members[..], &self.engine.user) {
            ([member], _) => self.engine.own_or(Action::SeeTokens, member, "").await?,
            _ => drop(self.engine.access(Action::SeeTokens, &"").await?),
        }
        let page = self.engine.inner.store.list(query).await?;
        Ok(Page { rows: page.rows.into_iter().map(ApiToken::of).collect(), next: page.next })
    }

    /// Revokes a token: on this node at once, on others within five seconds.
    ///
    /// # Errors
    /// If there is no such token, or that is forbidden.
    pub async fn revoke_token(&self, token: ApiTokenId) -> Result<(), Error> {
        let inner = &self.engine.inner;
        let row = inner.store.get::<TokenRow>(token.0).await?;
        let member = row.as_ref().map(|row| row.member.clone()).unwrap_or_default();
        self.engine.own_or(Action::ChangeTokens, &member, &token.to_string()).await?;
        if row.is_none() {
            return Err(Error::UnknownToken(token));
        }
        let mut changes = Changes::default();
        changes.remove::<TokenRow>(token.0);
        inner.write_people(changes).await
    }
}

impl Engine {
    /// The same engine for a token: it acts as the token's user, within the token's roles and tenant. That it was used is noted every ten
    /// minutes.
    ///
    /// # Errors
    /// If there is no such token any more.
    pub async fn with_token(&self, secret: &str) -> Result<Self, Error> {
        let (inner, secret) = (&self.inner, kept(secret));
        let now = inner.clock.now();
        let generation = inner.tokens.generation();
        let row = match inner.tokens.get(&secret) {
            Some(row) => row,
            None => {
                let query = ApiTokenQuery { secrets: vec![secret.clone()], ..ApiTokenQuery::default() };
                let row = inner.store.list(&query).await?.rows.pop().ok_or(Error::NotAuthenticated)?;
                // One that was made in the moment in which its user was removed.
                if !inner.knows(&row.member).await? {
                    return Err(Error::NotAuthenticated);
                }
                inner.tokens.remember(secret.clone(), row.clone(), generation);
                row
            }
        };
        if row.expires.is_some_and(|expires| expires <= now) {
            return Err(Error::NotAuthenticated);
        }
        if row.used.is_none_or(|used| now.duration_since(used) >= COARSE) {
            let mut changes = Changes::default();
            changes.use_token(row.key, now);
            inner.write(changes).await?;
            inner.tokens.remember(secret, TokenRow { used: Some(now), ..row.clone() }, generation);
        }
        let tenant = row.tenant.clone().or_else(|| self.tenant.clone());
        if let (Some(own), Some(asked)) = (&row.tenant, &self.tenant)
            && own != asked
        {
            return Err(Error::ForeignTenant(asked.clone()));
        }
        let roles = scope(&row);
        let scope = Scope { name: row.name.clone(), roles, groups: Vec::new(), tenants: Vec::new() };
        Ok(Self { tenant, scope: Some(Arc::new(scope)), ..self.as_user(row.member) })
    }

    /// What concerns a user's own credentials: that user may do it, unless by a token, which must not outlive itself so.
    async fn own_or(&self, action: Action, user: &Name, subject: &str) -> Result<(), Error> {
        let subject = format!("{user} {subject}");
        if self.user.as_ref() == Some(user) && self.scope.is_none() {
            return self.allowed(action, &subject).await;
        }
        self.access(action, &subject).await.map(drop)
    }
}

impl Inner {
    /// Revokes all tokens of a user.
    pub(crate) async fn revoke_tokens(&self, user: &Name, changes: &mut Changes) -> Result<(), Error> {
        let query = ApiTokenQuery { members: vec![user.clone()], ..ApiTokenQuery::default() };
        let tokens = self.store.list(&query).await?.rows;
        tokens.into_iter().for_each(|row| changes.remove::<TokenRow>(row.key));
        Ok(())
    }
}
