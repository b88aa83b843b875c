//! Sessions: a user has signed in, and is known again by a secret.

use jiff::SignedDuration;
use potok_core::Name;
use potok_core::time::Timestamp;
use potok_store::Changes;
use potok_store::query::SessionQuery;
use potok_store::row::{Session as SessionRow, User};

use crate::engine::{Engine, Inner};
use crate::people::People;
use crate::secret::{Secret, kept};
use crate::{Action, Error};

/// How long a session lasts without being used.
const IDLE: SignedDuration = SignedDuration::from_hours(12);

/// How long it lasts however it is used.
const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long its use is not written down again.
const COARSE: SignedDuration = SignedDuration::from_mins(10);

/// A session that has just begun.
#[derive(Debug)]
pub struct SignedIn {
    /// The user's engine.
    pub engine: Engine,
    /// By which the session is known again, with [`Engine::with_session`].
    pub secret: Secret,
    /// When it ends if it is not used; after a week in any case.
    pub expires: Timestamp,
}

impl Engine {
    /// Signs a user in: begins a session, which ends when it has not been used for twelve hours, and after a week in any case.
    ///
    /// # Errors
    /// If the user or the password is wrong.
    pub async fn sign_in(&self, user: impl Into<Name>, password: &str) -> Result<SignedIn, Error> {
        let engine = self.with_password(user, password).await?;
        engine.begin_session().await
    }

    /// Begins a session for the user that the engine acts as: one who has signed in elsewhere, such as by OpenID Connect.
    ///
    /// # Errors
    /// If it acts as no user, or by a token, or the database cannot be written.
    pub async fn begin_session(&self) -> Result<SignedIn, Error> {
        // What a token may not do, its session must not do either.
        let member = self.user.clone().filter(|_| self.scope.is_none()).ok_or(Error::NotAuthenticated)?;
        let now = self.inner.clock.now();
        let (secret, expires) = (Secret::new()?, after(now, IDLE));
        self.allowed(Action::SignIn, &self.source.clone().unwrap_or_default()).await?;
        let mut changes = Changes::default();
        changes.add(SessionRow { secret: secret.kept(), member, created: now, used: now, expires });
        self.inner.write(changes).await?;
        Ok(SignedIn { engine: self.clone(), secret, expires })
    }

    /// The same engine for the user of a session. A session that was ended is known for five seconds longer on other nodes.
    ///
    /// # Errors
    /// If there is no such session any more.
    pub async fn with_session(&self, secret: &str) -> Result<Self, Error> {
        let (inner, secret) = (&self.inner, kept(secret));
        let now = inner.clock.now();
        let generation = inner.sessions.generation();
        let session = match inner.sessions.get(&secret) {
            Some(session) => session,
            None => {
                let session = inner.store.get::<SessionRow>(secret.clone()).await?.ok_or(Error::NotAuthenticated)?;
                inner.sessions.remember(secret.clone(), session.clone(), generation);
                session
            }
        };
        if session.expires <= now {
            return Err(Error::NotAuthenticated);
        }
        if now.duration_since(session.used) >= COARSE {
            let expires = after(now, IDLE).min(after(session.created, LONGEST));
            let mut changes = Changes::default();
            changes.use_session(secret.clone(), now, expires);
            inner.write(changes).await?;
            inner.sessions.remember(secret, SessionRow { used: now, expires, ..session.clone() }, generation);
        }
        Ok(self.as_user(session.member))
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn sign_out(&self, secret: &str) -> Result<(), Error> {
        let mut changes = Changes::default();
        changes.remove::<SessionRow>(kept(secret));
        self.inner.write_people(changes).await
    }
}

impl People<'_> {
    /// Ends all sessions of a user.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn end_sessions(&self, user: impl Into<Name>) -> Result<(), Error> {
        let user = user.into();
        self.engine.access(Action::ChangeTokens, &user).await?;
        let mut changes = Changes::default();
        self.engine.inner.end_sessions(&user, &mut changes).await?;
        self.engine.inner.write_people(changes).await
    }
}

impl Inner {
    pub(crate) async fn end_sessions(&self, user: &Name, changes: &mut Changes) -> Result<(), Error> {
        let query = SessionQuery { members: vec![user.clone()], ..SessionQuery::default() };
        let sessions = self.store.list(&query).await?.rows;
        sessions.into_iter().for_each(|row| changes.remove::<SessionRow>(row.secret));
        Ok(())
    }

    /// Whether there is such a user.
    pub(crate) async fn knows(&self, user: &Name) -> Result<bool, Error> {
        Ok(self.store.get::<User>(user.clone()).await?.is_some())
    }
}

fn after(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_add(duration).unwrap_or(Timestamp::MAX)
}
