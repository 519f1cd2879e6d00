//! Servers' questions to several clients at once: each client gets and answers those of its own calls.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use usher_api::{ElicitationAnswer, ElicitationView, Event, Reply, Request};
use usher_ipc::{AskError, Client, Update};

use crate::fixture::*;

/// Calls a tool that asks which tea to order.
fn call_ask_back(client: &Arc<Client>) -> JoinHandle<Result<Reply, AskError>> {
    let client = Arc::clone(client);
    tokio::spawn(async move { client.ask(call("ask_back", "{}", "tea")).await })
}

/// Waits until this client has a question.
async fn wait_for_question(client: &Client) -> ElicitationView {
    let mut updates = client.subscribe();
    let wait = async {
        loop {
            if let Some(question) = client.snapshot().unwrap().elicitations.pop() {
                return question;
            }
            updates.recv().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap()
}

fn answer(question: &ElicitationView, name: &str) -> Request {
    let content: Map<String, Value> =
        serde_json::from_value(json!({ "tea": "Peppermint", "name": name })).unwrap();
    Request::AnswerElicitation { id: question.id.clone(), answer: ElicitationAnswer::Accept(content) }
}

async fn text_of(call: JoinHandle<Result<Reply, AskError>>) -> String {
    match tokio::time::timeout(DEADLINE, call).await.unwrap().unwrap().unwrap() {
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
    let calls = [call_ask_back(&ada), call_ask_back(&bob)];
    let (question_for_ada, question_for_bob) = (wait_for_question(&ada).await, wait_for_question(&bob).await);
    assert_ne!(question_for_ada.id, question_for_bob.id);
    assert_eq!(held.engine.snapshot().elicitations, [], "the holder made no call");

    let refused = bob.ask(answer(&question_for_ada, "Bob")).await;
    assert!(matches!(refused, Err(AskError::Failed(_))), "{refused:?}");
    bob.ask(Request::CancelCall { call: "tea".to_owned() }).await.unwrap();
    ada.ask(answer(&question_for_ada, "Ada")).await.unwrap();
    let [call_of_ada, call_of_bob] = calls;
    assert_eq!(text_of(call_of_ada).await, r#""Ordered Peppermint for Ada.""#);
    let cancelled = tokio::time::timeout(DEADLINE, call_of_bob).await.unwrap().unwrap();
    assert!(matches!(cancelled, Err(AskError::Failed(_))), "{cancelled:?}");

    for client in [&ada, &bob] {
        assert_eq!(client.snapshot().unwrap().elicitations, []);
    }
    while let Ok(update) = updates_of_bob.try_recv() {
        let Update::Event(event) = update else { continue };
        if let Event::ElicitationRequested { elicitation, .. } = *event {
            assert_eq!(elicitation, question_for_bob);
        }
    }
}
