//! `potok serve`.

mod check;
mod config;
mod security;
mod telemetry;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::ValueEnum;
use potok::{Engine, Error, StoreError};
use potok_rest::{Issuer, Options as Api, Setup, Stop, Tls, router_beside};
use tokio::net::TcpListener;

use crate::failure::Failure;
use crate::report::number;
use crate::style::Style;
use config::Config;
pub(crate) use config::without_password;
use telemetry::{LogFormat, LogLevel, Telemetry};

const EXAMPLES: &str = "\
Examples:
  potok serve bpmn/                      deploys the folder, keeps everything in potok.db, listens on 127.0.0.1:8080
  potok serve --db work.db               goes on with what is in a database
  potok serve --check-config             says how it would be served, and whether potok.toml is right

Each setting is looked for among the flags, then in the environment, then in potok.toml:
  listen = \"127.0.0.1:8080\"
  db = \"potok.db\"
  job-execution = true
  enforce-history-time-to-live = false
  setup = false
  body-limit = 16777216
  search-limit = 1000
  log-format = \"text\"
  log-level = \"info\"
  otlp = \"http://127.0.0.1:4318\"
  webhook-hosts = [\"hooks.internal\"]
and docs/rest.md shows those for TLS, limits, other origins and OpenID Connect.";

/// What to serve, and how.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// Models, decisions, forms and calendars, or folders with them, which are deployed first if they have changed
    #[arg(value_name = "FOLDER")]
    paths: Vec<PathBuf>,
    /// Where to listen: on this machine only, as long as there are no users [default: 127.0.0.1:8080]
    #[arg(long, env = "POTOK_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// An SQLite file, which need not be there yet, or postgres://... [default: potok.db]
    #[arg(long, env = "POTOK_DB", value_name = "PATH_OR_URL")]
    db: Option<String>,
    /// Whether timers, savepoints and jobs are executed by themselves [default: on]
    #[arg(long, env = "POTOK_JOB_EXECUTION", value_enum)]
    job_execution: Option<Switch>,
    /// Whether a process must say how long its history is kept (historyTimeToLive), as in Camunda 7 [default: off]
    #[arg(long, env = "POTOK_ENFORCE_HISTORY_TIME_TO_LIVE", value_enum)]
    enforce_history_time_to_live: Option<Switch>,
    /// Whether the first administrator can be made from elsewhere, with a token that is shown [default: off]
    #[arg(long, env = "POTOK_SETUP", value_enum)]
    setup: Option<Switch>,
    /// A certificate in PEM, with those between it and its authority: it is served by TLS then
    #[arg(long, env = "POTOK_TLS_CERTIFICATE", value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// Its private key, in PEM
    #[arg(long, env = "POTOK_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// How log lines look [default: text]
    #[arg(long, env = "POTOK_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    /// What is worth a log line [default: info]
    #[arg(long, env = "POTOK_LOG_LEVEL", value_enum)]
    log_level: Option<LogLevel>,
    /// A collector that traces are sent to, by OTLP over HTTP, such as http://127.0.0.1:4318
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    otlp: Option<String>,
    /// A file with settings [default: potok.toml, if it is there]
    #[arg(long, env = "POTOK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only say how it would be served
    #[arg(long)]
    check_config: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// They are
    On,
    /// They wait
    Off,
}

/// Serves until it is told to stop.
pub(crate) fn serve(options: &Options) -> Result<ExitCode, Failure> {
    let config = Config::of(options)?;
    // What is wrong with them is told before anything is opened.
    config.check(options)?;
    let (tls, issuer) = (config.security.tls()?, config.security.issuer(&config.place("oidc", None))?);
    if options.check_config {
        let unchecked = check_sign_in(&config, issuer.is_some())?;
        write!(io::stdout().lock(), "{config}")?;
        if let Some(why) = unchecked {
            writeln!(io::stderr().lock(), "note: whether anybody can sign in was not checked: {why}")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let telemetry = Telemetry::start(&config, runtime.handle())?;
    let served = runtime.block_on(run(options, &config, tls, issuer));
    telemetry.stop();
    served
}

/// Refuses to be reached by others while nobody can sign in, as far as the database tells that without being changed; else says why it was
/// not checked.
fn check_sign_in(config: &Config, has_issuer: bool) -> Result<Option<String>, Failure> {
    if config.listen.ip().is_loopback() || has_issuer || config.setup {
        return Ok(None);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    match runtime.block_on(potok::has_users(&config.db)) {
        Ok(Some(true)) => Ok(None),
        Ok(Some(false)) => Err(nobody_signs_in(config, config.listen)),
        Ok(None) => Ok(Some(format!("there is no database {} yet", without_password(&config.db)))),
        Err(Error::Store(error)) if matches!(*error, StoreError::Foreign(_)) => Err(Error::Store(error).into()),
        Err(error) => Ok(Some(error.to_string())),
    }
}

fn nobody_signs_in(config: &Config, address: SocketAddr) -> Failure {
    let why = format!("{address} can be reached from other machines, and nobody can sign in yet");
    let db = without_password(&config.db);
    let help = format!(
        "add a user (`potok user add NAME --admin --db {db}`), make the first one from elsewhere (`--setup on`), or listen on \
         127.0.0.1 or [::1]"
    );
    Failure::new(why).help(help)
}

async fn run(
    options: &Options,
    config: &Config,
    tls: Option<Tls>,
    issuer: Option<Arc<Issuer>>,
) -> Result<ExitCode, Failure> {
    // From here on: a first process of a container is not ended by what it does not hear, and whoever has read that it is ready may end it.
    let told = told_to_stop()?;
    let stop = Stop::default();
    let stopping = stop.clone();
    tokio::spawn(async move {
        told.await;
        stopping.now();
    });
    let address = config.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format!("cannot listen on {address}: {error}")).help("stop what listens there, or see `--listen`")
    })?;
    let address = listener.local_addr()?;
    let mut builder = Engine::builder().database(&config.db).job_execution(config.job_execution);
    builder = builder.name(format!("potok serve {address}"));
    builder = builder.enforce_history_time_to_live(config.enforce_history_time_to_live);
    builder = builder.search_limit(config.search_limit);
    for host in &config.webhook_hosts {
        builder = builder.webhook_host(host.as_str());
    }
    let engine = tokio::select! {
        engine = builder.start() => engine?,
        () = stop.told() => return Ok(ExitCode::SUCCESS),
    };
    let served = talk(options, config, &engine, (listener, address, tls), issuer, stop).await;
    engine.stop().await;
    served.map(|()| ExitCode::SUCCESS)
}

/// Deploys, says where it listens, and answers.
async fn talk(
    options: &Options,
    config: &Config,
    engine: &Engine,
    (listener, address, tls): (TcpListener, SocketAddr, Option<Tls>),
    issuer: Option<Arc<Issuer>>,
    stop: Stop,
) -> Result<(), Failure> {
    let has_users = engine.people().has_users().await?;
    let is_local = address.ip().is_loopback();
    let setup = if config.setup && !is_local && !has_users { Some(Arc::new(Setup::new()?)) } else { None };
    if !is_local && !has_users && issuer.is_none() && setup.is_none() {
        return Err(nobody_signs_in(config, address));
    }
    let style = Style::of(&io::stdout());
    let deployed = tokio::select! {
        deployed = deploy(engine, &options.paths) => deployed?,
        // Each path is deployed whole or not at all.
        () = stop.told() => return Ok(()),
    };
    let mut api = if is_local { Api::local(address.port()) } else { Api::remote() };
    api.body_limit = config.body_limit;
    api.setup.clone_from(&setup);
    api.stop = stop.clone();
    config.security.apply(&mut api, issuer.clone());
    if is_local {
        // It may listen under a name of this machine that is none of the usual ones, such as 127.0.0.2.
        api.hosts.push(address.to_string());
    }
    let mut sign_in = match (has_users, &issuer) {
        (false, None) if setup.is_some() => "nobody can yet: make the first administrator",
        (false, None) => "nobody need: whoever works on this machine may do everything, nobody else gets in",
        (false, Some(_)) => "with a token of the issuer",
        (true, None) => "with a session, HTTP Basic, or an API token",
        (true, Some(_)) => "with a session, HTTP Basic, an API token, or a token of the issuer",
    }
    .to_owned();
    if !is_local && tls.is_none() {
        sign_in += "; others on the network could read it: give it a certificate, or put TLS before it";
    }
    let scheme = if tls.is_some() { "https" } else { "http" };
    {
        let mut out = io::stdout().lock();
        writeln!(out, "{} on {scheme}://{address}", style.good("Potok is ready"))?;
        writeln!(out, "  database  {}", without_password(&config.db))?;
        out.write_all(deployed.as_bytes())?;
        writeln!(out, "  API       {scheme}://{address}/api/v1")?;
        writeln!(out, "  API page  {scheme}://{address}/docs")?;
        writeln!(out, "  Camunda 7 {scheme}://{address}/engine-rest")?;
        writeln!(out, "  sign in   {sign_in}")?;
        if let Some(setup) = &setup {
            let token = setup.token().reveal();
            writeln!(out, "  set up    POST {scheme}://{address}/api/v1/setup, once, with this token: {token}")?;
        }
        out.flush()?;
    }
    let router = router_beside(engine.clone(), &api, potok_faces::routers);
    potok_rest::serve(listener, router, tls.as_ref(), &stop).await?;
    writeln!(io::stdout().lock(), "stopped")?;
    Ok(())
}

/// Deploys what has changed, and tells what became of it.
async fn deploy(engine: &Engine, paths: &[PathBuf]) -> Result<String, Error> {
    let mut told = String::new();
    for path in paths {
        let found = engine.deploy_path(path).await?;
        let state = if found.id.is_some() { "deployed" } else { "as before" };
        told += &format!("  {} ({}, {state})\n", path.display(), number(found.definitions.len(), "definition"));
    }
    Ok(told)
}

/// Listens from now on for Ctrl-C, and for whoever ends programs.
#[cfg(unix)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Listens from now on for Ctrl-C, and for whoever closes the console or ends programs.
#[cfg(windows)]
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut interrupt, mut end) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = end.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}
