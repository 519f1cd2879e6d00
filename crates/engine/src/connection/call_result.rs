//! The result of a tool call or of another operation, as the JSON that the server sent.

use bytes::Bytes;
use rmcp::model::InputRequiredResult;
use serde::Deserialize;
use serde_json::value::RawValue;
use usher_api::{ToolCallView, ToolContent};
use usher_budgets as budgets;

use super::fault::Fault;
use super::json::{Elements, boolean, is_object, text};
use super::operation::Operation;

const MAX: usize = budgets::RESULT_BLOCKS;

/// Image formats without active content.
const RASTER: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallResult(Bytes);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultJson<'a> {
    #[serde(borrow)]
    result_type: Option<&'a RawValue>,
    #[serde(borrow)]
    is_error: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    structured_content: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockJson<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    mime_type: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct MetaJson<'a> {
    #[serde(borrow, rename = "mcp/www_authenticate")]
    challenge: Option<&'a RawValue>,
}

/// The answer of a server to a call.
pub(crate) enum Answer {
    Result(CallResult),
    InputRequired(Box<InputRequiredResult>),
}

impl Answer {
    /// Reads the answer from the result of an operation.
    pub fn parse(result: Bytes, operation: &Operation) -> Result<Self, Fault> {
        let not_a_result = || {
            Fault::violation(match operation {
                Operation::Tool(_) => "its response is not a tool result",
                Operation::Other { .. } => "its response has no result",
            })
        };
        let fields: ResultJson<'_> = serde_json::from_slice(&result).map_err(|_| not_a_result())?;
        if text(fields.result_type).as_deref() == Some("input_required") {
            let required = serde_json::from_slice(&result);
            return required
                .map(|required| Self::InputRequired(Box::new(required)))
                .map_err(|_| Fault::violation("it asked for input without saying which"));
        }
        if matches!(operation, Operation::Other { .. }) {
            return Ok(Self::Result(CallResult(result)));
        }
        let is_result = fields.content.is_some() || fields.structured_content.is_some();
        if !is_result {
            return Err(not_a_result());
        }
        if fields.content.is_some_and(|content| Elements::<MAX>::parse(content).is_none()) {
            let limit = format!("its result is not a list of at most {MAX} parts");
            return Err(Fault::violation(&limit));
        }
        Ok(Self::Result(CallResult(result)))
    }
}

impl CallResult {
    /// Returns the result as JSON text.
    pub fn into_json(self) -> Bytes {
        self.0
    }

    /// Returns whether the tool reported a failure.
    pub fn is_error(&self) -> bool {
        boolean(self.read().and_then(|fields| fields.is_error)) == Some(true)
    }

    /// Returns whether the result carries the challenge of a 401, as some gateways do.
    pub fn has_challenge(&self) -> bool {
        let meta = self.read().and_then(|fields| fields.meta);
        let meta: MetaJson<'_> =
            meta.and_then(|meta| serde_json::from_str(meta.get()).ok()).unwrap_or_default();
        meta.challenge.is_some()
    }

    /// Returns the parts that Usher knows, and all others as JSON.
    pub fn view(&self) -> ToolCallView {
        let Some(fields) = self.read() else {
            return ToolCallView { is_error: false, content: Vec::new(), structured: None };
        };
        let blocks = fields.content.and_then(Elements::<MAX>::parse).unwrap_or_default();
        ToolCallView {
            is_error: boolean(fields.is_error) == Some(true),
            content: blocks.into_iter().map(block).collect(),
            structured: fields.structured_content.map(|structured| structured.get().to_owned()),
        }
    }

    fn read(&self) -> Option<ResultJson<'_>> {
        serde_json::from_slice(&self.0).ok()
    }
}

fn block(json: &RawValue) -> ToolContent {
    let fields: BlockJson<'_> = match is_object(json) {
        true => serde_json::from_str(json.get()).unwrap_or_default(),
        false => BlockJson::default(),
    };
    let other = || ToolContent::Other { json: json.get().to_owned() };
    match text(fields.kind).as_deref() {
        // Neither shortened nor sanitised, because a result is data. The front end sanitises it for display.
        Some("text") => text(fields.text).map_or_else(other, |text| ToolContent::Text { text }),
        Some("image") => {
            let mime_type = text(fields.mime_type).map(|kind| kind.to_ascii_lowercase());
            match (mime_type, text(fields.data)) {
                (Some(mime_type), Some(data)) if RASTER.contains(&mime_type.as_str()) => {
                    ToolContent::Image { mime_type, data }
                }
                _ => other(),
            }
        }
        // Audio, resources, links, and kinds that this version does not know.
        Some(_) | None => other(),
    }
}
