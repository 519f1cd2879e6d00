//! The OAuth settings of one server.

use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use crate::{IdentityProvider, Issuer, Scopes, SigningKey};

/// The `prompt` parameter of the authorization request (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Prompt {
    /// `consent` if `offline_access` is requested, unless the authorization server rejects it.
    #[default]
    Automatic,
    /// No parameter.
    Omitted,
    Value(String),
}

/// The way in which Usher gets a grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Flow {
    /// The authorization code grant with PKCE: the person approves the request in a browser on this computer.
    #[default]
    Browser,
    /// The device authorization grant (RFC 8628): the person enters a code on any device.
    Device,
    /// The client credentials grant (RFC 6749 §4.4), without a person.
    ClientCredentials,
    /// The JWT bearer grant (RFC 7523 §2.1): the platform on which Usher runs signs an assertion.
    JwtBearer,
    /// Enterprise-managed authorization: the person's identity provider issues an assertion (ID-JAG).
    Enterprise,
}

impl Flow {
    /// Whether Usher gets a grant without a person. It then gets a new one instead of refreshing.
    pub fn is_unattended(self) -> bool {
        match self {
            Flow::Browser | Flow::Device => false,
            Flow::ClientCredentials | Flow::JwtBearer | Flow::Enterprise => true,
        }
    }
}

/// A server's OAuth settings, from `mcp.json`. The default suits most servers.
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// The ID of a pre-registered client.
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    /// The key of a pre-registered client that signs assertions (RFC 7523 §2.2), instead of a secret.
    pub signing_key: Option<Arc<SigningKey>>,
    /// The `aud` of these assertions, instead of the issuer.
    pub assertion_audience: Option<String>,
    /// The assertion of [`Flow::JwtBearer`]. The caller reads it again before each request.
    pub assertion: Option<SecretString>,
    /// The identity provider of [`Flow::Enterprise`].
    pub identity_provider: Option<IdentityProvider>,
    /// The only authorization server that may see the pre-registered client. `None` if it is not pinned yet.
    pub issuer: Option<Issuer>,
    /// The scopes to request instead of those that the server suggests.
    pub scopes: Option<Scopes>,
    /// The URL of this app's client ID metadata document, if it has one.
    pub metadata_document: Option<Url>,
    /// The authorization endpoint, if the flow needs one, and the token endpoint. They replace the metadata. Ignored
    /// without a `client_id`, unless the flow is [`Flow::JwtBearer`].
    pub endpoints: Option<(Option<Url>, Url)>,
    /// The device authorization endpoint to use instead of that in the metadata.
    pub device_authorization_endpoint: Option<Url>,
    pub flow: Flow,
    /// The `audience` parameter of the authorization request, which some authorization servers require.
    pub audience: Option<String>,
    /// Further parameters of the authorization request and of the device authorization request. None of them has a name
    /// that Usher sets itself.
    pub parameters: Vec<(String, String)>,
    pub prompt: Prompt,
    /// Allows an authorization server that does not advertise PKCE. PKCE is used anyway.
    pub allow_missing_pkce: bool,
}
