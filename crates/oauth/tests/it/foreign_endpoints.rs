//! Endpoints of another site than the issuer's.

use serde_json::json;
use usher_oauth::{Discovered, ServerUrl};

fn foreign(source: &str, server: &str, [issuer, page, token]: [&str; 3]) -> Vec<String> {
    let metadata = json!({
        "issuer": issuer, "authorization_endpoint": page, "token_endpoint": token,
        "scopes_supported": [], "code_challenge_methods_supported": [],
        "client_id_metadata_document_supported": false,
        "authorization_response_iss_parameter_supported": false,
    });
    let discovered: Discovered = serde_json::from_value(json!({
        "resource": server, "sends_resource": true, "metadata": metadata, "source": source, "scopes": [],
    }))
    .unwrap();
    let found = discovered.foreign_endpoints(&ServerUrl::parse(server).unwrap());
    found.map(|found| found.foreign).unwrap_or_default()
}

#[test]
fn hosts_of_another_site_are_found() {
    let server = "https://mcp.service.example/mcp";
    let none: &[&str] = &[];
    let cases = [
        (["https://as.example.com", "https://login.example.com/a", "https://api.example.com/t"], none),
        (
            ["https://as.example.com/tenant", "https://as.example.com:8443/a", "https://as.example.com/t"],
            none,
        ),
        // The page belongs to the service itself.
        (["https://auth.example", "https://app.service.example/authorize", "https://auth.example/t"], none),
        // A known authorization server with several sites.
        (
            [
                "https://accounts.google.com",
                "https://accounts.google.com/a",
                "https://oauth2.googleapis.com/token",
            ],
            none,
        ),
        (
            [
                "https://sts.windows.net/1/",
                "https://login.microsoftonline.com/1/a",
                "https://login.microsoftonline.com/1/t",
            ],
            none,
        ),
        // An honest page, and a token endpoint of the attacker.
        (
            ["https://evil.example", "https://accounts.google.com/a", "https://evil.example/t"],
            &["accounts.google.com"],
        ),
        (["https://as.example.com", "https://as.example.com/a", "https://evil.example/t"], &["evil.example"]),
        (
            ["https://as.example.com", "https://page.example/a", "https://token.example/t"],
            &["page.example", "token.example"],
        ),
        (
            ["https://as.example.com", "https://other.example/a", "https://other.example/t"],
            &["other.example"],
        ),
        // Two known authorization servers do not belong together.
        (
            ["https://accounts.google.com", "https://slack.com/a", "https://oauth2.googleapis.com/token"],
            &["slack.com"],
        ),
        (
            ["https://accounts.google.com", "https://accounts.google.com/a", "https://x.googleapis.com/t"],
            &["x.googleapis.com"],
        ),
        // Customers of one host are different sites.
        (["https://one.github.io", "https://two.github.io/a", "https://one.github.io/t"], &["two.github.io"]),
        (["https://example.co.uk", "https://evil.co.uk/a", "https://example.co.uk/t"], &["evil.co.uk"]),
    ];
    for (addresses, expected) in cases {
        for source in ["resource_metadata", "server_origin"] {
            assert_eq!(foreign(source, server, addresses), expected, "{source} {addresses:?}");
        }
        // The person wrote these endpoints down.
        assert_eq!(foreign("settings", server, addresses), [""; 0], "{addresses:?}");
    }
}
