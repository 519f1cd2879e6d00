//! Discovery of a server's authorization server: the first step of a sign-in.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::grant::are_own_endpoints;
use crate::{
    AuthorizationServerMetadata, Challenge, ClientSettings, DpopKey, Endpoint, Error, ErrorKind, Flow,
    HttpClient, Issuer, ProtectedResourceMetadata, Quirks, Scopes, ServerUrl, Step,
};

pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// The input of [`discover`].
#[derive(Clone, Copy, Debug)]
pub struct DiscoveryRequest<'a> {
    pub server: &'a ServerUrl,
    /// The challenge in the 401 response, if any.
    pub challenge: Option<&'a Challenge>,
    pub settings: &'a ClientSettings,
    /// Whether a grant for this server is stored. If not, a server without protected resource metadata is assumed to be
    /// its own authorization server (MCP 2025-03-26).
    pub has_grant: bool,
}

/// The source of the authorization server metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetadataSource {
    /// The authorization server that the protected resource metadata names.
    ResourceMetadata,
    /// The server's own origin (MCP 2025-03-26).
    ServerOrigin,
    /// No metadata: `/authorize`, `/token` and `/register` at the server's origin (MCP 2025-03-26).
    DefaultEndpoints,
    /// Endpoints configured in `mcp.json`.
    Settings,
}

/// The discovered data about one server, without secrets. If it is stored, later sign-ins need no discovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovered {
    /// The resource identifier: the string in the protected resource metadata, else the server's URL.
    pub resource: String,
    /// False if the server publishes no resource identifier, or the authorization server rejects `resource`.
    pub sends_resource: bool,
    /// The name in the protected resource metadata, for display.
    pub resource_name: Option<String>,
    pub metadata: AuthorizationServerMetadata,
    pub source: MetadataSource,
    /// The scopes in the protected resource metadata, requested if neither the settings nor a challenge name any.
    pub scopes_supported: Option<Scopes>,
    /// The scopes to request in the next authorization.
    pub scopes: Scopes,
    /// The known quirks of the authorization server. The caller stores them by issuer, and sets them before each step.
    #[serde(default)]
    pub quirks: Quirks,
    /// Whether `scopes` contains scopes that neither the settings nor a challenge name.
    #[serde(default)]
    pub adds_scopes: bool,
    /// Whether the resource metadata requires tokens that are bound to a key (RFC 9728 §2).
    #[serde(default)]
    pub requires_dpop: bool,
    /// Whether the last challenge accepts such tokens (RFC 9449 §7.1).
    #[serde(default)]
    pub offers_dpop: bool,
}

/// Finds the authorization server of `request.server`. Reads the protected resource metadata and then the authorization
/// server metadata, within one deadline for both. Endpoints in the settings replace both.
pub async fn discover(http: &HttpClient, request: DiscoveryRequest<'_>) -> Result<Discovered, Error> {
    let timeout = Error::new(Step::ResourceMetadata, Some(request.server.host()), ErrorKind::Timeout);
    let found = tokio::time::timeout(http.deadlines().discovery, find(http, request)).await;
    let discovered = found.unwrap_or(Err(timeout))?;
    let discovered = discovered.with_device_endpoint(request.settings)?;
    check(http, &discovered)?;
    match request.settings.flow {
        Flow::Browser => discovered.check_pkce(request.settings.allow_missing_pkce)?,
        Flow::Device | Flow::ClientCredentials | Flow::JwtBearer | Flow::Enterprise => {}
    }
    Ok(discovered)
}

async fn find(http: &HttpClient, request: DiscoveryRequest<'_>) -> Result<Discovered, Error> {
    let DiscoveryRequest { server, challenge, settings, has_grant } = request;
    let has_client = settings.client_id.is_some() || settings.flow == Flow::JwtBearer;
    if let Some((authorization, token)) = settings.endpoints.as_ref().filter(|_| has_client) {
        return use_configured_endpoints(server, challenge, settings, authorization.as_ref(), token);
    }
    let resource = ProtectedResourceMetadata::find(http, server, challenge).await?;
    let (metadata, source) = match &resource {
        Some(resource) if !resource.authorization_servers.is_empty() => {
            let issuers = &resource.authorization_servers;
            (first_with_metadata(http, server, issuers, settings).await?, MetadataSource::ResourceMetadata)
        }
        _ if has_grant => return Err(missing(Step::ResourceMetadata, Some(server.host()))),
        _ => find_at_origin(http, server, settings.flow).await?,
    };
    let discovered = Discovered {
        sends_resource: resource.is_some(),
        resource: resource
            .as_ref()
            .map_or_else(|| server.as_resource(), |resource| resource.resource.clone()),
        requires_dpop: resource.as_ref().is_some_and(|resource| resource.requires_dpop),
        offers_dpop: false,
        resource_name: resource.as_ref().and_then(|resource| resource.resource_name.clone()),
        scopes_supported: resource.and_then(|resource| resource.scopes_supported),
        metadata,
        source,
        scopes: Scopes::default(),
        quirks: Quirks::default(),
        adds_scopes: false,
    };
    // A server without resource metadata could name the endpoints of another service, which would then issue a token for
    // itself. With `resource`, that service can refuse.
    let sends_resource = discovered.sends_resource || !discovered.has_own_endpoints();
    Ok(Discovered { sends_resource, ..discovered }.with_challenge(challenge, settings))
}

/// Returns the metadata of the first listed authorization server that publishes any. If a pre-registered client or the
/// assertion of a platform is pinned to a listed issuer, only that issuer is tried.
async fn first_with_metadata(
    http: &HttpClient,
    server: &ServerUrl,
    issuers: &[Issuer],
    settings: &ClientSettings,
) -> Result<AuthorizationServerMetadata, Error> {
    let pinned = settings.issuer.as_ref();
    let pinned = pinned.and_then(|pinned| issuers.iter().find(|issuer| pinned.matches(issuer.as_str())));
    let mut first_error = None;
    for issuer in pinned.map_or(issuers, std::slice::from_ref) {
        match AuthorizationServerMetadata::find(http, issuer, settings.flow).await {
            Ok(Some(metadata)) => return Ok(metadata),
            Ok(None) => {
                first_error = first_error.or(Some(missing(Step::ServerMetadata, issuer.host().as_deref())))
            }
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    Err(first_error.unwrap_or_else(|| missing(Step::ResourceMetadata, Some(server.host()))))
}

/// Uses the server's origin as the authorization server. If no metadata is published there, uses the default endpoints
/// (MCP 2025-03-26).
async fn find_at_origin(
    http: &HttpClient,
    server: &ServerUrl,
    flow: Flow,
) -> Result<(AuthorizationServerMetadata, MetadataSource), Error> {
    let issuer = Issuer::of_origin(server.url());
    if let Some(metadata) = AuthorizationServerMetadata::find(http, &issuer, flow).await? {
        return Ok((metadata, MetadataSource::ServerOrigin));
    }
    let metadata = AuthorizationServerMetadata::with_default_endpoints(issuer);
    let failed = |kind| Error::new(Step::ServerMetadata, Some(server.host()), kind);
    metadata.map(|metadata| (metadata, MetadataSource::DefaultEndpoints)).map_err(failed)
}

/// Uses the endpoints configured in `mcp.json`. Sends no request.
fn use_configured_endpoints(
    server: &ServerUrl,
    challenge: Option<&Challenge>,
    settings: &ClientSettings,
    authorization: Option<&Url>,
    token: &Url,
) -> Result<Discovered, Error> {
    let failed = |kind| Error::new(Step::ServerMetadata, Some(server.host()), kind);
    let authorization = authorization
        .map(|url| Endpoint::parse("the authorization endpoint", url.as_str()).map_err(failed))
        .transpose()?;
    let token = Endpoint::parse("the token endpoint", token.as_str()).map_err(failed)?;
    let origin = authorization.as_ref().unwrap_or(&token).url();
    let issuer = settings.issuer.clone().unwrap_or_else(|| Issuer::of_origin(origin));
    let discovered = Discovered {
        resource: server.as_resource(),
        sends_resource: false,
        resource_name: None,
        metadata: AuthorizationServerMetadata::minimal(issuer, authorization, token),
        source: MetadataSource::Settings,
        scopes_supported: None,
        scopes: Scopes::default(),
        quirks: Quirks::default(),
        adds_scopes: false,
        requires_dpop: false,
        offers_dpop: false,
    };
    Ok(discovered.with_challenge(challenge, settings))
}

/// Checks the metadata before any endpoint in it is requested or opened in the browser.
fn check(http: &HttpClient, discovered: &Discovered) -> Result<(), Error> {
    let metadata = &discovered.metadata;
    let failed = |kind| Error::new(Step::ServerMetadata, metadata.issuer.host().as_deref(), kind);
    if let Some(name) = metadata.reserved_parameter() {
        return Err(failed(ErrorKind::ReservedParameter(name)));
    }
    let optional = [
        &metadata.authorization_endpoint,
        &metadata.registration_endpoint,
        &metadata.revocation_endpoint,
        &metadata.device_authorization_endpoint,
    ];
    for endpoint in std::iter::once(&metadata.token_endpoint).chain(optional.into_iter().flatten()) {
        http.check_literal(endpoint.url()).map_err(failed)?;
    }
    Ok(())
}

fn missing(step: Step, host: Option<&str>) -> Error {
    Error::new(step, host, ErrorKind::MetadataMissing)
}

impl Discovered {
    /// Chooses the scopes to request: those of the settings, else of the challenge, else of the resource, else none.
    /// Adopts the scheme of the challenge.
    pub fn with_challenge(mut self, challenge: Option<&Challenge>, settings: &ClientSettings) -> Self {
        let challenged =
            challenge.and_then(|challenge| challenge.scope.clone()).filter(|scopes| !scopes.is_empty());
        let supported = self.scopes_supported.as_ref().filter(|_| !self.quirks.rejects_added_scopes);
        let named = settings.scopes.clone().or(challenged);
        let chosen = named.clone().or_else(|| supported.cloned());
        // Without a person, there is no refresh token.
        self.scopes = match settings.flow.is_unattended() {
            true => chosen.unwrap_or_default(),
            false => self.with_offline_access(chosen.unwrap_or_default()),
        };
        self.adds_scopes = self.scopes != named.unwrap_or_default();
        match challenge {
            // A refusal of scopes can name another scheme than the request had. It never takes the key from a grant.
            Some(challenge) if challenge.is_insufficient_scope() => {
                self.offers_dpop |= challenge.offers_dpop;
            }
            Some(challenge) if challenge.offers_bearer || challenge.offers_dpop => {
                self.offers_dpop = challenge.offers_dpop;
            }
            Some(_) | None => {}
        }
        self
    }

    /// Whether tokens are bound to a key. Support by the authorization server alone is no reason, because a server
    /// that accepts only bearer tokens can share it.
    pub(crate) fn uses_dpop(&self) -> bool {
        let algorithms = self.metadata.dpop_signing_alg_values_supported.as_ref();
        let is_supported = algorithms.is_none_or(|all| all.iter().any(|name| name == DpopKey::ALGORITHM));
        (self.requires_dpop || self.offers_dpop) && is_supported
    }

    /// Replaces the device authorization endpoint by that of the settings, if they name one.
    fn with_device_endpoint(mut self, settings: &ClientSettings) -> Result<Self, Error> {
        if let Some(url) = &settings.device_authorization_endpoint {
            let endpoint = Endpoint::parse("the device authorization endpoint", url.as_str());
            let host = self.metadata.issuer.host();
            let failed = |kind| Error::new(Step::ServerMetadata, host.as_deref(), kind);
            self.metadata.device_authorization_endpoint = Some(endpoint.map_err(failed)?);
        }
        Ok(self)
    }

    /// Returns an error if the authorization server does not advertise PKCE.
    pub(crate) fn check_pkce(&self, allow_missing: bool) -> Result<(), Error> {
        let supports_pkce = match self.source {
            MetadataSource::ResourceMetadata | MetadataSource::ServerOrigin => {
                !self.metadata.code_challenge_methods_supported.is_empty()
            }
            // Without metadata, PKCE support cannot be advertised.
            MetadataSource::DefaultEndpoints | MetadataSource::Settings => true,
        };
        if supports_pkce || allow_missing {
            return Ok(());
        }
        let host = self.metadata.issuer.host();
        Err(Error::new(Step::ServerMetadata, host.as_deref(), ErrorKind::PkceUnsupported))
    }

    /// Whether the authorization server and its endpoints belong to the site of the resource.
    pub(crate) fn has_own_endpoints(&self) -> bool {
        let metadata = &self.metadata;
        let endpoints = [metadata.authorization_endpoint.as_ref(), Some(&metadata.token_endpoint)];
        let endpoints = endpoints.into_iter().flatten().map(|endpoint| Some(endpoint.url().clone()));
        are_own_endpoints(&self.resource, endpoints.chain([metadata.issuer.url()]))
    }

    /// Returns the scopes of the next authorization request.
    pub(crate) fn requested_scopes(&self, extra: &Scopes) -> Scopes {
        self.with_offline_access(self.scopes.union(extra))
    }

    /// Adds `offline_access`, which requests a refresh token, if the authorization server lists it. It is not added to
    /// an empty set, because alone it would replace the server's default scopes.
    fn with_offline_access(&self, scopes: Scopes) -> Scopes {
        let is_supported = self.metadata.supports_scope(OFFLINE_ACCESS) && !self.quirks.rejects_added_scopes;
        if scopes.is_empty() || !is_supported {
            return scopes;
        }
        scopes.with_scope(OFFLINE_ACCESS)
    }
}
