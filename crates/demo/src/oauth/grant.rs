//! What a client is given: access token, refresh token, id token, and what each of them says.

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
    /// Makes two tokens of the same moment differ.
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
    /// Its number in the family; only the highest is good.
    pub(crate) rotation: u32,
    pub(crate) epoch: u64,
    pub(crate) expires_at: Timestamp,
}

impl Signed for RefreshToken {
    const TYPE: &'static str = "usher-demo-refresh";
}

/// The claims of an id token (OpenID Connect Core §2). It is for display: the key that signs it is this service's own.
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

/// What is to be issued.
pub(crate) struct Grant<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) client: &'a Client,
    pub(crate) family: &'a str,
    /// What the person allowed; the refresh token keeps it.
    pub(crate) granted: &'a Scopes,
    /// What this access token may do: all of it, or what a refresh narrowed it to.
    pub(crate) scopes: &'a Scopes,
    pub(crate) rotation: u32,
    pub(crate) nonce: Option<&'a str>,
}

impl Grant<'_> {
    /// The token response (RFC 6749 §5.1).
    pub(crate) fn issue(&self, service: &Service, now: Timestamp) -> Value {
        let options = &service.options;
        let client = client_mark(self.client_id);
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
                expires_at: later(now, options.refresh_life),
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

/// A short name for a client, since a client id is as long as the registration.
pub(crate) fn client_mark(client_id: &str) -> String {
    sha256_base64url(client_id)
}
