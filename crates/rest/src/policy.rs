//! Who is let in, as the server is told when it starts.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::header::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;
use potok::{Engine, Name};

use crate::Options;
use crate::limit::Limiter;
use crate::oidc::Issuer;

/// Who is let in.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) hosts: Vec<String>,
    pub(crate) origins: Vec<String>,
    pub(crate) is_open: bool,
    pub(crate) is_secure: bool,
    pub(crate) limiter: Option<Limiter>,
    pub(crate) issuer: Option<Arc<Issuer>>,
    proxies: Vec<IpNet>,
}

impl Policy {
    pub(crate) fn new(options: &Options, engine: &Engine) -> Self {
        Self {
            hosts: options.hosts.clone(),
            origins: options.origins.clone(),
            // Pages elsewhere could use what is open under any name; and whom an issuer signs in need not be a user.
            is_open: options.is_open && !options.hosts.is_empty() && options.issuer.is_none(),
            is_secure: options.is_secure,
            limiter: options.rate.map(|rate| Limiter::new(rate, engine.clock().clone())),
            issuer: options.issuer.clone(),
            proxies: options.proxies.clone(),
        }
    }

    /// Where a request comes from: the address of whoever has connected, or if that is a proxy of ours, whom it names.
    pub(crate) fn source(&self, parts: &Parts) -> Option<Name> {
        let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
        let is_proxy = |address: &IpAddr| self.proxies.iter().any(|net| net.contains(address));
        let mut address = peer.ip().to_canonical();
        let named = if is_proxy(&address) { forwarded(&parts.headers) } else { Vec::new() };
        // The last ones are written by our own proxies; whoever calls can write the others.
        for named in named.into_iter().rev() {
            if !is_proxy(&address) {
                break;
            }
            let Ok(named) = named.parse::<IpAddr>() else { break };
            address = named.to_canonical();
        }
        Some(source(address))
    }
}

/// The addresses in `X-Forwarded-For`, in their order.
fn forwarded(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// Under which name an address is counted: who has one of IPv6 has at least 2^64 of them.
fn source(address: IpAddr) -> Name {
    match address {
        IpAddr::V4(address) => address.to_string().into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)).into()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

    use super::*;

    async fn source_of(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let engine = Engine::builder().job_execution(false).start().await.unwrap();
        let proxies = proxies.iter().map(|net| net.parse().unwrap()).collect();
        let policy = Policy::new(&Options { proxies, ..Options::remote() }, &engine);
        let mut request = axum::http::Request::get("/");
        for line in forwarded {
            request = request.header("x-forwarded-for", *line);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4000)));
        engine.stop().await;
        policy.source(&parts).unwrap().to_string()
    }

    #[tokio::test]
    async fn whom_only_a_proxy_of_ours_names_is_believed() {
        let ours = ["10.0.0.0/8"];
        assert_eq!(source_of("192.0.2.7", &["198.51.100.1"], &ours).await, "192.0.2.7");
        assert_eq!(source_of("10.0.0.1", &["198.51.100.1"], &[]).await, "10.0.0.1");
        assert_eq!(source_of("10.0.0.1", &["198.51.100.1"], &ours).await, "198.51.100.1");
        // What a caller writes there itself stands before what the proxy adds.
        assert_eq!(source_of("10.0.0.1", &["203.0.113.9, 198.51.100.1"], &ours).await, "198.51.100.1");
        assert_eq!(source_of("10.0.0.1", &["203.0.113.9", "198.51.100.1, 10.0.0.2"], &ours).await, "198.51.100.1");
        assert_eq!(source_of("10.0.0.1", &["nonsense"], &ours).await, "10.0.0.1");
        assert_eq!(source_of("10.0.0.1", &[], &ours).await, "10.0.0.1");
    }

    #[tokio::test]
    async fn a_net_of_ipv6_is_one_caller() {
        assert_eq!(source_of("2001:db8:1:2:3:4:5:6", &[], &[]).await, "2001:db8:1:2::/64");
        assert_eq!(source_of("::ffff:192.0.2.7", &[], &[]).await, "192.0.2.7");
    }
}
