//! Who else signs people in: an OpenID Connect provider, whose tokens (JWT, RFC 7519) are taken as `Authorization: Bearer`.

mod keys;

use std::path::PathBuf;
use std::time::Duration;

use jsonwebtoken::{Validation, decode, decode_header};
use potok::{Error, Identity, Name};
use potok_core::time::Timestamp;
use serde_json::{Map, Value};

use crate::problem::Problem;
use keys::Keys;

/// How a token may be signed. Only with keys of which whoever checks has the public half: a secret that both sides share, or none at all,
/// is not among them (RFC 8725 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// The same with SHA-384.
    Rs384,
    /// The same with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// The same with SHA-384.
    Ps384,
    /// The same with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The name that tokens have for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn theirs(self) -> jsonwebtoken::Algorithm {
        use jsonwebtoken::Algorithm as Their;
        match self {
            Self::Rs256 => Their::RS256,
            Self::Rs384 => Their::RS384,
            Self::Rs512 => Their::RS512,
            Self::Ps256 => Their::PS256,
            Self::Ps384 => Their::PS384,
            Self::Ps512 => Their::PS512,
            Self::Es256 => Their::ES256,
            Self::Es384 => Their::ES384,
            Self::EdDsa => Their::EdDSA,
        }
    }

    fn of(algorithm: jsonwebtoken::Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|ours| ours.theirs() == algorithm)
    }
}

/// Where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySet {
    /// Where its description says, under `/.well-known/openid-configuration`.
    Discovered,
    /// Under that URL.
    Url(String),
    /// In that file.
    File(PathBuf),
}

/// Which tokens are taken, and what in them says what.
#[derive(Clone, Debug)]
pub struct IssuerSettings {
    /// The issuer: what stands in `iss`.
    pub issuer: String,
    /// Those for whom tokens are meant to be: one of them must stand in `aud`.
    pub audience: Vec<String>,
    /// Where the keys are.
    pub keys: KeySet,
    /// How tokens may be signed.
    pub algorithms: Vec<Algorithm>,
    /// The claim that has the user's id. A dot leads into an object, unless a claim is named so.
    pub user_claim: String,
    /// The claim that has the groups.
    pub groups_claim: String,
    /// The claim that has the tenants.
    pub tenants_claim: String,
    /// By how much its clock may go otherwise than ours.
    pub skew: Duration,
}

impl IssuerSettings {
    /// Those of an issuer, with what is usual for the rest: keys where its description says, signed by RSA or on P-256, the user in
    /// `sub`, groups in `groups`, tenants in `tenants`, and clocks that differ by a minute at most.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: Vec<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience,
            keys: KeySet::Discovered,
            algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
            user_claim: "sub".into(),
            groups_claim: "groups".into(),
            tenants_claim: "tenants".into(),
            skew: Duration::from_secs(60),
        }
    }
}

/// What is wrong with an issuer's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerError(String);

impl std::fmt::Display for IssuerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for IssuerError {}

/// An issuer whose tokens are taken.
#[derive(Debug)]
pub struct Issuer {
    settings: IssuerSettings,
    keys: Keys,
}

impl Issuer {
    /// One with these settings. Its keys are looked up when they are first needed; a file with them must be there.
    ///
    /// # Errors
    /// If something of them makes no sense, or is not safe.
    pub fn new(settings: IssuerSettings) -> Result<Self, IssuerError> {
        let wrong = |what: &str| Err(IssuerError(what.to_owned()));
        if settings.issuer.is_empty() {
            return wrong("`issuer` is empty");
        }
        if settings.audience.is_empty() {
            return wrong("`audience` is empty: tokens that were made for other programs would be taken");
        }
        if settings.algorithms.is_empty() {
            return wrong("`algorithms` is empty");
        }
        let keys = Keys::new(&settings)?;
        Ok(Self { settings, keys })
    }

    /// Who a token says it is from, if it is good.
    pub(crate) async fn identity(&self, token: &str, now: Timestamp) -> Result<Identity, Problem> {
        match self.checked(token, now).await {
            Ok(identity) => Ok(identity),
            Err(Refusal::Token(why)) => {
                // Who has sent it need not know, and whoever looks after the server does.
                tracing::info!(issuer = self.settings.issuer, why, "a token was refused");
                Err(Error::NotAuthenticated.into())
            }
            Err(Refusal::Keys) => {
                let detail =
                    "the keys of whoever signs in for this server cannot be had now; nothing was changed, try again";
                let status = axum::http::StatusCode::SERVICE_UNAVAILABLE;
                Err(Problem::new(status, "issuer-unavailable", detail).again())
            }
        }
    }

    async fn checked(&self, token: &str, now: Timestamp) -> Result<Identity, Refusal> {
        let settings = &self.settings;
        let header = decode_header(token).map_err(|error| Refusal::Token(error.to_string()))?;
        let algorithm = Algorithm::of(header.alg).filter(|algorithm| settings.algorithms.contains(algorithm));
        if algorithm.is_none() {
            return Err(Refusal::token(format!("it is signed by {:?}", header.alg)));
        }
        // What must be understood is not (RFC 7515 §4.1.11).
        if header.crit.is_some() {
            return Err(Refusal::token("it has critical headers"));
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg, now).await?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&settings.audience);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // By our clock, below.
        validation.validate_exp = false;
        let token = decode::<Map<String, Value>>(token, &key, &validation);
        let claims = token.map_err(|error| Refusal::Token(error.to_string()))?.claims;
        self.check_time(&claims, now)?;
        let user = match claim(&claims, &settings.user_claim) {
            Some(Value::String(user)) if !user.is_empty() => user.as_str(),
            _ => return Err(Refusal::token(format!("it has no text in `{}`", settings.user_claim))),
        };
        Ok(Identity {
            user: user.into(),
            groups: names(claim(&claims, &settings.groups_claim)),
            tenants: names(claim(&claims, &settings.tenants_claim)),
            issuer: settings.issuer.as_str().into(),
        })
    }

    /// Whether a token is good now, as far as clocks agree.
    fn check_time(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
        let skew = self.settings.skew.as_secs_f64();
        let now = now.as_duration().as_secs_f64();
        let time = |name: &str| claims.get(name).map(|value| value.as_f64().ok_or(name.to_owned()));
        let unreadable = |name: String| Refusal::token(format!("its `{name}` is no number"));
        match time("exp").transpose().map_err(unreadable)? {
            Some(expires) if now < expires + skew => {}
            _ => return Err(Refusal::token("it has expired")),
        }
        match time("nbf").transpose().map_err(unreadable)? {
            Some(begins) if now + skew < begins => Err(Refusal::token("it is not good yet")),
            _ => Ok(()),
        }
    }
}

/// Why a token is not taken.
#[derive(Debug)]
enum Refusal {
    /// Something is wrong with it.
    Token(String),
    /// There is nothing to check it with.
    Keys,
}

impl Refusal {
    fn token(why: impl Into<String>) -> Self {
        Self::Token(why.into())
    }
}

/// Whether a bearer token looks like one of an issuer: API tokens have no dots.
pub(crate) fn is_jwt(token: &str) -> bool {
    token.split('.').count() == 3
}

/// A claim by its name, or by a path of names.
fn claim<'v>(claims: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    if let Some(value) = claims.get(name) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

/// The names in a claim: a list of them, or one.
fn names(value: Option<&Value>) -> Vec<Name> {
    match value {
        Some(Value::String(name)) => vec![name.as_str().into()],
        Some(Value::Array(names)) => names.iter().filter_map(|name| Some(name.as_str()?.into())).collect(),
        _ => Vec::new(),
    }
}
