//! A 401 that a server hides in a tool's result, as gateways in front of web interfaces do.

use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::Value;

/// The longest text of a refusal. A longer text is about something else.
const LONGEST_REFUSAL: usize = 2000;
/// The words of refusals, in lower case (RFC 6750 §3.1, gRPC statuses, and plain English).
const WORDS: [&str; 6] = [
    "invalid_token",
    "unauthenticated",
    "unauthorized",
    "invalid authentication credentials",
    "token has expired",
    "token expired",
];

/// Returns whether a failed result says that the caller is not signed in. A result without `isError` is data.
pub(crate) fn is_refusal(result: &CallToolResult) -> bool {
    result.is_error == Some(true)
        && (result.structured_content.as_ref().is_some_and(says_so)
            || result.content.iter().any(block_says_so))
}

fn block_says_so(block: &ContentBlock) -> bool {
    let ContentBlock::Text(text) = block else { return false };
    let text = text.text.trim();
    if text.len() > LONGEST_REFUSAL {
        return false;
    }
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
        return says_so(&value);
    }
    let lower = text.to_lowercase();
    let has_word = || WORDS.iter().any(|word| lower.contains(word));
    lower.contains("invalid_token") || (has_number(&lower, "401") && has_word())
}

/// Recognises `{"status": 401}`, `{"error": "invalid_token"}`, `{"error": {"code": 401, "status": "UNAUTHENTICATED"}}`.
fn says_so(value: &Value) -> bool {
    let of = |value: &Value| {
        ["code", "status", "statusCode", "status_code", "httpStatus"].iter().any(|key| is_401(&value[*key]))
            || ["error", "status", "reason", "code"].iter().any(|key| is_word(&value[*key]))
    };
    of(value) || of(&value["error"])
}

fn is_401(value: &Value) -> bool {
    value.as_u64() == Some(401) || value.as_str() == Some("401")
}

fn is_word(value: &Value) -> bool {
    value.as_str().is_some_and(|text| WORDS.contains(&text.to_lowercase().as_str()))
}

/// Returns whether the number is in the text as a separate word.
fn has_number(text: &str, number: &str) -> bool {
    text.split(|character: char| !character.is_ascii_alphanumeric()).any(|word| word == number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn failed(text: &str) -> CallToolResult {
        CallToolResult::error(vec![ContentBlock::text(text)])
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
            let mut result = failed("no");
            result.structured_content = Some(structure.clone());
            assert!(is_refusal(&result), "{structure}");
        }
    }

    #[test]
    fn other_failures_and_data_are_not_taken_for_one() {
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
        assert!(!is_refusal(&CallToolResult::success(vec![ContentBlock::text("HTTP 401 Unauthorized")])));
        let long = format!("HTTP 401 Unauthorized {}", "x".repeat(LONGEST_REFUSAL));
        assert!(!is_refusal(&failed(&long)));
    }
}
