//! The OAuth client: discovery, registration, authorization and tokens.
//!
//! A sign-in is a chain of types; each step consumes the previous value:
//!
//! [`discover`] → [`Discovered`] → [`Registered`] → [`PendingAuthorization`] → [`AuthorizationCode`] →
//! [`exchange`] → [`Grant`]. Without a browser on this computer, it is [`Registered`] → [`DeviceAuthorization`] →
//! [`Grant`]. [`refresh`] refreshes a grant, and [`revoke`] revokes it.
//!
//! This crate stores nothing and sends no MCP requests. It uses the system's clock only for deadlines and for a
//! cache; the caller passes the current time.
//!
//! # Layout
//!
//! - Discovery: `discovery`, from a server's URL to its authorization server. `challenge` parses `WWW-Authenticate`;
//!   `resource_metadata` (RFC 9728) and `server_metadata` (RFC 8414) find and check the two documents, `well_known`
//!   searches for each at several addresses.
//!   `foreign_endpoints` finds endpoints of another site.
//! - Registration: `registration` chooses a client, `dynamic_registration` registers a new one (RFC 7591).
//! - Authorization: `pending_authorization` builds the request and accepts the response, `persisted_authorization`
//!   serializes the request so that it survives a restart, `authorization_response` parses the callback.
//! - Device authorization (RFC 8628): `device_authorization` holds the codes, `device_grant` requests them and polls,
//!   `device_response` parses the codes and addresses, `poll_pace` is the time between two polls.
//! - Without a person: `unattended` gets grants with the client's own credentials or with an assertion; `id_jag`
//!   gets the assertion of an identity provider.
//! - Tokens: `token_endpoint` exchanges codes and refreshes grants, `token_request` is the content of a request,
//!   `client_authentication` adds the client to it, with a `client_assertion` that a `signing_key` signs,
//!   `token_response` parses the responses, `grant` holds the tokens, `revocation` revokes them (RFC 7009).
//! - Tokens that are bound to a key (RFC 9449): `dpop_key` is the key and creates the proofs, `dpop_session` keeps the
//!   servers' nonces and decides which requests are repeated.
//! - Values: `auth_method`, `grant_type`, `identity_provider`, `client`, `client_settings`, `endpoint`, `issuer`, `quirks`, `redirect_uri`, `scopes`,
//!   `server_url`, `site`.
//! - Data: `known_servers` reads `known_servers.json`, the deviations of single companies.
//! - HTTP: `http_client` and `http_options`; `network_zone` and `resolver` protect private networks;
//!   `tls_config` caches the system's certificate authorities, `tls_error` explains TLS failures; `json_document` fetches and reads JSON.
//! - Errors: `error` and `hint`; `transport_error` maps the HTTP library's errors; `display_text` sanitises
//!   text; `echo` removes secrets that a server repeats.
//! - Tests: `fuzzing` has the parsers that `tests/fuzz` calls.
//!
//! # Example
//!
//! ```no_run
//! use jiff::Timestamp;
//! use usher_oauth::{
//!     AuthorizationResponse, ClientSettings, DiscoveryRequest, Grant, HttpClient, RedirectUri, RegistrationRequest,
//!     Scopes, ServerUrl, discover, exchange,
//! };
//!
//! /// Signs in. `open_browser` opens the address and returns the callback.
//! async fn sign_in(open_browser: impl Fn(&url::Url) -> String) -> Result<Grant, usher_oauth::Error> {
//!     let server = ServerUrl::parse("https://mcp.example.com/mcp")?;
//!     let (settings, redirect) = (ClientSettings::default(), RedirectUri::custom_scheme());
//!     let http = HttpClient::for_server(&server).await?;
//!
//!     let request = DiscoveryRequest { server: &server, challenge: None, settings: &settings, has_grant: false };
//!     let discovered = discover(&http, request).await?;
//!     let extra = Scopes::default();
//!     let request =
//!         RegistrationRequest { settings: &settings, redirect: Some(&redirect), extra_scopes: &extra, known: None };
//!     let registered = discovered.register(&http, request, Timestamp::now()).await?;
//!     let pending = registered.authorize(&extra, Timestamp::now())?;
//!
//!     let callback = open_browser(pending.authorization_url());
//!     let response = AuthorizationResponse::parse(&callback, [&redirect])?;
//!     let code = pending.accept(response, Timestamp::now()).map_err(|rejected| rejected.error)?;
//!     exchange(&http, code, Timestamp::now()).await
//! }
//! ```

mod auth_method;
mod authorization_response;
mod challenge;
mod client;
mod client_assertion;
mod client_authentication;
mod client_settings;
mod device_authorization;
mod device_grant;
mod device_response;
mod discovery;
mod display_text;
mod dpop_key;
mod dpop_session;
mod dynamic_registration;
mod echo;
mod endpoint;
mod error;
mod foreign_endpoints;
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod grant_type;
mod hint;
mod http_client;
mod http_options;
mod id_jag;
mod identity_provider;
mod issuer;
mod json_document;
mod known_servers;
mod network_zone;
mod pending_authorization;
mod persisted_authorization;
mod poll_pace;
mod quirks;
mod redirect_uri;
mod registration;
mod resolver;
mod resource_metadata;
mod revocation;
mod scopes;
mod server_metadata;
mod server_url;
mod signing_key;
mod site;
mod tls_config;
mod tls_error;
mod token_endpoint;
mod token_request;
mod token_response;
mod transport_error;
mod unattended;
mod well_known;

pub use auth_method::AuthMethod;
pub use authorization_response::AuthorizationResponse;
pub use challenge::Challenge;
pub use client::{ClientRegistration, RegisteredClient, RegistrationKind};
pub use client_settings::{ClientSettings, Flow, Prompt};
pub use device_authorization::DeviceAuthorization;
pub use discovery::{Discovered, DiscoveryRequest, MetadataSource, discover};
pub use dpop_key::{DpopKey, ProofRequest};
pub use dpop_session::{DpopSession, PROOF_HEADER, Proof, ProofRecipient, ProofRefusal, ProofRetries};
pub use endpoint::Endpoint;
pub use error::{Attempt, Error, ErrorKind, Step};
pub use foreign_endpoints::ForeignEndpoints;
pub use grant::{AccessToken, DpopBinding, Grant, GrantBinding, RefreshToken};
pub use http_client::HttpClient;
pub use http_options::{Deadlines, HttpOptions};
pub use identity_provider::IdentityProvider;
pub use issuer::Issuer;
pub use network_zone::NetworkZone;
pub use pending_authorization::{AuthorizationCode, PendingAuthorization, Rejected};
pub use quirks::Quirks;
pub use redirect_uri::RedirectUri;
pub use registration::{Registered, RegistrationRequest};
pub use resource_metadata::ProtectedResourceMetadata;
pub use revocation::{revoke, revoke_with_key};
pub use scopes::Scopes;
pub use server_metadata::AuthorizationServerMetadata;
pub use server_url::ServerUrl;
pub use signing_key::{KeyError, SigningAlgorithm, SigningKey};
pub use tls_error::tls_reason;
pub use token_endpoint::{RefreshError, exchange, refresh};
pub use unattended::request_unattended;

/// The client name in every registration.
pub const CLIENT_NAME: &str = "Usher";
