//! Converts grants and secrets to bytes and back.

use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

use crate::StoredGrant;
use crate::secret::Secret;

/// The version of the format. Unknown fields of the same version are ignored.
const VERSION: u32 = 1;
/// The version of a grant with a key. An Usher that knows only the first version would lose the key, so it must not read
/// such a grant.
const VERSION_WITH_KEY: u32 = 2;

/// The stored form of a grant. Unknown fields are ignored.
#[derive(Serialize, Deserialize)]
#[serde(remote = "StoredGrant")]
struct GrantForm {
    #[serde(serialize_with = "expose")]
    access_token: SecretString,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "expose_some")]
    refresh_token: Option<SecretString>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    issuer: String,
    token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<String>,
    client_id: String,
    resource: String,
    #[serde(default = "default_sends_resource")]
    sends_resource: bool,
    #[serde(default)]
    sends_scope: bool,
    #[serde(default)]
    has_configured_endpoints: bool,
    auth_method: String,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "expose_some")]
    dpop_key: Option<SecretString>,
    #[serde(default = "default_token_type")]
    token_type: String,
}

#[derive(Serialize)]
struct VersionedGrant<'a> {
    version: u32,
    #[serde(flatten, with = "GrantForm")]
    grant: &'a StoredGrant,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    secret.expose_secret().serialize(serializer)
}

fn expose_some<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(ExposeSecret::expose_secret).serialize(serializer)
}

fn default_sends_resource() -> bool {
    true
}

fn default_token_type() -> String {
    "Bearer".to_owned()
}

/// Returns JSON in a buffer that is zeroed when dropped.
pub(crate) fn encode_grant(grant: &StoredGrant) -> Secret {
    // Large enough for any known grant, because a reallocation would leave a copy of the tokens in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    let version = if grant.dpop_key.is_some() { VERSION_WITH_KEY } else { VERSION };
    #[expect(clippy::expect_used, reason = "serializing strings and numbers into memory cannot fail")]
    serde_json::to_writer(&mut *bytes, &VersionedGrant { version, grant }).expect("a grant serializes");
    bytes
}

/// Decodes a grant. The error never quotes the bytes.
pub(crate) fn decode_grant(bytes: &[u8]) -> Result<StoredGrant, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let version: Version = serde_json::from_slice(bytes).map_err(|error| describe(&error))?;
    if ![VERSION, VERSION_WITH_KEY].contains(&version.version) {
        return Err(format!("version {} was written by a newer Usher", version.version));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    GrantForm::deserialize(&mut json).map_err(|error| describe(&error))
}

/// Returns the plain text, so that `secret-tool lookup` prints it unchanged.
pub(crate) fn encode_text(secret: &SecretString) -> Secret {
    Zeroizing::new(secret.expose_secret().as_bytes().to_vec())
}

pub(crate) fn decode_text(bytes: &[u8]) -> Result<SecretString, String> {
    std::str::from_utf8(bytes).map(SecretString::from).map_err(|_| "it is not text".to_owned())
}

/// Returns the category and position of the error. The message of serde could quote a value.
fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it is incomplete",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "a field is missing or has the wrong type",
        serde_json::error::Category::Io => "it could not be read",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_with_a_key_has_a_version_that_an_older_usher_refuses() {
        let text = r#"{ "version": 1, "access_token": "a", "issuer": "i", "token_endpoint": "t", "client_id": "c",
            "resource": "r", "auth_method": "none" }"#;
        let without = decode_grant(text.as_bytes()).expect("a grant");
        let with_key = StoredGrant { dpop_key: Some("key".into()), ..without.clone() };
        for (grant, version) in [(without, VERSION), (with_key, VERSION_WITH_KEY)] {
            let bytes = encode_grant(&grant);
            let json: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            assert_eq!(json["version"], version);
            assert_eq!(
                decode_grant(&bytes).expect("the same grant").dpop_key.is_some(),
                grant.dpop_key.is_some()
            );
        }
    }
}
