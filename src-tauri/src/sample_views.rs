//! Sample views for tests.

use jiff::Timestamp;
use usher_api::{
    AuthView, CallingProgram, Code, ConfigView, ElicitationView, ErrorView, NeedsSignIn, PermissionView,
    Revision, SecretStoreView, ServerId, ServerView, SignInStep, Snapshot, Status, TransportKind, Want,
};

pub fn server(name: &str, status: Status) -> ServerView {
    ServerView {
        id: ServerId(name.to_lowercase()),
        name: name.to_owned(),
        description: None,
        icon: None,
        title: None,
        catalogue: None,
        address: "https://mcp.example.com/mcp".to_owned(),
        transport: TransportKind::Http,
        status,
        auth: AuthView::Unknown,
        permission: None,
        endpoints_to_confirm: None,
        offers_device: false,
        last_error: None,
        wants: None,
        secret_requests: Vec::new(),
        program: None,
        questions_blocked: false,
        is_example: false,
        entry_error: None,
    }
    .with_wants()
}

pub trait WithWants {
    /// Recomputes `wants`, as the engine does.
    fn with_wants(self) -> Self;
}

impl WithWants for ServerView {
    fn with_wants(self) -> Self {
        let wants = Want::of(&self.status, self.permission.as_ref(), self.last_error.as_ref());
        Self { wants, ..self }
    }
}

pub fn needing_permission(name: &str) -> ServerView {
    let permission = PermissionView { scopes: vec!["write".to_owned()], tool_title: None };
    ServerView { permission: Some(permission), ..server(name, connected()) }.with_wants()
}

/// A question in a call of the command line.
pub fn question(service: &str) -> ElicitationView {
    ElicitationView {
        id: "1".to_owned(),
        server: ServerId(service.to_lowercase()),
        service: service.to_owned(),
        host: "mcp.example.com".to_owned(),
        call: None,
        tool: Some("Ask back".to_owned()),
        program: Some(CallingProgram::CommandLine),
        message: "Which page?".to_owned(),
        schema: None,
        url: None,
        expires_at: Timestamp::UNIX_EPOCH,
    }
}

pub fn snapshot(servers: impl IntoIterator<Item = ServerView>) -> Snapshot {
    Snapshot {
        revision: Revision(1),
        paused: false,
        servers: servers.into_iter().collect(),
        config: ConfigView {
            path: "/c/mcp.json".to_owned(),
            error: None,
            line: None,
            column: None,
            entry_errors: Vec::new(),
            warnings: Vec::new(),
        },
        secret_store: SecretStoreView::Keychain { error: None },
        elicitations: Vec::new(),
    }
}

pub fn connected() -> Status {
    Status::Connected { since: Timestamp::UNIX_EPOCH, protocol: "2026-07-28".to_owned(), tool_count: 6 }
}

pub fn needs(reason: NeedsSignIn) -> Status {
    Status::NeedsSignIn { reason }
}

pub fn signing_in(step: SignInStep) -> Status {
    let opened = (step == SignInStep::WaitingForBrowser).then_some(Timestamp::UNIX_EPOCH);
    Status::SigningIn {
        step,
        host: None,
        redirect: None,
        opened,
        expires_at: None,
        next_redirect: None,
        next_omits_prompt: false,
        device: None,
    }
}

pub fn error() -> ErrorView {
    ErrorView { code: Code::Internal, message: "It broke.".to_owned(), hint: None, details: None }
}
