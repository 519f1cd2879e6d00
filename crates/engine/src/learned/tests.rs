use serde_json::json;
use usher_config::OAuthSettings;
use usher_oauth::ServerUrl;

use super::*;

fn key(raw: &str) -> ServerKey {
    ServerKey::new(&ServerUrl::parse(raw).expect("parse the address"), &OAuthSettings::default())
}

fn discovered() -> Discovered {
    let metadata = json!({
        "issuer": "https://as.example.com",
        "authorization_endpoint": "https://as.example.com/authorize",
        "token_endpoint": "https://as.example.com/token",
        "scopes_supported": [],
        "code_challenge_methods_supported": [],
        "client_id_metadata_document_supported": false,
        "authorization_response_iss_parameter_supported": false,
    });
    serde_json::from_value(json!({
        "resource": "https://mcp.example.com/mcp", "sends_resource": true, "metadata": metadata,
        "source": "resource_metadata", "scopes": [],
    }))
    .expect("parse the metadata")
}

#[tokio::test]
async fn metadata_discovered_in_another_network_zone_is_forgotten() {
    let folder = tempfile::tempdir().expect("create a temporary folder");
    let server = key("https://mcp.example.com/mcp");
    let discovered = discovered();
    {
        let tasks = TaskTracker::new();
        let learned = Learned::open(folder.path(), tasks.clone()).expect("open the file");
        learned.note_zone(&server, NetworkZone::Public);
        learned.store_discovered(&server, &discovered, None);
        learned.note_zone(&server, NetworkZone::Public);
        assert!(learned.discovered(&server).is_some());
        tasks.close();
        tasks.wait().await;
    }
    let learned = Learned::open(folder.path(), TaskTracker::new()).expect("open the file again");
    assert!(learned.discovered(&server).is_some());
    learned.note_zone(&server, NetworkZone::Private);
    assert!(learned.discovered(&server).is_none());
}

#[tokio::test]
async fn forgetting_a_server_deletes_only_its_metadata_and_its_issuer() {
    let folder = tempfile::tempdir().expect("create a temporary folder");
    let learned = Learned::open(folder.path(), TaskTracker::new()).expect("open the file");
    let issuer = |raw: &str| Issuer::parse(raw).expect("parse the issuer");
    let (one, other) = (key("https://mcp.example.com/mcp"), key("https://mcp.example.org/mcp"));
    let (used, unused) = (issuer("https://as.example.com"), issuer("https://as.example.org"));
    learned.store_discovered(&one, &discovered(), None);
    learned.store_discovered(&other, &discovered(), None);
    learned.store_redirect(&used, RedirectKind::Loopback);
    learned.store_redirect(&unused, RedirectKind::Loopback);
    learned.forget(&one, &ServerId("one".to_owned()), Some(used.as_str()), &UsedByOthers::default());
    assert!(learned.discovered(&one).is_none() && learned.discovered(&other).is_some());
    assert_eq!(learned.redirect(&used), None);
    assert_eq!(learned.redirect(&unused), Some(RedirectKind::Loopback));
}

#[tokio::test]
async fn a_pre_registered_client_belongs_to_the_first_issuer_that_it_was_used_with() {
    let folder = tempfile::tempdir().expect("create a temporary folder");
    let learned = Learned::open(folder.path(), TaskTracker::new()).expect("open the file");
    let server = key("https://mcp.example.com/mcp");
    let issuer = |raw: &str| Issuer::parse(raw).expect("parse the issuer");
    let (first, other) = (issuer("https://as.example.com"), issuer("https://evil.example"));
    learned.pin_issuer(&server, "client", &first);
    learned.pin_issuer(&server, "client", &other);
    assert_eq!(learned.pinned_issuer(&server, "client"), Some(first.clone()));
    assert_eq!(learned.pinned_issuer(&server, "another"), None);
    learned.pin_issuer(&server, "another", &other);
    assert_eq!(learned.pinned_issuer(&server, "another"), Some(other));
    // The client of another account at this address changes nothing for the first one.
    assert_eq!(learned.pinned_issuer(&server, "client"), Some(first));
}
