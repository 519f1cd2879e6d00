//! Detection of a 401 that a server returns inside a tool's result, as gateways to web APIs do.

use serde_json::Value;
use usher_api::ToolContent;
use usher_budgets as budgets;

use crate::connection::call_result::CallResult;

/// The phrases that mark a refusal, in lower case (RFC 6750 §3.1, gRPC statuses, and plain English).
const PHRASES: [&str; 6] = [
    "invalid_token",
    "unauthenticated",
    "unauthorized",
    "invalid authentication credentials",
    "token has expired",
    "token expired",
];

/// Returns whether a result is an error which says that the caller is not signed in. A result without `isError` is
/// data.
pub(crate) fn is_refusal(result: &CallResult) -> bool {
    if !result.is_error() {
        return false;
    }
    let view = result.view();
    result.has_challenge()
        || view.structured.as_deref().is_some_and(structure_is_refusal)
        || view.content.iter().any(block_is_refusal)
}

fn structure_is_refusal(json: &str) -> bool {
    json.len() <= budgets::REFUSAL_BYTES
        && serde_json::from_str(json).is_ok_and(|value| json_is_refusal(&value))
}

fn block_is_refusal(block: &ToolContent) -> bool {
    let ToolContent::Text { text } = block else { return false };
    let text = text.trim();
    if text.len() > budgets::REFUSAL_BYTES {
        return false;
    }
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
        return json_is_refusal(&value);
    }
    let lower = text.to_lowercase();
    let has_phrase = || PHRASES.iter().any(|word| lower.contains(word));
    lower.contains("invalid_token") || (has_number(&lower, "401") && has_phrase())
}

/// Recognises `{"status": 401}`, `{"error": "invalid_token"}`, `{"error": {"code": 401, "status": "UNAUTHENTICATED"}}`.
fn json_is_refusal(value: &Value) -> bool {
    let has_refusal = |value: &Value| {
        ["code", "status", "statusCode", "status_code", "httpStatus"].iter().any(|key| is_401(&value[*key]))
            || ["error", "status", "reason", "code"].iter().any(|key| is_phrase(&value[*key]))
    };
    has_refusal(value) || has_refusal(&value["error"])
}

fn is_401(value: &Value) -> bool {
    value.as_u64() == Some(401) || value.as_str() == Some("401")
}

fn is_phrase(value: &Value) -> bool {
    value.as_str().is_some_and(|text| PHRASES.contains(&text.to_lowercase().as_str()))
}

/// Returns whether the text contains the number as a separate word.
fn has_number(text: &str, number: &str) -> bool {
    text.split(|character: char| !character.is_ascii_alphanumeric()).any(|word| word == number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use rmcp::model::CallToolRequestParams;

    use super::*;
    use crate::connection::call_result::Answer;
    use crate::connection::operation::Operation;

    fn result(json: &Value) -> CallResult {
        let operation = Operation::Tool(CallToolRequestParams::new("read"));
        match Answer::parse(json.to_string().into(), &operation) {
            Ok(Answer::Result(result)) => result,
            _ => panic!("not a result: {json}"),
        }
    }

    fn failed(text: &str) -> CallResult {
        result(&json!({ "content": [{ "type": "text", "text": text }], "isError": true }))
    }

    #[test]
    fn refusals_are_recognised_in_text_and_structure() {
        let texts = [
            "HTTP 401 Unauthorized",
            "Error: request failed with status code 401: Unauthorized",
            "invalid_token: the access token is expired",
            r#"{"error": {"code": 401, "message": "…", "status": "UNAUTHENTICATED"}}"#,
            "401 Request had invalid authentication credentials.",
        ];
        for text in texts {
            assert!(is_refusal(&failed(text)), "{text}");
        }
        let structures = [
            json!({ "status": 401 }),
            json!({ "error": "invalid_token" }),
            json!({ "error": { "status": "UNAUTHENTICATED" } }),
            json!({ "statusCode": "401" }),
        ];
        for structure in structures {
            let failed = json!({ "content": [], "structuredContent": structure, "isError": true });
            assert!(is_refusal(&result(&failed)), "{structure}");
        }
    }

    #[test]
    fn a_failed_result_with_a_challenge_is_a_refusal() {
        let challenge = json!({ "mcp/www_authenticate": ["Bearer error=\"invalid_token\""] });
        for is_error in [true, false] {
            let json = json!({ "content": [], "isError": is_error, "_meta": challenge });
            assert_eq!(is_refusal(&result(&json)), is_error);
        }
    }

    #[test]
    fn other_failures_and_data_are_not_refusals() {
        let texts = [
            "Page 401 of 500 is empty.",
            "There are 4010 unauthorized copies.",
            "You are not allowed to do this (403 Forbidden).",
            r#"{"error": {"code": 404}}"#,
            "The pencil broke.",
        ];
        for text in texts {
            assert!(!is_refusal(&failed(text)), "{text}");
        }
        assert!(!is_refusal(&result(
            &json!({ "content": [{ "type": "text", "text": "HTTP 401 Unauthorized" }] })
        )));
        let long = format!("HTTP 401 Unauthorized {}", "x".repeat(budgets::REFUSAL_BYTES));
        assert!(!is_refusal(&failed(&long)));
    }
}
