//! Elicitation: a server's question reaches the caller whose call caused it, with both protocol versions.

use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use usher_api::{ElicitationAnswer, ElicitationView, ErrorView, ToolCallView};
use usher_demo::{DemoOptions, Eras};
use usher_engine::{CallOptions, Engine};

use crate::fixture::*;

/// Starts a call whose tool asks for a tea.
fn spawn_call(engine: &Engine, options: CallOptions) -> JoinHandle<Result<ToolCallView, ErrorView>> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.call_tool(&id(), "ask_back", Map::new(), options).await })
}

/// Waits until the caller has exactly `count` open questions, and returns them.
async fn until_questions(engine: &Engine, count: usize) -> Vec<ElicitationView> {
    let mut events = engine.subscribe();
    let wait = async {
        loop {
            let questions = engine.snapshot().elicitations;
            if questions.len() == count {
                return questions;
            }
            events.recv().await.unwrap();
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap()
}

fn tea_for(name: &str) -> ElicitationAnswer {
    let Value::Object(content) = json!({ "tea": "Peppermint", "name": name }) else { unreachable!() };
    ElicitationAnswer::Accept(content)
}

async fn text_of(call: JoinHandle<Result<ToolCallView, ErrorView>>) -> String {
    let answer = tokio::time::timeout(TIMEOUT, call).await.unwrap().unwrap().unwrap();
    serde_json::to_value(&answer.content).unwrap()[0]["text"].as_str().unwrap().to_owned()
}

fn options(eras: Eras, elicits_by_session: bool) -> DemoOptions {
    DemoOptions { eras, elicits_by_session, ..DemoOptions::default() }
}

#[tokio::test]
async fn each_caller_gets_the_questions_of_its_own_calls() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let (_sandbox, _demo, window) = signed_in(options(eras, false)).await;
        let (ada, bob) = (window.for_another(), window.for_another());
        let callers = [(&window, "Window"), (&ada, "Ada"), (&bob, "Bob")];
        // Call names are local to a caller, so they can be equal.
        let calls = callers.map(|(engine, _)| spawn_call(engine, CallOptions::new("tea")));
        let mut questions = Vec::new();
        for (engine, _) in callers {
            let question = until_questions(engine, 1).await.remove(0);
            assert_eq!((&question.server, question.call.as_deref()), (&id(), Some("tea")), "{eras:?}");
            questions.push(question.id);
        }
        for (index, (engine, name)) in callers.into_iter().enumerate() {
            for (other, question) in questions.iter().enumerate() {
                if other != index {
                    engine.answer_elicitation(question, tea_for("the wrong one")).await.unwrap_err();
                }
            }
            engine.answer_elicitation(&questions[index], tea_for(name)).await.unwrap();
        }
        for (call, (engine, name)) in calls.into_iter().zip(callers) {
            assert_eq!(text_of(call).await, format!("Ordered Peppermint for {name}."), "{eras:?}");
            until_questions(engine, 0).await;
        }
        window.stop().await;
    }
}

#[tokio::test]
async fn each_question_names_the_call_that_caused_it() {
    let (_sandbox, _demo, engine) = signed_in(options(Eras::HandshakeOnly, false)).await;
    let calls = ["one", "two"].map(|name| (name, spawn_call(&engine, CallOptions::new(name))));
    for question in until_questions(&engine, 2).await {
        let name = question.call.unwrap();
        engine.answer_elicitation(&question.id, tea_for(&name)).await.unwrap();
    }
    for (name, call) in calls {
        assert_eq!(text_of(call).await, format!("Ordered Peppermint for {name}."));
    }
}

#[tokio::test]
async fn a_question_of_the_session_goes_to_the_only_running_call_or_to_the_holder() {
    let (_sandbox, demo, window) = signed_in(options(Eras::HandshakeOnly, true)).await;
    until_listening(&demo, Eras::HandshakeOnly).await;
    let ada = window.for_another();
    let first = spawn_call(&ada, CallOptions::new("first"));
    let question = until_questions(&ada, 1).await.remove(0);
    assert_eq!(question.call.as_deref(), Some("first"));

    let second = spawn_call(&window.for_another(), CallOptions::new("second"));
    let unclear = until_questions(&window, 1).await.remove(0);
    assert_eq!(unclear.call, None, "it could belong to either call");
    window.answer_elicitation(&unclear.id, tea_for("somebody")).await.unwrap();
    ada.answer_elicitation(&question.id, tea_for("Ada")).await.unwrap();
    assert_eq!(text_of(first).await, "Ordered Peppermint for Ada.");
    assert_eq!(text_of(second).await, "Ordered Peppermint for somebody.");
}

#[tokio::test]
async fn a_caller_can_leave_its_questions_to_the_holder() {
    let (_sandbox, _demo, window) = signed_in(Default::default()).await;
    let script = window.for_another();
    let options = CallOptions { asks_holder: true, ..CallOptions::new("script") };
    let call = spawn_call(&script, options);
    let question = until_questions(&window, 1).await.remove(0);
    assert_eq!(question.call, None, "it belongs to no call of the window");
    assert_eq!(script.snapshot().elicitations, []);
    window.answer_elicitation(&question.id, tea_for("the script")).await.unwrap();
    assert_eq!(text_of(call).await, "Ordered Peppermint for the script.");
}

#[tokio::test]
async fn a_question_ends_with_its_call() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let (_sandbox, _demo, window) = signed_in(options(eras, false)).await;
        let ada = window.for_another();
        let cancelled = spawn_call(&ada, CallOptions::new("tea"));
        let question = until_questions(&ada, 1).await.remove(0);
        // Call names are local to a caller, so another caller cannot cancel by name.
        window.cancel_call("tea");
        call(&window, "search_pages").await.unwrap();
        assert_eq!(until_questions(&ada, 1).await, std::slice::from_ref(&question));
        ada.cancel_call("tea");
        cancelled.await.unwrap().unwrap_err();
        until_questions(&ada, 0).await;
        ada.answer_elicitation(&question.id, tea_for("nobody")).await.unwrap_err();

        let abandoned = spawn_call(&ada, CallOptions::new("tea"));
        until_questions(&ada, 1).await;
        ada.leave();
        abandoned.await.unwrap().unwrap_err();
        until_questions(&ada, 0).await;
        let late = tokio::time::timeout(TIMEOUT, spawn_call(&ada, CallOptions::new("late"))).await.unwrap();
        let error = late.unwrap().unwrap_err();
        assert!(error.message.contains("cancelled"), "a caller that has left starts no calls");
        window.stop().await;
    }
}
