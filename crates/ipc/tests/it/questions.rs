//! Servers' questions to several clients at once: each client gets and answers those of its own calls.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use usher_api::{ElicitationAnswer, ElicitationView, Event, Reply, Request};
use usher_ipc::{AskError, Client, Update};

use crate::fixture::*;

/// Starts a call whose tool asks for tea.
fn asking(client: &Arc<Client>) -> JoinHandle<Result<Reply, AskError>> {
    let client = Arc::clone(client);
    tokio::spawn(async move { client.ask(call("ask_back", "{}", "tea")).await })
}

/// Waits until this client has a question.
async fn question(client: &Client) -> ElicitationView {
    let mut updates = client.subscribe();
    let wait = async {
        loop {
            if let Some(question) = client.snapshot().unwrap().elicitations.pop() {
                return question;
            }
            updates.recv().await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap()
}

fn answer(question: &ElicitationView, name: &str) -> Request {
    let content: Map<String, Value> =
        serde_json::from_value(json!({ "tea": "Peppermint", "name": name })).unwrap();
    Request::AnswerElicitation { id: question.id.clone(), answer: ElicitationAnswer::Accept(content) }
}

async fn text_of(call: JoinHandle<Result<Reply, AskError>>) -> String {
    match tokio::time::timeout(PATIENCE, call).await.unwrap().unwrap().unwrap() {
        Reply::ToolCall(answer) => serde_json::to_value(&answer.content).unwrap()[0]["text"].to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_client_answers_only_the_questions_of_its_own_calls() {
    let fixture = Fixture::new().await;
    let held = fixture.hold_signed_in().await;
    let ada = Arc::new(fixture.connect().await.unwrap());
    let bob = Arc::new(fixture.connect().await.unwrap());
    let mut updates_of_bob = bob.subscribe();
    let calls = [asking(&ada), asking(&bob)];
    let (for_ada, for_bob) = (question(&ada).await, question(&bob).await);
    assert_ne!(for_ada.id, for_bob.id);
    assert_eq!(held.engine.snapshot().elicitations, [], "the holder made no call");

    let refused = bob.ask(answer(&for_ada, "Bob")).await;
    assert!(matches!(refused, Err(AskError::Failed(_))), "{refused:?}");
    bob.ask(Request::CancelCall { call: "tea".to_owned() }).await.unwrap();
    ada.ask(answer(&for_ada, "Ada")).await.unwrap();
    let [of_ada, of_bob] = calls;
    assert_eq!(text_of(of_ada).await, r#""Ordered Peppermint for Ada.""#);
    let cancelled = tokio::time::timeout(PATIENCE, of_bob).await.unwrap().unwrap();
    assert!(matches!(cancelled, Err(AskError::Failed(_))), "only its own call: {cancelled:?}");

    for client in [&ada, &bob] {
        assert_eq!(client.snapshot().unwrap().elicitations, []);
    }
    while let Ok(update) = updates_of_bob.try_recv() {
        let Update::Event(event) = update else { continue };
        if let Event::ElicitationRequested { elicitation, .. } = *event {
            assert_eq!(elicitation, for_bob);
        }
    }
}
