//! Where messages to others may go, and how they are signed.
//!
//! Whoever may make webhooks decides where this server sends requests: unless it is told otherwise, only to addresses that everybody can
//! reach, so that it is no way into the network that it stands in. What counts is the address that is connected to, not the name that
//! was looked up a moment before; redirects are not followed, and no proxy is asked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use potok_core::Name;
use reqwest::Url;
use reqwest::dns::{Addrs, Name as HostName, Resolve, Resolving};
use reqwest::redirect::Policy;
use sha2::Sha256;

use crate::Error;
use crate::secret::{Secret, random};

/// For how long whoever is told may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// What secrets begin with, as Standard Webhooks has it.
const PREFIX: &str = "whsec_";

/// A secret to sign messages with.
pub(crate) fn new_secret() -> Result<Secret, Error> {
    Ok(Secret::of(format!("{PREFIX}{}", STANDARD.encode(random::<32>()?))))
}

/// The signature of a message, as Standard Webhooks has it: HMAC-SHA256 of id, time and body.
pub(crate) fn sign(secret: &[u8], id: &str, seconds: i64, body: &[u8]) -> String {
    let text = std::str::from_utf8(secret).unwrap_or_default();
    let key = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).unwrap_or_default();
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// The client that tells others.
pub(crate) fn client(allowed: &Arc<[Name]>) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .dns_resolver(Arc::new(Guarded(allowed.clone())))
        .redirect(Policy::none())
        .no_proxy()
        .timeout(PATIENCE)
        .user_agent(concat!("potok/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Why nothing may be sent to an address, as far as it can be told without looking its name up.
pub(crate) fn check(url: &str, allowed: &[Name]) -> Result<(), String> {
    let url = Url::parse(url).map_err(|error| format!("it is no URL: {error}"))?;
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() || !matches!(url.scheme(), "http" | "https") {
        return Err("it must begin with https:// and name a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not have a user or password: messages are signed".into());
    }
    if is_among(allowed, host) {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(format!("it must begin with https://, unless the server is told that {host} may be sent to"));
    }
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) if !is_public(address) => Err(not_public(host)),
        _ => Ok(()),
    }
}

fn not_public(host: &str) -> String {
    format!("{host} is no public address, and the server is not told that it may be sent to")
}

fn is_among(allowed: &[Name], host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    allowed.iter().any(|name| name.trim_matches(['[', ']']).eq_ignore_ascii_case(host))
}

/// Looks names up, and gives only addresses that may be connected to.
struct Guarded(Arc<[Name]>);

impl Resolve for Guarded {
    fn resolve(&self, name: HostName) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let may = |address: &SocketAddr| is_among(&allowed, host) || is_public(address.ip());
            let addresses: Vec<SocketAddr> = found.into_iter().filter(may).collect();
            if addresses.is_empty() {
                return Err(not_public(host).into());
            }
            Ok::<Addrs, _>(Box::new(addresses.into_iter()))
        })
    }
}

/// Whether everybody can reach an address: by IANA's registries of special-purpose addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let within = |network: [u8; 4], bits: u32| {
        let mask = u32::MAX << (32 - bits);
        u32::from(address) & mask == u32::from(Ipv4Addr::from(network)) & mask
    };
    let special = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([224, 0, 0, 0], 3),
    ];
    !special.into_iter().any(|(network, bits)| within(network, bits))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    // What is given out to networks is 2000::/3; within it are protocols, examples, and ways to IPv4 addresses.
    let is_special = match parts[0] {
        0x2001 => parts[1] < 0x0200 || parts[1] == 0x0db8,
        0x2002 => true,
        0x3fff => parts[1] < 0x1000,
        _ => false,
    };
    parts[0] & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use super::*;

    #[test]
    fn only_public_addresses_are_sent_to() {
        let refused = [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://10.1.2.3/",
            "https://172.31.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://[::1]/",
            "https://[::]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "http://example.com/",
            "ftp://example.com/",
            "https://user:secret@example.com/",
            "example.com",
            "https://",
            "",
        ];
        for url in refused {
            assert!(check(url, &[]).is_err(), "{url}");
        }
        for url in
            ["https://example.com/hook?x=1", "https://8.8.8.8/", "https://[2a00:1450::1]/", "https://172.32.0.1/"]
        {
            assert_eq!(check(url, &[]), Ok(()), "{url}");
        }
        let allowed = ["hooks.internal".into(), "127.0.0.1".into(), "::1".into()];
        for url in ["http://hooks.internal:9000/", "http://127.0.0.1:1/", "http://[::1]/", "http://HOOKS.internal/"] {
            assert_eq!(check(url, &allowed), Ok(()), "{url}");
        }
        assert!(check("http://other.internal/", &allowed).is_err());
        assert!(check("https://127.0.0.2/", &allowed).is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_connected_to() {
        let look_up = |allowed: &[Name]| Guarded(allowed.into()).resolve("localhost".parse().unwrap());
        let refused = look_up(&[]).await.map(drop).unwrap_err();
        assert!(refused.to_string().contains("no public address"), "{refused}");
        assert!(look_up(&["localhost".into()]).await.unwrap().count() > 0);
    }

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // The example of the Standard Webhooks specification and its libraries.
        let secret = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
