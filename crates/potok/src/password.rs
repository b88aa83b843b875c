//! Passwords: hashed by argon2, checked, and not hashed again for each call.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::{self, Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use potok_core::Name;
use potok_store::row::{Password, User};
use potok_store::{Bytes, Changes, digest};
use subtle::ConstantTimeEq as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::engine::{Engine, Inner};
use crate::people::People;
use crate::recent::Recent;
use crate::secret::random;
use crate::{Action, Error};

/// Characters that a password has at least.
pub const SHORTEST: usize = 8;

/// Bytes that it has at most.
const LONGEST: usize = 1024;

/// Passwords that are hashed at a time: each takes 19 MiB and a core for some 20 ms.
const AT_ONCE: usize = 2;

/// Passwords that were right, of how many users.
const CAPACITY: usize = 10_000;

/// What is remembered of passwords.
pub(crate) struct Passwords {
    /// What the database has, as of a few seconds ago at most.
    rows: Recent<Name, Option<Name>>,
    /// By user: the hash that stood in the database, and a keyed digest of the password that fitted it.
    right: Mutex<HashMap<Name, (Name, Bytes)>>,
    /// With what they are digested, so that what is in memory fits no table of passwords.
    key: std::sync::OnceLock<[u8; 32]>,
    turns: Arc<Semaphore>,
    /// What they are hashed in, for one of those who have a turn each. It is kept: an allocator would keep as much for every thread that ever
    /// hashed one.
    memories: Arc<Mutex<Vec<Memory>>>,
}

type Memory = Vec<Block>;

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            rows: Recent::default(),
            right: Mutex::default(),
            key: std::sync::OnceLock::new(),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            memories: Arc::default(),
        }
    }
}

impl Passwords {
    /// Forgets all.
    pub(crate) fn forget(&self) {
        self.rows.forget();
        self.right.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn digest(&self, password: &str) -> Result<Bytes, Error> {
        let key = match self.key.get() {
            Some(key) => *key,
            None => {
                let key = random()?;
                *self.key.get_or_init(|| key)
            }
        };
        Ok(digest(&[&key, password.as_bytes()].concat()))
    }

    /// Whether it was right a while ago, and the same hash stands in the database.
    fn was_right(&self, user: &Name, hash: &Name, password: &Bytes) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        right.get(user).is_some_and(|(known, digest)| known == hash && bool::from(digest.ct_eq(password)))
    }

    fn remember(&self, user: Name, hash: Name, password: Bytes) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= CAPACITY {
            right.clear();
        }
        right.insert(user, (hash, password));
    }

    /// A turn to hash: a few at a time, so that nobody else is held up.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.turns.clone().acquire_owned().await.map_err(|_| Error::Stopped)
    }

    /// Works where it holds up nobody else, and gives the turn back. Whoever does not wait for that ends it no sooner.
    async fn in_turn<T: Send + 'static>(
        &self,
        turn: OwnedSemaphorePermit,
        work: impl FnOnce(&mut Memory) -> password_hash::Result<T> + Send + 'static,
    ) -> Result<(T, OwnedSemaphorePermit), Error> {
        let memories = self.memories.clone();
        let work = move || {
            let mut memory = memories.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
            let done = work(&mut memory);
            // One that somebody else has hashed may take more. Nothing that follows from a password stays.
            memory.truncate(Params::DEFAULT.block_count());
            memory.shrink_to(Params::DEFAULT.block_count());
            memory.fill(Block::default());
            memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
            (done, turn)
        };
        let (done, turn) = tokio::task::spawn_blocking(work).await.map_err(|_| Error::Stopped)?;
        Ok((done.map_err(|error| Error::Unhashable(error.to_string()))?, turn))
    }
}

impl Engine {
    /// The same engine for a user who gives a password. A password that was right is known again without being hashed: until it is changed
    /// or its user removed, on other nodes up to five seconds longer.
    ///
    /// Whoever gives wrong ones waits after the fifth, longer each time up to a minute: for this user from [where they
    /// are](Self::called_from); after twenty for all users, and after fifty from anywhere for this user. A quarter of an hour later all is
    /// forgotten.
    ///
    /// # Errors
    /// If the user or the password is wrong, which is not told apart; and [`Error::TooManyAttempts`] if that was so too often.
    pub async fn with_password(&self, user: impl Into<Name>, password: &str) -> Result<Self, Error> {
        let user = user.into();
        if self.inner.is_right(&user, password, self.source.as_ref()).await? {
            return Ok(self.as_user(user));
        }
        let subject = self.source.clone().unwrap_or_default();
        self.as_user(user).refused(Action::SignIn, &subject, "wrong user or password").await;
        Err(Error::NotAuthenticated)
    }

    /// Changes a user's own password, which ends the user's sessions. It takes the old one rather than a right.
    ///
    /// # Errors
    /// If the user or the old password is wrong, or the new one too short.
    pub async fn change_password(&self, user: impl Into<Name>, old: &str, new: &str) -> Result<(), Error> {
        let engine = self.with_password(user, old).await?;
        let user = engine.user.clone().unwrap_or_default();
        let hash = engine.inner.hashed(new).await?;
        let subject = format!("change password {}", self.source.as_deref().unwrap_or_default());
        engine.allowed(Action::SignIn, &subject.trim_end()).await?;
        engine.inner.put_password(user, hash).await
    }
}

impl People<'_> {
    /// Sets a user's password, which ends the user's sessions.
    ///
    /// # Errors
    /// If there is no such user, or the password has fewer than 8 characters or more than 1,024 bytes.
    pub async fn set_password(&self, user: impl Into<Name>, password: &str) -> Result<(), Error> {
        let user = user.into();
        self.engine.access(Action::SetPassword, &user).await?;
        if self.engine.inner.store.get::<User>(user.clone()).await?.is_none() {
            return Err(Error::UnknownUser(user));
        }
        let hash = self.engine.inner.hashed(password).await?;
        self.engine.inner.put_password(user, hash).await
    }

    /// Takes a user's password away, and ends the user's sessions: they cannot sign in by one any more.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub async fn remove_password(&self, user: impl Into<Name>) -> Result<(), Error> {
        let user = user.into();
        self.engine.access(Action::SetPassword, &user).await?;
        let inner = &self.engine.inner;
        let mut changes = Changes::default();
        changes.remove::<Password>(user.clone());
        inner.end_sessions(&user, &mut changes).await?;
        inner.write_people(changes).await
    }
}

impl Inner {
    async fn put_password(&self, user: Name, hash: Name) -> Result<(), Error> {
        let mut changes = Changes::default();
        self.end_sessions(&user, &mut changes).await?;
        changes.put(Password { member: user, hash, changed: self.clock.now() });
        self.write_people(changes).await
    }

    fn check_password(&self, password: &str) -> Result<(), Error> {
        if password.chars().count() < SHORTEST || password.len() > LONGEST {
            return Err(Error::UnfitPassword { shortest: SHORTEST, longest: LONGEST });
        }
        Ok(())
    }

    pub(crate) async fn hashed(&self, password: &str) -> Result<Name, Error> {
        self.check_password(password)?;
        let (password, salt) = (password.to_owned(), random::<16>()?);
        let turn = self.passwords.turn().await?;
        self.passwords.in_turn(turn, move |memory| hash(&password, &salt, memory)).await.map(|(hash, _turn)| hash)
    }

    /// Whether that is the user's password. A user who is not there, or has none, takes as long as a wrong password.
    async fn is_right(&self, user: &Name, password: &str, source: Option<&Name>) -> Result<bool, Error> {
        if password.len() > LONGEST {
            return Ok(false);
        }
        let generation = self.passwords.rows.generation();
        let stored = match self.passwords.rows.get(&**user) {
            Some(stored) => stored,
            None => {
                let stored = self.store.get::<Password>(user.clone()).await?.map(|row| row.hash);
                self.passwords.rows.remember(user.clone(), stored.clone(), generation);
                stored
            }
        };
        let digest = self.passwords.digest(password)?;
        if let Some(stored) = &stored
            && self.passwords.was_right(user, stored, &digest)
        {
            return Ok(true);
        }
        let turn = self.passwords.turn().await?;
        // Whoever came before may have been right with the same one, or wrong once too often: so nobody gets around that by trying many at once.
        if let Some(stored) = &stored
            && self.passwords.was_right(user, stored, &digest)
        {
            return Ok(true);
        }
        if let Some(wait) = self.guesses.wait(user, source, self.clock.now()) {
            return Err(Error::TooManyAttempts { wait });
        }
        let (password, against) = (password.to_owned(), stored.clone());
        let check = move |memory: &mut Memory| verify(&password, against.as_deref(), memory);
        let (is_right, _turn) = self.passwords.in_turn(turn, check).await?;
        match stored.filter(|_| is_right) {
            Some(stored) => {
                self.guesses.right(user, source);
                self.passwords.remember(user.clone(), stored, digest);
            }
            None => self.guesses.wrong(user, source, self.clock.now()),
        }
        Ok(is_right)
    }
}

fn hash(password: &str, salt: &[u8], memory: &mut Memory) -> password_hash::Result<Name> {
    let (argon2, salt) = (Argon2::default(), SaltString::encode_b64(salt)?);
    let (algorithm, version) = (Algorithm::default().ident(), Some(Version::default().into()));
    let params = ParamsString::try_from(argon2.params())?;
    let hash = hash_in(memory, &argon2, password, salt.as_salt())?;
    let hash = PasswordHash { algorithm, version, params, salt: Some(salt.as_salt()), hash: Some(hash) };
    Ok(hash.to_string().into())
}

fn verify(password: &str, stored: Option<&str>, memory: &mut Memory) -> password_hash::Result<bool> {
    let Some(stored) = stored else {
        hash(password, &[0; 16], memory)?;
        return Ok(false);
    };
    let stored = PasswordHash::new(stored)?;
    // No password fits what was hashed in another way.
    Ok(fits(&stored, password, memory).unwrap_or_default())
}

fn fits(stored: &PasswordHash<'_>, password: &str, memory: &mut Memory) -> password_hash::Result<bool> {
    let (Some(salt), Some(hash)) = (stored.salt, stored.hash) else { return Ok(false) };
    let version = stored.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(stored.algorithm.try_into()?, version, Params::try_from(stored)?);
    // Outputs are compared in constant time.
    Ok(hash_in(memory, &argon2, password, salt)? == hash)
}

fn hash_in(memory: &mut Memory, argon2: &Argon2<'_>, password: &str, salt: Salt<'_>) -> password_hash::Result<Output> {
    memory.resize(argon2.params().block_count(), Block::default());
    let mut bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut bytes)?;
    let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    Output::init_with(length, |out| {
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, memory)?)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use argon2::password_hash::PasswordVerifier as _;

    use super::*;

    #[test]
    fn what_was_hashed_before_in_the_same_memory_does_not_matter() {
        let mut memory = Memory::new();
        let anna = hash("correct horse", &[7; 16], &mut memory).unwrap();
        let eve = hash("battery staple", &[8; 16], &mut memory).unwrap();
        assert_eq!(hash("correct horse", &[7; 16], &mut memory).unwrap(), anna);
        assert!(verify("correct horse", Some(&anna), &mut memory).unwrap());
        assert!(!verify("correct horse", Some(&eve), &mut memory).unwrap());
        assert!(!verify("correct horse", None, &mut memory).unwrap());
        let known = PasswordHash::new(&eve).unwrap();
        Argon2::default().verify_password(b"battery staple", &known).unwrap();
        // One that somebody else has made, with less memory.
        let params = Params::new(64, 3, 1, None).unwrap();
        let other = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let salt = SaltString::encode_b64(&[9; 16]).unwrap();
        let made = argon2::PasswordHasher::hash_password(&other, b"pale blue dot", &salt).unwrap().to_string();
        assert!(verify("pale blue dot", Some(&made), &mut memory).unwrap());
        assert!(!verify("pale blue cat", Some(&made), &mut memory).unwrap());
        let foreign = "$pbkdf2-sha256$i=1000,l=32$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        assert!(!verify("pale blue dot", Some(foreign), &mut memory).unwrap());
    }
}
