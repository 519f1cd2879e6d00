//! Methods for the gateway: lists and requests of a server as JSON that the engine does not read.

use std::sync::Arc;

use bytes::Bytes;
use rmcp::model::CallToolRequestParams;
use serde_json::{Map, Value};
use usher_api::{Code, ErrorView, ServerId};

use crate::calls::call::{Call, CallError, OnProgress};
use crate::connection::introduction::Introduction;
use crate::connection::offers::{ListName, Offer};
use crate::connection::operation::Operation;
use crate::connection::rpc_error::RpcError;
use crate::connection::watch::Report;
use crate::engine::Engine;
use crate::options::CallOptions;

/// "Invalid params" (JSON-RPC 2.0).
const INVALID_PARAMS: i32 = -32602;

/// A request that passes through the engine.
pub struct RelayedRequest {
    pub server: ServerId,
    /// `tools/call`, or a method that does no harm if it is repeated, such as `resources/read`.
    pub method: String,
    pub params: Map<String, Value>,
    /// Called with each progress notification.
    pub on_progress: OnProgress,
}

impl Engine {
    /// Returns the items of a list, each as the JSON text that the server sent. Items that cannot be used are left out.
    pub async fn relay_list(&self, id: &ServerId, list: ListName) -> Result<Vec<Bytes>, ErrorView> {
        let handle = self.handle_of(id)?;
        let connection = handle.connection().await?;
        let outcome = match list {
            ListName::Tools => connection.tools().await,
            ListName::Resources => connection.list_resources().await.map(Arc::new),
            ListName::ResourceTemplates => connection.list_resource_templates().await.map(Arc::new),
            ListName::Prompts => connection.list_prompts().await.map(Arc::new),
        };
        if outcome.is_ok() && matches!(list, ListName::Tools) {
            handle.send_report(Arc::clone(&connection), Report::ToolsListed);
        }
        let offers = handle.report(connection, outcome, list.method())?;
        Ok(offers.iter().filter(|offer| offer.broken(list).is_none()).map(Offer::json).collect())
    }

    /// Sends a request to a server, and returns the result as the JSON text that the server sent.
    pub async fn relay(&self, request: RelayedRequest, options: CallOptions) -> Result<Bytes, CallError> {
        let RelayedRequest { server, method, params, on_progress } = request;
        let operation = match method.as_str() {
            "tools/call" => {
                let params: CallToolRequestParams =
                    serde_json::from_value(Value::Object(params)).map_err(|error| invalid(&error))?;
                Operation::Tool(params)
            }
            _ => Operation::Other { method, params },
        };
        let (cancelled, _running) = self.begin_call(&options.call)?;
        let handle = self.handle_of(&server)?;
        let call = Call { handle, caller: self.caller.id, operation, options, on_progress, cancelled };
        call.run().await.map(|result| result.into_json())
    }

    /// Returns a text that identifies the endpoint of a server: its address, or the digest of its program. It may contain
    /// a secret in the address.
    pub fn endpoint_of(&self, id: &ServerId) -> Option<String> {
        let handle = self.handle_of(id).ok()?;
        match handle.config.transport.url() {
            Some(url) => Some(url.to_string()),
            None => Some(format!("program {}", self.server(id)?.program?.launch.digest)),
        }
    }

    /// Returns the servers of a group in `mcp.json`.
    pub fn group(&self, name: &str) -> Option<Vec<ServerId>> {
        self.run.servers.group(name)
    }

    /// Returns how a server introduces itself. Fails if it is not connected.
    pub async fn introduction(&self, id: &ServerId) -> Result<Introduction, ErrorView> {
        Ok(self.handle_of(id)?.connection().await?.introduction())
    }
}

fn invalid(error: &serde_json::Error) -> CallError {
    let rpc = RpcError { code: INVALID_PARAMS, message: format!("invalid parameters: {error}"), data: None };
    CallError { error: ErrorView::without_hint(Code::ProtocolError, rpc.to_string()), rpc: Some(rpc) }
}
