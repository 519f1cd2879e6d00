//! From a server's address to its authorization server: the first step of a sign-in.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    AuthorizationServerMetadata, BearerChallenge, Binding, ClientSettings, Endpoint, Error, ErrorKind,
    HttpClient, Issuer, ProtectedResourceMetadata, RegisteredClient, Scopes, ServerUrl, Step,
};

pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

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
pub async fn discover(http: &HttpClient, request: DiscoveryRequest<'_>) -> Result<Discovered, Error> {
    let late = Error::new(Step::ResourceMetadata, Some(request.server.host()), ErrorKind::Timeout);
    let found = tokio::time::timeout(http.deadlines().discovery, find(http, request)).await;
    let discovered = found.unwrap_or(Err(late))?;
    check(http, &discovered, request.settings)?;
    Ok(discovered)
}

async fn find(http: &HttpClient, request: DiscoveryRequest<'_>) -> Result<Discovered, Error> {
    let DiscoveryRequest { server, challenge, settings, has_credentials } = request;
    if let (Some((authorization, token)), Some(_)) = (&settings.endpoints, &settings.client_id) {
        return configured(server, challenge, settings, authorization, token);
    }
    let resource = ProtectedResourceMetadata::find(http, server, challenge).await?;
    let (metadata, source) = match &resource {
        Some(resource) if !resource.authorization_servers.is_empty() => {
            let issuers = &resource.authorization_servers;
            (first_with_metadata(http, server, issuers, settings).await?, MetadataSource::ResourceMetadata)
        }
        _ if has_credentials => return Err(missing(Step::ResourceMetadata, Some(server.host()))),
        _ => own_origin(http, server).await?,
    };
    let discovered = Discovered {
        sends_resource: resource.is_some(),
        resource: resource
            .as_ref()
            .map_or_else(|| server.as_resource(), |resource| resource.resource.clone()),
        resource_name: resource.as_ref().and_then(|resource| resource.resource_name.clone()),
        scopes_supported: resource.and_then(|resource| resource.scopes_supported),
        metadata,
        source,
        scopes: Scopes::default(),
    };
    Ok(discovered.with_challenge(challenge, settings))
}

/// The first authorization server on the list that has metadata; a configured client's own one where it is known.
async fn first_with_metadata(
    http: &HttpClient,
    server: &ServerUrl,
    issuers: &[Issuer],
    settings: &ClientSettings,
) -> Result<AuthorizationServerMetadata, Error> {
    let pinned = settings.client_id.as_ref().and(settings.issuer.as_ref());
    let pinned = pinned.and_then(|pinned| issuers.iter().find(|issuer| pinned.is_named_by(issuer.as_str())));
    let mut trouble = None;
    for issuer in pinned.map_or(issuers, std::slice::from_ref) {
        match AuthorizationServerMetadata::find(http, issuer).await {
            Ok(Some(metadata)) => return Ok(metadata),
            Ok(None) => trouble = trouble.or(Some(missing(Step::ServerMetadata, issuer.host().as_deref()))),
            Err(error) => trouble = trouble.or(Some(error)),
        }
    }
    Err(trouble.unwrap_or_else(|| missing(Step::ResourceMetadata, Some(server.host()))))
}

/// MCP 2025-03-26: the server's origin is its authorization server, with metadata or with the default endpoints.
async fn own_origin(
    http: &HttpClient,
    server: &ServerUrl,
) -> Result<(AuthorizationServerMetadata, MetadataSource), Error> {
    let issuer = Issuer::of_origin(server.url());
    if let Some(metadata) = AuthorizationServerMetadata::find(http, &issuer).await? {
        return Ok((metadata, MetadataSource::ServerOrigin));
    }
    let assumed = AuthorizationServerMetadata::assumed(issuer);
    let failed = |kind| Error::new(Step::ServerMetadata, Some(server.host()), kind);
    assumed.map(|metadata| (metadata, MetadataSource::DefaultEndpoints)).map_err(failed)
}

/// The person knows the addresses, so nothing is asked.
fn configured(
    server: &ServerUrl,
    challenge: Option<&BearerChallenge>,
    settings: &ClientSettings,
    authorization: &Url,
    token: &Url,
) -> Result<Discovered, Error> {
    let failed = |kind| Error::new(Step::ServerMetadata, Some(server.host()), kind);
    let authorization =
        Endpoint::parse("the authorization endpoint", authorization.as_str()).map_err(failed)?;
    let token = Endpoint::parse("the token endpoint", token.as_str()).map_err(failed)?;
    let issuer = settings.issuer.clone().unwrap_or_else(|| Issuer::of_origin(authorization.url()));
    let discovered = Discovered {
        resource: server.as_resource(),
        sends_resource: false,
        resource_name: None,
        metadata: AuthorizationServerMetadata::bare(issuer, authorization, token),
        source: MetadataSource::Settings,
        scopes_supported: None,
        scopes: Scopes::default(),
    };
    Ok(discovered.with_challenge(challenge, settings))
}

/// What must hold before anything is sent to the authorization server or opened in a browser.
fn check(http: &HttpClient, discovered: &Discovered, settings: &ClientSettings) -> Result<(), Error> {
    let metadata = &discovered.metadata;
    let failed = |kind| Error { step: Step::ServerMetadata, host: metadata.issuer.host(), kind };
    if let Some(name) = metadata.reserved_parameter() {
        return Err(failed(ErrorKind::ReservedParameter(name)));
    }
    let optional = [&metadata.registration_endpoint, &metadata.revocation_endpoint];
    let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint];
    for endpoint in endpoints.into_iter().chain(optional.into_iter().flatten()) {
        http.check_literal(endpoint.url()).map_err(failed)?;
    }
    let speaks_of_pkce = match discovered.source {
        MetadataSource::ResourceMetadata | MetadataSource::ServerOrigin => {
            !metadata.code_challenge_methods_supported.is_empty()
        }
        // There is no document that could speak of it.
        MetadataSource::DefaultEndpoints | MetadataSource::Settings => true,
    };
    if !speaks_of_pkce && !settings.allow_missing_pkce {
        return Err(failed(ErrorKind::PkceUnsupported));
    }
    Ok(())
}

fn missing(step: Step, host: Option<&str>) -> Error {
    Error::new(step, host, ErrorKind::MetadataMissing)
}

impl Discovered {
    /// Chooses the scopes anew for a kept value: those of the settings, else of the challenge, else of the resource,
    /// else none.
    pub fn with_challenge(mut self, challenge: Option<&BearerChallenge>, settings: &ClientSettings) -> Self {
        let challenged =
            challenge.and_then(|challenge| challenge.scope.clone()).filter(|scopes| !scopes.is_empty());
        let chosen = settings.scopes.clone().or(challenged).or_else(|| self.scopes_supported.clone());
        self.scopes = self.with_offline_access(chosen.unwrap_or_default());
        self
    }

    /// `offline_access` brings refresh tokens where the authorization server lists it. It is not added to nothing:
    /// alone it would replace the server's default scopes.
    pub(crate) fn with_offline_access(&self, scopes: Scopes) -> Scopes {
        if scopes.is_empty() || !self.metadata.supports_scope(OFFLINE_ACCESS) {
            return scopes;
        }
        scopes.with(OFFLINE_ACCESS)
    }

    /// The binding that a grant of this client from here has, to hold against that of a stored grant.
    pub fn binding(&self, client: &RegisteredClient) -> Binding {
        Binding {
            issuer: self.metadata.issuer.clone(),
            token_endpoint: self.metadata.token_endpoint.clone(),
            revocation_endpoint: self.metadata.revocation_endpoint.clone(),
            client_id: client.registration.client_id.clone(),
            auth_method: client.registration.auth_method,
            resource: self.resource.clone(),
            sends_resource: self.sends_resource,
        }
    }
}
