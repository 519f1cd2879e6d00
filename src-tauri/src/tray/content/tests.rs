use jiff::Timestamp;
use usher_api::{Code, ElicitationView, ErrorView, ServerId};

use super::*;
use crate::samples::{connected, error, needs, server, signing_in, snapshot, wanting_more};

fn shown(snapshot: &Snapshot) -> String {
    Content::of(snapshot).to_string()
}

fn reconnecting() -> Status {
    Status::Reconnecting { attempt: 2, next_at: Timestamp::UNIX_EPOCH, why: error() }
}

#[test]
fn before_and_without_an_engine() {
    insta::assert_snapshot!(Content::starting(), @"
    <Working>
    (Usher is starting)
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    ");
    assert_eq!(Content::command_runs().lines[0], Line::Words("An usher command is at work".to_owned()));
    insta::assert_snapshot!(Content::not_started(), @"
    <NeedsYou>
    (Usher needs you)
    ---
    Usher could not start: see why…  → Open
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    ");
}

#[test]
fn nothing_there_yet() {
    insta::assert_snapshot!(shown(&snapshot([])), @"
    <AllWell>
    (No services yet)
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    ");
}

#[test]
fn all_is_well() {
    let linear = server("Linear", Status::Disabled);
    insta::assert_snapshot!(shown(&snapshot([server("Notion", connected()), linear])), @r#"
    <AllWell>
    (All is well)
    ---
    Notion: connected  → OpenServer(ServerId("notion"))
    Linear: off  → OpenServer(ServerId("linear"))
    ---
    Pause all  → PauseAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
}

#[test]
fn one_service_needs_its_person() {
    let notion = server("Notion", needs(NeedsSignIn::Expired));
    insta::assert_snapshot!(shown(&snapshot([server("Linear", connected()), notion])), @r#"
    <NeedsYou>
    (A service needs you)
    ---
    Linear: connected  → OpenServer(ServerId("linear"))
    Sign in to Notion…  → SignIn(ServerId("notion"))
    ---
    Pause all  → PauseAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
}

#[test]
fn every_state_has_its_line() {
    let unsupported = Status::Unsupported { why: "sse".to_owned() };
    insta::assert_snapshot!(shown(&snapshot([
        server("Asana", Status::Connecting),
        server("Box", signing_in(SignInStep::Discovering)),
        server("Canva", signing_in(SignInStep::WaitingForBrowser)),
        server("Figma", reconnecting()),
        server("Linear", Status::Failed { error: error() }),
        server("Notion", needs(NeedsSignIn::NeverSignedIn)),
        wanting_more("Sentry"),
        server("Slack", unsupported),
        server("Vercel", Status::Paused),
        server("A name that somebody made far too long for any menu", Status::Disabled),
    ])), @r#"
    <NeedsYou>
    (3 services need you)
    ---
    Asana: connecting  → OpenServer(ServerId("asana"))
    Box: signing in  → OpenServer(ServerId("box"))
    Canva waits in the browser: show it again…  → OpenPageAgain(ServerId("canva"))
    Figma: not reached, try now  → Connect(ServerId("figma"))
    Linear failed: see why…  → OpenServer(ServerId("linear"))
    Sign in to Notion…  → SignIn(ServerId("notion"))
    Sentry wants more permission: grant access…  → SignIn(ServerId("sentry"))
    Slack: not run by Usher yet  → OpenServer(ServerId("slack"))
    Vercel: paused  → OpenServer(ServerId("vercel"))
    A name that somebody made far too long …: off  → OpenServer(ServerId("a name that somebody made far too long for any menu"))
    ---
    Pause all  → PauseAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
}

#[test]
fn who_signed_out_or_is_at_it_is_left_alone() {
    let signed_out = server("Notion", needs(NeedsSignIn::SignedOut));
    assert_eq!(Content::of(&snapshot([signed_out])).look, Look::AllWell);
    for status in [Status::Connecting, reconnecting(), signing_in(SignInStep::WaitingForBrowser)] {
        let servers = [server("Notion", status), server("Linear", connected())];
        assert_eq!(Content::of(&snapshot(servers)).look, Look::Working);
    }
}

#[test]
fn a_question_in_a_call_needs_the_person() {
    let mut asked = snapshot([server("Notion", connected())]);
    asked.elicitations.push(ElicitationView {
        id: "1".to_owned(),
        server: ServerId("notion".to_owned()),
        call: None,
        message: "Which page?".to_owned(),
        schema: None,
        url: None,
    });
    insta::assert_snapshot!(shown(&asked), @r#"
    <NeedsYou>
    (A service needs you)
    ---
    Notion has a question…  → OpenServer(ServerId("notion"))
    ---
    Pause all  → PauseAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
}

#[test]
fn a_store_or_a_file_that_cannot_be_read_comes_first() {
    let mut broken = snapshot([server("Notion", Status::Failed { error: error() })]);
    broken.secret_store = SecretStoreView::Keychain { error: Some(error()) };
    broken.config.error = Some(error());
    insta::assert_snapshot!(shown(&broken), @r#"
    <NeedsYou>
    (Usher needs you)
    ---
    Usher cannot read the keychain: try again  → RetrySecretStore
    mcp.json has a fault: see where…  → Open
    Notion failed: see why…  → OpenServer(ServerId("notion"))
    ---
    Pause all  → PauseAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
    let mut file = snapshot([server("Notion", connected())]);
    file.secret_store = SecretStoreView::File { path: "/s".to_owned(), error: Some(error()) };
    assert_eq!(Content::of(&file).look, Look::NeedsYou);
}

#[test]
fn a_pause_can_be_ended() {
    let mut paused = snapshot([server("Notion", Status::Paused)]);
    paused.paused = true;
    insta::assert_snapshot!(shown(&paused), @r#"
    <AllWell>
    (Paused)
    ---
    Notion: paused  → OpenServer(ServerId("notion"))
    ---
    Resume all  → ResumeAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
}

fn line(server: ServerView) -> Line {
    server_line(&server, &snapshot([server.clone()]))
}

#[test]
fn what_a_connected_service_wants_is_in_its_line() {
    let notion = || ServerId("notion".to_owned());
    let refused = |code| ServerView {
        last_error: Some(ErrorView { code, ..error() }),
        ..server("Notion", connected())
    };
    let sign_in = click("Sign in to Notion…", Action::SignIn(notion()));
    assert_eq!(line(refused(Code::SignInRequired)), sign_in);
    assert_eq!(Content::of(&snapshot([refused(Code::SignInRequired)])).look, Look::NeedsYou);
    let permission = click("Notion wants more permission: grant access…", Action::SignIn(notion()));
    assert_eq!(line(refused(Code::InsufficientScope)), permission);
    assert_eq!(line(server("Notion", needs(NeedsSignIn::MorePermissionNeeded))), permission);
}

#[test]
fn a_page_that_no_browser_shows_is_not_said_to_wait_there() {
    let mut waiting = server("Notion", signing_in(SignInStep::WaitingForBrowser));
    if let Status::SigningIn { opened, .. } = &mut waiting.status {
        *opened = None;
    }
    let open = click("Sign in to Notion: open the browser…", Action::OpenPageAgain(waiting.id.clone()));
    assert_eq!(line(waiting), open);
}

#[test]
fn services_of_one_title_go_by_their_own_names_too() {
    let named =
        |id: &str, name: &str| ServerView { id: ServerId(id.to_owned()), ..server(name, connected()) };
    let servers = [named("work", "Notion"), named("home", "Notion"), named("linear", "Linear")];
    assert_eq!(
        servers.each_ref().map(|server| label(server, &servers)),
        ["Notion (work)", "Notion (home)", "Linear"]
    );
    // The engine tells them apart at the end of a name, which a line has no room for where it is long.
    let long = "The quarterly planning workspace of the company";
    let servers = ["work", "home"].map(|id| named(id, &format!("{long} ({id})")));
    let labels = servers.each_ref().map(|server| label(server, &servers));
    assert!(labels[0].ends_with("(work)") && labels[1].ends_with("(home)"), "{labels:?}");
}

#[test]
fn what_is_not_reached_is_not_said_to_be_at_work() {
    let headline = |statuses: &[Status]| {
        let servers =
            statuses.iter().enumerate().map(|(number, status)| server(&number.to_string(), status.clone()));
        let content = Content::of(&snapshot(servers));
        assert_eq!(content.look, Look::Working);
        content.lines[0].clone()
    };
    assert_eq!(headline(&[connected(), reconnecting()]), Line::Words("A service is not reached".to_owned()));
    let two = [reconnecting(), reconnecting()];
    assert_eq!(headline(&two), Line::Words("2 services are not reached".to_owned()));
    assert_eq!(headline(&[reconnecting(), Status::Connecting]), Line::Words("Working…".to_owned()));
}
