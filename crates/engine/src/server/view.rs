//! A server's public view, derived from the task's private state.

use usher_config::{catalogue_by_url, display_text};

use super::Reach;
use super::connecting::paused;
use super::phase::{Phase, SignIn, Stage};
use super::task::ServerTask;
use crate::describe::error;
use crate::sign_in::ladder;
use crate::{AuthView, Code, ErrorView, NeedsSignIn, RegistrationKind, ServerView, SignInStep, Status};

const LONGEST_ADDRESS: usize = 2000;

pub(super) fn view(task: &ServerTask) -> ServerView {
    let catalogue = task.url().and_then(catalogue_by_url);
    let name = task.title.clone().or_else(|| catalogue.map(|entry| entry.name.clone()));
    ServerView {
        id: task.id.clone(),
        name: display_text(&name.unwrap_or_else(|| task.id.0.clone()), 200),
        catalogue: catalogue.map(|entry| entry.slug.clone()),
        address: display_text(&task.address, LONGEST_ADDRESS),
        transport: task.transport,
        status: status(&task.phase),
        auth: auth(task),
        permission: task.permission(),
        last_error: task.last_error.clone(),
    }
}

fn status(phase: &Phase) -> Status {
    match phase {
        Phase::Disabled => Status::Disabled,
        Phase::Paused => Status::Paused,
        Phase::Unsupported { why } => Status::Unsupported { why: why.clone() },
        Phase::Connecting { .. } => Status::Connecting,
        Phase::NeedsSignIn { reason } => Status::NeedsSignIn { reason: *reason },
        Phase::SigningIn(sign_in) => signing_in(sign_in),
        Phase::Connected(live) => Status::Connected {
            since: live.since,
            protocol: display_text(&live.connection.protocol(), 40),
            tool_count: u32::try_from(live.tools.len()).unwrap_or(u32::MAX),
        },
        Phase::Reconnecting { attempt, next_at, why, .. } => {
            Status::Reconnecting { attempt: *attempt, next_at: *next_at, why: why.clone() }
        }
        Phase::Failed { error, .. } => Status::Failed { error: error.clone() },
    }
}

fn signing_in(sign_in: &SignIn) -> Status {
    let step = match &sign_in.stage {
        Stage::Probing { .. } => SignInStep::Discovering,
        Stage::Preparing { step, .. } => *step,
        Stage::Waiting(_) => SignInStep::WaitingForBrowser,
        Stage::Exchanging { .. } => SignInStep::Exchanging,
        Stage::Connecting { .. } => SignInStep::Connecting,
    };
    let next_redirect = match &sign_in.stage {
        Stage::Waiting(_) => sign_in.redirect.and_then(ladder::next),
        Stage::Probing { .. }
        | Stage::Preparing { .. }
        | Stage::Exchanging { .. }
        | Stage::Connecting { .. } => None,
    };
    Status::SigningIn {
        step,
        host: sign_in.host.clone(),
        redirect: sign_in.redirect,
        opened: sign_in.opened,
        expires_at: sign_in.expires_at,
        next_redirect,
    }
}

fn auth(task: &ServerTask) -> AuthView {
    let Some(place) = &task.place else { return AuthView::Unknown };
    if place.oauth.off {
        return AuthView::Header;
    }
    let Some(site) = place.site_at_hand() else { return AuthView::Unknown };
    let kept = &place.shared.kept;
    let held = site.credentials.as_ref().and_then(|credentials| credentials.held());
    if let Some(grant) = held {
        let binding = &grant.binding;
        let registration = kept.client(&binding.issuer, &binding.client_id).map(|known| known.kind);
        let registration = match registration {
            Some(kind) => Some(kind),
            None if place.oauth.client_id.as_ref() == Some(&binding.client_id) => {
                Some(usher_oauth::RegistrationKind::PreRegistered)
            }
            None => place
                .oauth
                .client_metadata_url
                .as_ref()
                .map(|_| usher_oauth::RegistrationKind::MetadataDocument),
        };
        return AuthView::OAuth {
            signed_in: true,
            issuer: Some(binding.issuer.as_str().to_owned()),
            account: grant.account.as_deref().map(|account| display_text(account, 200)),
            scopes: grant.scopes.iter().map(|scope| display_text(scope, 200)).collect(),
            expires_at: grant.expires_at,
            refreshable: grant.refresh_token.is_some(),
            client_id: Some(display_text(&binding.client_id, 500)),
            registration: registration.map(registration_kind),
            redirect: kept.redirect(&binding.issuer),
            resource: Some(binding.resource.clone()),
        };
    }
    let asks =
        task.challenge.is_some() || matches!(task.phase, Phase::NeedsSignIn { .. } | Phase::SigningIn(_));
    if !asks {
        return if matches!(task.phase, Phase::Connected(_)) { AuthView::None } else { AuthView::Unknown };
    }
    let discovered = kept.discovered(&site.url);
    let issuer = discovered.as_ref().map(|discovered| &discovered.metadata.issuer);
    AuthView::OAuth {
        signed_in: false,
        issuer: issuer.map(|issuer| issuer.as_str().to_owned()),
        account: None,
        scopes: Vec::new(),
        expires_at: None,
        refreshable: false,
        client_id: place.oauth.client_id.clone(),
        registration: None,
        redirect: issuer.and_then(|issuer| kept.redirect(issuer)),
        resource: discovered.as_ref().map(|discovered| discovered.resource.clone()),
    }
}

fn registration_kind(kind: usher_oauth::RegistrationKind) -> RegistrationKind {
    match kind {
        usher_oauth::RegistrationKind::PreRegistered => RegistrationKind::PreRegistered,
        usher_oauth::RegistrationKind::MetadataDocument => RegistrationKind::MetadataDocument,
        usher_oauth::RegistrationKind::Dynamic => RegistrationKind::Dynamic,
    }
}

/// Whether the server can be used in this state, and what a caller is told where not.
pub(super) fn reach(task: &ServerTask) -> Reach {
    let name = task.name();
    match &task.phase {
        Phase::Connected(live) => Reach::Up(live.connection.clone()),
        Phase::SigningIn(sign_in) => match &sign_in.live {
            Some(live) => Reach::Up(live.connection.clone()),
            None => match sign_in.stage {
                Stage::Exchanging { .. } | Stage::Connecting { .. } => Reach::Busy,
                Stage::Probing { .. } | Stage::Preparing { .. } | Stage::Waiting(_) => Reach::Down(error(
                    Code::SignInRequired,
                    format!("{name} waits for your sign-in in the browser."),
                    "Finish it, then try again.",
                )),
            },
        },
        Phase::Connecting { .. } => Reach::Busy,
        Phase::Reconnecting { why, .. } => Reach::Away(why.clone()),
        Phase::Failed { error, .. } => Reach::Down(error.clone()),
        Phase::NeedsSignIn { reason } => Reach::Down(needs_sign_in(&name, *reason)),
        Phase::Disabled => Reach::Down(error(
            Code::ConfigInvalid,
            format!("{name} is turned off."),
            "Turn it on, then try again.",
        )),
        Phase::Paused => Reach::Down(paused()),
        Phase::Unsupported { why } => Reach::Down(error(
            Code::ConfigInvalid,
            why.clone(),
            "Only services with an http address run for now.",
        )),
    }
}

fn needs_sign_in(name: &str, reason: NeedsSignIn) -> ErrorView {
    let (code, message) = match reason {
        NeedsSignIn::NeverSignedIn | NeedsSignIn::SignedOut => {
            (Code::SignInRequired, format!("{name} needs you to sign in."))
        }
        NeedsSignIn::Expired => (Code::SignInRequired, format!("The sign-in to {name} has ended.")),
        NeedsSignIn::RefreshInterrupted => {
            (Code::SignInRequired, format!("The sign-in to {name} was lost while it was renewed."))
        }
        NeedsSignIn::Refused => (Code::SignInRequired, format!("The last sign-in to {name} was refused.")),
        NeedsSignIn::MorePermissionNeeded => {
            (Code::InsufficientScope, format!("{name} asks for more permission."))
        }
        NeedsSignIn::RegistrationLost => {
            (Code::SignInRequired, format!("The service behind {name} no longer knows this app."))
        }
    };
    error(code, message, format!("Sign in to {name}."))
}
