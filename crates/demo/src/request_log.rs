//! A log of the requests that got a response, for tests.

/// The maximum number of logged requests. The oldest are dropped first.
pub(crate) const CAPACITY: usize = 10_000;

/// One request that got a response, without headers, query or body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The request's `grant_type`, at the token endpoint.
    pub grant_type: Option<String>,
    /// The JSON-RPC method, such as `tools/list`, at the MCP endpoint.
    pub mcp_method: Option<String>,
    /// The HTTP status of the response.
    pub status: u16,
}

/// Passes the grant type to the log, as an extension of the token endpoint's response.
#[derive(Clone)]
pub(crate) struct GrantType(pub(crate) String);

/// Passes the JSON-RPC method to the log, as an extension of the MCP endpoint's response.
#[derive(Clone)]
pub(crate) struct McpMethod(pub(crate) String);
