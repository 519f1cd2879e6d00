//! The states of a server, and the transitions between them.

/// A phase without its contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum State {
    #[default]
    Disabled,
    Paused,
    Connecting,
    NeedsSignIn,
    SigningIn,
    Connected,
    Reconnecting,
    Failed,
}

/// The allowed transitions. ARCHITECTURE.md contains the same table.
const TRANSITIONS: [(State, &[State]); 8] = {
    use State::{Connected, Connecting, Disabled, Failed, NeedsSignIn, Paused, Reconnecting, SigningIn};
    const ALL: &[State] =
        &[Disabled, Paused, Connecting, NeedsSignIn, SigningIn, Connected, Reconnecting, Failed];
    [
        (Disabled, &[Paused, Connecting]),
        (Paused, &[Disabled, Connecting]),
        (Connecting, &[Disabled, Paused, NeedsSignIn, SigningIn, Connected, Reconnecting, Failed]),
        // The outcome of a job from the previous phase may still arrive.
        (NeedsSignIn, ALL),
        (SigningIn, &[Disabled, Paused, NeedsSignIn, SigningIn, Connected, Reconnecting, Failed]),
        (Connected, ALL),
        (Reconnecting, ALL),
        (Failed, ALL),
    ]
};

/// Returns whether a server may enter the second state from the first.
pub(super) fn is_allowed(from: State, to: State) -> bool {
    TRANSITIONS.iter().any(|(state, next)| *state == from && next.contains(&to))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn all() -> [State; 8] {
        TRANSITIONS.map(|(state, _)| state)
    }

    fn state(name: &str) -> State {
        let named = all().into_iter().find(|state| format!("{state:?}") == name);
        named.unwrap_or_else(|| panic!("ARCHITECTURE.md contains an unknown state: {name}"))
    }

    /// Returns the transitions in ARCHITECTURE.md, from lines such as `State → State | State`.
    fn documented() -> BTreeSet<(State, State)> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ARCHITECTURE.md");
        let text = std::fs::read_to_string(path).expect("read ARCHITECTURE.md");
        let (_, section) = text.split_once("## A server's states").expect("find the section");
        let table = section.split("```").nth(1).expect("find the table");
        let mut documented = BTreeSet::new();
        for line in table.lines().filter(|line| line.contains('→')) {
            let (from, to) = line.split_once('→').expect("an arrow");
            for to in to.split('|') {
                documented.insert((state(from.trim()), state(to.trim())));
            }
        }
        documented
    }

    #[test]
    fn the_table_in_architecture_md_and_the_table_here_agree() {
        let table: BTreeSet<_> =
            TRANSITIONS.iter().flat_map(|(from, next)| next.iter().map(|to| (*from, *to))).collect();
        let documented = documented();
        assert_eq!(documented, table);
        for (from, to) in all().into_iter().flat_map(|from| all().map(|to| (from, to))) {
            assert_eq!(is_allowed(from, to), documented.contains(&(from, to)), "{from:?} → {to:?}");
        }
    }

    #[test]
    fn every_state_is_reached_from_disabled_and_leads_back_to_it() {
        let reached = |start: State, step: &dyn Fn(State, State) -> bool| {
            let mut reached = BTreeSet::from([start]);
            while let Some(next) = all()
                .into_iter()
                .find(|state| !reached.contains(state) && reached.iter().any(|known| step(*known, *state)))
            {
                reached.insert(next);
            }
            reached
        };
        let all = BTreeSet::from(all());
        assert_eq!(reached(State::Disabled, &|from, to| is_allowed(from, to)), all);
        assert_eq!(reached(State::Disabled, &|from, to| is_allowed(to, from)), all);
    }
}
