//! The screens from the first start to a connected service, and the screens of errors, in light and dark.

use anyhow::Result;
use serde_json::json;
use usher_demo::{Demo, DemoOptions};
use usher_fake_service::{FakeService, Options, Reply};
use usher_tests::{
    Browser, Desktop, DesktopOptions, Keyring, Page, SelfSignedServer, Window, WindowOptions, free_port,
    steps,
};

use crate::links::UNKNOWN;
use crate::screen_check::ScreenCheck;

/// The screens before any service is connected.
#[tokio::test]
async fn the_first_screens_are_accessible() -> Result<()> {
    for screens in ScreenCheck::light_and_dark() {
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        let window = screens.open(&desktop).await?;
        let page = window.page();
        page.see(&Page::id("gallery")).await?;
        screens.check(&window, "gallery").await?;

        screens.press(&window, "add-server", &Page::id("add-url"), "add-by-address").await?;
        page.close_dialog(&Page::id("add-url")).await?;
        screens.press(&window, "connect-github", &Page::id("set-up"), "guided-set-up").await?;
        page.press(&Page::id("settings")).await?;
        screens.check(&window, "settings").await?;
        page.press(&Page::id("add-service")).await?;

        let consent = steps::try_the_demo(&window, &mut browser).await?;
        screens.check(&window, "waiting-for-browser").await?;
        consent.screenshot(&format!("{}/consent-in-the-browser", screens.theme())).await?;
        consent.press("#deny").await?;
        page.see(&Page::status("needs_sign_in")).await?;
        screens.check(&window, "denied").await?;
        screens.finish();
    }
    Ok(())
}

/// The screens of one service, from the sign-in to the sign-out.
#[tokio::test]
async fn the_screens_of_a_connected_service_are_accessible() -> Result<()> {
    for screens in ScreenCheck::light_and_dark() {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        let mut browser = Browser::install(&desktop)?;
        desktop.configure([("notes", demo.url().as_str())])?;
        let window = screens.open(&desktop).await?;
        let page = window.page();
        screens.press(&window, "server-notes", &Page::status("needs_sign_in"), "never-signed-in").await?;

        steps::sign_in(&window, &mut browser).await?;
        page.see(&Page::id("tool-search_pages")).await?;
        screens.check(&window, "connected").await?;
        page.fill(&Page::id("tool-search"), "page").await?;
        screens.check(&window, "tools-found").await?;
        // Every tool matches this letter.
        page.fill(&Page::id("tool-search"), "a").await?;
        page.press(&Page::id("tab-details")).await?;
        screens.check(&window, "details").await?;
        page.press(&Page::id("tab-tools")).await?;

        screens.press(&window, "tool-search_pages", &Page::id("tool-run"), "tool-dialog").await?;
        page.close_dialog(&Page::id("tool-dialog")).await?;
        for (tool, shown, screen) in [
            ("search_pages", "tool-result", "tool-result"),
            ("failing_task", "tool-result", "tool-failed"),
            ("draw_picture", "tool-result", "tool-picture"),
            ("slow_task", "tool-progress", "tool-running"),
        ] {
            steps::run_tool(page, tool, &[]).await?;
            page.scroll_into_view(&Page::id(shown)).await?;
            screens.check(&window, screen).await?;
            page.close_dialog(&Page::id("tool-dialog")).await?;
        }

        steps::run_tool(page, "ask_back", &[]).await?;
        page.see(&Page::id("elicitation")).await?;
        screens.check(&window, "question-of-the-service").await?;
        page.press(&Page::id("elicitation-decline")).await?;
        page.see_gone(&Page::id("elicitation")).await?;
        page.close_dialog(&Page::id("tool-dialog")).await?;

        page.press(&Page::id("tab-details")).await?;
        screens.press(&window, "remove", &Page::id("remove-confirm"), "remove").await?;
        page.press(&Page::id("remove-cancel")).await?;
        screens.press(&window, "sign-out", &Page::status("needs_sign_in"), "signed-out").await?;
        screens.finish();
    }
    Ok(())
}

/// The errors of services.
#[tokio::test]
async fn the_screens_of_service_errors_are_accessible() -> Result<()> {
    for screens in ScreenCheck::light_and_dark() {
        let start = || FakeService::start(Options::default());
        let (html, issuer, script) = (start().await?, start().await?, start().await?);
        let (rejected, unregistered, broken) = (start().await?, start().await?, start().await?);
        html.on_all(Reply::html_page(200));
        issuer.change_server_metadata(json!({ "issuer": "https://evil.example" }));
        script.change_server_metadata(json!({ "authorization_endpoint": "javascript:alert(1)" }));
        rejected.on("POST /register", Reply::rejected_registration());
        unregistered.change_server_metadata(json!({ "registration_endpoint": null }));
        broken.on("POST /token", Reply::text(500, "out of order"));
        let tls = SelfSignedServer::start().await?;
        let desktop = Desktop::start().await?;
        let browser = Browser::install(&desktop)?;
        desktop.configure([
            ("unreachable", format!("http://127.0.0.1:{}/mcp", free_port()?).as_str()),
            ("certificate", &tls.url()),
            ("html", &html.url()),
            ("issuer", &issuer.url()),
            ("script", &script.url()),
            ("rejected", &rejected.url()),
            ("unregistered", &unregistered.url()),
            ("broken", &broken.url()),
        ])?;
        let window = screens.open(&desktop).await?;
        let page = window.page();
        for (server, state) in
            [("unreachable", "reconnecting"), ("certificate", "failed"), ("html", "failed")]
        {
            screens.press(&window, &format!("server-{server}"), &Page::status(state), server).await?;
        }
        for server in ["issuer", "script", "rejected", "unregistered"] {
            page.press(&Page::id(&format!("server-{server}"))).await?;
            let screen = format!("sign-in-{server}");
            screens.press(&window, "sign-in", &Page::id("error-message"), &screen).await?;
        }
        assert_eq!(browser.opened(), Vec::<String>::new());

        page.press(&Page::id("server-broken")).await?;
        page.press_to_see(&Page::id("sign-in"), &Page::id("error-message")).await?;
        browser.until_opened(1).await?;
        screens.check(&window, "sign-in-broken").await?;
        screens.finish();
    }
    Ok(())
}

/// The errors of the keychain, of `mcp.json` and of a callback link.
#[tokio::test]
async fn the_screens_of_local_errors_are_accessible() -> Result<()> {
    for screens in ScreenCheck::light_and_dark() {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start_with(DesktopOptions::WITHOUT_KEYRING).await?;
        desktop.configure([("notes", demo.url().as_str())])?;
        let window = screens.open(&desktop).await?;
        window.page().see(&Page::id("keychain-error")).await?;
        screens.check(&window, "no-keychain").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        Keyring::lock(desktop.bus()?)?;
        desktop.configure([("notes", demo.url().as_str())])?;
        let window = screens.open(&desktop).await?;
        window.page().see(&Page::id("keychain-error")).await?;
        screens.check(&window, "locked-keychain").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        let window = screens.open(&desktop).await?;
        window.page().see(&Page::id("gallery")).await?;
        desktop.write_config(Desktop::BROKEN_CONFIG)?;
        window.page().see(&Page::id("config-error")).await?;
        screens.check(&window, "broken-config").await?;
        window.close().await?;

        let desktop = Desktop::start().await?;
        let arguments = vec![UNKNOWN.to_owned()];
        let options = WindowOptions { dark: screens.dark, arguments, ..WindowOptions::default() };
        let window = Window::open_with(&desktop, options).await?;
        window.page().see(&Page::id("notice")).await?;
        screens.check(&window, "started-by-a-late-link").await?;
        screens.finish();
    }
    Ok(())
}
