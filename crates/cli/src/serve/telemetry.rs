//! What the server says of its work: logs on the error output, and traces to a collector, by OTLP.

use std::fmt;
use std::io;
use std::time::Duration;

use clap::ValueEnum;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde::Deserialize;
use tokio::runtime::Handle;
use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, dynamic_filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::config::Config;
use crate::failure::Failure;

/// For how long a collector may take what it is sent.
const PATIENCE: Duration = Duration::from_secs(10);

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For programs: one object on each line
    Json,
}

/// What is worth a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogLevel {
    /// What failed
    Error,
    /// Also what may need somebody, such as incidents
    Warn,
    /// Also what the server does
    #[default]
    Info,
    /// Also each request, and what happens to each instance
    Debug,
}

impl LogLevel {
    fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

/// Logs, and traces if there is somebody to send them to.
pub(super) struct Telemetry(Option<SdkTracerProvider>);

impl Telemetry {
    pub(super) fn start(config: &Config, runtime: &Handle) -> Result<Self, Failure> {
        let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
        let lines = match config.log_format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().flatten_event(true).boxed(),
        };
        let provider = config.otlp.as_deref().map(|collector| provider(collector, runtime)).transpose()?;
        // Only requests are spans; what the collector's client does for them is not.
        // Asked each time: for a span whose interest is cached the last answer given on its thread counts, whatever it was asked about.
        let requests =
            dynamic_filter_fn(|about, _| about.target().starts_with("potok_rest") && *about.level() <= Level::INFO);
        let spans = provider.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("potok"))
                .with_location(false)
                .with_filter(requests)
        });
        tracing_subscriber::registry().with(lines.with_filter(config.log_level.filter())).with(spans).init();
        Ok(Self(provider))
    }

    /// Sends what has not been sent.
    pub(super) fn stop(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

fn provider(collector: &str, runtime: &Handle) -> Result<SdkTracerProvider, Failure> {
    let refused = |error: &dyn fmt::Display| {
        Failure::new(format!("traces cannot be sent to {collector}: {error}"))
            .help("name the collector's address for OTLP by HTTP, such as http://127.0.0.1:4318")
    };
    let client = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|error| refused(&error))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Client { client, runtime: runtime.clone() })
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| refused(&error))?;
    let resource = Resource::builder().with_service_name("potok").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// The client that sends spans. They are gathered by a thread of their own, which is none of the runtime's.
#[derive(Debug)]
struct Client {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let answer = client.execute(request.try_into()?).await?.error_for_status()?;
            let status = answer.status();
            let mut response = Response::new(answer.bytes().await?);
            *response.status_mut() = status;
            Ok::<_, HttpError>(response)
        });
        sending.await?
    }
}
