//! An issuer's public keys (JWK Set, RFC 7517): looked up when they are needed, and again when they may have changed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::Uri;
use jiff::SignedDuration;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use potok_core::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{IssuerError, IssuerSettings, KeySet, Refusal};

/// How long keys are good without being looked up again: what an issuer withdraws is gone after that.
const GOOD: SignedDuration = SignedDuration::from_mins(60);

/// How long it is waited before keys are looked up again because one is not known: anybody can make up names of keys.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// How long looking them up may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of a document at most.
const LIMIT: usize = 1 << 20;

/// The keys of an issuer.
#[derive(Clone, Debug)]
pub(super) struct Keys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    place: Place,
    held: Mutex<Held>,
    /// Whoever looks them up; others who need that wait for the same answer.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Url { client: reqwest::Client, url: String },
    Discovered { client: reqwest::Client, issuer: String },
}

#[derive(Clone, Debug, Default)]
struct Held {
    keys: Arc<[Jwk]>,
    /// When they were looked up.
    read: Option<Timestamp>,
    /// When it was last tried.
    tried: Option<Timestamp>,
}

/// A set of keys. One that is not understood does not spoil the others.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

/// What an issuer says of itself (OpenID Connect Discovery 1.0 §3).
#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

impl Keys {
    pub(super) fn new(settings: &IssuerSettings) -> Result<Self, IssuerError> {
        let place = match &settings.keys {
            KeySet::File(path) => {
                check(path, settings).map_err(IssuerError)?;
                Place::File(path.clone())
            }
            KeySet::Url(url) => Place::Url { url: safe(url)?, client: client()? },
            KeySet::Discovered => {
                Place::Discovered { issuer: safe(settings.issuer.trim_end_matches('/'))?, client: client()? }
            }
        };
        Ok(Self(Arc::new(Inner { place, held: Mutex::default(), looking: tokio::sync::Mutex::default() })))
    }

    /// The key of that name that fits an algorithm; without a name the only one that fits.
    pub(super) async fn find(
        &self,
        name: Option<&str>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<DecodingKey, Refusal> {
        let mut held = self.0.held();
        if pick(&held.keys, name, algorithm).is_none() {
            held = self.0.look(now).await;
        } else if is_due(held.read, GOOD, now) && is_due(held.tried, PAUSE, now) {
            // Those that are there go on being good meanwhile: the issuer being slow or away is no reason to lock everybody out.
            let inner = self.0.clone();
            tokio::spawn(async move { inner.look(now).await });
        }
        match pick(&held.keys, name, algorithm) {
            Some(key) => DecodingKey::from_jwk(key).map_err(|error| Refusal::Token(error.to_string())),
            None if held.read.is_none() => Err(Refusal::Keys),
            None => Err(Refusal::token("its key is not among the issuer's")),
        }
    }
}

fn is_due(since: Option<Timestamp>, after: SignedDuration, now: Timestamp) -> bool {
    since.is_none_or(|since| now.duration_since(since) >= after)
}

impl Inner {
    fn held(&self) -> Held {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks them up, unless that was tried a moment ago.
    async fn look(&self, now: Timestamp) -> Held {
        let _looking = self.looking.lock().await;
        let mut held = self.held();
        if is_due(held.tried, PAUSE, now) {
            held.tried = Some(now);
            match self.read().await {
                Ok(keys) => (held.keys, held.read) = (keys.into(), Some(now)),
                Err(why) => tracing::warn!(why, "the keys of the issuer could not be looked up"),
            }
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held.clone();
        }
        held
    }

    async fn read(&self) -> Result<Vec<Jwk>, String> {
        let document = match &self.place {
            Place::File(path) => tokio::fs::read(path).await.map_err(|error| unreadable(path, &error))?,
            Place::Url { client, url } => fetch(client, url).await?,
            Place::Discovered { client, issuer } => {
                let document = fetch(client, &format!("{issuer}/.well-known/openid-configuration")).await?;
                let said: Description = serde_json::from_slice(&document).map_err(|error| error.to_string())?;
                if said.issuer.trim_end_matches('/') != issuer {
                    return Err(format!("the description is of the issuer {}", said.issuer));
                }
                fetch(client, &safe(&said.jwks_uri).map_err(|error| error.to_string())?).await?
            }
        };
        understood(&document)
    }
}

/// A file has a key for one of the ways in which tokens may be signed.
fn check(path: &Path, settings: &IssuerSettings) -> Result<(), String> {
    let keys = understood(&std::fs::read(path).map_err(|error| unreadable(path, &error))?)?;
    if settings.algorithms.iter().any(|ours| keys.iter().any(|key| fits(key, ours.theirs()))) {
        return Ok(());
    }
    let names: Vec<&str> = settings.algorithms.iter().map(|ours| ours.name()).collect();
    Err(format!("{} has no key for {}", path.display(), names.join(", ")))
}

/// Why a file of keys cannot be read.
fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}, which is to have the keys: {error}", path.display())
}

/// The keys of a set that are understood.
fn understood(document: &[u8]) -> Result<Vec<Jwk>, String> {
    let set: Set = serde_json::from_slice(document)
        .map_err(|error| format!("this is no set of keys (JSON with `keys`, RFC 7517): {error}"))?;
    Ok(set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect())
}

/// The key to check a signature with.
fn pick<'k>(keys: &'k [Jwk], name: Option<&str>, algorithm: Algorithm) -> Option<&'k Jwk> {
    let mut fitting = keys.iter().filter(|key| fits(key, algorithm));
    match name {
        Some(name) => fitting.find(|key| key.common.key_id.as_deref() == Some(name)),
        None => fitting.next().filter(|_| fitting.next().is_none()),
    }
}

/// Whether a key is meant for signatures by an algorithm: a key is of one kind, whatever a token says (RFC 8725 §3.1).
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_for_signing = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let is_named = match key.common.key_algorithm {
        None => true,
        Some(named) => named == of(algorithm),
    };
    let is_kind = match (&key.algorithm, algorithm) {
        (
            AlgorithmParameters::RSA(_),
            Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512,
        ) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES384) => key.curve == EllipticCurve::P384,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    is_for_signing && is_named && is_kind
}

fn of(algorithm: Algorithm) -> KeyAlgorithm {
    match algorithm {
        Algorithm::RS256 => KeyAlgorithm::RS256,
        Algorithm::RS384 => KeyAlgorithm::RS384,
        Algorithm::RS512 => KeyAlgorithm::RS512,
        Algorithm::PS256 => KeyAlgorithm::PS256,
        Algorithm::PS384 => KeyAlgorithm::PS384,
        Algorithm::PS512 => KeyAlgorithm::PS512,
        Algorithm::ES256 => KeyAlgorithm::ES256,
        Algorithm::ES384 => KeyAlgorithm::ES384,
        Algorithm::EdDSA => KeyAlgorithm::EdDSA,
        _ => KeyAlgorithm::UNKNOWN_ALGORITHM,
    }
}

/// A URL that nobody on the way can answer for the issuer.
fn safe(url: &str) -> Result<String, IssuerError> {
    let wrong = || IssuerError(format!("`{url}` is no https:// URL (http:// is taken on this machine only)"));
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let host = uri.host().ok_or_else(wrong)?.trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|host| host.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(url.to_owned()),
        Some("http") if is_here => Ok(url.to_owned()),
        _ => Err(wrong()),
    }
}

fn client() -> Result<reqwest::Client, IssuerError> {
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    client.build().map_err(|error| IssuerError(format!("there is no way to ask the issuer: {error}")))
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let failed = |error: reqwest::Error| format!("{url}: {error}");
    let mut answer = client.get(url).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(failed)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LIMIT {
            return Err(format!("{url}: more than {LIMIT} bytes"));
        }
    }
    Ok(bytes)
}
