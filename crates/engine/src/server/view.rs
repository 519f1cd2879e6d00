//! A server's public view, derived from its state.

use usher_api::{
    AuthView, Code, EndpointsView, RegistrationKind, SecretRequestView, ServerView, SignInStep, Status, Want,
};
use usher_config::{catalogue_by_url, display_text};
use usher_oauth::ForeignEndpoints;

use super::phase::{Phase, SignIn, Stage};
use super::state::ServerTask;

pub(crate) const LONGEST_ADDRESS: usize = 2000;

pub(super) fn view(task: &ServerTask) -> ServerView {
    let catalogue = task.endpoint.url().and_then(catalogue_by_url);
    let (status, permission, last_error) = (status(task), task.permission(), task.outbox.error());
    ServerView {
        id: task.id.clone(),
        name: task.own_name(),
        description: task.shown.description.clone(),
        icon: task.shown.icon.clone(),
        title: task.own_title(),
        catalogue: catalogue.map(|entry| entry.slug.clone()),
        address: display_text(task.endpoint.address(), LONGEST_ADDRESS),
        transport: task.endpoint.kind(),
        wants: Want::of(&status, permission.as_ref(), last_error),
        secret_requests: secret_requests(task),
        status,
        auth: auth(task),
        permission,
        endpoints_to_confirm: endpoints_to_confirm(task),
        offers_device: offers_device(task),
        last_error: last_error.cloned(),
        program: task.endpoint.program().map(|program| program.view()),
        questions_blocked: task.context.learned.has_questions_blocked(&task.id),
        is_example: task.shown.is_example,
        entry_error: None,
    }
}

/// Returns the uses of secrets that the person must allow before the server can be used.
fn secret_requests(task: &ServerTask) -> Vec<SecretRequestView> {
    let http = task.endpoint.http().filter(|_| task.waits_for_secret());
    http.map(|http| http.secret_requests()).unwrap_or_default()
}

fn status(task: &ServerTask) -> Status {
    match task.phase.get() {
        Phase::Disabled => Status::Disabled,
        Phase::Paused => Status::Paused,
        Phase::Connecting { .. } => Status::Connecting,
        Phase::NeedsSignIn { reason } => Status::NeedsSignIn { reason: *reason },
        Phase::SigningIn(sign_in) => signing_in(task, sign_in),
        Phase::Connected(live) => Status::Connected {
            since: live.since,
            protocol: display_text(&live.connection.protocol(), 40),
            tool_count: u32::try_from(live.tools.len()).unwrap_or(u32::MAX),
        },
        Phase::Reconnecting { attempt, next_at, why, .. } => {
            Status::Reconnecting { attempt: (*attempt).max(1), next_at: *next_at, why: why.clone() }
        }
        Phase::Failed { error, .. } => Status::Failed { error: error.clone() },
    }
}

fn signing_in(task: &ServerTask, sign_in: &SignIn) -> Status {
    let step = match &sign_in.stage {
        Stage::Probing { .. } => SignInStep::Discovering,
        Stage::Preparing { step, .. } => *step,
        Stage::Waiting(_) => SignInStep::WaitingForBrowser,
        Stage::WaitingForDevice(_) => SignInStep::WaitingForDevice,
        Stage::Exchanging { .. } => SignInStep::Exchanging,
        Stage::Connecting { .. } => SignInStep::Connecting,
    };
    let next = match &sign_in.stage {
        Stage::Waiting(waiting) => sign_in.redirect.and_then(|redirect| task.next_attempt(redirect, waiting)),
        Stage::Probing { .. }
        | Stage::Preparing { .. }
        | Stage::WaitingForDevice(_)
        | Stage::Exchanging { .. }
        | Stage::Connecting { .. } => None,
    };
    let device = match &sign_in.stage {
        Stage::WaitingForDevice(waiting) => Some(waiting.view.clone()),
        Stage::Probing { .. }
        | Stage::Preparing { .. }
        | Stage::Waiting(_)
        | Stage::Exchanging { .. }
        | Stage::Connecting { .. } => None,
    };
    Status::SigningIn {
        step,
        host: sign_in.host.clone(),
        redirect: sign_in.redirect,
        opened: sign_in.opened,
        expires_at: sign_in.expires_at,
        next_redirect: next.map(|next| next.kind),
        next_omits_prompt: next.is_some_and(|next| next.omits_prompt),
        device,
    }
}

fn auth(task: &ServerTask) -> AuthView {
    let Some(http) = task.endpoint.http() else { return AuthView::Unknown };
    if http.oauth.off {
        return AuthView::Header;
    }
    let Some(resolved) = http.resolved() else { return AuthView::Unknown };
    let learned = &task.context.learned;
    let held = resolved.credentials.as_ref().and_then(|credentials| credentials.held());
    if let Some(grant) = held {
        let binding = &grant.binding;
        let known = learned.registration(&binding.issuer, |known| known.client_id == binding.client_id);
        let is_configured = http.oauth.client_id.as_ref() == Some(&binding.client_id);
        let has_document = http.oauth.client_metadata_url.is_some();
        let registration = known
            .map(|known| known.kind)
            .or(is_configured.then_some(usher_oauth::RegistrationKind::PreRegistered))
            .or(has_document.then_some(usher_oauth::RegistrationKind::MetadataDocument));
        return AuthView::OAuth {
            signed_in: true,
            issuer: Some(binding.issuer.as_str().to_owned()),
            account: grant.account.as_deref().map(|account| display_text(account, 200)),
            scopes: grant.scopes.iter().map(|scope| display_text(scope, 200)).collect(),
            expires_at: grant.expires_at,
            refreshable: resolved.credentials.as_ref().is_some_and(|held| held.is_renewable(&grant)),
            client_id: Some(display_text(&binding.client_id, 500)),
            registration: registration.map(registration_kind),
            redirect: learned.redirect(&binding.issuer),
            resource: Some(binding.resource.clone()),
        };
    }
    let needs_sign_in = task.next_sign_in.challenge().is_some()
        || matches!(task.phase.get(), Phase::NeedsSignIn { .. } | Phase::SigningIn(_));
    if !needs_sign_in {
        return if matches!(task.phase.get(), Phase::Connected(_)) {
            AuthView::None
        } else {
            AuthView::Unknown
        };
    }
    let discovered = learned.discovered(&resolved.key);
    let issuer = discovered.as_ref().map(|discovered| &discovered.metadata.issuer);
    AuthView::OAuth {
        signed_in: false,
        issuer: issuer.map(|issuer| issuer.as_str().to_owned()),
        account: None,
        scopes: Vec::new(),
        expires_at: None,
        refreshable: false,
        client_id: http.oauth.client_id.clone(),
        registration: None,
        redirect: issuer.and_then(|issuer| learned.redirect(issuer)),
        resource: discovered.as_ref().map(|discovered| discovered.resource.clone()),
    }
}

/// Returns the hosts that the person has to confirm, if the last sign-in ended because of them.
fn endpoints_to_confirm(task: &ServerTask) -> Option<EndpointsView> {
    task.outbox.error().filter(|error| error.code == Code::EndpointsUnconfirmed)?;
    let resolved = task.endpoint.http()?.resolved()?;
    let discovered = task.context.learned.discovered(&resolved.key)?;
    let ForeignEndpoints { issuer, page, token, foreign } = discovered.foreign_endpoints(&resolved.url)?;
    Some(EndpointsView { issuer, page, token, foreign })
}

/// Returns whether the known metadata offers a sign-in on another device.
fn offers_device(task: &ServerTask) -> bool {
    let Some(http) = task.endpoint.http().filter(|http| !http.oauth.off) else { return false };
    let Some(resolved) = http.resolved() else { return false };
    let discovered = task.context.learned.discovered(&resolved.key);
    discovered.is_some_and(|discovered| discovered.offers_device_authorization(&resolved.settings))
}

fn registration_kind(kind: usher_oauth::RegistrationKind) -> RegistrationKind {
    match kind {
        usher_oauth::RegistrationKind::PreRegistered => RegistrationKind::PreRegistered,
        usher_oauth::RegistrationKind::MetadataDocument => RegistrationKind::MetadataDocument,
        usher_oauth::RegistrationKind::Dynamic => RegistrationKind::Dynamic,
    }
}
