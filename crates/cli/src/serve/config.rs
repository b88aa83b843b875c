//! How it is served: by flags, else by the environment, else by `potok.toml`, else as usual.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use serde::Deserialize;

use super::security::{Files, Limits, Net, Oidc, Security};
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
    body_limit: Option<usize>,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    proxies: Vec<Net>,
    limits: Option<Limits>,
    tls: Option<Files>,
    oidc: Option<Oidc>,
}

/// How it is served.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) listen: SocketAddr,
    pub(super) db: String,
    pub(super) job_execution: bool,
    pub(super) body_limit: usize,
    pub(super) security: Security,
}

impl Config {
    pub(super) fn of(options: &Options) -> Result<Self, Failure> {
        let file = match &options.config {
            Some(path) => read(path)?,
            None if Path::new(FILE).is_file() => read(Path::new(FILE))?,
            None => File::default(),
        };
        let File { origins, proxies, limits, tls, oidc, .. } = file;
        let listen = options.listen.or(file.listen).unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 8080).into());
        Ok(Self {
            listen,
            db: options.db.clone().or(file.db).unwrap_or_else(|| "potok.db".into()),
            job_execution: match options.job_execution {
                Some(switch) => switch == Switch::On,
                None => file.job_execution.unwrap_or(true),
            },
            body_limit: file.body_limit.unwrap_or(16 << 20),
            security: Security { origins, proxies, limits, tls, oidc }.over(options)?,
        })
    }
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
        writeln!(f, "body-limit = {}", self.body_limit)?;
        self.security.fmt(f)
    }
}

/// A database's URL as it may be shown.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}")
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("postgres://potok:se@cret@db/work"), "postgres://potok@db/work");
        assert_eq!(without_password("work.db"), "work.db");
    }
}
