//! Settings that nothing could be served with, or that could never do what they are for: told before anything is opened, each with where it
//! stands and how to mend it.

use std::net::Ipv6Addr;
use std::path::Path;

use potok::FileKind;
use reqwest::Url;

use super::config::Config;
use super::{Options, without_password};
use crate::failure::Failure;

impl Config {
    /// Refuses what cannot be.
    pub(super) fn check(&self, options: &Options) -> Result<(), Failure> {
        if let Err(error) = potok::check_database(&self.db) {
            let place = self.place("db", options.db.is_some().then_some(("--db", "POTOK_DB")));
            let help = "name a file, in a folder that is there, or a database by postgres://USER@HOST/NAME";
            return Err(Failure::new(format!("{place} names no database: {error}")).help(help));
        }
        options.paths.iter().try_for_each(|path| check_models(path))?;
        if let Some(collector) = &self.otlp
            && !is_web(collector)
        {
            let place = self.place("otlp", options.otlp.is_some().then_some(("--otlp", "OTEL_EXPORTER_OTLP_ENDPOINT")));
            let why = format!("{place} is no address of a collector: {}", without_password(collector));
            let help = "name the collector's address for OTLP by HTTP, such as http://127.0.0.1:4318";
            return Err(Failure::new(why).help(help));
        }
        for origin in &self.security.origins {
            if let Err(help) = check_origin(origin) {
                let place = self.place("origins", None);
                return Err(Failure::new(format!("{place}: `{origin}` is no origin of pages")).help(help));
            }
        }
        for host in &self.webhook_hosts {
            if let Err(help) = check_host(host) {
                let place = self.place("webhook-hosts", None);
                return Err(Failure::new(format!("{place}: `{host}` is no host")).help(help));
            }
        }
        Ok(())
    }

    /// Where a setting stands: if a flag or the environment say it, these go before the file.
    pub(super) fn place(&self, key: &str, given: Option<(&str, &str)>) -> String {
        match (given, &self.file) {
            (Some((flag, variable)), _) => format!("`{flag}` or `{variable}`"),
            (None, Some(file)) => format!("`{key}` in {}", file.display()),
            (None, None) => format!("`{key}`"),
        }
    }
}

/// There is something to deploy.
fn check_models(path: &Path) -> Result<(), Failure> {
    let name = path.display();
    let help = "name a folder with models (.bpmn), decisions (.dmn), forms (.form) or calendars, or one such file";
    let unreadable = |error: std::io::Error| Failure::new(format!("cannot read {name}: {error}")).help(help);
    if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        if entry.map_err(unreadable)?.file_name().to_str().and_then(FileKind::of).is_some() {
            return Ok(());
        }
    }
    Err(Failure::new(format!("there is nothing to deploy in {name}")).help(help))
}

/// Whether a URL is of the web, and names a host.
fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// An origin is compared with what browsers send, letter by letter.
fn check_origin(origin: &str) -> Result<(), String> {
    if origin == "*" {
        return Err("name each origin: pages of any other could do whatever their reader is signed in for".into());
    }
    let general =
        || "an origin is a scheme and a host, with a port that is not the usual one: https://portal.example".to_owned();
    let url = Url::parse(origin).map_err(|_| general())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(general)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    match format!("{}://{host}{port}", url.scheme()) {
        sent if sent == origin => Ok(()),
        sent => Err(format!("write `{sent}`: that is what browsers send")),
    }
}

/// A host is compared with that of a URL, which has neither scheme nor port.
fn check_host(host: &str) -> Result<(), String> {
    let general = || "a host is a name or an address alone: hooks.internal, 127.0.0.1".to_owned();
    let name = host.trim_matches(['[', ']']);
    let written = if name.parse::<Ipv6Addr>().is_ok() { format!("[{name}]") } else { host.to_owned() };
    let url = if written.contains("://") { written } else { format!("https://{written}/") };
    let url = Url::parse(&url).map_err(|_| general())?;
    let meant = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    match () {
        () if meant.is_empty() => Err(general()),
        () if meant.contains('*') => Err("name each host: a `*` stands for nothing here".into()),
        () if meant.eq_ignore_ascii_case(name) => Ok(()),
        () => Err(format!("write `{meant}`: a host is a name or an address alone")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_send_them() {
        for origin in ["https://portal.example", "http://localhost:3000", "http://[::1]:3000", "app://portal"] {
            assert_eq!(check_origin(origin), Ok(()), "{origin}");
        }
        for (origin, says) in [
            ("*", "each origin"),
            ("null", "https://portal.example"),
            ("portal.example", "https://portal.example"),
            ("https://", "https://portal.example"),
            ("http://a.b/path", "`http://a.b`"),
            ("https://a.b/", "`https://a.b`"),
            ("https://A.b", "`https://a.b`"),
            ("https://a.b:443", "`https://a.b`"),
            ("https://user@a.b", "`https://a.b`"),
        ] {
            let help = check_origin(origin).unwrap_err();
            assert!(help.contains(says), "{origin}: {help}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_alone() {
        for host in ["hooks.internal", "Hooks.internal", "127.0.0.1", "::1", "[::1]", "localhost"] {
            assert_eq!(check_host(host), Ok(()), "{host}");
        }
        for (host, says) in [
            ("http://x/y", "`x`"),
            ("hooks.internal:8080", "`hooks.internal`"),
            ("hooks.internal/in", "`hooks.internal`"),
            ("127.1", "`127.0.0.1`"),
            ("0:0::1", "`::1`"),
            ("b\u{fc}cher.example", "`xn--bcher-kva.example`"),
            ("user@hooks.internal", "`hooks.internal`"),
            ("", "hooks.internal"),
            ("*.internal", "name each host"),
            ("two words", "hooks.internal"),
        ] {
            let help = check_host(host).unwrap_err();
            assert!(help.contains(says), "{host}: {help}");
        }
    }
}
