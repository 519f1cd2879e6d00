//! From a server's address to its authorization server: the first step of a sign-in.

use serde::{Deserialize, Serialize};

use crate::{
    AuthorizationServerMetadata, BearerChallenge, Binding, ClientSettings, Error, HttpClient,
    RegisteredClient, Scopes, ServerUrl,
};

/// What [`discover`] goes by.
#[derive(Clone, Copy, Debug)]
pub struct DiscoveryRequest<'a> {
    pub server: &'a ServerUrl,
    /// From the 401; absent where the response had none.
    pub challenge: Option<&'a BearerChallenge>,
    pub settings: &'a ClientSettings,
    /// Whether a grant for this server is stored already. Only where none is may a server without protected resource
    /// metadata be its own authorization server, as the 2025-03-26 edition of MCP had it.
    pub has_credentials: bool,
}

/// Where the knowledge of the authorization server comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataSource {
    /// Protected resource metadata led to authorization server metadata.
    ResourceMetadata,
    /// The server's own origin has authorization server metadata (MCP 2025-03-26).
    ServerOrigin,
    /// The server's own origin has no metadata: `/authorize`, `/token`, `/register` (MCP 2025-03-26).
    DefaultEndpoints,
    /// The person configured the addresses.
    Settings,
}

/// All that is needed to sign in to one server, without secrets: kept, it makes a later sign-in need no discovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovered {
    /// The resource identifier: protected resource metadata's own string, or the server's address.
    pub resource: String,
    /// False where there is no resource identifier to send, or where the authorization server refuses it.
    pub sends_resource: bool,
    /// The service's own name, for display.
    pub resource_name: Option<String>,
    pub metadata: AuthorizationServerMetadata,
    pub source: MetadataSource,
    /// What the resource lists; used where no challenge names scopes.
    pub scopes_supported: Option<Scopes>,
    /// What the next authorization asks for.
    pub scopes: Scopes,
}

/// Finds the authorization server of `request.server`: protected resource metadata, then authorization server
/// metadata, within one total deadline.
pub async fn discover(_http: &HttpClient, _request: DiscoveryRequest<'_>) -> Result<Discovered, Error> {
    unimplemented!()
}

impl Discovered {
    /// Chooses the scopes anew for a kept value: those of the settings, else of the challenge, else of the resource.
    pub fn with_challenge(self, _challenge: Option<&BearerChallenge>, _settings: &ClientSettings) -> Self {
        unimplemented!()
    }

    /// The binding that a grant of this client from here has, to hold against that of a stored grant.
    pub fn binding(&self, _client: &RegisteredClient) -> Binding {
        unimplemented!()
    }
}
