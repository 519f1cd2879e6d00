//! Parses a web address.

use jsonc_parser::ast::ObjectProp;
use url::{Host, Url};

use super::reader::{Reader, display_name};

/// Reads an address. It must be an absolute http or https URL without userinfo or fragment.
pub(crate) fn read_address(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<Url> {
    let text = reader.resolved(entry)?;
    let name = display_name(entry.name.as_str());
    let url = match Url::parse(&text) {
        Ok(url) if is_web_address(&url) => url,
        Ok(_) | Err(_) => {
            let hint = "Enter a full address, such as https://mcp.example.com/mcp.";
            reader.error(&entry.value, format!("`{name}` is not a web address"), hint);
            return None;
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        let hint = "Store the password with `usher secret set NAME` and use {{NAME}} in `headers`.";
        reader.error(&entry.value, format!("`{name}` contains a user name or password"), hint);
        return None;
    }
    if url.fragment().is_some() {
        let hint = "Remove the `#` and everything after it.";
        reader.error(&entry.value, format!("`{name}` contains a fragment (`#`)"), hint);
        return None;
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let message = format!("`{name}` is not encrypted, so Usher does not sign in to it");
        reader.warn(&entry.value, message, "Use https://.");
    }
    Some(url)
}

/// Returns whether a URL can be the address of a server.
pub(crate) fn is_web_address(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http") && url.has_host()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
