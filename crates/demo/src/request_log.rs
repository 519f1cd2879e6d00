//! A log of the answered requests, for tests.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The number of logged requests; the oldest are dropped first.
const CAPACITY: usize = 10_000;

/// One answered request, without headers, query and body.
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

/// Passes the method to the log, as an extension of the MCP endpoint's response.
#[derive(Clone)]
pub(crate) struct McpMethod(pub(crate) String);

/// The most recent requests, oldest first.
#[derive(Default)]
pub(crate) struct RequestLog {
    records: Mutex<VecDeque<RequestRecord>>,
}

impl RequestLog {
    pub(crate) fn add(&self, record: RequestRecord) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if records.len() == CAPACITY {
            records.pop_front();
        }
        records.push_back(record);
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
