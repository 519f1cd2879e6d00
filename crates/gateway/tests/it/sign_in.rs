//! A service that needs the person.

use serde_json::json;
use usher_demo::{Demo, DemoOptions};
use usher_engine::SignInOptions;
use usher_fake_service::http_client;
use usher_gateway::Gateway;

use crate::fixture::{Client, Sandbox, id, is_connected, until};

#[tokio::test]
async fn a_service_that_was_never_signed_in_to_offers_a_tool_that_waits_for_the_sign_in() {
    let demo = Demo::start(DemoOptions::default()).await.unwrap();
    let sandbox = Sandbox::new(&[("notes", demo.url().as_str())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    client.initialize().await;
    assert_eq!(client.tools().await, ["usher_sign_in"]);
    let refused = client.call("search_pages").await;
    let text = refused["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("usher login notes") && refused["result"]["isError"] == true, "{refused}");

    let waiting = client.begin("tools/call", json!({ "name": "usher_sign_in" })).await;
    let request = engine.sign_in(&id("notes"), SignInOptions::default()).await.unwrap();
    let http = http_client().build().unwrap();
    let page = http.get(&request.authorization_url).send().await.unwrap().text().await.unwrap();
    let ticket = page.split_once(r#"name="ticket" value=""#).unwrap().1.split_once('"').unwrap().0.to_owned();
    let mut address: url::Url = request.authorization_url.parse().unwrap();
    address.set_query(None);
    let form = [("ticket", ticket.as_str()), ("decision", "allow")];
    let answer = http.post(address).form(&form).send().await.unwrap();
    engine.complete_sign_in(answer.headers()["location"].to_str().unwrap()).await.unwrap();
    until(&engine, "notes", is_connected).await;

    let (first, second) = (client.message().await, client.message().await);
    let (response, notice) = if first["id"].is_null() { (second, first) } else { (first, second) };
    assert_eq!(
        (&response["id"], &response["result"]["isError"]),
        (&json!(waiting), &json!(null)),
        "{response}"
    );
    assert_eq!(notice["method"], "notifications/tools/list_changed");
    assert!(client.tools().await.contains(&"search_pages".to_owned()));
    let found =
        client.ask("tools/call", json!({ "name": "search_pages", "arguments": { "query": "tea" } })).await;
    assert!(found["result"]["content"].is_array(), "{found}");
    engine.stop().await;
    demo.stop().await;
}
