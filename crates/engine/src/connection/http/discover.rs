//! Detection of the protocol version over HTTP: `server/discover` (stateless), or `initialize`.

use rmcp::model::RequestId;
use rmcp::transport::streamable_http_client::{StreamableHttpError, StreamableHttpPostResponse};

use crate::connection::discovery;
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
    Ok(StreamableHttpPostResponse::Json(discovery::interpret(id, response), None))
}

/// Returns the response of a server that expects `initialize`. rmcp then sends `initialize`.
pub(super) fn unknown_method(id: RequestId) -> StreamableHttpPostResponse {
    StreamableHttpPostResponse::Json(discovery::unknown_method(id), None)
}
