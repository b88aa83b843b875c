//! History for other programs: as JSON lines, and as XES (IEEE 1849) for process mining.

use std::fmt::Write as _;

use potok_core::Name;
use potok_core::time::Timestamp;
use potok_store::query::InstanceQuery;
use potok_store::row::Instance as InstanceRow;
use potok_store::{Page, Query as _};
use serde::Serialize;

use crate::engine::Engine;
use crate::history::{Happening, Telling, What, word};
use crate::{Action, Error, InstanceId};

/// Instances that are looked up at once.
const PAGE: usize = 200;

/// How history is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A JSON object on each line: what happened, and to which instance.
    #[default]
    JsonLines,
    /// XES 2.0 (IEEE 1849): a trace for each instance, an event for each transition of a flow node's visit.
    Xes,
}

/// History about to be exported. It is read bit by bit, so that it may be larger than memory.
#[derive(Debug)]
#[must_use = "nothing is exported until `chunk`"]
pub struct Export<'e> {
    engine: &'e Engine,
    query: InstanceQuery,
    format: Format,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    stage: Stage,
    instances: std::vec::IntoIter<InstanceRow>,
    /// No more pages.
    last: bool,
    telling: Option<(Trace, Telling)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Begin,
    Middle,
    End,
}

/// An instance, as it is named in an export.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    #[serde(serialize_with = "as_text")]
    instance: InstanceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_key: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<Name>,
    process: Name,
    version: u32,
    #[serde(skip)]
    state: &'static str,
    #[serde(skip)]
    parent: Option<InstanceId>,
}

/// What stands on a line.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    trace: &'a Trace,
    #[serde(flatten)]
    happening: &'a Happening,
}

fn as_text<S: serde::Serializer>(id: &InstanceId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl Engine {
    /// The history of the instances that are searched for, to be exported.
    ///
    /// ```
    /// # use potok::{Engine, Format, query::InstanceQuery};
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
    /// # let engine = Engine::builder().start().await?;
    /// let ended = InstanceQuery { processes: vec!["order".into()], ..InstanceQuery::default() };
    /// let mut export = engine.export(ended).format(Format::Xes);
    /// let mut file = Vec::new();
    /// while let Some(chunk) = export.chunk().await? {
    ///     file.extend(chunk.into_bytes());
    /// }
    /// # engine.stop().await;
    /// # Ok::<(), potok::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn export(&self, query: InstanceQuery) -> Export<'_> {
        Export {
            engine: self,
            query: crate::alone::of_processes(query),
            format: Format::default(),
            from: None,
            before: None,
            stage: Stage::Begin,
            instances: Vec::new().into_iter(),
            last: false,
            telling: None,
        }
    }
}

impl Export<'_> {
    /// In that format; JSON lines unless this is set.
    pub fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    /// Only what happened from then on.
    pub fn from(self, from: Timestamp) -> Self {
        Self { from: Some(from), ..self }
    }

    /// Only what happened before.
    pub fn before(self, before: Timestamp) -> Self {
        Self { before: Some(before), ..self }
    }

    /// The next piece; nothing after the last. The first comes at once, and may be empty: it says that the export is allowed.
    ///
    /// # Errors
    /// If that is forbidden, or the database or a history cannot be read.
    pub async fn chunk(&mut self) -> Result<Option<String>, Error> {
        let mut text = String::new();
        loop {
            match self.stage {
                Stage::Begin => {
                    self.engine.access(Action::SeeAll, &"").await?.narrow(&mut self.query.sight);
                    self.stage = Stage::Middle;
                    if self.format == Format::Xes {
                        text.push_str(HEAD);
                    }
                    return Ok(Some(text));
                }
                Stage::Middle => self.tell(&mut text).await?,
                Stage::End => return Ok(None),
            }
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }

    async fn tell(&mut self, text: &mut String) -> Result<(), Error> {
        let is_xes = self.format == Format::Xes;
        if let Some((trace, telling)) = &mut self.telling {
            match telling.next(&self.engine.inner).await? {
                Some(happenings) => {
                    for happening in happenings {
                        let in_time = self.from.is_none_or(|from| happening.time >= from)
                            && self.before.is_none_or(|before| happening.time < before);
                        if in_time {
                            if is_xes { event(text, &happening) } else { line(text, trace, &happening) }
                        }
                    }
                }
                None => {
                    self.telling = None;
                    if is_xes {
                        text.push_str("  </trace>\n");
                    }
                }
            }
            return Ok(());
        }
        if let Some(row) = self.instances.next() {
            let trace = self.trace(&row).await?;
            if is_xes {
                begin(text, &trace);
            }
            self.telling = Some((trace, Telling::of(&row)));
        } else if self.last {
            self.stage = Stage::End;
            if is_xes {
                text.push_str("</log>\n");
            }
        } else {
            self.turn_page().await?;
        }
        Ok(())
    }

    async fn turn_page(&mut self) -> Result<(), Error> {
        self.query.page.limit.get_or_insert(PAGE);
        let Page { rows, next } = self.engine.inner.store.list(&self.query).await?;
        self.instances = rows.into_iter();
        self.last = next.is_none();
        self.query.page.after = next.or_else(|| self.query.paging().after.clone());
        Ok(())
    }

    async fn trace(&self, row: &InstanceRow) -> Result<Trace, Error> {
        let deployed = self.engine.inner.catalog.get(row.definition).await?;
        Ok(Trace {
            instance: InstanceId(row.key),
            business_key: row.business_key.clone(),
            tenant: row.tenant.clone(),
            process: row.process.clone(),
            version: deployed.map(|deployed| deployed.definition.version).unwrap_or_default(),
            state: word(row.state),
            parent: row.parent.map(InstanceId),
        })
    }
}

fn line(text: &mut String, trace: &Trace, happening: &Happening) {
    // Names, times and values are always JSON.
    text.push_str(&serde_json::to_string(&Line { trace, happening }).unwrap_or_default());
    text.push('\n');
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">
  <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
  <extension name="Lifecycle" prefix="lifecycle" uri="http://www.xes-standard.org/lifecycle.xesext"/>
  <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
  <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
  <global scope="trace">
    <string key="concept:name" value=""/>
  </global>
  <global scope="event">
    <string key="concept:name" value=""/>
    <string key="lifecycle:transition" value="complete"/>
    <date key="time:timestamp" value="1970-01-01T00:00:00Z"/>
  </global>
  <classifier name="Activity" scope="event" keys="concept:name"/>
  <classifier name="Activity and transition" scope="event" keys="concept:name lifecycle:transition"/>
  <string key="lifecycle:model" value="standard"/>
"#;

fn begin(text: &mut String, trace: &Trace) {
    let instance = trace.instance.to_string();
    text.push_str("  <trace>\n");
    attribute(text, 4, "concept:name", trace.business_key.as_deref().unwrap_or(&instance));
    attribute(text, 4, "instance", &instance);
    attribute(text, 4, "process", &trace.process);
    attribute(text, 4, "version", &trace.version.to_string());
    attribute(text, 4, "state", trace.state);
    if let Some(parent) = trace.parent {
        attribute(text, 4, "calledBy", &parent.to_string());
    }
    if let Some(tenant) = &trace.tenant {
        attribute(text, 4, "tenant", tenant);
    }
}

fn event(text: &mut String, happening: &Happening) {
    let What::Element { element, name, visit, transition, .. } = &happening.what else { return };
    text.push_str("    <event>\n");
    attribute(text, 6, "concept:name", name.as_ref().unwrap_or(element));
    attribute(text, 6, "concept:instance", &visit.to_string());
    attribute(text, 6, "lifecycle:transition", transition.word());
    let _ = writeln!(text, r#"      <date key="time:timestamp" value="{}"/>"#, happening.time);
    if let Some(by) = &happening.by {
        attribute(text, 6, "org:resource", by);
    }
    attribute(text, 6, "element", element);
    text.push_str("    </event>\n");
}

fn attribute(text: &mut String, indent: usize, key: &str, value: &str) {
    let _ = write!(text, r#"{:indent$}<string key="{key}" value=""#, "");
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\n' | '\r' | '\t' => {
                let _ = write!(text, "&#{};", u32::from(character));
            }
            // No XML document may hold these (XML 1.0 §2.2).
            '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => text.push('\u{fffd}'),
            other => text.push(other),
        }
    }
    text.push_str("\"/>\n");
}
