//! `potok token`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use jiff::SignedDuration;
use potok::query::ApiTokenQuery;
use potok::{ApiTokenId, Role};

use crate::failure::Failure;
use crate::style::Style;
use crate::user::{Database, on};

const EXAMPLES: &str = "\
Examples:
  TOKEN=$(potok token add mailer \"sends letters\" --role worker --days 365 --db work.db)
  potok token list --db work.db
  potok token revoke 133857017856004096 --db work.db

The token goes to the standard output, once: it cannot be shown again.";

/// What to do with tokens.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make a token for a user
    #[command(after_help = EXAMPLES)]
    Add(Add),
    /// List tokens, without their secrets
    List(List),
    /// Revoke a token
    Revoke(Revoke),
}

/// A token to be made.
#[derive(clap::Args)]
pub(crate) struct Add {
    /// The user whose rights it has
    user: String,
    /// What it is for
    name: String,
    /// With no more than this role of the user; may be given several times
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Vec<Role>,
    /// Keeps to this tenant
    #[arg(long, value_name = "TENANT")]
    tenant: Option<String>,
    /// Ends by itself after so many days
    #[arg(long, value_name = "DAYS")]
    days: Option<u16>,
    #[command(flatten)]
    database: Database,
}

/// Which tokens to list.
#[derive(clap::Args)]
pub(crate) struct List {
    /// Only this user's
    #[arg(long)]
    user: Option<String>,
    #[command(flatten)]
    database: Database,
}

/// A token to be revoked.
#[derive(clap::Args)]
pub(crate) struct Revoke {
    /// Its id
    id: ApiTokenId,
    #[command(flatten)]
    database: Database,
}

fn role(name: &str) -> Result<Role, String> {
    let names = || Role::ALL.map(Role::name).join(", ");
    Role::named(name).ok_or_else(|| format!("there is no such role; there are {}", names()))
}

/// Does it.
pub(crate) fn token(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(options) => add(options),
        Command::List(options) => list(options),
        Command::Revoke(options) => revoke(options),
    }
}

fn add(options: &Add) -> Result<ExitCode, Failure> {
    let (token, secret) = on(&options.database, false, async |engine| {
        let mut token = engine.people().new_token(&*options.user, &*options.name);
        for role in &options.role {
            token = token.role(*role);
        }
        if let Some(tenant) = &options.tenant {
            token = token.tenant(&**tenant);
        }
        if let Some(days) = options.days {
            let now = engine.clock().now();
            let lasts = SignedDuration::from_hours(24 * i64::from(days));
            token = token.expires(now.checked_add(lasts).unwrap_or(now));
        }
        token.send().await
    })?;
    writeln!(io::stdout(), "{}", secret.reveal())?;
    let style = Style::of(&io::stderr());
    writeln!(io::stderr(), "{} token {}; it is not shown again", style.good("made"), token.id())?;
    Ok(ExitCode::SUCCESS)
}

fn list(options: &List) -> Result<ExitCode, Failure> {
    let query =
        ApiTokenQuery { members: options.user.iter().map(|user| user.into()).collect(), ..ApiTokenQuery::default() };
    let tokens = on(&options.database, false, async |engine| engine.people().tokens(&query).await)?.rows;
    let mut out = io::stdout().lock();
    for token in tokens {
        let roles = token.scope().map_or_else(
            || "all of the user's roles".to_owned(),
            |roles| roles.into_iter().map(Role::name).collect::<Vec<_>>().join(", "),
        );
        write!(out, "{}  {}  {}  {roles}", token.id(), token.member, token.name)?;
        if let Some(tenant) = &token.tenant {
            write!(out, "  tenant {tenant}")?;
        }
        if let Some(expires) = token.expires {
            write!(out, "  until {expires}")?;
        }
        match token.used {
            Some(used) => writeln!(out, "  used {used}")?,
            None => writeln!(out, "  never used")?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn revoke(options: &Revoke) -> Result<ExitCode, Failure> {
    on(&options.database, false, async |engine| engine.people().revoke_token(options.id).await)?;
    writeln!(io::stdout(), "{} {}", Style::of(&io::stdout()).good("revoked"), options.id)?;
    Ok(ExitCode::SUCCESS)
}
