//! The `mcp.json` entry of a new server.

use secrecy::SecretString;
use usher_api::{Code, ErrorView, NewServer, RedirectKind};
use usher_config::{Config, Redirect, catalogue_by_url, client_secret_name};
use usher_oauth::ServerUrl;

use crate::words::sign_in::describe_oauth_error;

/// A client secret with its name in the secret store.
type Secret = (String, SecretString);

/// Returns the server's name, its entry, and the client secret for the secret store.
pub(super) fn entry(
    server: NewServer,
    client_secret: Option<SecretString>,
    known: &Config,
) -> Result<(String, usher_config::NewServer, Option<Secret>), ErrorView> {
    let url = ServerUrl::parse(&server.url).map_err(|error| ErrorView {
        code: Code::ConfigInvalid,
        hint: Some("Enter the full address of the service, such as https://mcp.example.com/mcp.".to_owned()),
        ..describe_oauth_error(&error)
    })?;
    if client_secret.is_some() && server.client_id.is_none() {
        let message = "A client secret needs a client ID.";
        return Err(ErrorView::new(Code::ConfigInvalid, message, "Enter the client ID too."));
    }
    let url = url.url().clone();
    let name = match server.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()) {
        Some(name) => name,
        None => unused_name(&proposed_name(&url), known),
    };
    let secret = client_secret.map(|secret| (client_secret_name(&name), secret));
    let entry = usher_config::NewServer {
        client_id: server.client_id,
        client_secret: secret.as_ref().map(|(name, _)| format!("{{{{{name}}}}}")),
        scopes: server.scopes,
        redirect: match server.redirect {
            None => Redirect::Auto,
            Some(RedirectKind::Link) => Redirect::Link,
            Some(RedirectKind::LinkWithHost) => Redirect::LinkWithHost,
            Some(RedirectKind::Loopback) => Redirect::Loopback,
            Some(RedirectKind::Paste) => Redirect::Paste,
        },
        ..usher_config::NewServer::http(url)
    };
    Ok((name, entry, secret))
}

/// Proposes a name: the catalogue's slug or, if there is none, the second-level domain, such as `example` for
/// `mcp.example.com`.
fn proposed_name(url: &url::Url) -> String {
    if let Some(entry) = catalogue_by_url(url) {
        return entry.slug.clone();
    }
    let host = match url.host() {
        Some(url::Host::Domain(domain)) => domain,
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) | None => return "server".to_owned(),
    };
    let labels: Vec<_> = host.split('.').filter(|label| !label.is_empty()).collect();
    let distinctive = match labels.as_slice() {
        [.., distinctive, _] => distinctive,
        [only] => only,
        [] => "server",
    };
    distinctive.to_owned()
}

fn unused_name(proposed: &str, known: &Config) -> String {
    let mut name = proposed.to_owned();
    let mut number = 2;
    while known.entries().any(|entry| entry.name() == name) {
        name = format!("{proposed}-{number}");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_address() {
        let cases = [
            ("https://mcp.example.com/mcp", "example"),
            ("https://example.com", "example"),
            ("http://127.0.0.1:8080/mcp", "server"),
            ("http://localhost:8080/mcp", "localhost"),
        ];
        for (address, name) in cases {
            let server = NewServer { url: address.to_owned(), ..NewServer::default() };
            assert_eq!(entry(server, None, &Config::default()).expect(address).0, name);
        }
    }

    #[test]
    fn the_entry_never_contains_a_secret() {
        let server = NewServer {
            name: Some("my corp".to_owned()),
            url: "https://mcp.example.com".to_owned(),
            client_id: Some("id".to_owned()),
            ..NewServer::default()
        };
        let (_, entry, secret) = entry(server, Some("hush".into()), &Config::default()).expect("an entry");
        assert_eq!(entry.client_secret.as_deref(), Some("{{my_20_corp_client_secret}}"));
        assert_eq!(secret.expect("a secret").0, "my_20_corp_client_secret");
    }

    #[test]
    fn invalid_addresses_are_rejected() {
        for address in ["", "example", "javascript:alert(1)", "http://example.com", "https://me@example.com"]
        {
            let server = NewServer { url: address.to_owned(), ..NewServer::default() };
            assert_eq!(entry(server, None, &Config::default()).expect_err(address).code, Code::ConfigInvalid);
        }
    }
}
