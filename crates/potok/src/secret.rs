//! Secrets that are given out once, and known again by their SHA-256 only.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use potok_store::{Bytes, digest};

use crate::Error;

/// What somebody signs in by, given out once: 256 random bits as text. It is shown only when asked for, so that no log has it by chance.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// If the operating system gives no random numbers.
    pub fn new() -> Result<Self, Error> {
        Self::random("")
    }

    /// A new one, after a few letters that tell what it is.
    pub(crate) fn random(prefix: &str) -> Result<Self, Error> {
        let bytes = random::<32>()?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// One that is this text.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    /// The text. It cannot be had again.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn kept(&self) -> Bytes {
        kept(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What is kept of a secret. It is random enough that nothing slower than SHA-256 is called for, and rows are looked up by it: how long
/// that takes says nothing about the secret.
pub(crate) fn kept(secret: &str) -> Bytes {
    digest(secret.as_bytes())
}

/// Random bytes that nobody can guess, from the operating system.
pub(crate) fn random<const COUNT: usize>() -> Result<[u8; COUNT], Error> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes).map_err(|error| Error::NoRandomness(error.to_string()))?;
    Ok(bytes)
}
