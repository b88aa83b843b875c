//! What the API says of itself is so.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::http::Method;
use serde_json::{Value, json};

use crate::conversation::{APPROVAL, Server};

fn described() -> Value {
    serde_json::to_value(potok_rest::openapi()).unwrap()
}

#[tokio::test]
async fn the_description_is_served_with_a_page() {
    let server = Server::new().await;
    let described = server.get("/api/v1/openapi.json").await.is(200).json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(described, self::described());
    let page = server.get("/docs/").await.is(200);
    assert!(String::from_utf8(page.bytes).unwrap().contains("swagger-ui"));
    // Nothing is loaded from elsewhere.
    server.get("/docs/swagger-ui-bundle.js").await.is(200);
}

#[tokio::test]
async fn every_route_is_described_and_the_other_way_round() {
    let server = Server::new().await;
    let methods = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH];
    for (path, operations) in described()["paths"].as_object().unwrap() {
        let said: BTreeSet<String> =
            operations.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        let path = path.replace("{name}", "n").replace("{user}", "u").replace("{group}", "g").replace(['{', '}'], "");
        // Whoever asks with a method that there is not is told which there are.
        let path = if path.ends_with("/events") { format!("{path}?after=x") } else { path };
        let answer = server.ask(Method::TRACE, &path, None, &[]).await.problem(405, "method-not-allowed");
        let allowed = answer.headers["allow"].to_str().unwrap();
        let done: BTreeSet<String> =
            allowed.split(',').map(|method| method.trim().to_owned()).filter(|method| method != "HEAD").collect();
        assert_eq!(done, said, "{path}");
        for method in &methods {
            let status = server.ask(method.clone(), &path, None, &[]).await.status.as_u16();
            assert_eq!(status != 405, said.contains(method.as_str()), "{method} {path}: {status}");
            assert!(status < 500, "{method} {path}: {status}");
        }
    }
    // And no route is made in another way than that which describes it, apart from the page itself.
    let mut sources = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(path) = sources.pop() {
        if path.is_dir() {
            sources.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        if path.ends_with("src/routes.rs") {
            // That is the way.
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        for word in [".route(", ".route_service(", ".nest_service("] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn every_operation_has_an_id_a_summary_and_says_how_it_fails() {
    let described = described();
    let mut ids = BTreeSet::new();
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert!(operation["summary"].is_string(), "{method} {path}");
            for name in path.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                let parameters = operation["parameters"].as_array().unwrap();
                let is_it = |parameter: &&Value| parameter["name"] == name && parameter["in"] == "path";
                assert_eq!(parameters.iter().filter(is_it).count(), 1, "{method} {path}: {name}");
            }
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"]["schema"];
            assert_eq!(problem, &json!({"$ref": "#/components/schemas/Problem"}), "{method} {path}");
        }
    }
    assert!(ids.len() > 40, "{}", ids.len());
}

#[test]
fn every_schema_that_is_referred_to_is_there() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.insert(reference.clone());
                }
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let described = described();
    let mut found = BTreeSet::new();
    references(&described, &mut found);
    for reference in found {
        assert!(described.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn what_stands_of_several_is_told_by_its_type_and_takes_nothing_else() {
    let schemas = &described()["components"]["schemas"];
    for (union, variants) in [("Instruction", 9), ("BatchOperation", 9)] {
        assert_eq!(schemas[union]["oneOf"].as_array().unwrap().len(), variants, "{union}");
        let told = &schemas[union]["discriminator"];
        assert_eq!((&told["propertyName"], told["mapping"].as_object().unwrap().len()), (&json!("type"), variants));
        for (word, place) in told["mapping"].as_object().unwrap() {
            assert!(schemas[union]["oneOf"].as_array().unwrap().contains(&json!({"$ref": place})), "{place}");
            let variant = &schemas[place.as_str().unwrap().rsplit('/').next().unwrap()];
            assert_eq!(variant["properties"]["type"]["enum"], json!([word]), "{variant}");
            assert_eq!((&variant["type"], &variant["additionalProperties"]), (&json!("object"), &json!(false)));
            assert!(variant["required"].as_array().unwrap().contains(&json!("type")), "{variant}");
            assert!(variant["description"].is_string(), "{variant}");
        }
    }
    let modify = &schemas["BatchOperationModify"];
    assert_eq!(modify["required"], json!(["instructions", "type"]));
    assert!(modify["properties"]["reason"].is_object(), "{modify}");
    assert!(schemas["InstructionStartBefore"]["properties"]["localVariables"].is_object());
}

#[test]
fn what_takes_an_idempotency_key_says_so() {
    let described = described();
    let takes_one = |operation: &Value| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.filter(|parameter| parameter["name"] == "idempotency-key").count() == 1
    };
    let paths = &described["paths"];
    assert!(takes_one(&paths["/api/v1/instances"]["post"]));
    assert!(takes_one(&paths["/api/v1/tasks/{id}/complete"]["post"]));
    assert!(takes_one(&paths["/api/v1/groups/{group}"]["put"]));
    for path in ["/api/v1/tasks/search", "/api/v1/jobs/fetch", "/api/v1/session", "/api/v1/check"] {
        assert!(!takes_one(&paths[path]["post"]), "{path}");
    }
}

#[tokio::test]
async fn the_state_of_an_instance_is_as_described() {
    let described = described();
    let schema = |name: &str| described.pointer(&format!("/components/schemas/{name}")).cloned().unwrap();
    let answer = &described["paths"]["/api/v1/instances/{id}/state"]["get"]["responses"]["200"];
    let named = answer["content"]["application/json"]["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    let server = Server::deployed(&[("approval", APPROVAL)]).await;
    let id = server.start("approval", json!({})).await;
    let state = server.get(&format!("/api/v1/instances/{id}/state")).await.is(200).json();
    let said: Vec<String> = schema(named)["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(state.as_object().unwrap().keys().cloned().collect::<Vec<_>>(), said);
    // Another type of that name once stood in its place.
    assert_eq!(schema("InstanceState")["enum"], json!(["active", "completed", "failed", "cancelled"]));
    assert!(described["paths"]["/api/v1/searches/{id}/tasks"]["post"]["requestBody"].is_object());
}

/// The calls of docs/rest.md, word for word.
#[tokio::test]
async fn the_calls_of_the_guide_work_on_the_shipped_processes() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let server = Server::new().await;
    let files = ["calendar.yaml", "contract.bpmn", "incoming-call.bpmn", "it-request-sorting.dmn", "it-request.bpmn"]
        .map(|name| json!({"name": name, "text": std::fs::read_to_string(format!("{root}/bpmn/{name}")).unwrap()}));
    server.post("/api/v1/deployments", json!({"files": files})).await.is(201);
    let guide = std::fs::read_to_string(format!("{root}/docs/rest.md")).unwrap();
    let calls = guide.split("## In seven calls").nth(1).unwrap().split("```").nth(1).unwrap();
    let mut known: Vec<(&str, String)> = Vec::new();
    let mut made = 0;
    for line in calls.lines().filter(|line| line.starts_with("curl ")) {
        let filled =
            known.iter().fold(line.replace("'$lease'", "$lease"), |line, (name, value)| line.replace(name, value));
        let path = filled["curl $api".len()..].split(' ').next().unwrap();
        let path = format!("/api/v1{path}");
        let answer = match filled.split_once(" -d '") {
            Some((_, body)) => {
                let body = serde_json::from_str(body.trim_end_matches('\'')).unwrap();
                server.post(&path, body).await
            }
            None => server.get(&path).await,
        };
        assert!(answer.status.is_success(), "{filled}: {}", answer.status);
        made += 1;
        if answer.status == 204 {
            continue;
        }
        let said = answer.json();
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{filled}: {said}")).to_owned();
        match made {
            1 => known.push(("$instance", text(&said["id"]))),
            2 => known.extend([("$job", text(&said[0]["id"])), ("$lease", text(&said[0]["lease"]))]),
            4 => known.push(("$task", text(&said["items"][0]["id"]))),
            _ => {}
        }
    }
    assert_eq!(made, 7);
}
