//! The forms for the kinds of entries: each is filled in, saved, signed in with, and changed to another kind.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use usher_demo::{Demo, DemoOptions};
use usher_fake_service::{FakeService, Options, http_client};
use usher_tests::{Browser, Desktop, Page, Window, steps};

const TOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/tool.sh");

#[tokio::test]
async fn a_service_with_a_key_becomes_one_with_a_sign_in() -> Result<()> {
    let service = FakeService::start(Options { requires_authorization: false, ..Options::default() }).await?;
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = Window::open(&desktop).await?;
    let page = window.page();

    type_entry(page, &service.url(), &service.url()).await?;
    page.press(&Page::id("entry-settings")).await?;
    page.press(&Page::id("api-key")).await?;
    page.fill(&Page::id("api-key-header"), "X-Key").await?;
    page.fill(&Page::id("api-key-value"), "hush-7").await?;
    page.screenshot("form-key").await?;
    page.press_to_see(&Page::id("add-submit"), &Page::status("connected")).await?;
    let key = service.requests().last().and_then(|request| request.headers.get("x-key").cloned());
    ensure!(key.as_ref().is_some_and(|key| key == "hush-7"), "the service got {key:?}");
    ensure!(!read_config(&desktop)?.contains("hush-7"), "the key is in mcp.json");
    ensure!(desktop.stored_secrets()?.contains("hush-7"), "the key is not in the keychain");

    edit(page).await?;
    page.fill(&Page::id("entry-url"), demo.url().as_str()).await?;
    page.press(&format!("{} button:last-of-type", Page::id("stored-headers.X-Key"))).await?;
    page.read_until(&Page::id("entry-removals"), "Saving deletes secrets that nothing else uses").await?;
    page.screenshot("form-key-to-sign-in").await?;
    save(page).await?;
    page.see(&Page::status("needs_sign_in")).await?;
    ensure!(!desktop.stored_secrets()?.contains("hush-7"), "the key is still in the keychain");
    steps::sign_in(&window, &mut browser).await?;
    search(&window).await
}

#[tokio::test]
async fn a_service_with_the_persons_own_client_becomes_a_program() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let (client_id, client_secret) = register(&demo).await?;
    demo.forget_requests();
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = Window::open(&desktop).await?;
    let page = window.page();

    type_entry(page, demo.url().as_str(), demo.url().as_str()).await?;
    page.read_until(&Page::id("entry-preview"), "you sign in with your browser").await?;
    page.press(&Page::id("entry-settings")).await?;
    page.press(&format!("{} summary", Page::id("oauth-fields"))).await?;
    page.fill(&Page::id("entry-client-id"), &client_id).await?;
    page.fill(&Page::id("entry-client-secret"), &client_secret).await?;
    page.screenshot("form-client").await?;
    page.press_to_see(&Page::id("add-submit"), &Page::id("waiting")).await?;
    steps::allow(&steps::consent(&mut browser).await?, &window).await?;
    search(&window).await?;
    let registered = demo.requests().iter().any(|request| request.path == "/register");
    ensure!(!registered, "Usher registered a client beside the one that the person entered");
    ensure!(!read_config(&desktop)?.contains(&client_secret), "the secret is in mcp.json");
    ensure!(desktop.stored_secrets()?.contains(&client_secret), "the secret is not in the keychain");

    edit(page).await?;
    page.press(&Page::id("entry-json-toggle")).await?;
    page.fill(&Page::id("entry-json"), &json!({ "command": TOOL, "args": ["quiet"] }).to_string()).await?;
    let removed = page.read_until(&Page::id("entry-removals"), "Saving signs you out").await?;
    ensure!(removed.contains("Saving deletes secrets that nothing else uses"), "{removed}");
    let launch = page.read_until(&Page::id("entry-preview"), "tool.sh").await?;
    ensure!(launch.contains("quiet"), "{launch}");
    page.screenshot("form-client-to-program").await?;
    save(page).await?;
    page.see(&Page::status("connected")).await?;
    let stored = desktop.stored_secrets()?;
    ensure!(!stored.contains(&client_secret) && !stored.contains("label = Usher:"), "{stored}");
    Ok(())
}

#[tokio::test]
async fn a_program_with_a_secret_becomes_a_service() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = Window::open(&desktop).await?;
    let page = window.page();

    let program = json!({ "command": TOOL, "args": ["quiet"], "env": { "KEY": "{{tool_key}}" } });
    type_entry(page, &json!({ "mcpServers": { "tool": program } }).to_string(), "tool.sh").await?;
    page.fill(&Page::id("secret-tool_key"), "hush-9").await?;
    page.screenshot("form-program").await?;
    page.press_to_see(&Page::id("add-submit"), &Page::status("connected")).await?;
    let result = steps::call_tool(&window, "show", &[]).await?;
    ensure!(result.contains("hush-9"), "{result}");
    page.close_dialog(&Page::id("tool-dialog")).await?;

    edit(page).await?;
    page.fill(&Page::id("entry-args"), "chatty").await?;
    page.fill(&Page::id("entry-title"), "My tool").await?;
    page.read_until(&Page::id("entry-preview"), "chatty").await?;
    save(page).await?;
    // The person has just seen and saved the new launch, so it is not asked about.
    page.see(&Page::status("connected")).await?;
    ensure!(read_config(&desktop)?.contains("chatty"), "the argument was not saved");

    edit(page).await?;
    page.read_until(&Page::id("entry-dialog"), "My tool").await?;
    page.press(&Page::id("entry-json-toggle")).await?;
    page.fill(&Page::id("entry-json"), &json!({ "url": demo.url() }).to_string()).await?;
    page.read_until(&Page::id("entry-removals"), "tool_key").await?;
    save(page).await?;
    page.see(&Page::status("needs_sign_in")).await?;
    ensure!(!desktop.stored_secrets()?.contains("hush-9"), "the secret is still in the keychain");
    steps::sign_in(&window, &mut browser).await?;
    search(&window).await
}

#[tokio::test]
async fn an_icon_a_prompt_and_parameters_are_saved_beside_the_comments() -> Result<()> {
    let service = FakeService::start(Options { requires_authorization: false, ..Options::default() }).await?;
    let desktop = Desktop::start().await?;
    let text = r#"{
  "mcpServers": {
    "notes": {
      // The team's notes.
      "type": "http",
      "url": "ADDRESS" // by IT
    }
  }
}
"#;
    desktop.write_config(&text.replace("ADDRESS", &service.url()))?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see(&Page::status("connected")).await?;
    edit(page).await?;
    page.fill(&Page::id("entry-icon"), "★").await?;
    page.press(&format!("{} summary", Page::id("oauth-fields"))).await?;
    page.fill(&Page::id("entry-prompt"), " login  consent ").await?;
    page.press(&Page::id("parameters-add")).await?;
    let field = |number: usize| format!("{} input:nth-of-type({number})", Page::id("parameters"));
    page.fill(&field(2), "acme").await?;
    page.fill(&field(1), "organization").await?;
    page.screenshot("form-parameters").await?;
    save(page).await?;

    let saved = read_config(&desktop)?;
    let expected = r#"{
  "mcpServers": {
    "notes": {
      // The team's notes.
      "type": "http",
      "url": "ADDRESS", // by IT
      "icon": "★",
      "oauth": {
        "prompt": "login consent",
        "parameters": {
          "organization": "acme"
        }
      }
    }
  }
}
"#;
    ensure!(saved == expected.replace("ADDRESS", &service.url()), "{saved}");
    edit(page).await?;
    page.see(&Page::id("parameters")).await?;
    for (selector, value) in [
        (Page::id("entry-icon"), "★"),
        (Page::id("entry-prompt"), "login consent"),
        (field(1), "organization"),
    ] {
        let shown = page.see(&selector).await?.value().await?;
        ensure!(shown.as_deref() == Some(value), "{selector} has {shown:?}");
    }
    Ok(())
}

/// Opens the form for a new entry, types an address, a command or JSON, and waits until the preview contains `shown`.
async fn type_entry(page: &Page, text: &str, shown: &str) -> Result<()> {
    page.press(&Page::id("add-service")).await?;
    page.press_to_see(&Page::id("add-server"), &Page::id("add-url")).await?;
    page.fill(&Page::id("add-url"), text).await?;
    page.read_until(&Page::id("entry-preview"), shown).await?;
    Ok(())
}

/// Opens the form for the entry of the service on the page.
async fn edit(page: &Page) -> Result<()> {
    page.press_to_see(&Page::id("tab-details"), &Page::id("edit")).await?;
    page.press_to_see(&Page::id("edit"), &Page::id("entry-dialog")).await
}

async fn save(page: &Page) -> Result<()> {
    page.press(&Page::id("add-submit")).await?;
    page.see_gone(&Page::id("entry-dialog")).await
}

/// Calls a tool of the demo.
async fn search(window: &Window) -> Result<()> {
    window.page().press(&Page::id("tab-tools")).await?;
    let result = steps::call_tool(window, "search_pages", &[("query", "welcome")]).await?;
    ensure!(result.to_lowercase().contains("welcome"), "{result}");
    window.page().close_dialog(&Page::id("tool-dialog")).await
}

fn read_config(desktop: &Desktop) -> Result<String> {
    std::fs::read_to_string(desktop.config_file()).context("cannot read mcp.json")
}

/// Registers a client with a secret, as a person does on a service's page for developers. Returns its id and secret.
async fn register(demo: &Demo) -> Result<(String, String)> {
    let metadata = json!({
        "client_name": "Usher",
        "redirect_uris": ["dev.usher.desktop:/oauth/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let http = http_client().build()?;
    let response = http.post(format!("{}/register", demo.issuer())).json(&metadata).send().await?;
    let client: Value = response.error_for_status()?.json().await?;
    let text = |name: &str| client[name].as_str().map(str::to_owned);
    text("client_id").zip(text("client_secret")).context("the demo registered a client without a secret")
}
