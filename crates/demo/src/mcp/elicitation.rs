//! Elicitation during a tool call, in both eras of the protocol.

use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, InputRequest, InputRequests, InputRequiredResult, InputResponses, ProtocolVersion,
};
use rmcp::service::{ElicitationMode, RequestContext, RoleServer};
use rmcp::{ErrorData, Peer};
use serde_json::json;

/// The key of the question in the list of input requests.
const KEY: &str = "tea";
/// The state that the client returns with the answer. The state contains no data, so it needs no protection.
const STATE: &str = "asked-for-tea";

pub(super) async fn ask_back(
    context: &RequestContext<RoleServer>,
    by_session: bool,
    state: Option<&str>,
    responses: Option<&InputResponses>,
) -> Result<CallToolResponse, ErrorData> {
    let elicits_in_result =
        context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    if !elicits_in_result {
        let peer = context.peer.clone();
        let elicitation = async move { elicit(&peer).await };
        let answer = match by_session {
            false => elicitation.await?,
            // From a separate task, rmcp cannot associate the question with this call, so it uses the session's stream.
            true => tokio::spawn(elicitation).await.map_err(internal)??,
        };
        return Ok(answered(answer).into());
    }
    if context.client_capabilities().is_none_or(|capabilities| capabilities.elicitation.is_none()) {
        return Ok(not_supported().into());
    }
    match (state, responses.and_then(|responses| responses.get(KEY))) {
        (Some(STATE), Some(answer)) => {
            let answer: ElicitResult = serde_json::from_value(answer.clone())
                .map_err(|_| ErrorData::invalid_params("the response is not an elicitation result", None))?;
            Ok(answered(Some(answer)).into())
        }
        (Some(_) | None, _) => {
            let question = InputRequest::Elicitation(ElicitRequest::new(question()?));
            let questions = InputRequests::from([(KEY.to_owned(), question)]);
            Ok(InputRequiredResult::new(Some(questions), Some(STATE.to_owned())).into())
        }
    }
}

/// Sends the question to the client during the call, as versions before 2026-07-28 do. Returns `None` if the client
/// does not support elicitation.
async fn elicit(peer: &Peer<RoleServer>) -> Result<Option<ElicitResult>, ErrorData> {
    if !peer.supported_elicitation_modes().contains(&ElicitationMode::Form) {
        return Ok(None);
    }
    let answer = peer.create_elicitation(question()?).await;
    answer.map(Some).map_err(|error| internal(format!("the elicitation failed: {error}")))
}

fn question() -> Result<ElicitRequestParams, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "tea": { "type": "string", "title": "Tea", "enum": ["Darjeeling", "Earl Grey", "Peppermint"] },
            "name": { "type": "string", "title": "Name", "minLength": 0, "maxLength": 60 },
        },
        "required": ["tea"],
    });
    Ok(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: "Which tea would you like, and for whom?".to_owned(),
        requested_schema: serde_json::from_value(schema).map_err(internal)?,
    })
}

fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

fn answered(answer: Option<ElicitResult>) -> CallToolResult {
    let Some(answer) = answer else { return not_supported() };
    let text = match answer.action {
        ElicitationAction::Accept => {
            let content = answer.content.unwrap_or_default();
            let tea = content["tea"].as_str().unwrap_or("Tea");
            match content["name"].as_str().filter(|name| !name.trim().is_empty()) {
                Some(name) => format!("Ordered {tea} for {name}."),
                None => format!("Ordered {tea}."),
            }
        }
        ElicitationAction::Decline => "Declined. No tea ordered.".to_owned(),
        ElicitationAction::Cancel => "Cancelled. No tea ordered.".to_owned(),
        _ => "Unknown response.".to_owned(),
    };
    CallToolResult::success(vec![ContentBlock::text(text)])
}

fn not_supported() -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(
        "This app does not support elicitation, so the question could not be asked.",
    )])
}
