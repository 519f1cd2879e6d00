//! Opens pages in the person's browser. The address is validated, and passed as one argument, not through `sh`.

use std::path::Path;

use url::{Host, Url};
use usher_api::ErrorView;

use crate::error;

/// Launchers and browsers truncate longer addresses.
const MAX_LENGTH: usize = 8 * 1024;

/// Opens a page. Call this only in response to a click by the person.
pub async fn open(address: &str) -> Result<(), ErrorView> {
    let url = validate(address)
        .map_err(|why| error::rejected(format!("Usher does not open this address: {why}.")))?;
    // The launcher's own message contains the address with its query, which must not be logged.
    launch(move || tauri_plugin_opener::open_url(url, None::<&str>)).await.map_err(|_| {
        error::internal(
            "Could not open the browser.",
            "Copy the address and paste it into your browser.",
            "the launcher failed",
        )
    })
}

/// Opens a file in its default program.
pub async fn open_file(path: &Path) -> Result<(), ErrorView> {
    let shown = path.display().to_string();
    let path = path.to_owned();
    launch(move || tauri_plugin_opener::open_path(path, None::<&str>))
        .await
        .map_err(|why| error::internal(format!("Could not open {shown}."), "Open it in a text editor.", why))
}

/// Runs the opener on a blocking thread, because the opener waits briefly to see whether its launcher fails.
async fn launch(
    open: impl FnOnce() -> Result<(), tauri_plugin_opener::Error> + Send + 'static,
) -> Result<(), String> {
    let opened = tauri::async_runtime::spawn_blocking(open).await.map_err(|why| why.to_string())?;
    opened.map_err(|why| why.to_string())
}

/// Accepts https, and http on a loopback host. Rejects userinfo, control characters and spaces. Returns the parsed URL,
/// so that the opened address is exactly the validated one.
fn validate(address: &str) -> Result<Url, &'static str> {
    if address.len() > MAX_LENGTH {
        return Err("it is too long");
    }
    if address.chars().any(|character| character.is_control() || character.is_whitespace()) {
        return Err("it contains control characters or spaces");
    }
    let url = Url::parse(address).map_err(|_| "it is not a valid URL")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it contains a user name or a password");
    }
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => Ok(url),
        ("http", Some(host)) if is_loopback(&host) => Ok(url),
        _ => Err("only https, and http on this computer, are allowed"),
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_opened_as_the_parser_serialises_them() {
        for (address, opened) in [
            ("https://mcp.example.com/authorize?a=b&c=%20", "https://mcp.example.com/authorize?a=b&c=%20"),
            ("HTTPS://Example.COM", "https://example.com/"),
            ("https://example.com/$(id)`id`;'\"", "https://example.com/$(id)%60id%60;'%22"),
            ("http://127.0.0.1:4000/authorize", "http://127.0.0.1:4000/authorize"),
            ("http://localhost/", "http://localhost/"),
            ("http://[::1]:1/", "http://[::1]:1/"),
        ] {
            assert_eq!(validate(address).map(String::from).as_deref(), Ok(opened));
        }
    }

    #[test]
    fn other_addresses_are_rejected() {
        let long = format!("https://example.com/{}", "a".repeat(MAX_LENGTH));
        for address in [
            "",
            "-flag",
            "--help",
            "example.com",
            "/etc/passwd",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "JavaScript://example.com/%0aalert(1)",
            "data:text/html,x",
            "ms-msdt:/id",
            "vbscript:x",
            "smb://host/share",
            "dev.usher.desktop:/oauth/callback",
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://169.254.169.254/",
            "http://0.0.0.0/",
            "https://user@example.com/",
            "https://user:pass@example.com/",
            "https://example.com/\nfile:///x",
            "https://example.com/a b",
            " https://example.com/",
            "https://example.com/\u{7}",
            "https://",
            "https:///",
            &long,
        ] {
            assert!(validate(address).is_err(), "{address}");
        }
    }
}
