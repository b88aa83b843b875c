use super::{file, read, read_with_warnings, refuse};
use crate::diagnostic::Severity;
use crate::model::Definitions;

#[test]
fn unknown_elements_are_skipped_with_a_warning() {
    let (model, warnings) = read_with_warnings(
        "<process id='p'>\n<teleportTask id='x'><task id='inside'/></teleportTask><task id='a'/></process><marvel/>",
    );
    assert_eq!(model.processes[0].flow_nodes.len(), 1);
    let found: Vec<_> = warnings.iter().map(|w| (w.code, w.severity, w.line, w.element.as_deref())).collect();
    let warning = Severity::Warning;
    let expected = [("element-unknown", warning, 2, Some("x")), ("element-unknown", warning, 2, None)];
    assert_eq!(found, expected);
}

#[test]
fn what_is_not_bpmn_may_hold_anything() {
    let model = read(
        "<process id='p'><extensionElements><whatever id='a'/><task id='a'/></extensionElements>
         <documentation><p id='a'>text</p></documentation><x:y xmlns:x='urn:x' id='a'><task id='a'/></x:y><task id='a'/></process>",
    );
    assert_eq!(model.processes[0].flow_nodes.len(), 1);
}

#[test]
fn ids_are_unique_over_the_whole_file() {
    let di = |id| format!("<d:BPMNDiagram xmlns:d='http://www.omg.org/spec/BPMN/20100524/DI' id='{id}'/>");
    let text = file(&format!("<process id='p'><task id='a'/>\n<task id='a'/></process>\n{}", di("a")));
    assert_eq!(refuse(&text), ["id-duplicate", "id-in-diagram-twice"]);
    let faults = Definitions::read(text.as_bytes()).expect_err("is refused");
    assert_eq!(faults.iter().map(|f| f.line).collect::<Vec<_>>(), [2, 3]);
    assert!(faults[0].message.contains("line 1"), "{}", faults[0]);

    // What is executed never means the diagram, wherever that stands.
    let flow = "<sequenceFlow id='f' sourceRef='a' targetRef='b'/>";
    let (model, warnings) =
        read_with_warnings(&format!("{}<process id='p'><task id='a'/>{flow}<task id='b'/></process>", di("b")));
    assert_eq!(warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["id-in-diagram-twice"]);
    assert!(model.processes[0].sequence_flows[0].target.target.is_some());
}

#[test]
fn values_that_are_not_understood_count_as_absent() {
    let model = read("<process id='p' isExecutable='maybe'><task id='a' startQuantity='-1'/></process>");
    assert_eq!(model.processes[0].is_executable, None);
}

#[test]
fn a_reference_to_a_missing_event_definition_is_an_error() {
    let text =
        file("<process id='p'><startEvent id='s'><eventDefinitionRef>gone</eventDefinitionRef></startEvent></process>");
    assert_eq!(refuse(&text), ["event-definition-unknown"]);
}

#[test]
fn other_files_are_refused() {
    assert_eq!(refuse("<html/>"), ["root-unknown"]);
    assert_eq!(refuse("<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/'/>"), ["root-unknown"]);
    assert_eq!(refuse("not XML"), ["xml-malformed"]);
    assert_eq!(refuse(""), ["xml-malformed"]);
}

const SAMPLE: &str = include_str!("sample.bpmn");

proptest::proptest! {
    /// Whatever is cut out of a model or put into it, reading gives a model or diagnostics.
    #[test]
    fn mutated_models_never_panic(
        cuts in proptest::collection::vec((0usize..8_000, 0usize..60, "[<>/='\":&;a-z ]{0,12}"), 1..4)
    ) {
        let mut text = SAMPLE.to_owned();
        for (place, length, insertion) in cuts {
            let start = place.min(text.len());
            let end = (start + length).min(text.len());
            text.replace_range(start..end, &insertion);
        }
        let _ = Definitions::read(text.as_bytes());
    }

    /// Swapping elements' names and ids keeps the XML well-formed, so that this reaches the model's reader.
    #[test]
    fn shuffled_models_never_panic(swaps in proptest::collection::vec((0usize..400, 0usize..400), 1..30)) {
        let mut tokens: Vec<&str> = SAMPLE.split_inclusive('"').collect();
        for (one, other) in swaps {
            let (one, other) = ((one * 2 + 1) % tokens.len(), (other * 2 + 1) % tokens.len());
            if one % 2 == 1 && other % 2 == 1 {
                tokens.swap(one, other);
            }
        }
        let _ = Definitions::read(tokens.concat().as_bytes());
    }
}
