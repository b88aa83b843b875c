//! Who gets in, and how: TLS, other origins, proxies, limits, and who else signs people in.

use std::fmt;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use potok_rest::{Algorithm, Issuer, IssuerSettings, KeySet, Options as Api, Rate, Tls};
use serde::{Deserialize, Deserializer, Serialize};

use super::Options;
use crate::failure::Failure;

/// What can stand in the file about it.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Security {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) origins: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) proxies: Vec<Net>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<Limits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tls: Option<Files>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) oidc: Option<Oidc>,
}

/// An address, or a net of them such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Net(IpNet);

impl<'de> Deserialize<'de> for Net {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let net = text.parse().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
        net.map(Self).map_err(|_| serde::de::Error::custom(format!("`{text}` is no address and no net of them")))
    }
}

/// How often each caller may call.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Limits {
    calls_per_minute: NonZeroU32,
    /// As many as in ten seconds, unless it is set.
    burst: Option<NonZeroU32>,
}

/// A certificate, and its key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Who else signs people in.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Oidc {
    issuer: String,
    audience: Vec<String>,
    /// A URL, or a file.
    keys: Option<String>,
    algorithms: Option<Vec<String>>,
    user_claim: Option<String>,
    groups_claim: Option<String>,
    tenants_claim: Option<String>,
    /// Seconds.
    clock_skew: Option<u64>,
}

impl Security {
    /// What flags or the environment say goes before.
    pub(super) fn over(mut self, options: &Options) -> Result<Self, Failure> {
        match (options.tls_certificate.clone(), options.tls_key.clone()) {
            (Some(certificate), Some(key)) => self.tls = Some(Files { certificate, key }),
            (None, None) => {}
            _ => return Err(Failure::new("a certificate needs its key, and a key its certificate")),
        }
        Ok(self)
    }

    /// The certificate, if there is one.
    pub(super) fn tls(&self) -> Result<Option<Tls>, Failure> {
        let Some(files) = &self.tls else { return Ok(None) };
        Tls::from_files(&files.certificate, &files.key).map(Some).map_err(|error| {
            let help = "both are files in PEM: the certificate with its intermediate ones, and its private key";
            Failure::new(format!("TLS cannot be served: {error}")).help(help)
        })
    }

    /// Who else signs people in, if anybody; `place` is where that stands.
    pub(super) fn issuer(&self, place: &str) -> Result<Option<Arc<Issuer>>, Failure> {
        let Some(oidc) = &self.oidc else { return Ok(None) };
        let mut settings = IssuerSettings::new(&oidc.issuer, oidc.audience.clone());
        if let Some(keys) = &oidc.keys {
            settings.keys = if keys.contains("://") { KeySet::Url(keys.clone()) } else { KeySet::File(keys.into()) };
        }
        if let Some(names) = &oidc.algorithms {
            let named = |name: &String| {
                let known = Algorithm::ALL.map(Algorithm::name).join(", ");
                Algorithm::named(name).ok_or_else(|| {
                    let why = format!("{place} is not right: tokens signed by `{name}` are not taken");
                    Failure::new(why).help(format!("there are {known}"))
                })
            };
            settings.algorithms = names.iter().map(named).collect::<Result<_, _>>()?;
        }
        let set = |setting: &mut String, given: &Option<String>| {
            setting.clone_from(given.as_ref().unwrap_or(&setting.clone()))
        };
        set(&mut settings.user_claim, &oidc.user_claim);
        set(&mut settings.groups_claim, &oidc.groups_claim);
        set(&mut settings.tenants_claim, &oidc.tenants_claim);
        settings.skew = oidc.clock_skew.map_or(settings.skew, Duration::from_secs);
        let issuer = Issuer::new(settings);
        issuer.map(|issuer| Some(Arc::new(issuer))).map_err(|error| {
            Failure::new(format!("{place} is not right: {error}")).help("see docs/rest.md, *Signing in*")
        })
    }

    /// Tells the API.
    pub(super) fn apply(&self, api: &mut Api, issuer: Option<Arc<Issuer>>) {
        api.origins.clone_from(&self.origins);
        api.proxies = self.proxies.iter().map(|net| net.0).collect();
        api.is_secure = self.tls.is_some();
        api.issuer = issuer;
        api.rate = self.limits.map(|limits| {
            let per_minute = limits.calls_per_minute;
            let tenth = NonZeroU32::new(per_minute.get() / 6).unwrap_or(NonZeroU32::MIN);
            Rate { per_minute, burst: limits.burst.unwrap_or(tenth) }
        });
    }
}

impl fmt::Display for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&toml::to_string(self).map_err(|_| fmt::Error)?)
    }
}
