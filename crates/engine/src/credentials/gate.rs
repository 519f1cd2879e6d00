//! The check that a grant belongs to the server's entry in `mcp.json` as it is now.

use std::ops::Deref;

use url::Url;
use usher_oauth::{Discovered, Grant, GrantBinding, ServerUrl};

/// The entry, and what was discovered for it.
pub(crate) struct Gate<'a> {
    pub server: &'a ServerUrl,
    /// The pre-registered client, if there is one.
    pub client_id: Option<&'a str>,
    /// The configured token endpoint, if there is one.
    pub token_endpoint: Option<&'a Url>,
    /// `None` before discovery.
    pub discovered: Option<&'a Discovered>,
}

/// A grant that belongs to the entry. Only [`Gate::admit`] creates one, and only an admitted grant is stored or sent.
#[derive(Clone, Debug)]
pub(crate) struct AdmittedGrant(Grant);

impl Gate<'_> {
    /// Returns the grant unchanged if it does not belong to the entry.
    pub fn admit(&self, grant: Grant) -> Result<AdmittedGrant, Box<Grant>> {
        if self.permits(&grant.binding) { Ok(AdmittedGrant(grant)) } else { Err(Box::new(grant)) }
    }

    /// Returns whether a grant with this binding belongs to the entry. The client id of a dynamic registration is not
    /// compared, because the registration may be deleted while its grant is valid.
    pub fn permits(&self, binding: &GrantBinding) -> bool {
        let is_discovered = |discovered: &Discovered| {
            binding.issuer == discovered.metadata.issuer
                && binding.token_endpoint == discovered.metadata.token_endpoint
                && binding.resource == discovered.resource
        };
        self.server.is_covered_by(&binding.resource)
            && self.client_id.is_none_or(|client_id| client_id == binding.client_id)
            && match self.token_endpoint {
                Some(endpoint) => endpoint == binding.token_endpoint.url(),
                // The endpoints were removed from the entry.
                None => !binding.has_configured_endpoints,
            }
            && self.discovered.is_none_or(is_discovered)
    }
}

impl AdmittedGrant {
    /// Returns the result of a refresh. It belongs to the same entry, because a refresh is sent only to the token
    /// endpoint that the grant is bound to.
    pub fn refreshed(&self, grant: Grant) -> Self {
        let issued = &grant.binding;
        debug_assert!(issued.issuer == self.0.binding.issuer && issued.resource == self.0.binding.resource);
        Self(grant)
    }

    #[cfg(test)]
    pub fn for_test(grant: Grant) -> Self {
        Self(grant)
    }
}

impl Deref for AdmittedGrant {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.0
    }
}
