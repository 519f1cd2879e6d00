//! Conversion of rmcp's errors to faults. rmcp's errors wrap the faults of our transports.

use rmcp::model::ErrorData;
use rmcp::service::{ClientInitializeError, ServiceError};
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;

use super::fault::Fault;
use super::rpc_error::RpcError;

pub(crate) fn from_initialize(error: ClientInitializeError) -> Fault {
    match error {
        ClientInitializeError::TransportError { error, .. } => from_transport(error),
        // The error of the fallback is reported, because this server uses the older handshake.
        ClientInitializeError::LegacyFallbackFailed { fallback, .. } => from_initialize(*fallback),
        ClientInitializeError::JsonRpcError(error) => from_rpc(error),
        ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::Cancelled => Fault::Lost,
        // A late response to a request that timed out arrived during the next one. This happens only on very slow
        // networks.
        ClientInitializeError::ConflictInitResponseId(..)
        | ClientInitializeError::UncorrelatedErrorResponse { .. } => Fault::TimedOut(10),
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let versions: Vec<_> = server_supported.iter().map(|version| version.as_str()).collect();
            Fault::Protocol(format!(
                "the server supports only MCP revisions that Usher does not: {}",
                versions.join(", ")
            ))
        }
        ClientInitializeError::ExpectedInitResult(_) => {
            Fault::violation("its response to initialize lacks a required field, for example protocolVersion")
        }
        _ => Fault::violation("its response to the handshake is not one that MCP knows"),
    }
}

pub(crate) fn from_service(error: ServiceError) -> Fault {
    match error {
        ServiceError::McpError(error) => from_rpc(error),
        ServiceError::TransportSend(error) => from_transport(error),
        ServiceError::TransportClosed => Fault::Lost,
        ServiceError::Timeout { timeout } => Fault::TimedOut(timeout.as_secs()),
        ServiceError::Cancelled { .. } => Fault::Cancelled,
        _ => Fault::Protocol("the server's response does not match the request".to_owned()),
    }
}

fn from_rpc(error: ErrorData) -> Fault {
    Fault::Rpc(RpcError { code: error.code.0, message: error.message.into_owned(), data: error.data })
}

fn from_transport(error: DynamicTransportError) -> Fault {
    match error.error.downcast::<StreamableHttpError<Fault>>() {
        Ok(error) => match *error {
            StreamableHttpError::Client(fault) => fault,
            StreamableHttpError::TransportChannelClosed
            | StreamableHttpError::UnexpectedEndOfStream
            | StreamableHttpError::Sse(_)
            | StreamableHttpError::Io(_)
            | StreamableHttpError::SessionExpired
            | StreamableHttpError::SessionRecoveryTimeout
            | StreamableHttpError::TokioJoinError(_) => Fault::Lost,
            StreamableHttpError::ReinitializationFailed(error) => from_rpc(error),
            StreamableHttpError::ControlRequestTimeout => Fault::TimedOut(5),
            _ => Fault::Protocol("the server's response does not follow Streamable HTTP".to_owned()),
        },
        Err(error) => error.downcast::<Fault>().map_or(Fault::Lost, |fault| *fault),
    }
}
