//! Conversion of a server's lists and results to views. Control characters are removed from titles and descriptions;
//! markup is not.

use rmcp::model::{CallToolResult, ContentBlock, Prompt, Resource, Tool};
use usher_api::{PromptArgumentView, PromptView, ResourceView, ToolCallView, ToolContent, ToolView};
use usher_config::display_text;

const LONGEST_NAME: usize = 200;
const LONGEST_DESCRIPTION: usize = 20_000;
const LONGEST_INDENT: usize = 16;

/// Image formats without active content.
const RASTER: [&str; 5] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp"];

pub(crate) fn tool(tool: &Tool) -> ToolView {
    let annotations = tool.annotations.as_ref();
    let title = tool.title.as_deref().or_else(|| annotations.and_then(|hints| hints.title.as_deref()));
    ToolView {
        // The name stays unchanged, because a call sends it back to the server.
        name: tool.name.to_string(),
        title: title.map(name),
        description: tool.description.as_deref().map(description),
        input_schema: json(tool.input_schema.as_ref()),
        output_schema: tool.output_schema.as_deref().map(json),
        read_only: annotations.and_then(|hints| hints.read_only_hint),
        destructive: annotations.and_then(|hints| hints.destructive_hint),
    }
}

pub(crate) fn resource(resource: &Resource) -> ResourceView {
    ResourceView {
        uri: resource.uri.clone(),
        name: name(&resource.name),
        title: resource.title.as_deref().map(name),
        description: resource.description.as_deref().map(description),
        mime_type: resource.mime_type.as_deref().map(name),
    }
}

pub(crate) fn prompt(prompt: &Prompt) -> PromptView {
    let arguments = prompt.arguments.iter().flatten().map(|argument| PromptArgumentView {
        name: argument.name.clone(),
        description: argument.description.as_deref().map(description),
        required: argument.required.unwrap_or(false),
    });
    PromptView {
        name: prompt.name.clone(),
        title: prompt.title.as_deref().map(name),
        description: prompt.description.as_deref().map(description),
        arguments: arguments.collect(),
    }
}

pub(crate) fn tool_call(result: &CallToolResult) -> ToolCallView {
    ToolCallView {
        is_error: result.is_error.unwrap_or(false),
        content: result.content.iter().map(content).collect(),
        structured: result.structured_content.as_ref().map(json),
    }
}

fn content(block: &ContentBlock) -> ToolContent {
    match block {
        // Neither shortened nor sanitised, because a result is data. The front end sanitises it for display.
        ContentBlock::Text(text) => ToolContent::Text { text: text.text.clone() },
        ContentBlock::Image(image) if RASTER.contains(&image.mime_type.to_ascii_lowercase().as_str()) => {
            ToolContent::Image { mime_type: image.mime_type.to_ascii_lowercase(), data: image.data.clone() }
        }
        // Other images, audio, resources, links, and kinds that this version does not know.
        _ => ToolContent::Other { json: json(block) },
    }
}

/// Sanitises a name or title for one line.
pub(crate) fn name(text: &str) -> String {
    display_text(text, LONGEST_NAME)
}

/// Sanitises a description. Line breaks and indentation stay, because markdown needs them.
fn description(text: &str) -> String {
    let mut cleaned = String::new();
    for line in text.lines() {
        let indent = line.chars().take_while(|character| *character == ' ').count().min(LONGEST_INDENT);
        let line = display_text(line, LONGEST_DESCRIPTION);
        if cleaned.len() + line.len() > LONGEST_DESCRIPTION {
            cleaned.push('…');
            break;
        }
        if !cleaned.is_empty() {
            cleaned.push('\n');
        }
        cleaned.extend(std::iter::repeat_n(' ', indent));
        cleaned.push_str(&line);
    }
    cleaned
}

fn json(value: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}
