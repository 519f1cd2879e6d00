//! What a service needs of the person, in the words' two kinds.

use usher_api::{Code, ServerView, Status};

/// Why a service needs the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    SignIn,
    MorePermission,
}

/// What a service that is connected wants of the person nonetheless; the window says the same (`ui/src/lib/status.ts`).
pub fn of_connected(server: &ServerView) -> Option<Need> {
    if !matches!(server.status, Status::Connected { .. }) {
        return None;
    }
    let refused_for = |code: Code| server.last_error.as_ref().is_some_and(|error| error.code == code);
    if server.permission.is_some() || refused_for(Code::InsufficientScope) {
        Some(Need::MorePermission)
    } else {
        // It answers, but not as the person: a refusal that came inside a tool's result.
        refused_for(Code::SignInRequired).then_some(Need::SignIn)
    }
}

#[cfg(test)]
mod tests {
    use usher_api::ErrorView;

    use super::*;
    use crate::samples::{connected, error, server, wanting_more};

    #[test]
    fn a_connected_service_may_want_something() {
        assert_eq!(of_connected(&server("Notion", connected())), None);
        assert_eq!(of_connected(&wanting_more("Notion")), Some(Need::MorePermission));
        for (code, need) in [
            (Code::SignInRequired, Some(Need::SignIn)),
            (Code::InsufficientScope, Some(Need::MorePermission)),
            (Code::Internal, None),
        ] {
            let last_error = Some(ErrorView { code, ..error() });
            let notion = ServerView { last_error, ..server("Notion", connected()) };
            assert_eq!(of_connected(&notion), need);
            assert_eq!(of_connected(&ServerView { status: Status::Disabled, ..notion }), None);
        }
    }
}
