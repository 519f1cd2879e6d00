//! Discovery, registration, authorization and tokens: each a step from input to output over HTTP.
//!
//! A sign-in is a chain of types, each consuming the one before it:
//!
//! [`discover`] → [`Discovered`] → [`Registered`] → [`PendingAuthorization`] → [`AuthorizationCode`] →
//! [`exchange`] → [`Grant`], which [`refresh`] renews and [`revoke`] ends.
//!
//! Nothing here stores anything, knows MCP, or reads a clock: time is passed in, except for deadlines.

mod authorization;
mod challenge;
mod discovery;
mod document;
mod endpoint;
mod error;
mod grant;
mod hint;
mod http_client;
mod http_options;
mod issuer;
mod kept_authorization;
mod reach;
mod redirect_uri;
mod registration;
mod registration_request;
mod resolver;
mod resource_metadata;
mod response;
mod revocation;
mod scopes;
mod server_metadata;
mod server_url;
mod settings;
mod text;
mod token;
mod token_reply;
mod transport_error;
mod trust;

pub use authorization::{AuthorizationCode, PendingAuthorization, Rejected};
pub use challenge::BearerChallenge;
pub use discovery::{Discovered, DiscoveryRequest, MetadataSource, discover};
pub use endpoint::Endpoint;
pub use error::{Error, ErrorKind, Step};
pub use grant::{AccessToken, Binding, Grant, RefreshToken};
pub use http_client::HttpClient;
pub use http_options::{Deadlines, HttpOptions};
pub use issuer::Issuer;
pub use reach::Reach;
pub use redirect_uri::RedirectUri;
pub use registration::{
    ClientRegistration, Registered, RegisteredClient, RegistrationKind, RegistrationRequest,
};
pub use resource_metadata::ProtectedResourceMetadata;
pub use response::AuthorizationResponse;
pub use revocation::revoke;
pub use scopes::Scopes;
pub use server_metadata::AuthorizationServerMetadata;
pub use server_url::ServerUrl;
pub use settings::{AuthMethod, ClientSettings, UnknownAuthMethod};
pub use token::{RefreshError, exchange, refresh};

/// The name under which the product registers itself, and the only one it ever uses.
pub const CLIENT_NAME: &str = "Usher";
