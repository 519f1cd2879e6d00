//! The identity provider of a company.

use secrecy::SecretString;

use crate::Endpoint;

/// The identity provider of a company, and Usher's client there.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    pub token_endpoint: Endpoint,
    /// The client ID at the identity provider, which may differ from that at the authorization server.
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    /// The person's ID token.
    pub id_token: SecretString,
}
