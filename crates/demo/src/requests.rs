//! The ledger of requests the demo has met, so that tests can count them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many requests are remembered; older ones are forgotten first.
const CAPACITY: usize = 10_000;

/// One request that was answered. No header, query or body is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// For the token endpoint: the `grant_type` that was sent.
    pub grant_type: Option<String>,
    /// For the MCP endpoint: the JSON-RPC method that was sent, such as `tools/list`.
    pub mcp_method: Option<String>,
    /// The HTTP status that was answered.
    pub status: u16,
}

/// Put into the response of the token endpoint for the ledger.
#[derive(Clone)]
pub(crate) struct GrantType(pub(crate) String);

/// Put into the response of the MCP endpoint for the ledger.
#[derive(Clone)]
pub(crate) struct McpMethod(pub(crate) String);

/// The last requests, oldest first.
#[derive(Default)]
pub(crate) struct RequestLedger {
    records: Mutex<VecDeque<RequestRecord>>,
}

impl RequestLedger {
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
