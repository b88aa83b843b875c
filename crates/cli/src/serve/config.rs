//! How it is served: by flags, else by the environment, else by `potok.toml`, else as usual.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::security::{Files, Limits, Net, Oidc, Security};
use super::telemetry::{LogFormat, LogLevel};
use super::{Options, Switch};
use crate::failure::Failure;

/// The file that is read if no other is named.
const FILE: &str = "potok.toml";

/// What can stand in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    listen: Option<SocketAddr>,
    db: Option<String>,
    job_execution: Option<bool>,
    enforce_history_time_to_live: Option<bool>,
    setup: Option<bool>,
    body_limit: Option<NonZeroUsize>,
    search_limit: Option<u64>,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    proxies: Vec<Net>,
    limits: Option<Limits>,
    tls: Option<Files>,
    oidc: Option<Oidc>,
    log_format: Option<LogFormat>,
    log_level: Option<LogLevel>,
    otlp: Option<String>,
    webhook_hosts: Option<Vec<String>>,
}

/// How it is served.
#[derive(Debug)]
pub(super) struct Config {
    /// The file that has been read, if there is one.
    pub(super) file: Option<PathBuf>,
    pub(super) listen: SocketAddr,
    pub(super) db: String,
    pub(super) job_execution: bool,
    /// Whether processes must say how long their history is kept.
    pub(super) enforce_history_time_to_live: bool,
    /// Whether the first administrator can be made from elsewhere.
    pub(super) setup: bool,
    pub(super) body_limit: usize,
    /// Searches that a user may keep.
    pub(super) search_limit: u64,
    pub(super) security: Security,
    pub(super) log_format: LogFormat,
    pub(super) log_level: LogLevel,
    /// Where traces are sent to.
    pub(super) otlp: Option<String>,
    /// Hosts that webhooks may be on, though they are not public.
    pub(super) webhook_hosts: Vec<String>,
}

impl Config {
    pub(super) fn of(options: &Options) -> Result<Self, Failure> {
        let usual = || Some(PathBuf::from(FILE)).filter(|path| path.is_file());
        let path = options.config.clone().or_else(usual);
        let file = path.as_deref().map(read).transpose()?.unwrap_or_default();
        let File { origins, proxies, limits, tls, oidc, .. } = file;
        let listen = options.listen.or(file.listen).unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 8080).into());
        Ok(Self {
            file: path,
            listen,
            db: options.db.clone().or(file.db).unwrap_or_else(|| "potok.db".into()),
            job_execution: is_on(options.job_execution, file.job_execution, true),
            enforce_history_time_to_live: is_on(
                options.enforce_history_time_to_live,
                file.enforce_history_time_to_live,
                false,
            ),
            setup: is_on(options.setup, file.setup, false),
            body_limit: file.body_limit.map_or(16 << 20, NonZeroUsize::get),
            search_limit: file.search_limit.unwrap_or(1000),
            security: Security { origins, proxies, limits, tls, oidc }.over(options)?,
            log_format: options.log_format.or(file.log_format).unwrap_or_default(),
            log_level: options.log_level.or(file.log_level).unwrap_or_default(),
            webhook_hosts: file.webhook_hosts.unwrap_or_default(),
            otlp: options.otlp.clone().or(file.otlp).filter(|url| !url.is_empty()),
        })
    }
}

/// What is said by a flag or the environment, else by the file, else as usual.
fn is_on(given: Option<Switch>, file: Option<bool>, usual: bool) -> bool {
    given.map(|switch| switch == Switch::On).or(file).unwrap_or(usual)
}

fn read(path: &Path) -> Result<File, Failure> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    toml::from_str(&text).map_err(|error| {
        let help = "docs/rest.md lists the settings";
        Failure::new(format!("{name} is not right")).details(error.to_string()).help(help)
    })
}

impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listen = \"{}\"", self.listen)?;
        writeln!(f, "db = \"{}\"", without_password(&self.db))?;
        writeln!(f, "job-execution = {}", self.job_execution)?;
        writeln!(f, "enforce-history-time-to-live = {}", self.enforce_history_time_to_live)?;
        writeln!(f, "setup = {}", self.setup)?;
        writeln!(f, "body-limit = {}", self.body_limit)?;
        writeln!(f, "search-limit = {}", self.search_limit)?;
        writeln!(f, "log-format = \"{}\"", self.log_format)?;
        writeln!(f, "log-level = \"{}\"", self.log_level)?;
        if let Some(collector) = &self.otlp {
            writeln!(f, "otlp = \"{}\"", without_password(collector))?;
        }
        writeln!(f, "webhook-hosts = {:?}", self.webhook_hosts)?;
        self.security.fmt(f)
    }
}

/// A database's URL as it may be shown.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let place = match rest.rsplit_once('@') {
        Some((user, place)) => format!("{}@{place}", user.split(':').next().unwrap_or_default()),
        None => rest.to_owned(),
    };
    let Some((place, query)) = place.split_once('?') else { return format!("{scheme}://{place}") };
    // PostgreSQL takes it as a parameter, too: `password`, and `sslpassword` for a key.
    let shown: Vec<&str> = query.split('&').filter(|part| !names_a_password(part)).collect();
    if shown.is_empty() { format!("{scheme}://{place}") } else { format!("{scheme}://{place}?{}", shown.join("&")) }
}

/// Whether a parameter's name says so, however it is written.
fn names_a_password(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default();
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase().contains("password")
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("postgres://potok:se@cret@db/work"), "postgres://potok@db/work");
        assert_eq!(without_password("work.db"), "work.db");
        for (url, shown) in [
            ("postgres://db/work?user=potok&password=secret", "postgres://db/work?user=potok"),
            ("postgres://potok:secret@db/work?password=secret", "postgres://potok@db/work"),
            ("postgres://db/work?Pass%77ord=secret&sslmode=require", "postgres://db/work?sslmode=require"),
            ("postgres://db/work?password=se@cret", "postgres://db/work"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
