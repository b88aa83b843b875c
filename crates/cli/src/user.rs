//! `potok user`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use potok::query::UserQuery;
use potok::row::{Group, User};
use potok::{Engine, Secret};

use crate::failure::Failure;
use crate::style::Style;

const EXAMPLES: &str = "\
Examples:
  potok user add olga --admin --db work.db                      the first administrator, with a password that is made up and shown
  echo \"$PASSWORD\" | potok user add anna --group sales --password-stdin --db work.db

A database in an SQLite file must not be in use: while a program is at work on it, users are added through that.";

/// Characters of a password that is made up: 120 random bits.
const MADE_UP: usize = 20;

/// What to do with users.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Add a user, with a password
    #[command(after_help = EXAMPLES)]
    Add(Add),
    /// Give a user another password, which ends their sessions
    Password(Password),
    /// List users, with their groups and roles
    List(Database),
    /// Remove a user, with their sessions and tokens
    Remove(Remove),
}

/// Where users are.
#[derive(clap::Args)]
pub(crate) struct Database {
    /// An SQLite file, or postgres://...
    #[arg(long, env = "POTOK_DB", value_name = "PATH_OR_URL", hide_env_values = true)]
    pub(crate) db: String,
}

/// A user to be added.
#[derive(clap::Args)]
pub(crate) struct Add {
    /// The name to sign in with
    name: String,
    /// May everything
    #[arg(long)]
    admin: bool,
    /// In this group, which is made if there is none; may be given several times
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// In this tenant; may be given several times
    #[arg(long, value_name = "TENANT")]
    tenant: Vec<String>,
    /// Read the password from the first line of the input
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from the first line of a file, such as a container's secret
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

/// A password to be changed.
#[derive(clap::Args)]
pub(crate) struct Password {
    /// Whose
    name: String,
    /// Read the password from the first line of the input
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    database: Database,
}

/// A user to be removed.
#[derive(clap::Args)]
pub(crate) struct Remove {
    /// Who
    name: String,
    #[command(flatten)]
    database: Database,
}

/// Does it.
pub(crate) fn user(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(options) => add(options),
        Command::Password(options) => password(options),
        Command::List(database) => list(database),
        Command::Remove(options) => remove(options),
    }
}

fn add(options: &Add) -> Result<ExitCode, Failure> {
    let given = match &options.password_file {
        Some(path) => {
            let file =
                File::open(path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
            Given::line(&mut BufReader::new(file))?
        }
        None => Given::read(options.password_stdin)?,
    };
    let name = &*options.name;
    let created = on(&options.database, true, async |engine| {
        let people = engine.people();
        if people.user(name).await?.is_some() {
            return Ok(false);
        }
        if options.admin {
            people.add_administrator(name, given.text()).await?;
        } else {
            people.put_user(User { id: name.into(), ..User::default() }).await?;
            people.set_password(name, given.text()).await?;
        }
        for group in &options.group {
            if people.group(&**group).await?.is_none() {
                people.put_group(Group { id: group.into(), ..Group::default() }).await?;
            }
            people.add_member(&**group, name).await?;
        }
        for tenant in &options.tenant {
            people.add_to_tenant(&**tenant, name).await?;
        }
        Ok(true)
    })?;
    if !created {
        let help = format!("`potok user password {name}` gives them another password");
        return Err(Failure::new(format!("there is a user {name} already")).help(help));
    }
    let style = Style::of(&io::stdout());
    let role = if options.admin { ", an administrator" } else { "" };
    writeln!(io::stdout(), "{} {name}{role}", style.good("added"))?;
    given.show()
}

fn password(options: &Password) -> Result<ExitCode, Failure> {
    let given = Given::read(options.password_stdin)?;
    on(&options.database, false, async |engine| engine.people().set_password(&*options.name, given.text()).await)?;
    let style = Style::of(&io::stdout());
    writeln!(io::stdout(), "{} the password of {}", style.good("changed"), options.name)?;
    given.show()
}

fn list(database: &Database) -> Result<ExitCode, Failure> {
    let users = on(database, false, async |engine| {
        let people = engine.people();
        let mut users = Vec::new();
        for user in people.users(&UserQuery::default()).await?.rows {
            let roles = people.roles_of(user.id.clone()).await?;
            users.push((user.id.clone(), people.groups_of(user.id).await?, roles));
        }
        Ok(users)
    })?;
    let mut out = io::stdout().lock();
    for (id, groups, roles) in users {
        let roles: Vec<&str> = roles.into_iter().map(potok::Role::name).collect();
        writeln!(out, "{id}  {}  [{}]", roles.join(", "), groups.join(", "))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(options: &Remove) -> Result<ExitCode, Failure> {
    let name = &*options.name;
    let known = on(&options.database, false, async |engine| {
        let known = engine.people().user(name).await?.is_some();
        if known {
            engine.people().remove_user(name).await?;
        }
        Ok(known)
    })?;
    if !known {
        return Err(Failure::new(format!("there is no user {name}")).help("see `potok user list`"));
    }
    writeln!(io::stdout(), "{} {name}", Style::of(&io::stdout()).good("removed"))?;
    Ok(ExitCode::SUCCESS)
}

/// A password, read or made up.
struct Given {
    text: String,
    made_up: bool,
}

impl Given {
    fn read(from_input: bool) -> Result<Self, Failure> {
        if from_input {
            return Self::line(&mut io::stdin().lock());
        }
        let secret = Secret::new()?;
        let text = secret.reveal().chars().take(MADE_UP).collect();
        Ok(Self { text, made_up: true })
    }

    fn line(from: &mut impl BufRead) -> Result<Self, Failure> {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let text = line.trim_end_matches(['\r', '\n']).to_owned();
        Ok(Self { text, made_up: false })
    }

    fn text(&self) -> &str {
        &self.text
    }

    /// Shows it, if nobody knows it yet.
    fn show(&self) -> Result<ExitCode, Failure> {
        if self.made_up {
            writeln!(io::stdout(), "password: {}", self.text)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Does something with an engine that executes nothing, on a database that is there, unless it may be made.
pub(crate) fn on<T>(
    database: &Database,
    may_make: bool,
    work: impl AsyncFnOnce(&Engine) -> Result<T, potok::Error>,
) -> Result<T, Failure> {
    let path = database.db.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    let path = path.unwrap_or(&database.db);
    if !may_make && !path.contains("://") && !Path::new(path).is_file() {
        return Err(Failure::new(format!("there is no database {path}")).help("see `--db`: a path or a URL"));
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let done = runtime.block_on(async {
        let builder = Engine::builder().database(&database.db).job_execution(false).no_backups().name("potok user");
        let engine = builder.start().await?;
        let done = work(&engine).await;
        engine.stop().await;
        done
    })?;
    Ok(done)
}
