//! Elicitation during a tool call, in both forms of the protocol.

use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationSchema, EnumSchema, InputRequest, InputRequests, InputRequiredResult,
    InputResponses, PrimitiveSchemaDefinition, ProtocolVersion, StringSchema,
};
use rmcp::service::{ElicitationMode, RequestContext, RoleServer};
use rmcp::{ErrorData, Peer};

const QUESTION: &str = "Which tea would you like, and for whom?";
/// The key of the question.
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
            // In a separate task, rmcp cannot associate the request with this call.
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

/// Before 2026-07-28: sends a request to the client during the call. Returns `None` if the client does not support it.
async fn elicit(peer: &Peer<RoleServer>) -> Result<Option<ElicitResult>, ErrorData> {
    if !peer.supported_elicitation_modes().contains(&ElicitationMode::Form) {
        return Ok(None);
    }
    match peer.create_elicitation(question()?).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => Err(ErrorData::internal_error(format!("the elicitation failed: {error}"), None)),
    }
}

fn question() -> Result<ElicitRequestParams, ErrorData> {
    let teas = ["Darjeeling", "Earl Grey", "Peppermint"].map(str::to_owned).to_vec();
    let tea = EnumSchema::builder(teas).title("Tea").build();
    let requested_schema = ElicitationSchema::builder()
        .required_property("tea", PrimitiveSchemaDefinition::Enum(tea))
        .property(
            "name",
            PrimitiveSchemaDefinition::String(
                StringSchema::new().title("Name").with_length(0, 60).map_err(internal)?,
            ),
        )
        .build()
        .map_err(internal)?;
    Ok(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: QUESTION.to_owned(),
        requested_schema,
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
