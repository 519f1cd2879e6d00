//! The prompts of the notebook.

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
            Some("Reads a page and asks for its essence in three sentences."),
            Some(vec![
                PromptArgument::new("page")
                    .with_description("The page's slug, such as `bees`.")
                    .with_required(true),
            ]),
        )
        .with_title("Summarise a page"),
        Prompt::new(
            "plan_the_week",
            Some("Asks for a plan of the week from what stands in the notebook."),
            Some(vec![
                PromptArgument::new("wish")
                    .with_description("What should find a place in it.")
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
                .ok_or_else(|| ErrorData::invalid_params("the argument page is missing", None))?;
            let page = notebook
                .page(slug)
                .ok_or_else(|| ErrorData::invalid_params("there is no such page", None))?;
            let contents =
                ResourceContents::text(page.text.clone(), page.uri()).with_mime_type("text/markdown");
            Ok(GetPromptResult::new(vec![
                PromptMessage::new(Role::User, ContentBlock::resource(contents)),
                PromptMessage::new_text(Role::User, "Say in three sentences what this page is about."),
            ]))
        }
        "plan_the_week" => {
            let titles: String = notebook.all().iter().map(|page| format!("- {}\n", page.title)).collect();
            let wish = argument("wish")
                .map(|wish| format!("\nThis should find a place: {wish}"))
                .unwrap_or_default();
            let text = format!("Plan my week. My notebook has these pages:\n\n{titles}{wish}");
            Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]))
        }
        _ => Err(ErrorData::invalid_params("there is no such prompt", None)),
    }
}
