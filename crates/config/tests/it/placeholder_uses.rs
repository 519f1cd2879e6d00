//! The origins to which an entry sends the values of its placeholders.

use usher_config::{ConfigFile, Environment, Origin, Placeholder};

fn uses(entry: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("create a folder");
    let path = folder.path().join("mcp.json");
    std::fs::write(&path, format!("{{ \"mcpServers\": {{ \"a\": {entry} }} }}")).expect("write the file");
    let variables = [("HOST", "mcp.example.com"), ("TENANT", "t"), ("KEY", "hush"), ("EMPTY", "")];
    let environment = Environment::from_iter(variables);
    let config = ConfigFile::new(path, environment.clone()).load().expect("a valid file");
    let uses = config.servers[0].placeholder_uses(&environment);
    uses.iter().map(|one| format!("{} -> {}", one.placeholder, one.origin)).collect()
}

#[test]
fn each_placeholder_is_sent_to_the_origins_of_its_setting() {
    let headers = r#"{ "type": "http", "url": "https://mcp.example.com:8443/mcp",
        "headers": { "X-Key": "{{key}} ${KEY} {{key}}", "X-Default": "${EMPTY:-none} ${MISSING:-none}" } }"#;
    assert_eq!(
        uses(headers),
        ["{{key}} -> https://mcp.example.com:8443", "${KEY} -> https://mcp.example.com:8443"]
    );
    let discovered = r#"{ "type": "http", "url": "https://mcp.example.com/mcp",
        "oauth": { "clientId": "${TENANT}", "clientSecret": "{{secret}}" } }"#;
    assert_eq!(
        uses(discovered),
        ["{{secret}} -> https://mcp.example.com", "${TENANT} -> https://mcp.example.com"]
    );
    let configured = r#"{ "type": "http", "url": "https://${HOST}/mcp", "headers": { "X-Key": "{{key}}" },
        "oauth": { "clientId": "id", "clientSecret": "{{secret}}",
            "authorizationUrl": "https://login.example.com/a", "tokenUrl": "https://token.example.com/t" } }"#;
    assert_eq!(
        uses(configured),
        [
            "{{key}} -> https://mcp.example.com",
            "{{secret}} -> https://mcp.example.com",
            "{{secret}} -> https://token.example.com",
            "${HOST} -> https://mcp.example.com",
            "${HOST} -> https://token.example.com",
            "${HOST} -> https://login.example.com",
        ]
    );
}

#[test]
fn secrets_for_a_sign_in_without_a_person_and_on_another_device_have_their_own_origins() {
    let device = r#"{ "type": "http", "url": "https://mcp.example.com/mcp",
        "oauth": { "flow": "device", "clientId": "id", "clientSecret": "{{secret}}",
            "deviceAuthorizationUrl": "https://device.example.com/d" } }"#;
    assert_eq!(
        uses(device),
        ["{{secret}} -> https://mcp.example.com", "{{secret}} -> https://device.example.com"]
    );
    let key = r#"{ "type": "http", "url": "https://mcp.example.com/mcp",
        "oauth": { "flow": "client_credentials", "clientId": "id", "privateKey": "{{key}}" } }"#;
    assert_eq!(uses(key), ["{{key}} -> https://mcp.example.com"]);
    let company = r#"{ "type": "http", "url": "https://mcp.example.com/mcp",
        "oauth": { "flow": "enterprise", "clientId": "id", "clientSecret": "{{secret}}", "identityProvider": {
            "tokenUrl": "https://idp.example.com/t", "clientId": "i", "clientSecret": "{{idp}}", "idToken": "{{id}}" } } }"#;
    assert_eq!(
        uses(company),
        [
            "{{secret}} -> https://mcp.example.com",
            "{{id}} -> https://idp.example.com",
            "{{idp}} -> https://idp.example.com",
        ]
    );
}

#[test]
fn a_variable_in_the_address_of_the_identity_provider_is_sent_there() {
    let company = r#"{ "type": "http", "url": "https://mcp.example.com/mcp",
        "oauth": { "flow": "enterprise", "clientId": "id", "identityProvider": {
            "tokenUrl": "https://idp.example.com/${TENANT}/t", "clientId": "i", "idToken": "{{id}}" } } }"#;
    assert_eq!(
        uses(company),
        [
            "{{id}} -> https://idp.example.com",
            "${TENANT} -> https://mcp.example.com",
            "${TENANT} -> https://idp.example.com",
        ]
    );
}

#[test]
fn a_variable_in_the_address_is_a_use_of_it() {
    let path = r#"{ "type": "http", "url": "https://evil.example/${KEY}" }"#;
    assert_eq!(uses(path), ["${KEY} -> https://evil.example"]);
}

#[test]
fn origins_differ_in_scheme_host_and_port() {
    let origin = |text: &str| text.parse::<Origin>().map(|origin| origin.to_string());
    assert_eq!(origin("https://MCP.example.com:443/mcp?x#y").as_deref(), Ok("https://mcp.example.com"));
    assert_eq!(origin("http://127.0.0.1:80").as_deref(), Ok("http://127.0.0.1"));
    assert_eq!(origin("https://mcp.example.com:8443").as_deref(), Ok("https://mcp.example.com:8443"));
    for text in ["mcp.example.com", "file:///etc/passwd", "javascript:alert(1)", "https://", ""] {
        assert!(text.parse::<Origin>().is_err(), "{text}");
    }
}

#[test]
fn placeholders_are_read_as_they_are_written() {
    for text in ["{{corp.key}}", "${CORP_KEY}"] {
        assert_eq!(
            text.parse::<Placeholder>().map(|placeholder| placeholder.to_string()).as_deref(),
            Ok(text)
        );
    }
    assert_eq!("corp.key".parse(), Ok(Placeholder::Secret("corp.key".to_owned())));
    for text in ["", "{{}}", "${}", "${1}", "a b", "${KEY", "{{key"] {
        assert!(text.parse::<Placeholder>().is_err(), "{text}");
    }
}
