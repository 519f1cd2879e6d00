//! The action that a service needs from the person before it works fully.

use usher_api::{Code, NeedsSignIn, ServerView, Status};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredAction {
    SignIn,
    GrantPermission,
}

impl RequiredAction {
    /// The action for a server. A connected server may need one too: a call lacks a permission, or the server reported
    /// inside a tool's result that the person is signed out. The window has the same rule in `ui/src/lib/status.ts`.
    pub fn of(server: &ServerView) -> Option<Self> {
        let failed_with = |code: Code| server.last_error.as_ref().is_some_and(|error| error.code == code);
        match server.status {
            Status::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded } => Some(Self::GrantPermission),
            Status::NeedsSignIn { .. } => Some(Self::SignIn),
            Status::Connecting
            | Status::Reconnecting { .. }
            | Status::Connected { .. }
            | Status::SigningIn { .. }
                if server.permission.is_some() =>
            {
                Some(Self::GrantPermission)
            }
            Status::Connected { .. } if failed_with(Code::InsufficientScope) => Some(Self::GrantPermission),
            Status::Connected { .. } if failed_with(Code::SignInRequired) => Some(Self::SignIn),
            Status::Connected { .. }
            | Status::Connecting
            | Status::Reconnecting { .. }
            | Status::SigningIn { .. }
            | Status::Failed { .. }
            | Status::Disabled
            | Status::Paused
            | Status::Unsupported { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use usher_api::ErrorView;

    use super::*;
    use crate::sample_views::{connected, error, needing_permission, server};

    #[test]
    fn a_connected_service_may_need_an_action() {
        assert_eq!(RequiredAction::of(&server("Notion", connected())), None);
        assert_eq!(RequiredAction::of(&needing_permission("Notion")), Some(RequiredAction::GrantPermission));
        for (code, action) in [
            (Code::SignInRequired, Some(RequiredAction::SignIn)),
            (Code::InsufficientScope, Some(RequiredAction::GrantPermission)),
            (Code::Internal, None),
        ] {
            let last_error = Some(ErrorView { code, ..error() });
            let notion = ServerView { last_error, ..server("Notion", connected()) };
            assert_eq!(RequiredAction::of(&notion), action);
            assert_eq!(RequiredAction::of(&ServerView { status: Status::Disabled, ..notion }), None);
        }
    }
}
