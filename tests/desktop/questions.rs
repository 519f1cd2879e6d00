//! Questions of services: they reach the person wherever the window is, say who asks, and only two buttons answer them.

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Browser, Cli, Desktop, Output, Page, PipedProcess, Window, steps};

use crate::support::{FullDesktop, SignedIn, TITLE, sign_in_to_notes};

/// Starts a call whose tool asks for a tea. The command has no terminal, so the app asks the person.
fn ask(desktop: &Desktop) -> Result<PipedProcess> {
    Cli::new(desktop).start(&["call", "notes", "ask_back"])
}

/// Returns the demo's host as the window shows it.
fn host(demo: &Demo) -> Result<String> {
    Ok(format!("127.0.0.1:{}", demo.url().port().context("the demo's address has no port")?))
}

fn check_output(output: &Output, answer: &str) {
    assert_eq!((output.code, output.stdout.trim()), (Some(0), answer), "{output:?}");
    assert!(output.stderr.contains("Waiting for an answer in Usher, until "), "{output:?}");
}

#[tokio::test]
async fn a_question_without_a_window_is_in_the_tray_and_declined_by_its_notification() -> Result<()> {
    let SignedIn { desktop, demo, app: _app } = SignedIn::start(DemoOptions::default()).await?;
    let call = ask(&desktop)?;
    desktop.tray.see_icon("attention").await?;
    let asker = format!("notes ({})", host(&demo)?);
    let first = desktop.tray.menu().await?.into_iter().next().context("the menu is empty")?;
    assert_eq!(first.label, format!("{asker} has a question – answer…"));

    let notification = desktop.notifications.see("has a question").await?;
    assert_eq!(notification.title, format!("{asker} has a question"));
    assert_eq!(
        notification.body,
        format!(
            "The usher command is running “Ask back” on {asker}.\nIt asks: “Which tea would you like, and for whom?”"
        )
    );
    assert_eq!(notification.buttons, ["Answer", "Decline"]);
    desktop.notifications.press(&notification, "Decline").await?;
    check_output(&call.finish().await?, "Declined. No tea ordered.");
    desktop.tray.see_icon("idle").await?;
    assert_eq!(desktop.windows.find(TITLE)?, None, "a window opened");
    Ok(())
}

#[tokio::test]
async fn a_notification_opens_its_question_which_only_the_buttons_answer() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = FullDesktop::start().await?;
    sign_in_to_notes(&desktop, &demo).await?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;
    page.press(&Page::id("settings")).await?;
    desktop.windows.bring_to_front(desktop.windows.open_other_window()?).await?;

    let call = ask(&desktop)?;
    let notification = desktop.notifications.see("has a question").await?;
    desktop.notifications.press(&notification, "Answer").await?;
    page.see(&Page::status("connected")).await?;
    let title = page.read(&Page::id("elicitation")).await?;
    let first_line = format!("The usher command is running “Ask back” on notes ({})", host(&demo)?);
    assert!(title.starts_with(&first_line), "{title}");

    click_outside(page).await?;
    page.see(&Page::id("elicitation")).await?;
    page.close_dialog(&Page::id("elicitation")).await?;
    page.read_until(&Page::id("questions-waiting"), "1 question waits").await?;
    assert_eq!(demo.running_tasks(), 0);
    desktop.tray.see_item("has a question – answer").await?;

    page.press_to_see(&Page::id("questions-waiting-show"), &Page::id("elicitation")).await?;
    page.fill("[data-testid=elicitation] input[id$=\"name\"]", "Ada").await?;
    choose(page, "[data-testid=elicitation] select", "Peppermint").await?;
    page.press(&Page::id("elicitation-accept")).await?;
    check_output(&call.finish().await?, "Ordered Peppermint for Ada.");
    page.see_gone(&Page::id("elicitation")).await?;
    desktop.tray.see_icon("idle").await
}

#[tokio::test]
async fn a_service_that_may_not_ask_stays_silent_after_a_restart_until_it_may_again() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    sign_in_to_notes(&desktop, &demo).await?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::status("connected")).await?;
    let call = ask(&desktop)?;
    window.page().press(&Page::id("elicitation-block")).await?;
    check_output(&call.finish().await?, "Declined. No tea ordered.");
    window.close().await?;

    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see(&Page::status("connected")).await?;
    let output = ask(&desktop)?.finish().await?;
    assert!(output.stdout.contains("does not support elicitation"), "{output:?}");
    assert!(!output.stderr.contains("Waiting for an answer"), "{output:?}");
    page.press(&Page::id("tab-details")).await?;
    page.read_until(&Page::id("questions"), "Declined without asking you").await?;
    page.press(&Page::id("allow-questions")).await?;
    page.see_gone(&Page::id("questions")).await
}

#[tokio::test]
async fn a_sign_in_ends_on_its_services_page_but_leaves_a_form_open() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    desktop.configure([("notes", demo.url().as_str()), ("tea", demo.url().as_str())])?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.press_to_see(&Page::id("server-notes"), &Page::status("needs_sign_in")).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    page.press_to_see(&Page::id("settings"), &Page::id("appearance-dark")).await?;
    steps::allow(&consent, &window).await?;

    page.press_to_see(&Page::id("server-tea"), &Page::status("needs_sign_in")).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    page.press(&Page::id("add-service")).await?;
    page.press_to_see(&Page::id("add-server"), &Page::id("add-url")).await?;
    page.fill(&Page::id("add-url"), "https://mcp.example.com").await?;
    consent.press("#allow").await?;
    let dialog = Page::id("add-dialog");
    page.read_until(&format!("{dialog} {}", Page::id("signed-in")), "tea is connected").await?;
    let typed = page.script("return document.querySelector('[data-testid=add-url]').value;").await?;
    assert_eq!(typed, "https://mcp.example.com");
    page.press_to_see(&format!("{dialog} {}", Page::id("signed-in-show")), &Page::status("connected"))
        .await?;
    page.see_gone(&Page::id("signed-in")).await
}

/// Clicks in the corner of the window, beside any dialog.
async fn click_outside(page: &Page) -> Result<()> {
    let actions = page.session().action_chain().move_to(4, 4).click();
    actions.perform().await.context("cannot click")
}

/// Selects an option of a list by its text.
async fn choose(page: &Page, selector: &str, option: &str) -> Result<()> {
    let list = page.see(selector).await?;
    let list = thirtyfour::components::SelectElement::new(&list).await.context("not a list")?;
    list.select_by_visible_text(option).await.context("cannot select the option")
}
