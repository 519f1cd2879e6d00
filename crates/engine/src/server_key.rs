//! The key of a server in the learned data.

use usher_config::OAuthSettings;
use usher_oauth::ServerUrl;

/// The key of what was learned about a server: its address, and the settings that determine its metadata. After such a
/// setting was changed, nothing that it led to is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerKey {
    /// The address alone, for what does not depend on settings.
    pub address: String,
    pub key: String,
}

impl ServerKey {
    pub fn new(server: &ServerUrl, settings: &OAuthSettings) -> Self {
        let address = server.as_str().to_owned();
        let mut key = address.clone();
        if let Some(endpoints) = settings.used_endpoints() {
            key.push_str(&format!(" {} {}", endpoints.authorization, endpoints.token));
        } else if let Some(token) = settings.used_token_url() {
            key.push_str(&format!(" token {token}"));
        }
        if let Some(endpoint) = &settings.device_authorization_url {
            key.push_str(&format!(" device {endpoint}"));
        }
        if settings.allow_missing_pkce {
            key.push_str(" allowMissingPkce");
        }
        Self { address, key }
    }

    /// The key of a local program with this digest of its entry.
    pub fn of_program(digest: &str) -> Self {
        let key = format!("program {digest}");
        Self { address: key.clone(), key }
    }
}
