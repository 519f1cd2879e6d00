//! Hostile authorization endpoints: only a plain web address reaches the system's opener (CVE-2025-6514,
//! CVE-2025-54074).

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use usher_fake_service::{FakeService, Options};
use usher_tests::wait::until_ready;
use usher_tests::{Cli, Desktop, DesktopOptions, FakeOpener};

/// Endpoints that must not be opened.
const INVALID: [&str; 49] = [
    "",
    " ",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file://evil.example/share/run.exe",
    "ms-msdt:/id PCWDiagnostic /skip force",
    "ms-settings:privacy",
    "search-ms:query=x",
    "smb://evil.example/share",
    "\\\\evil.example\\share",
    "//evil.example/authorize",
    "/authorize",
    "authorize",
    "-flag",
    "--version",
    "-P https://accounts.example/authorize",
    "about:blank",
    "blob:https://accounts.example/1",
    "view-source:https://accounts.example/",
    "chrome://settings",
    "mailto:someone@evil.example",
    "ssh://-oProxyCommand=touch@evil.example",
    "ftp://evil.example/authorize",
    "vscode://evil.extension/run",
    "dev.usher.desktop:/oauth/callback?code=1&state=2",
    "http://accounts.example/authorize",
    "http://10.0.0.1/authorize",
    "http://localhost.evil.example/authorize",
    "http://127.0.0.1.evil.example/authorize",
    "http://127.0.0.1@evil.example/authorize",
    "https://person:password@accounts.example/authorize",
    "https://accounts.example@evil.example/authorize",
    "https://",
    "https://[::1",
    "https://accounts.example/authorize\nHost: evil.example",
    "https://accounts.example/authorize\u{0}",
    // These set a parameter that only Usher may set.
    "https://accounts.example/authorize?state=fixed",
    "https://accounts.example/authorize?redirect_uri=https%3A%2F%2Fevil.example",
    "https://accounts.example/authorize?client_id=another",
    // A shell would run these.
    "$(touch canary)",
    "https://accounts.example/authorize?tenant=`touch canary`",
    "https://accounts.example/authorize?tenant=$(touch canary)|id",
    "https://accounts.example/authorize?tenant=\"; touch canary; \"",
    "; touch canary",
];

/// Unusual but valid web addresses. Each must reach the opener as one argument, not interpreted by a shell.
const VALID: [&str; 4] = [
    "https://accounts.example/authorize",
    "https://accounts.example/authorize?tenant=a;touch+canary&b=*",
    "https://accounts.example/authorize?tenant=%24%28touch%20canary%29&x=%60id%60",
    "http://127.0.0.1:9/authorize?x=%20-flag",
];

#[tokio::test]
async fn an_invalid_authorization_endpoint_never_reaches_the_opener() -> Result<()> {
    let opened: Vec<String> = stream::iter(INVALID)
        .map(async |endpoint| {
            let case = Case::start(endpoint).await?;
            let output = case.cli.run(&as_arguments(&login(endpoint))).await?;
            anyhow::ensure!(
                output.code == Some(5),
                "{endpoint:?}: usher login exited with {:?}: {}",
                output.code,
                output.stderr
            );
            Ok((!case.opener.calls().is_empty()).then(|| endpoint.to_owned()))
        })
        .buffer_unordered(2)
        .try_filter_map(async |opened| Ok(opened))
        .try_collect()
        .await?;
    assert_eq!(opened, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_valid_authorization_endpoint_is_opened_once_as_one_argument_without_a_shell() -> Result<()> {
    for endpoint in VALID {
        let case = Case::start(endpoint).await?;
        let _login = case.cli.start(&as_arguments(&login(endpoint)))?;
        let calls = until_ready("the opener to be called", || {
            Ok(Some(case.opener.calls()).filter(|calls| !calls.is_empty()))
        })
        .await
        .with_context(|| endpoint)?;
        let [arguments] = calls.as_slice() else { anyhow::bail!("{endpoint}: opened {} times", calls.len()) };
        let [address] = arguments.as_slice() else { anyhow::bail!("{endpoint}: opened with {arguments:?}") };
        assert!(
            address.starts_with("https://accounts.example/authorize?")
                || address.starts_with("http://127.0.0.1:9/authorize?"),
            "{address}"
        );
        assert!(!case.cli.desktop.folder("home").join("canary").exists());
    }
    Ok(())
}

/// Returns a command that confirms the host of the endpoint, which is on another site than the service. Only the check
/// of the address itself can then stop it.
fn login(endpoint: &str) -> Vec<String> {
    let mut arguments = vec!["login".to_owned(), "hostile".to_owned()];
    if let Some(host) = url::Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)) {
        arguments.extend(["--confirm-host".to_owned(), host]);
    }
    arguments
}

fn as_arguments(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// A service with the given authorization endpoint, and a desktop with a fake opener.
struct Case {
    cli: Cli<Desktop>,
    opener: FakeOpener,
    _service: FakeService,
}

impl Case {
    async fn start(endpoint: &str) -> Result<Case> {
        let service = FakeService::start(Options::default()).await?;
        service.change_server_metadata(json!({ "authorization_endpoint": endpoint }));
        let desktop = Desktop::start_with(DesktopOptions::HEADLESS).await?;
        let opener = FakeOpener::install(&desktop)?;
        let cli = Cli::new(desktop).env("USHER_SECRET_STORE", "memory");
        cli.succeed(&["add", "hostile", &service.url()]).await?;
        Ok(Case { cli, opener, _service: service })
    }
}
