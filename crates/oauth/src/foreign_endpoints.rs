//! Endpoints of an authorization server that belong to another site than its issuer.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::grant_type::DEVICE_CODE;
use crate::site::is_same_site;
use crate::{ClientSettings, Discovered, Endpoint, MetadataSource, ServerUrl, known_servers};

/// The hosts of an authorization server whose metadata names endpoints of another site. The metadata is the issuer's own
/// claim. The page in the browser can belong to an honest service, and the code can go to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignEndpoints {
    pub issuer: String,
    /// The host of the authorization endpoint, which the browser opens.
    pub page: String,
    /// The host of the token endpoint, which gets the code.
    pub token: String,
    /// Those of the two hosts that belong to another site.
    pub foreign: Vec<String>,
}

impl Discovered {
    /// Returns the hosts if an endpoint belongs neither to the issuer's site, nor to the server's, nor to the same known
    /// authorization server. The person has to confirm them before a sign-in.
    pub fn foreign_endpoints(&self, server: &ServerUrl) -> Option<ForeignEndpoints> {
        match self.source {
            MetadataSource::ResourceMetadata | MetadataSource::ServerOrigin => {}
            // These are endpoints of the server's own origin, or those that the person wrote down.
            MetadataSource::DefaultEndpoints | MetadataSource::Settings => return None,
        }
        let metadata = &self.metadata;
        let issuer = metadata.issuer.url()?;
        let is_foreign = |url: &Url| !is_related(&issuer, url) && !is_same_site(server.url(), url);
        let page = metadata.authorization_endpoint.as_ref();
        let mut foreign: Vec<String> = page
            .into_iter()
            .chain([&metadata.token_endpoint])
            .filter(|endpoint| is_foreign(endpoint.url()))
            .map(|endpoint| endpoint.host().to_owned())
            .collect();
        foreign.dedup();
        (!foreign.is_empty()).then(|| ForeignEndpoints {
            issuer: issuer.host_str().unwrap_or_default().to_owned(),
            page: page.unwrap_or(&metadata.token_endpoint).host().to_owned(),
            token: metadata.token_endpoint.host().to_owned(),
            foreign,
        })
    }

    /// Returns the device authorization endpoint, unless it belongs to another site than the token endpoint. The person
    /// could otherwise approve a request at one service, and the token endpoint of another one would get the device code.
    /// An endpoint in the settings is the person's choice.
    pub(crate) fn own_device_endpoint(&self, settings: &ClientSettings) -> Option<&Endpoint> {
        let metadata = &self.metadata;
        let endpoint = metadata.device_authorization_endpoint.as_ref()?;
        let is_own = settings.device_authorization_endpoint.is_some()
            || is_related(metadata.token_endpoint.url(), endpoint.url());
        (is_own && metadata.supports_grant_type(DEVICE_CODE)).then_some(endpoint)
    }

    /// Whether the page on which the person enters the code belongs to the issuer or the token endpoint. A server could
    /// otherwise request a code at another service for itself, and have the person approve it there. An endpoint in the
    /// settings is the person's choice.
    pub(crate) fn owns_device_page(&self, settings: &ClientSettings, page: &Url) -> bool {
        let own = [self.metadata.issuer.url(), Some(self.metadata.token_endpoint.url().clone())];
        settings.device_authorization_endpoint.is_some()
            || own.iter().flatten().any(|own| is_related(own, page))
    }

    /// Whether a sign-in on another device is possible, according to the metadata.
    pub fn offers_device_authorization(&self, settings: &ClientSettings) -> bool {
        self.own_device_endpoint(settings).is_some()
    }

    /// Returns the revocation endpoint, unless it belongs to another site than the issuer and the token endpoint. It would
    /// get tokens.
    pub(crate) fn own_revocation_endpoint(&self) -> Option<&Endpoint> {
        let metadata = &self.metadata;
        let endpoint = metadata.revocation_endpoint.as_ref()?;
        let trusted = [metadata.issuer.url(), Some(metadata.token_endpoint.url().clone())];
        trusted.iter().flatten().any(|trusted| is_related(trusted, endpoint.url())).then_some(endpoint)
    }
}

/// Whether both addresses belong to one site, or to one known authorization server.
fn is_related(one: &Url, other: &Url) -> bool {
    is_same_site(one, other) || known_servers::belong_together(one, other)
}
