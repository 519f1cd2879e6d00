//! What the handlers of one demo share: who it is, its key, and its memory.

use crate::clock::Clock;
use crate::faults::TokenFaults;
use crate::options::DemoOptions;
use crate::requests::RequestLedger;

pub(crate) struct Service {
    port: u16,
    issuer: String,
    resource: String,
    pub(crate) clock: Clock,
    pub(crate) requests: RequestLedger,
    pub(crate) token_faults: TokenFaults,
    pub(crate) options: DemoOptions,
}

impl Service {
    pub(crate) fn new(port: u16, mut options: DemoOptions) -> Self {
        let issuer = format!("http://127.0.0.1:{port}");
        let token_faults = TokenFaults::new(std::mem::take(&mut options.token_faults));
        Self {
            port,
            resource: format!("{issuer}/mcp"),
            issuer,
            clock: Clock::default(),
            requests: RequestLedger::default(),
            token_faults,
            options,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The resource identifier of the MCP server (RFC 8707), which is also its address.
    pub(crate) fn resource(&self) -> &str {
        &self.resource
    }

    pub(crate) fn revoke_everything(&self) {}

    pub(crate) fn revoke_access_tokens(&self) {}

    pub(crate) fn forget_clients(&self) {}
}
