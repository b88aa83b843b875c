//! How people name what is deployed.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use potok_core::Name;
use potok_core::expressions::{Deployment, Evaluation, EvaluationError, Variables};
use potok_core::graph::{Expression, Form, VersionBinding};
use potok_core::instance::Key;
use potok_core::time::Timestamp;
use potok_store::Version;
use potok_store::row::{Definition, DefinitionKind};

use crate::engine::Engine;
use crate::{Action, DefinitionId, Error};

/// Which definition is meant: `order`, the newest version; `order@3`, that version; `order@spring`, the newest with that tag;
/// `7241980518400001`, the one with that id.
///
/// ```
/// use potok::Selector;
///
/// let third: Selector = "order@3".parse()?;
/// assert_eq!(third.to_string(), "order@3");
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Selector {
    /// The one with that id.
    Id(DefinitionId),
    /// A version of what has that name in its file.
    Version(Name, Version),
}

impl Selector {
    /// The deployed form that a model of that deployment refers to, as the variables that are seen there give it; none if it refers to
    /// none.
    ///
    /// # Errors
    /// If that cannot be computed.
    pub fn of_form(
        form: &Form,
        deployment: Deployment,
        seen: &dyn Variables,
        now: Timestamp,
    ) -> Result<Option<Self>, EvaluationError> {
        let text = |expression: &Expression| -> Result<Option<Name>, EvaluationError> {
            let value = expression.evaluate(&mut Evaluation::new(seen, now))?;
            Ok(Some(value).filter(|value| !value.is_null()).map(|value| Name::from(value.to_string())))
        };
        let Some(id) = form.reference.as_ref().map(text).transpose()?.flatten() else { return Ok(None) };
        let version = match &form.binding {
            VersionBinding::Latest => Version::Latest,
            VersionBinding::Deployment => Version::Deployment(Key(deployment.0)),
            VersionBinding::Version(version) => {
                let number = text(version)?.unwrap_or_default();
                Version::Number(number.trim().parse().map_err(|_| {
                    EvaluationError::Failed(format!(
                        "`{}` gives {number:?}, but the version of a form is a number; set what it is computed from",
                        version.text
                    ))
                })?)
            }
            VersionBinding::VersionTag(tag) => Version::Tag(text(tag)?.unwrap_or_default()),
        };
        Ok(Some(Self::Version(id, version)))
    }
}

impl FromStr for Selector {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // No id in a BPMN or DMN file begins with a digit.
        if let Ok(key) = text.parse() {
            return Ok(Self::Id(DefinitionId(Key(key))));
        }
        Ok(match text.split_once('@') {
            Some((id, version)) => {
                let number = version.parse().map(Version::Number);
                Self::Version(id.into(), number.unwrap_or_else(|_| Version::Tag(version.into())))
            }
            None => Self::Version(text.into(), Version::Latest),
        })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Version(name, Version::Latest) => f.write_str(name),
            Self::Version(name, Version::Number(number)) => write!(f, "{name}@{number}"),
            Self::Version(name, Version::Tag(tag)) => write!(f, "{name}@{tag}"),
            Self::Version(name, Version::Deployment(deployment)) => write!(f, "{name} of deployment {deployment}"),
        }
    }
}

impl Engine {
    /// The definition that is meant, of that kind and tenant (empty for none, or the only one of whoever acts). By its id any is found
    /// that whoever acts may read.
    ///
    /// # Errors
    /// If there is none, the tenant is out of reach, or the database cannot be read.
    pub async fn definition(
        &self,
        kind: DefinitionKind,
        tenant: &str,
        selector: &Selector,
    ) -> Result<Definition, Error> {
        let access = self.access(Action::ReadDefinitions, selector).await?;
        let store = &self.inner.store;
        let found = match selector {
            Selector::Id(id) => store.get::<Definition>(id.0).await?,
            Selector::Version(name, version) => {
                let is_named = !tenant.is_empty() || access.admits(None);
                let tenant = access.home(is_named.then(|| tenant.into()).as_ref())?;
                match kind {
                    DefinitionKind::Process => self.inner.catalog.definition(&tenant, name, version).await?,
                    _ => store.definition(kind, &tenant, name, version).await?,
                }
            }
        };
        found
            .filter(|found| access.admits(Some(&found.tenant)))
            .ok_or_else(|| Error::NotDeployed(selector.to_string().into()))
    }
}
