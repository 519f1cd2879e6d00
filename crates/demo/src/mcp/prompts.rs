//! The prompts.

use rmcp::ErrorData;
use rmcp::model::{
    ContentBlock, GetPromptRequestParams, GetPromptResult, Prompt, PromptArgument, PromptMessage,
    ResourceContents, Role,
};

use super::notebook::Notebook;

pub(super) fn all() -> Vec<Prompt> {
    vec![
        Prompt::new(
            "summarise_page",
            Some("Asks for a summary of a page in three sentences."),
            Some(vec![
                PromptArgument::new("page")
                    .with_description("The page's slug, such as `bees`.")
                    .with_required(true),
            ]),
        )
        .with_title("Summarise a page"),
        Prompt::new(
            "plan_the_week",
            Some("Asks for a plan of the week based on the pages."),
            Some(vec![
                PromptArgument::new("topic")
                    .with_description("Something to include in the plan.")
                    .with_required(false),
            ]),
        )
        .with_title("Plan the week"),
    ]
}

pub(super) fn get(
    notebook: &Notebook,
    request: &GetPromptRequestParams,
) -> Result<GetPromptResult, ErrorData> {
    let argument = |name: &str| {
        request.arguments.as_ref().and_then(|arguments| arguments.get(name)).and_then(|value| value.as_str())
    };
    match request.name.as_str() {
        "summarise_page" => {
            let slug = argument("page")
                .ok_or_else(|| ErrorData::invalid_params("the argument `page` is missing", None))?;
            let page = notebook.page(slug).ok_or_else(|| ErrorData::invalid_params("unknown page", None))?;
            let contents =
                ResourceContents::text(page.text.clone(), page.uri()).with_mime_type("text/markdown");
            Ok(GetPromptResult::new(vec![
                PromptMessage::new(Role::User, ContentBlock::resource(contents)),
                PromptMessage::new_text(Role::User, "Summarise this page in three sentences."),
            ]))
        }
        "plan_the_week" => {
            let titles: String = notebook.all().iter().map(|page| format!("- {}\n", page.title)).collect();
            let topic = argument("topic").map(|topic| format!("\nInclude this: {topic}")).unwrap_or_default();
            let text = format!("Plan my week. I have these pages:\n\n{titles}{topic}");
            Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]))
        }
        _ => Err(ErrorData::invalid_params("unknown prompt", None)),
    }
}
