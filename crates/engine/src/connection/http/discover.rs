//! Detection of the protocol version: `server/discover` (stateless), or `initialize`.

use rmcp::model::{ErrorCode, ErrorData, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult};
use rmcp::transport::streamable_http_client::{StreamableHttpError, StreamableHttpPostResponse};

use crate::connection::fault::Fault;

type Error = StreamableHttpError<Fault>;

/// Interprets the response to `server/discover`. Everything but a result of this protocol, an outage or a proper
/// challenge means that the server expects `initialize`. A 401 or 403 of an older server's framework or gateway counts
/// only if `initialize` gets it too.
pub(super) async fn interpret(
    id: RequestId,
    response: Result<StreamableHttpPostResponse, Error>,
    deadline: tokio::time::Instant,
) -> Result<StreamableHttpPostResponse, Error> {
    let response = match response {
        Ok(response) => response,
        Err(Error::Client(Fault::Status { status, .. }))
            if (400..500).contains(&status) && !matches!(status, 408 | 429) =>
        {
            return Ok(unknown_method(id));
        }
        // Without a token, a challenge is what a server of this protocol sends too.
        Err(Error::Client(Fault::Unauthorized { challenge, token_sent }))
            if token_sent || challenge.is_none() =>
        {
            return Ok(unknown_method(id));
        }
        Err(Error::Client(Fault::Protocol(_) | Fault::Redirected { .. })) => return Ok(unknown_method(id)),
        Err(error) => return Err(error),
    };
    let initialized = tokio::time::timeout_at(deadline, response.expect_initialized::<Fault>()).await;
    let Ok(Ok((response, _session))) = initialized else { return Ok(unknown_method(id)) };
    let message = match response {
        ServerJsonRpcMessage::Response(response) => match response.result {
            ServerResult::DiscoverResult(result)
                if result.supported_versions.contains(&ProtocolVersion::V_2026_07_28) =>
            {
                ServerJsonRpcMessage::response(ServerResult::DiscoverResult(result), id)
            }
            // An unexpected result, or one that lists only versions with `initialize`.
            _ => return Ok(unknown_method(id)),
        },
        ServerJsonRpcMessage::Error(error) if supports_only_older(&error.error) => {
            return Ok(unknown_method(id));
        }
        // Some middleware does not echo the id of a request that it refuses.
        ServerJsonRpcMessage::Error(error) => ServerJsonRpcMessage::error(error.error, Some(id)),
        ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => {
            return Ok(unknown_method(id));
        }
    };
    Ok(StreamableHttpPostResponse::Json(message, None))
}

/// Returns whether the error lists the supported versions and ours is not among them.
fn supports_only_older(error: &ErrorData) -> bool {
    let supported = error.data.as_ref().and_then(|data| data.get("supported")?.as_array());
    let ours = ProtocolVersion::V_2026_07_28;
    error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        && supported
            .is_some_and(|versions| versions.iter().all(|version| version.as_str() != Some(ours.as_str())))
}

/// Returns the response of a server that expects `initialize`. rmcp then sends `initialize`.
pub(super) fn unknown_method(id: RequestId) -> StreamableHttpPostResponse {
    let error = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "the server does not know server/discover", None);
    StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(error, Some(id)), None)
}
