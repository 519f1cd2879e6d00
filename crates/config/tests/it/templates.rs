//! Parsing and resolving templates.

use secrecy::{ExposeSecret, SecretString};
use usher_config::{ConfigFile, Environment, Header, RenderError, Template, TemplateError};

fn environment() -> Environment {
    Environment::from_iter([("TEAM", "blue"), ("EMPTY", "")])
}

fn secret(name: &str) -> Option<SecretString> {
    match name {
        "api_token" => Some(SecretString::from("hunter2")),
        "with.dots-and_more" => Some(SecretString::from("{{api_token}} ${TEAM}")),
        "two_lines" => Some(SecretString::from("a\r\nHost: evil.example")),
        _ => None,
    }
}

fn render(source: &str) -> Result<String, RenderError> {
    let template = Template::parse(source).expect("valid template");
    template.render(&environment(), secret).map(|text| text.expose_secret().to_owned())
}

#[test]
fn placeholders_are_resolved() {
    for (source, rendered) in [
        ("", ""),
        ("plain } text }} $ { $$", "plain } text }} $ { $$"),
        ("Bearer {{api_token}}", "Bearer hunter2"),
        ("{{ api_token }}{{api_token}}", "hunter2hunter2"),
        ("${TEAM}/${TEAM:-red}/${EMPTY}/${EMPTY:-red}/${NONE:-}/${NONE:-a:-b}", "blue/blue//red//a:-b"),
        // A resolved value is not parsed again.
        ("{{with.dots-and_more}}", "{{api_token}} ${TEAM}"),
    ] {
        assert_eq!(render(source).as_deref(), Ok(rendered), "{source}");
    }
}

#[test]
fn an_unresolved_placeholder_is_an_error_with_its_name() {
    assert_eq!(render("{{unknown}}"), Err(RenderError::NoSecret { name: "unknown".to_owned() }));
    assert_eq!(render("${NONE}"), Err(RenderError::NoVariable { name: "NONE".to_owned() }));
}

#[test]
fn invalid_templates_are_rejected() {
    for (source, error) in [
        ("a {{b", TemplateError::UnclosedSecret),
        ("a ${B", TemplateError::UnclosedVariable),
        ("{{}}", TemplateError::BadSecretName(String::new())),
        ("{{a/b}}", TemplateError::BadSecretName("a/b".to_owned())),
        ("${}", TemplateError::BadVariableName(String::new())),
        ("${1A}", TemplateError::BadVariableName("1A".to_owned())),
        ("${A B}", TemplateError::BadVariableName("A B".to_owned())),
    ] {
        assert_eq!(Template::parse(source), Err(error), "{source}");
    }
}

#[test]
fn secret_names_are_unique_and_in_order() {
    let template = Template::parse("{{b}} {{a}} {{b}} ${C}").expect("valid template");
    assert_eq!(template.secret_names(), ["b", "a"]);
}

#[test]
fn debug_shows_only_names() {
    let template = Template::parse("Bearer hunter2 {{name}} ${VAR:-hunter3}").expect("valid template");
    assert_eq!(format!("{template:?}"), "Template([redacted]{{name}}[redacted]${VAR})");
    assert_eq!(format!("{:?}", environment()), "Environment(2 variables)");
}

#[test]
fn a_secret_cannot_inject_a_header() {
    let header =
        Header { name: "X-Key".to_owned(), value: Template::parse("{{two_lines}}").expect("valid template") };
    let error = header.render(&environment(), secret).expect_err("should be rejected");
    assert_eq!(error, RenderError::NotAHeaderValue { header: "X-Key".to_owned() });
    assert!(!error.to_string().contains("evil"));
}

/// Addresses and client IDs are resolved when the file is read, headers and client secrets when they are used.
#[test]
fn variables_come_from_the_given_environment() {
    let folder = tempfile::tempdir().expect("temp dir");
    let path = folder.path().join("mcp.json");
    let text = r#"{"mcpServers": {"s": {"type": "http", "url": "https://${TEAM}.example/${NONE:-mcp}",
        "headers": {"X-Team": "${TEAM}"}, "oauth": {"clientId": "id-${TEAM}", "clientSecret": "{{s}}"}}}}"#;
    std::fs::write(&path, text).expect("write file");
    let file = ConfigFile::new(path, environment());
    let config = file.load().expect("valid config");
    let server = config.server("s").expect("server exists");
    assert_eq!(server.transport.url().map(url::Url::as_str), Some("https://blue.example/mcp"));
    assert_eq!(server.oauth.client_id.as_deref(), Some("id-blue"));
    let header = &server.transport.headers()[0];
    let value = header.render(file.environment(), secret).expect("render");
    assert_eq!(value.expose_secret(), "blue");
}
