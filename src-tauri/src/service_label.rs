//! The short name of a server in the tray's menu and in notifications.

use usher_api::ServerView;

/// A longer name makes a menu wider than some screens.
const MAX_LENGTH: usize = 40;

/// Returns the server's name, shortened. If several servers have the same shortened name, appends the server's id, also
/// shortened, to that name.
pub fn service_label(server: &ServerView, servers: &[ServerView]) -> String {
    let name = shorten(&server.name);
    let is_unique = servers.iter().all(|other| other.id == server.id || shorten(&other.name) != name);
    if is_unique { name } else { format!("{name} ({})", shorten(&server.id.0)) }
}

/// Shortens a name, so that the rest of its line stays visible.
pub fn shorten(name: &str) -> String {
    if name.chars().count() <= MAX_LENGTH {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(MAX_LENGTH - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use usher_api::ServerId;

    use super::*;
    use crate::sample_views::{connected, server};

    #[test]
    fn servers_with_the_same_name_are_distinguished_by_id() {
        let named =
            |id: &str, name: &str| ServerView { id: ServerId(id.to_owned()), ..server(name, connected()) };
        let servers = [named("work", "Notion"), named("home", "Notion"), named("linear", "Linear")];
        assert_eq!(
            servers.each_ref().map(|server| service_label(server, &servers)),
            ["Notion (work)", "Notion (home)", "Linear"]
        );
        // The engine appends the server's id to equal names. Shortening cuts this id off, so the label adds it again.
        let long = "The quarterly planning workspace of the company";
        let servers = ["work", "home"].map(|id| named(id, &format!("{long} ({id})")));
        let labels = servers.each_ref().map(|server| service_label(server, &servers));
        assert!(labels[0].ends_with("(work)") && labels[1].ends_with("(home)"), "{labels:?}");
    }
}
