//! A question back to the person in the middle of a call, in both ways the protocol has had for it.

use rmcp::model::{
    CallToolResponse, CallToolResult, ContentBlock, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationSchema, EnumSchema, InputRequest, InputRequests, InputRequiredResult,
    InputResponses, PrimitiveSchemaDefinition, ProtocolVersion, StringSchema,
};
use rmcp::service::{ElicitationMode, RequestContext, RoleServer};
use rmcp::{ErrorData, Peer};

const QUESTION: &str = "Which tea shall it be, and for whom?";
/// The key of the one question, and the state that comes back with its answer. The state says nothing, so nothing has to
/// be protected in it.
const KEY: &str = "tea";
const STATE: &str = "asked-for-tea";

pub(super) async fn ask_back(
    context: &RequestContext<RoleServer>,
    by_session: bool,
    state: Option<&str>,
    answers: Option<&InputResponses>,
) -> Result<CallToolResponse, ErrorData> {
    let asks_in_its_result =
        context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
    if !asks_in_its_result {
        let peer = context.peer.clone();
        let asked = async move { ask_now(&peer).await };
        let answer = match by_session {
            false => asked.await?,
            // In a task of its own rmcp does not know what it is asked for.
            true => tokio::spawn(asked).await.map_err(internal)??,
        };
        return Ok(answered(answer).into());
    }
    if context.client_capabilities().is_none_or(|capabilities| capabilities.elicitation.is_none()) {
        return Ok(cannot_ask().into());
    }
    match (state, answers.and_then(|answers| answers.get(KEY))) {
        (Some(STATE), Some(answer)) => {
            let answer: ElicitResult = serde_json::from_value(answer.clone())
                .map_err(|_| ErrorData::invalid_params("the answer is not an elicitation result", None))?;
            Ok(answered(Some(answer)).into())
        }
        (Some(_) | None, _) => {
            let question = InputRequest::Elicitation(ElicitRequest::new(question()?));
            let questions = InputRequests::from([(KEY.to_owned(), question)]);
            Ok(InputRequiredResult::new(Some(questions), Some(STATE.to_owned())).into())
        }
    }
}

/// Before 2026-07-28: a request from the server while the call is open. `None` if the client takes none.
async fn ask_now(peer: &Peer<RoleServer>) -> Result<Option<ElicitResult>, ErrorData> {
    if !peer.supported_elicitation_modes().contains(&ElicitationMode::Form) {
        return Ok(None);
    }
    match peer.create_elicitation(question()?).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => Err(ErrorData::internal_error(format!("the question was not answered: {error}"), None)),
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

fn internal(what: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(what.to_string(), None)
}

fn answered(answer: Option<ElicitResult>) -> CallToolResult {
    let Some(answer) = answer else { return cannot_ask() };
    let text = match answer.action {
        ElicitationAction::Accept => {
            let content = answer.content.unwrap_or_default();
            let tea = content["tea"].as_str().unwrap_or("Tea");
            match content["name"].as_str().filter(|name| !name.trim().is_empty()) {
                Some(name) => format!("{tea} for {name}, at once."),
                None => format!("{tea}, at once."),
            }
        }
        ElicitationAction::Decline => "No tea, then.".to_owned(),
        ElicitationAction::Cancel => "Perhaps later.".to_owned(),
        _ => "That was not an answer we know.".to_owned(),
    };
    CallToolResult::success(vec![ContentBlock::text(text)])
}

fn cannot_ask() -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(
        "This app does not take questions, so nobody could be asked.",
    )])
}
