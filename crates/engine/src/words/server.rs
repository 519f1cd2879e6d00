//! Messages about a server that cannot be used in its current state.

use usher_api::{Code, ErrorView, NeedsSignIn};

use super::credentials::refresh_interrupted;

/// Describes a name without a stored grant, or with an entry in `mcp.json`.
pub(crate) fn no_orphan(server: &str) -> ErrorView {
    ErrorView::new(
        Code::ConfigInvalid,
        format!(
            "No sign-in without an entry in mcp.json is stored for “{}”.",
            usher_config::display_text(server, 80)
        ),
        "Run `usher status` to see the sign-ins.",
    )
}

pub(crate) fn not_connected(name: &str) -> ErrorView {
    ErrorView::new(
        Code::ServerUnreachable,
        format!("{name} is not connected."),
        "Connect it, then try again.",
    )
}

pub(crate) fn disconnected(name: &str) -> ErrorView {
    ErrorView::new(
        Code::ServerUnreachable,
        format!("{name} was disconnected."),
        "Connect it, then try again.",
    )
}

pub(crate) fn disabled(name: &str) -> ErrorView {
    ErrorView::new(Code::ConfigInvalid, format!("{name} is turned off."), "Turn it on, then try again.")
}

pub(crate) fn paused() -> ErrorView {
    ErrorView::new(Code::ServerUnreachable, "Usher is paused.", "Resume it, then try again.")
}

pub(crate) fn waits_for_device(name: &str) -> ErrorView {
    ErrorView::new(
        Code::SignInRequired,
        format!("The sign-in to {name} is waiting for another device."),
        "Enter the code that Usher shows.",
    )
}

pub(crate) fn waits_for_browser(name: &str) -> ErrorView {
    ErrorView::new(
        Code::SignInRequired,
        format!("The sign-in to {name} is still open in the browser."),
        "Finish the sign-in, then try again.",
    )
}

pub(crate) fn needs_sign_in(name: &str, reason: NeedsSignIn) -> ErrorView {
    let (code, message) = match reason {
        NeedsSignIn::NeverSignedIn | NeedsSignIn::SignedOut => {
            (Code::SignInRequired, format!("{name} needs you to sign in."))
        }
        NeedsSignIn::Expired => (Code::SignInRequired, format!("The sign-in to {name} has expired.")),
        NeedsSignIn::RefreshInterrupted => (Code::SignInRequired, refresh_interrupted(name)),
        NeedsSignIn::RefreshRejected => {
            (Code::SignInRequired, format!("{name} no longer refreshes the sign-in."))
        }
        NeedsSignIn::Denied => (Code::SignInRequired, format!("The last sign-in to {name} was denied.")),
        NeedsSignIn::InsufficientScope => {
            (Code::InsufficientScope, format!("{name} asks for more permissions."))
        }
        NeedsSignIn::RegistrationLost => {
            (Code::SignInRequired, format!("{name} no longer recognises Usher."))
        }
    };
    ErrorView::new(code, message, format!("Sign in to {name}."))
}

pub(crate) fn signed_out(name: &str) -> ErrorView {
    ErrorView::new(Code::SignInRequired, format!("You signed out of {name}."), "Sign in, then try again.")
}

pub(crate) fn permission_declined(name: &str) -> ErrorView {
    ErrorView::new(
        Code::InsufficientScope,
        format!("You did not grant {name} the required permission."),
        "Try again to reopen the request.",
    )
}

pub(crate) fn cannot_sign_in(name: &str, why: &str) -> ErrorView {
    ErrorView::new(
        Code::ConfigInvalid,
        format!("Cannot sign in to {name}: {why}."),
        "Fix the entry in mcp.json, then try again.",
    )
}

/// Describes a server whose task ended before it replied.
pub(crate) fn removed_meanwhile() -> ErrorView {
    ErrorView::new(Code::Internal, "The service was removed or changed in the meantime.", "Try again.")
}
