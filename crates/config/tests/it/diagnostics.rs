//! The texts of all errors and warnings.

use std::fmt::Write;

use usher_config::{ConfigFile, Environment, Severity};

/// Checks a file with this text and renders its diagnostics.
fn check(text: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("temp dir");
    let path = folder.path().join("mcp.json");
    std::fs::write(&path, text).expect("write file");
    let environment = Environment::from_iter([("CORP_HOST", "mcp.corp.example"), ("EMPTY", "")]);
    let file = ConfigFile::new(&path, environment);
    let diagnostics = file.check().expect("read file");
    match file.load() {
        Ok(config) => {
            let expected = config.errors().chain(&config.warnings);
            assert_eq!(diagnostics.iter().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
        // An error of the whole file.
        Err(error) => {
            assert_eq!(error.diagnostic().into_iter().collect::<Vec<_>>(), Vec::from_iter(&diagnostics))
        }
    }
    let mut rendered = String::new();
    for diagnostic in &diagnostics {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let server = diagnostic.server.as_deref().map(|server| format!(" [{server}]")).unwrap_or_default();
        writeln!(rendered, "{severity}{server} {diagnostic}").expect("write to string");
        if let Some(hint) = &diagnostic.hint {
            writeln!(rendered, "    {hint}").expect("write to string");
        }
    }
    if rendered.is_empty() { "no diagnostics".to_owned() } else { rendered }
}

/// Checks a file that has one server with these fields.
fn check_server(fields: &str) -> String {
    check(format!("{{\"mcpServers\": {{\"s\": {{{fields}}}}}}}").as_bytes())
}

fn render(cases: &[(&str, String)]) -> String {
    cases
        .iter()
        .map(|(title, diagnostics)| format!("## {title}\n{}\n", diagnostics.trim_end()))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn syntax_errors_are_explained() {
    let cases = [
        ("empty file", ""),
        ("only a comment", "// later\n"),
        ("empty object", "{}"),
        ("comments and trailing commas", "{ /* a */ \"mcpServers\": { }, // b\n}"),
        ("missing comma", "{\n  \"mcpServers\": {\n    \"a\": {}\n    \"b\": {}\n  }\n}"),
        ("missing brace", "{\n  \"mcpServers\": {\n"),
        ("extra brace", "{}\n}"),
        ("missing bracket", "{\"a\": [1, 2}"),
        ("missing colon", "{\n  \"mcpServers\" {}\n}"),
        ("missing value", "{\"mcpServers\": }"),
        ("single quotes", "{'mcpServers': {}}"),
        ("name without quotes", "{mcpServers: {}}"),
        ("word", "{\"a\": yes}"),
        ("unclosed text", "{\"a\": \"b\n}"),
        ("windows path", r#"{"a": "C:\Tools"}"#),
        ("unclosed comment", "{} /* "),
        ("hash comment", "# comment\n{}"),
        ("two commas", "{\"a\": 1,, \"b\": 2}"),
        ("number", "{\"a\": 0x10}"),
        ("list as the root", "[]"),
        ("text as the root", "\"mcpServers\""),
    ]
    .map(|(title, text)| (title, check(text.as_bytes())));
    let bytes: [(&str, &[u8]); 4] = [
        ("latin-1", b"{\n  \"a\": \"caf\xe9\"\n}"),
        ("utf-16", b"\xff\xfe{\0}\0"),
        ("byte order mark", b"\xef\xbb\xbf{\"a\": }"),
        ("Windows line endings", b"{\r\n\"a\": 1\r\n\"b\": 2}"),
    ];
    let bytes = bytes.map(|(title, text)| (title, check(text)));
    insta::assert_snapshot!(render(&[&cases[..], &bytes[..]].concat()));
}

#[test]
fn deeply_nested_values_are_rejected() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    insta::assert_snapshot!(check(deep.as_bytes()), @r"
    error line 1, column 513: too many nested levels
        Check that this is the right file.
    ");
}

#[test]
fn errors_of_the_whole_file_are_explained() {
    let cases = [
        ("another program's key", r#"{"servers": {"a": {"type": "http", "url": "https://a.example"}}}"#),
        ("servers in a list", r#"{"mcpServers": []}"#),
        ("servers null", r#"{"mcpServers": null}"#),
        ("duplicate server", "{\"mcpServers\": {\n\"a\": {\"type\": \"http\", \"url\": \"https://a.example\"},\n\"a\": {}}}"),
        ("server is text", r#"{"mcpServers": {"a": "https://a.example"}}"#),
        ("comments and nulls", r#"{"_about": 1, "mcpServers": {"_old": 5, "gone": null}}"#),
        ("empty name", r#"{"mcpServers": {" ": {}}}"#),
        ("control character in a name", r#"{"mcpServers": {"a\u0000b": {}}}"#),
        ("path as a name", r#"{"mcpServers": {"../../CON": {"type": "http", "url": "https://a.example"}}}"#),
        ("escape sequence in a name", r#"{"mcpServers": {"\u001b[31mred": {}}}"#),
        ("several errors in order", "{\"mcpServers\": {\n\"a\": {},\n\"b\": {\"type\": \"carrier pigeon\"},\n\"c\": {\"type\": \"http\"}}}"),
    ]
    .map(|(title, text)| (title, check(text.as_bytes())));
    insta::assert_snapshot!(render(&cases));
}

#[test]
fn errors_of_a_server_are_explained() {
    let cases = [
        ("plain", r#""type": "http", "url": "https://a.example/mcp""#),
        ("sse", r#""type": "sse", "url": "https://a.example/sse""#),
        ("stdio", r#""type": "stdio", "command": "npx", "args": ["-y", "x"], "env": {"_A": "${EMPTY}"}, "cwd": "/tmp""#),
        ("command without a type", r#""command": "npx""#),
        ("url without a type", r#""url": "https://a.example""#),
        ("command and url without a type", r#""url": "https://a.example", "command": "npx""#),
        ("neither command nor url", r#""disabled": true"#),
        ("streamable-http", r#""type": "streamable-http", "url": "https://a.example""#),
        ("transport", r#""transport": "http", "url": "https://a.example""#),
        ("transport and type", r#""transport": "http", "type": "http", "url": "https://a.example""#),
        ("transport and another type", r#""transport": "sse", "type": "http", "url": "https://a.example""#),
        ("serverUrl", r#""serverUrl": "https://a.example""#),
        ("httpUrl", r#""httpUrl": "https://a.example""#),
        ("uri", r#""type": "http", "uri": "https://a.example""#),
        ("url twice", r#""type": "http", "url": "https://a.example", "serverUrl": "https://a.example""#),
        ("two urls", r#""type": "http", "url": "https://a.example", "serverUrl": "https://b.example""#),
        ("cmd and envs", r#""cmd": "npx", "args": ["-y"], "envs": {"A": "1"}"#),
        ("command as a list", r#""type": "local", "command": ["npx", "-y", "x"], "environment": {"A": "1"}"#),
        ("command as a list and the same args", r#""command": ["npx", "-y"], "args": ["-y"]"#),
        ("command as a list and other args", r#""command": ["npx", "-y"], "args": ["-x"]"#),
        ("command as an empty list", r#""command": []"#),
        ("enabled", r#""type": "http", "url": "https://a.example", "enabled": false"#),
        ("enabled and disabled", r#""type": "http", "url": "https://a.example", "enabled": true, "disabled": true"#),
        ("enabled is text", r#""type": "http", "url": "https://a.example", "enabled": "yes""#),
        ("working_directory", r#""command": "npx", "working_directory": "/tmp""#),
        ("missing envFile", r#""command": "npx", "envFile": "missing.env""#),
        ("envFile of a service", r#""type": "http", "url": "https://a.example", "envFile": "missing.env""#),
        ("title, description and icon", r#""command": "npx", "title": "Files", "description": "Mine", "icon": "📁""#),
        ("empty title and long icon", r#""command": "npx", "title": "\u200b", "icon": "https://a.example/icon.png""#),
        ("title is a number", r#""command": "npx", "title": 1"#),
        ("unknown type", r#""type": "ws", "url": "https://a.example""#),
        ("type is a number", r#""type": 1, "url": "https://a.example""#),
        ("http without a url", r#""type": "http", "command": "npx""#),
        ("stdio without a command", r#""type": "stdio", "url": "https://a.example""#),
        ("misspelled key", r#""type": "http", "url": "https://a.example", "ulr": 1, "_note": "x""#),
        ("not an address", r#""type": "http", "url": "a.example/mcp""#),
        ("script as an address", r#""type": "http", "url": "javascript:alert(1)""#),
        ("unencrypted", r#""type": "http", "url": "http://a.example""#),
        ("unencrypted on this computer", r#""type": "http", "url": "http://127.0.0.1:8080/mcp""#),
        ("password in the address", r#""type": "http", "url": "https://ada:hunter2@a.example""#),
        ("fragment", r##""type": "http", "url": "https://a.example/#top""##),
        ("variable", r#""type": "http", "url": "https://${CORP_HOST}/mcp""#),
        ("variable not set", r#""type": "http", "url": "https://${NOWHERE}/mcp""#),
        ("variable with a default", r#""type": "http", "url": "https://${NOWHERE:-a.example}/mcp""#),
        ("variable not closed", r#""type": "http", "url": "https://${NOWHERE/mcp""#),
        ("secret in the address", r#""type": "http", "url": "https://a.example/{{token}}""#),
        ("disabled is text", r#""type": "http", "url": "https://a.example", "disabled": "yes""#),
        ("args is text", r#""type": "stdio", "command": "npx", "args": "-y""#),
        ("env has a number", r#""type": "stdio", "command": "npx", "env": {"PORT": 80}"#),
        ("env has a bad name", r#""type": "stdio", "command": "npx", "env": {"A=B": "x"}"#),
    ]
    .map(|(title, fields)| (title, check_server(fields)));
    insta::assert_snapshot!(render(&cases));
}

#[test]
fn errors_of_headers_are_explained() {
    let cases = [
        ("with a secret", r#""Authorization": "Bearer {{api_token}}", "X-Team": "${CORP_HOST}""#),
        ("secret in plain text", r#""Authorization": "Bearer hunter2""#),
        ("line break in a value", r#""X-A": "a\r\nHost: x""#),
        ("line break in a name", r#""a\r\nHost": "x""#),
        ("control character in a value", r#""X-A": "a\u0000b""#),
        ("space in a name", r#""X A": "b""#),
        ("empty name", r#""": "b""#),
        ("host", r#""Host": "b""#),
        ("session id", r#""Mcp-Session-Id": "b""#),
        ("duplicate in another case", r#""X-A": "1", "x-a": "2""#),
        ("number", r#""X-A": 1"#),
        ("secret not closed", r#""X-A": "{{name""#),
        ("secret with a bad name", r#""X-A": "{{a b}}""#),
    ]
    .map(|(title, headers)| {
        (
            title,
            check_server(&format!(r#""type": "http", "url": "https://a.example", "headers": {{{headers}}}"#)),
        )
    });
    insta::assert_snapshot!(render(&cases));
}

#[test]
fn errors_of_sign_in_settings_are_explained() {
    let cases = [
        ("canonical names", r#""oauth": {"clientId": "c", "clientSecret": "{{s}}", "scopes": ["read"], "redirect": "auto"}"#),
        ("secret in plain text", r#""oauth": {"clientId": "c", "clientSecret": "hunter2"}"#),
        ("secret without client id", r#""oauth": {"clientSecret": "{{s}}"}"#),
        ("secret with an invalid client id", r#""oauth": {"clientId": 7, "clientSecret": "{{s}}"}"#),
        ("top-level client id", r#""oauth_client_id": "c""#),
        (
            "auth in snake case",
            r#""auth": {"client_id": "c", "clientSecret": "{{s}}", "scope": "read write", "auth_url": "https://as.example/a",
            "token_url": "https://as.example/t", "audience": "x", "device_auth_url": "https://as.example/d", "token_store": "file"}"#,
        ),
        ("client id twice", r#""oauth": {"clientId": "c"}, "oauth_client_id": "d""#),
        ("authorization URL alone", r#""oauth": {"authorizationUrl": "https://as.example/a"}"#),
        ("token URL alone", r#""auth": {"token_url": "https://as.example/t"}"#),
        ("invalid token URL", r#""auth": {"auth_url": "https://as.example/a", "token_url": "x"}"#),
        ("flow without a proof", r#""oauth": {"flow": "client_credentials", "clientId": "c"}"#),
        ("two proofs", r#""oauth": {"flow": "client_credentials", "clientId": "c", "clientSecret": "{{s}}", "privateKey": "{{k}}"}"#),
        ("key in plain text for a person", r#""oauth": {"clientId": "c", "privateKey": "-----BEGIN"}"#),
        ("flow without an assertion", r#""oauth": {"flow": "jwt_bearer"}"#),
        ("flow without an identity provider", r#""oauth": {"flow": "enterprise", "clientId": "c"}"#),
        ("incomplete identity provider", r#""oauth": {"flow": "enterprise", "clientId": "c", "identityProvider": {"clientId": "i"}}"#),
        (
            "flows without a person",
            r#""oauth": {"flow": "enterprise", "clientId": "c", "clientSecret": "{{s}}", "identityProvider":
            {"tokenUrl": "https://idp.example/t", "clientId": "i", "clientSecret": "{{i}}", "idToken": "{{t}}"}}"#,
        ),
        ("redirect", r#""oauth": {"redirect": "carrier pigeon"}"#),
        ("scopes", r#""oauth": {"scopes": ["a b"]}"#),
        ("prompts", r#""oauth": {"prompt": "none"}"#),
        ("prompt of another type", r#""oauth": {"prompt": ["login"]}"#),
        ("callback port", r#""oauth": {"clientId": "c", "callbackPort": 8080}"#),
        ("unknown key", r#""oauth": {"client": "c"}"#),
        ("the same client id twice", r#""oauth": {"clientId": "c"}, "oauth_client_id": "c""#),
        ("auth in capitals", r#""auth": {"CLIENT_ID": "c", "CLIENT_SECRET": "{{s}}"}"#),
        ("oauth and auth", r#""oauth": {"clientId": "c"}, "auth": {"scopes": ["r"]}"#),
        (
            "device",
            r#""oauth": {"flow": "device", "deviceAuthorizationUrl": "https://as.example/d", "tokenUrl": "https://as.example/t"}"#,
        ),
        ("client credentials", r#""oauth": {"flow": "client_credentials", "clientId": "c", "clientSecret": "{{s}}", "tokenUrl": "https://as.example/t"}"#),
        ("flow", r#""oauth": {"flow": "carrier pigeon"}"#),
        ("parameters", r#""oauth": {"parameters": {"login_hint": "ada@${CORP_HOST}", "_note": "x"}}"#),
        (
            "protected parameters",
            r#""oauth": {"parameters": {"state": "x", "Code_Challenge": "x", "redirect_uri": "x", "client_id": "x", "response_type": "x", "resource": "x", "scope": "x"}}"#,
        ),
        ("parameter with a secret", r#""oauth": {"parameters": {"a": "{{s}}"}}"#),
        ("parameter names", r#""oauth": {"parameters": {"": "x", "a b": "x", "n": 1}}"#),
        ("oauth is text", r#""oauth": "yes""#),
        ("disabled by a header", r#""oauth": {"clientId": "c"}, "headers": {"authorization": "Bearer {{t}}"}"#),
    ]
    .map(|(title, fields)| (title, check_server(&format!(r#""type": "http", "url": "https://a.example", {fields}"#))));
    insta::assert_snapshot!(render(&cases));
}
