//! Where a text stands in a file, for messages about a part of it.

use super::{Attribute, Element, Span, place, text};

/// A text in an element: the value of one of its attributes, or its content.
pub(crate) struct Located<'d> {
    /// The attribute, if the text is the value of one.
    pub(crate) attribute: Option<Attribute<'d>>,
    /// What of the file each byte of the text stands for; there is at least one.
    bytes: Vec<Span>,
}

impl Located<'_> {
    /// From that byte of the text to its end, in the file.
    pub(crate) fn span(&self, offset: usize) -> Span {
        let last = self.bytes.len() - 1;
        // What is missing at the end is missed at its last character.
        Span { start: self.bytes[offset.min(last)].start, end: self.bytes[last].end }
    }
}

impl<'d> Element<'d> {
    /// Finds a text that was read from this element: as the whole of an attribute's value or of the content, apart from blanks
    /// around it and a `=` before it.
    pub(crate) fn locate(self, wanted: &str) -> Option<Located<'d>> {
        let document = self.document().text();
        let find = |span: Span| {
            let (decoded, bytes) = decode(span.of(document), span.start as usize);
            let start = decoded.find(wanted).filter(|_| !wanted.is_empty())?;
            let around = [decoded[..start].trim().trim_start_matches('='), decoded[start + wanted.len()..].trim()];
            around.iter().all(|rest| rest.trim().is_empty()).then(|| bytes[start..start + wanted.len()].to_vec())
        };
        let mut attributes = self.attributes();
        let in_attribute = attributes.find_map(|attribute| Some((attribute, find(attribute.value_span())?)));
        if let Some((attribute, bytes)) = in_attribute {
            return Some(Located { attribute: Some(attribute), bytes });
        }
        let content = Span { start: self.tag_span().end, end: self.span().end };
        Some(Located { attribute: None, bytes: find(content)? })
    }
}

/// What a stretch of a file says up to its first tag, and what of the file each byte of that stands for.
fn decode(raw: &str, start: usize) -> (String, Vec<Span>) {
    let (mut decoded, mut bytes) = (String::new(), Vec::new());
    let mut at = 0;
    let mut cdata_end = 0;
    while let Some(character) = raw[at..].chars().next() {
        let rest = &raw[at..];
        let skipped = |open: &str, close: &str| {
            rest.starts_with(open).then(|| rest.find(close).map_or(raw.len(), |end| at + end + close.len()))
        };
        if at < cdata_end {
            if rest.starts_with("]]>") {
                at += 3;
                cdata_end = 0;
                continue;
            }
        } else if rest.starts_with("<![CDATA[") {
            cdata_end = rest.find("]]>").map_or(raw.len(), |end| at + end + 1);
            at += "<![CDATA[".len();
            continue;
        } else if let Some(end) = skipped("<!--", "-->").or_else(|| skipped("<?", "?>")) {
            at = end;
            continue;
        } else if character == '<' {
            break;
        }
        let reference = (character == '&' && at >= cdata_end)
            .then(|| rest.split_once(';'))
            .flatten()
            .and_then(|(name, _)| Some((text::reference(&name[1..])?, name.len() + 1)));
        let (said, length) = reference.unwrap_or((character, character.len_utf8()));
        decoded.push(said);
        let span = Span { start: place::offset(start + at), end: place::offset(start + at + length) };
        bytes.resize(decoded.len(), span);
        at += length;
    }
    (decoded, bytes)
}

#[cfg(test)]
mod tests {
    use super::super::Document;

    fn located(xml: &str, wanted: &str, offset: usize) -> Option<(Option<String>, String)> {
        let document = Document::parse(xml.as_bytes()).expect("XML");
        let found = document.root().locate(wanted)?;
        let name = found.attribute.map(|attribute| attribute.name().to_owned());
        Some((name, found.span(offset).of(document.text()).to_owned()))
    }

    #[test]
    fn a_text_is_found_in_values_and_content() {
        let xml = r#"<a n="= x &lt; +" m="y"> <!-- x --> 1 +<![CDATA[ &]]> </a>"#;
        assert_eq!(located(xml, "x < +", 4), Some((Some("n".into()), "+".into())));
        assert_eq!(located(xml, "x < +", 2), Some((Some("n".into()), "&lt; +".into())));
        assert_eq!(located(xml, "y", 9), Some((Some("m".into()), "y".into())));
        assert_eq!(located(xml, "1 + &", 2), Some((None, "+<![CDATA[ &".into())));
        assert_eq!(located(xml, "z", 0), None);
        assert_eq!(located(xml, "", 0), None);
    }
}
