//! Which definition a path means: by its id, by its key, or by its key and tenant.

use axum::http::StatusCode;
use potok::row::{Definition, DefinitionKind};
use potok::{DefinitionId, Engine, Error, Selector, Version};

use super::error::Fault;
use super::id;

/// A verb by a definition's id, by its key, and by its key and tenant.
macro_rules! by_id_and_key {
    ($routes:ident, $resource:literal, $end:literal, $method:expr) => {
        $routes = $routes
            .route(concat!($resource, "/{id}", $end), $method)
            .route(concat!($resource, "/key/{key}", $end), $method)
            .route(concat!($resource, "/key/{key}/tenant-id/{tenant}", $end), $method);
    };
}
pub(crate) use by_id_and_key;

/// Which definition a path means.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Which {
    pub(crate) id: Option<String>,
    pub(crate) key: Option<String>,
    tenant: Option<String>,
}

impl Which {
    /// The definition of a process, if there is one.
    pub(crate) async fn look_up(&self, engine: &Engine) -> Result<Option<Definition>, Fault> {
        self.look_up_one(engine, DefinitionKind::Process).await
    }

    /// The definition, if there is one of that kind.
    pub(crate) async fn look_up_one(&self, engine: &Engine, kind: DefinitionKind) -> Result<Option<Definition>, Fault> {
        let selector = match (&self.id, &self.key) {
            (Some(text), _) => match id::parse_definition(text) {
                Some(key) => Selector::Id(DefinitionId(key)),
                None => return Ok(None),
            },
            (None, Some(key)) => Selector::Version(key.as_str().into(), Version::Latest),
            (None, None) => return Ok(None),
        };
        let tenant = self.tenant.as_deref().unwrap_or_default();
        match engine.definition(kind, tenant, &selector).await {
            Ok(found) if found.kind == kind => Ok(Some(found)),
            Ok(_) | Err(Error::NotDeployed(_)) => Ok(None),
            // Of a tenant that is not the caller's nothing is there.
            Err(Error::ForeignTenant(_)) if self.tenant.is_some() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The definition of a process, for reading.
    pub(crate) async fn find(&self, engine: &Engine) -> Result<Definition, Fault> {
        self.look_up(engine).await?.ok_or_else(|| self.missing("process"))
    }

    /// That there is none.
    pub(crate) fn missing(&self, kind: &str) -> Fault {
        match (&self.id, &self.key) {
            (Some(id), _) => Fault::missing_in_engine(format!("No matching {kind} definition with id {id}")),
            (None, key) => {
                let key = key.as_deref().unwrap_or_default();
                let tenant = match &self.tenant {
                    Some(tenant) => format!("tenant-id: {tenant}"),
                    None => "no tenant-id".to_owned(),
                };
                let message = format!("No matching {kind} definition with key: {key} and {tenant}");
                Fault::refused_by_rest(StatusCode::NOT_FOUND, message)
            }
        }
    }
}
