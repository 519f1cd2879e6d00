use jiff::Timestamp;
use usher_api::{Code, ErrorView, ServerId};

use super::*;
use crate::sample_views::{
    WithWants, connected, error, needing_permission, needs, question, server, signing_in, snapshot,
};

fn shown(snapshot: &Snapshot) -> String {
    Content::of(snapshot).to_string()
}

fn reconnecting() -> Status {
    Status::Reconnecting { attempt: 2, next_at: Timestamp::UNIX_EPOCH, why: error() }
}

#[test]
fn the_headline_says_whether_the_engine_is_starting_or_failed_to_start() {
    insta::assert_snapshot!(Content::starting(), @"
    <Working>
    (Usher is starting)
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    ");
    assert_eq!(Content::command_running().lines[0], Line::Text("The usher command is running".to_owned()));
    insta::assert_snapshot!(Content::start_failed(), @"
    <NeedsAttention>
    (Usher needs your attention)
    ---
    Usher could not start – see why…  → Open
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    ");
}

#[test]
fn without_services_the_menu_only_opens_and_quits_usher() {
    insta::assert_snapshot!(shown(&snapshot([])), @"
    <Idle>
    (No services yet)
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    ");
}

#[test]
fn connected_and_disabled_services_need_no_action() {
    let linear = server("Linear", Status::Disabled);
    insta::assert_snapshot!(shown(&snapshot([server("Notion", connected()), linear])), @r#"
    <Idle>
    (No action needed)
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
fn an_expired_sign_in_needs_attention() {
    let notion = server("Notion", needs(NeedsSignIn::Expired));
    insta::assert_snapshot!(shown(&snapshot([server("Linear", connected()), notion])), @r#"
    <NeedsAttention>
    (1 service needs your attention)
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
    insta::assert_snapshot!(shown(&snapshot([
        server("Asana", Status::Connecting),
        server("Box", signing_in(SignInStep::Discovering)),
        server("Canva", signing_in(SignInStep::WaitingForBrowser)),
        server("Figma", reconnecting()),
        server("Linear", Status::Failed { error: error() }),
        server("Notion", needs(NeedsSignIn::NeverSignedIn)),
        needing_permission("Sentry"),
        server("Vercel", Status::Paused),
        server("A name that is much too long to fit into any menu", Status::Disabled),
    ])), @r#"
    <NeedsAttention>
    (3 services need your attention)
    ---
    Asana: connecting  → OpenServer(ServerId("asana"))
    Box: signing in  → OpenServer(ServerId("box"))
    Canva: waiting for your browser – open it again…  → OpenPageAgain(ServerId("canva"))
    Figma: unreachable – retry  → Connect(ServerId("figma"))
    Linear: needs attention – see why…  → OpenServer(ServerId("linear"))
    Sign in to Notion…  → SignIn(ServerId("notion"))
    Sentry: permission needed – grant access…  → SignIn(ServerId("sentry"))
    Vercel: paused  → OpenServer(ServerId("vercel"))
    A name that is much too long to fit int…: off  → OpenServer(ServerId("a name that is much too long to fit into any menu"))
    ---
    Pause all  → PauseAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
}

#[test]
fn a_signed_out_service_and_a_running_sign_in_need_no_attention() {
    let signed_out = server("Notion", needs(NeedsSignIn::SignedOut));
    assert_eq!(Content::of(&snapshot([signed_out])).look, Look::Idle);
    for status in [Status::Connecting, reconnecting(), signing_in(SignInStep::WaitingForBrowser)] {
        let servers = [server("Notion", status), server("Linear", connected())];
        assert_eq!(Content::of(&snapshot(servers)).look, Look::Working);
    }
}

#[test]
fn a_question_in_a_call_needs_attention() {
    let mut asked = snapshot([server("Notion", connected())]);
    asked.elicitations.push(question("Notion"));
    insta::assert_snapshot!(shown(&asked), @r#"
    <NeedsAttention>
    Notion (mcp.example.com) has a question – answer…  → AnswerQuestion(ServerId("notion"), "1")
    ---
    (1 service needs your attention)
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
fn errors_of_the_secret_store_and_of_mcp_json_come_first() {
    let mut broken = snapshot([server("Notion", Status::Failed { error: error() })]);
    broken.secret_store = SecretStoreView::Keychain { error: Some(error()) };
    broken.config.error = Some(error());
    insta::assert_snapshot!(shown(&broken), @r#"
    <NeedsAttention>
    (Usher needs your attention)
    ---
    Usher cannot read the keychain – retry  → RetrySecretStore
    mcp.json has an error – see where…  → Open
    Notion: needs attention – see why…  → OpenServer(ServerId("notion"))
    ---
    Pause all  → PauseAll
    ---
    Open Usher  → Open
    Quit Usher  → Quit
    "#);
    let mut file = snapshot([server("Notion", connected())]);
    file.secret_store = SecretStoreView::File { path: "/s".to_owned(), error: Some(error()) };
    assert_eq!(Content::of(&file).look, Look::NeedsAttention);
}

#[test]
fn paused_services_can_be_resumed() {
    let mut paused = snapshot([server("Notion", Status::Paused)]);
    paused.paused = true;
    insta::assert_snapshot!(shown(&paused), @r#"
    <Idle>
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
fn a_connected_service_shows_the_action_that_it_needs() {
    let notion = || ServerId("notion".to_owned());
    let refused = |code| {
        let last_error = Some(ErrorView { code, ..error() });
        ServerView { last_error, ..server("Notion", connected()) }.with_wants()
    };
    let sign_in = click("Sign in to Notion…", Action::SignIn(notion()));
    assert_eq!(line(refused(Code::SignInRequired)), sign_in);
    assert_eq!(Content::of(&snapshot([refused(Code::SignInRequired)])).look, Look::NeedsAttention);
    let permission = click("Notion: permission needed – grant access…", Action::SignIn(notion()));
    assert_eq!(line(refused(Code::InsufficientScope)), permission);
    assert_eq!(line(server("Notion", needs(NeedsSignIn::InsufficientScope))), permission);
    let secret = click("Notion: asks for a secret – see which…", Action::OpenServer(notion()));
    let error = ErrorView { code: Code::SecretNotAllowed, ..error() };
    assert_eq!(line(server("Notion", Status::Failed { error })), secret);
}

#[test]
fn a_sign_in_whose_page_was_not_opened_offers_to_open_the_browser() {
    let mut waiting = server("Notion", signing_in(SignInStep::WaitingForBrowser));
    if let Status::SigningIn { opened, .. } = &mut waiting.status {
        *opened = None;
    }
    let open = click("Sign in to Notion: open the browser…", Action::OpenPageAgain(waiting.id.clone()));
    assert_eq!(line(waiting), open);
}

#[test]
fn the_headline_counts_unreachable_services() {
    let headline = |statuses: &[Status]| {
        let servers =
            statuses.iter().enumerate().map(|(number, status)| server(&number.to_string(), status.clone()));
        let content = Content::of(&snapshot(servers));
        assert_eq!(content.look, Look::Working);
        content.lines[0].clone()
    };
    assert_eq!(headline(&[connected(), reconnecting()]), Line::Text("1 service is unreachable".to_owned()));
    let two = [reconnecting(), reconnecting()];
    assert_eq!(headline(&two), Line::Text("2 services are unreachable".to_owned()));
    assert_eq!(headline(&[reconnecting(), Status::Connecting]), Line::Text("Working…".to_owned()));
}
