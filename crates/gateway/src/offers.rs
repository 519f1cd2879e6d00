//! The list that one client sees, and the server behind each of its items.

use std::collections::{BTreeMap, HashSet};

use usher_api::ServerId;
use usher_engine::ListName;

use crate::definition_files::Items;
use crate::members::{Members, quoted};
use crate::names::{aliases, joined_name};

/// The items of all servers of a target, as one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offers {
    /// The items as a JSON array.
    pub json: String,
    routes: BTreeMap<String, Route>,
}

/// The place of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub server: ServerId,
    /// The server's own name of a tool or prompt, or the address of a resource.
    pub key: String,
}

impl Offers {
    /// Joins the lists of servers. The order is that of the servers, and then the server's own.
    pub fn join(list: ListName, servers: &[(ServerId, Items)], joins_names: bool) -> Self {
        let aliases = aliases(servers.iter().map(|(server, _)| server.0.as_str()));
        let mut taken = HashSet::new();
        let (mut json, mut routes) = (String::from("["), BTreeMap::new());
        for ((server, items), alias) in servers.iter().zip(&aliases) {
            for item in items.iter() {
                let Some((text, key)) = std::str::from_utf8(item).ok().and_then(|text| keyed(text, list))
                else {
                    continue;
                };
                let separator = if json.len() > 1 { "," } else { "" };
                let name = match key_member(list) {
                    "name" if joins_names => {
                        let name = joined_name(alias, &key, &mut taken);
                        let mut members = text;
                        members.set("name", quoted(&name));
                        json.push_str(separator);
                        json.push_str(&members.to_json());
                        name
                    }
                    // Several servers may offer the same address. The first one answers.
                    _ if !taken.insert(key.clone()) => continue,
                    _ => {
                        json.push_str(separator);
                        json.push_str(&String::from_utf8_lossy(item));
                        key.clone()
                    }
                };
                routes.insert(name, Route { server: server.clone(), key });
            }
        }
        json.push(']');
        Self { json, routes }
    }

    /// Returns the server behind a name or an address.
    pub fn route(&self, key: &str) -> Option<&Route> {
        self.routes.get(key)
    }

    /// Returns the server with the longest template whose fixed beginning is that of the address.
    pub fn route_of_template(&self, address: &str) -> Option<&Route> {
        let beginning = |template: &str| template.split('{').next().unwrap_or_default().to_owned();
        let matching = self.routes.iter().filter(|(template, _)| address.starts_with(&beginning(template)));
        matching.max_by_key(|(template, _)| beginning(template).len()).map(|(_, route)| route)
    }
}

/// The member by which clients refer to an item.
fn key_member(list: ListName) -> &'static str {
    match list {
        ListName::Tools | ListName::Prompts => "name",
        ListName::Resources => "uri",
        ListName::ResourceTemplates => "uriTemplate",
    }
}

fn keyed(item: &str, list: ListName) -> Option<(Members<'_>, String)> {
    let members = Members::parse(item)?;
    let key = members.text(key_member(list))?;
    Some((members, key))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;

    fn items(items: &[&str]) -> Items {
        Arc::new(items.iter().map(|item| Bytes::copy_from_slice(item.as_bytes())).collect())
    }

    fn server(name: &str) -> ServerId {
        ServerId(name.to_owned())
    }

    #[test]
    fn the_items_of_one_server_stay_as_they_are() {
        let tools = [r#"{"name":"a.b","x":1.0}"#, r#"{ "name" : "c" }"#];
        let offers = Offers::join(ListName::Tools, &[(server("one"), items(&tools))], false);
        assert_eq!(offers.json, format!("[{},{}]", tools[0], tools[1]));
        assert_eq!(offers.route("a.b"), Some(&Route { server: server("one"), key: "a.b".to_owned() }));
        assert_eq!(offers.route("d"), None);
    }

    #[test]
    fn the_names_of_several_servers_are_joined_and_their_other_members_stay() {
        let servers = [
            (server("One"), items(&[r#"{"title":"A","name":"a.b"}"#])),
            (server("two"), items(&[r#"{"name":"a.b"}"#])),
        ];
        let offers = Offers::join(ListName::Tools, &servers, true);
        assert_eq!(offers.json, r#"[{"title":"A","name":"one__a_b"},{"name":"two__a_b"}]"#);
        assert_eq!(offers.route("two__a_b"), Some(&Route { server: server("two"), key: "a.b".to_owned() }));
        assert_eq!(offers.route("a.b"), None);
    }

    #[test]
    fn addresses_stay_as_they_are_and_the_first_server_answers() {
        let servers = [
            (server("one"), items(&[r#"{"uri":"file:///a"}"#])),
            (server("two"), items(&[r#"{"uri":"file:///a"}"#, r#"{"uri":"file:///b"}"#])),
        ];
        let offers = Offers::join(ListName::Resources, &servers, true);
        assert_eq!(offers.json, r#"[{"uri":"file:///a"},{"uri":"file:///b"}]"#);
        assert_eq!(offers.route("file:///a").map(|route| &route.server), Some(&server("one")));
        let templates = [
            (server("one"), items(&[r#"{"uriTemplate":"file:///{path}"}"#])),
            (server("two"), items(&[r#"{"uriTemplate":"file:///notes/{id}"}"#])),
        ];
        let offers = Offers::join(ListName::ResourceTemplates, &templates, true);
        let route = |address: &str| offers.route_of_template(address).map(|route| route.server.0.as_str());
        assert_eq!(
            (route("file:///x"), route("file:///notes/1"), route("db://x")),
            (Some("one"), Some("two"), None)
        );
    }
}
