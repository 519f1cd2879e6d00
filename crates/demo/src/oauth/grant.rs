//! Issues access, refresh and ID tokens.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use jiff::Timestamp;

use super::client::Client;
use super::person::PERSON;
use super::scopes::{Scope, Scopes};
use super::signing::{Signed, random_id, sha256_base64url};
use crate::clock::later;
use crate::service::Service;

/// The claims of an access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) family: String,
    pub(crate) epoch: u64,
    pub(crate) expires_at: Timestamp,
    /// Makes two tokens with equal claims differ.
    pub(crate) id: String,
}

impl Signed for AccessToken {
    const TYPE: &'static str = "usher-demo-access";
}

/// The claims of a refresh token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) family: String,
    /// Its number in the family. Only the highest is valid.
    pub(crate) rotation: u32,
    pub(crate) epoch: u64,
    pub(crate) expires_at: Timestamp,
}

impl Signed for RefreshToken {
    const TYPE: &'static str = "usher-demo-refresh";
}

/// The claims of an ID token (OpenID Connect Core §2). It is for display only: clients cannot verify its signature.
#[derive(Serialize, Deserialize)]
struct IdToken {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    name: String,
    preferred_username: String,
    email: String,
    email_verified: bool,
}

impl Signed for IdToken {
    const TYPE: &'static str = "JWT";
}

/// The tokens to issue.
pub(crate) struct Grant<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client: &'a Client,
    pub(crate) family: &'a str,
    /// The scopes that the person allowed, for the refresh token.
    pub(crate) granted: &'a Scopes,
    /// The scopes of the access token: all granted ones, or the subset that a refresh requested.
    pub(crate) scopes: &'a Scopes,
    pub(crate) rotation: u32,
    pub(crate) nonce: Option<&'a str>,
}

impl Grant<'_> {
    /// The token response (RFC 6749 §5.1).
    pub(crate) fn issue(&self, service: &Service, now: Timestamp) -> Value {
        let options = &service.options;
        let client = client_hash(self.client_id);
        let access_token = service.signer.sign(&AccessToken {
            issuer: service.issuer().to_owned(),
            audience: service.resource().to_owned(),
            client: client.clone(),
            scope: self.scopes.to_string(),
            family: self.family.to_owned(),
            epoch: service.epochs.access(),
            expires_at: later(now, options.life),
            id: random_id(),
        });
        let mut response = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": options.life.as_secs(),
            "scope": self.scopes.to_string(),
        });
        if options.omit_expires_in
            && let Some(response) = response.as_object_mut()
        {
            response.remove("expires_in");
        }
        if self.client.may_refresh && (!options.offline_access || self.granted.contains(Scope::OfflineAccess))
        {
            let refresh_token = service.signer.sign(&RefreshToken {
                issuer: service.issuer().to_owned(),
                audience: service.resource().to_owned(),
                client,
                scope: self.granted.to_string(),
                family: self.family.to_owned(),
                rotation: self.rotation,
                epoch: service.epochs.refresh(),
                expires_at: later(now, options.refresh_token_lifetime),
            });
            response["refresh_token"] = refresh_token.into();
        }
        if self.scopes.contains(Scope::OpenId) {
            response["id_token"] = self.id_token(service, now).into();
        }
        response
    }

    fn id_token(&self, service: &Service, now: Timestamp) -> String {
        service.signer.sign(&IdToken {
            iss: service.issuer().to_owned(),
            sub: PERSON.subject.to_owned(),
            aud: self.client_id.to_owned(),
            exp: later(now, service.options.life).as_second(),
            iat: now.as_second(),
            nonce: self.nonce.map(str::to_owned),
            name: PERSON.name.to_owned(),
            preferred_username: PERSON.username.to_owned(),
            email: PERSON.email.to_owned(),
            email_verified: true,
        })
    }
}

/// A short identifier of a client, because a client id contains the whole registration.
pub(crate) fn client_hash(client_id: &str) -> String {
    sha256_base64url(client_id)
}
