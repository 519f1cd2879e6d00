//! Converts grants and secrets to bytes and back.

use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::StoredGrant;
use crate::secret::Secret;

/// The version of the format. Unknown fields of the same version are ignored.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct GrantOut<'a> {
    version: u32,
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    scopes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<&'a str>,
    issuer: &'a str,
    token_endpoint: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<&'a str>,
    client_id: &'a str,
    resource: &'a str,
    sends_resource: bool,
    auth_method: &'a str,
}

#[derive(Deserialize)]
struct GrantIn {
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    expires_at: Option<Timestamp>,
    #[serde(default)]
    scopes: Vec<String>,
    account: Option<String>,
    issuer: String,
    token_endpoint: String,
    revocation_endpoint: Option<String>,
    client_id: String,
    resource: String,
    #[serde(default = "yes")]
    sends_resource: bool,
    auth_method: String,
}

fn yes() -> bool {
    true
}

/// Returns JSON in a buffer that is zeroed when dropped.
pub(crate) fn encode_grant(grant: &StoredGrant) -> Secret {
    let out = GrantOut {
        version: VERSION,
        access_token: grant.access_token.expose_secret(),
        refresh_token: grant.refresh_token.as_ref().map(|token| token.expose_secret()),
        expires_at: grant.expires_at,
        scopes: &grant.scopes,
        account: grant.account.as_deref(),
        issuer: &grant.issuer,
        token_endpoint: &grant.token_endpoint,
        revocation_endpoint: grant.revocation_endpoint.as_deref(),
        client_id: &grant.client_id,
        resource: &grant.resource,
        sends_resource: grant.sends_resource,
        auth_method: &grant.auth_method,
    };
    // Large enough for any known grant, because a reallocation would leave a copy of the tokens in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    #[expect(clippy::expect_used, reason = "serializing strings and numbers into memory cannot fail")]
    serde_json::to_writer(&mut *bytes, &out).expect("a grant serializes");
    bytes
}

/// The error never quotes the bytes.
pub(crate) fn decode_grant(bytes: &[u8]) -> Result<StoredGrant, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let version: Version = serde_json::from_slice(bytes).map_err(|error| describe(&error))?;
    if version.version != VERSION {
        return Err(format!("version {} was written by a newer Usher", version.version));
    }
    let grant: GrantIn = serde_json::from_slice(bytes).map_err(|error| describe(&error))?;
    Ok(StoredGrant {
        access_token: grant.access_token,
        refresh_token: grant.refresh_token,
        expires_at: grant.expires_at,
        scopes: grant.scopes,
        account: grant.account,
        issuer: grant.issuer,
        token_endpoint: grant.token_endpoint,
        revocation_endpoint: grant.revocation_endpoint,
        client_id: grant.client_id,
        resource: grant.resource,
        sends_resource: grant.sends_resource,
        auth_method: grant.auth_method,
    })
}

/// Returns the plain text, so that `secret-tool lookup` prints it unchanged.
pub(crate) fn encode_text(secret: &SecretString) -> Secret {
    Zeroizing::new(secret.expose_secret().as_bytes().to_vec())
}

pub(crate) fn decode_text(bytes: &[u8]) -> Result<SecretString, String> {
    std::str::from_utf8(bytes).map(SecretString::from).map_err(|_| "it is not text".to_owned())
}

/// The category and position of the error. serde's message could quote a value.
fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it is incomplete",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "a field is missing or has the wrong type",
        serde_json::error::Category::Io => "it could not be read",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}
