//! Links to what an answer is about, as Camunda 7 adds them to some answers.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header;
use axum::http::request::Parts;
use serde_json::{Value as Json, json};

/// Under which address the caller has reached this API.
pub(crate) struct Here(String);

impl<S: Send + Sync> FromRequestParts<S> for Here {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.map(|host| format!("http://{host}")).unwrap_or_default();
        let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.path());
        Ok(Self(host + base(path)))
    }
}

/// The part of a path under which the API stands: that before a resource's name.
fn base(path: &str) -> &str {
    let resource = ["/deployment", "/process-definition", "/task", "/user", "/group", "/tenant", "/filter"]
        .iter()
        .filter_map(|name| path.find(name))
        .min();
    &path[..resource.unwrap_or(0)]
}

impl Here {
    /// What can be done to a resource: methods, paths, and words.
    pub(crate) fn links(&self, links: &[(&str, &str, &str)]) -> Json {
        let link = |(method, path, word): &(&str, &str, &str)| json!({"method": method, "href": format!("{}{path}", self.0), "rel": word});
        json!({"links": links.iter().map(link).collect::<Vec<_>>()})
    }

    /// A list of one link: to the thing itself.
    pub(crate) fn own(&self, resource: &str, id: &str) -> Json {
        json!([{"method": "GET", "href": format!("{}/{resource}/{id}", self.0), "rel": "self"}])
    }
}
