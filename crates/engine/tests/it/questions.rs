//! Whose a server's question is: its call's, in every way that the protocol has for asking.

use serde_json::{Map, Value, json};
use tokio::task::JoinHandle;
use usher_api::{ElicitationAnswer, ElicitationView, ErrorView, ToolCallView};
use usher_demo::{Demo, DemoOptions, Eras};
use usher_engine::{CallOptions, Engine};

use crate::fixture::*;

/// A call on its way that asks for tea.
fn asking(engine: &Engine, options: CallOptions) -> JoinHandle<Result<ToolCallView, ErrorView>> {
    let engine = engine.clone();
    tokio::spawn(async move { engine.call_tool(&id(), "ask_back", Map::new(), options).await })
}

/// Waits until this handle is asked that many questions.
async fn asked(engine: &Engine, count: usize) -> Vec<ElicitationView> {
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
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(questions) => questions,
        Err(_) => panic!("not {count} questions, but {:#?}", engine.snapshot().elicitations),
    }
}

fn tea_for(name: &str) -> ElicitationAnswer {
    let Value::Object(content) = json!({ "tea": "Peppermint", "name": name }) else { unreachable!() };
    ElicitationAnswer::Accept(content)
}

async fn said(call: JoinHandle<Result<ToolCallView, ErrorView>>) -> String {
    let answer = tokio::time::timeout(PATIENCE, call).await.unwrap().unwrap().unwrap();
    serde_json::to_value(&answer.content).unwrap()[0]["text"].as_str().unwrap().to_owned()
}

async fn demo_of(eras: Eras, elicits_by_session: bool) -> Demo {
    Demo::start(DemoOptions { eras, elicits_by_session, ..DemoOptions::default() }).await.unwrap()
}

#[tokio::test]
async fn each_caller_is_asked_for_its_own_call_in_both_eras() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let (place, demo) = (Place::new(), demo_of(eras, false).await);
        let window = signed_in(&place, &demo).await;
        let (ada, bob) = (window.for_another(), window.for_another());
        let callers = [(&window, "Window"), (&ada, "Ada"), (&bob, "Bob")];
        // The same name: each has its own names.
        let calls = callers.map(|(engine, _)| asking(engine, CallOptions::new("tea")));
        let mut questions = Vec::new();
        for (engine, _) in callers {
            let question = asked(engine, 1).await.remove(0);
            assert_eq!((&question.server, question.call.as_deref()), (&id(), Some("tea")), "{eras:?}");
            questions.push(question.id);
        }
        for (place, (engine, name)) in callers.into_iter().enumerate() {
            for (of_another, question) in questions.iter().enumerate() {
                if of_another != place {
                    engine.answer_elicitation(question, tea_for("the wrong one")).await.unwrap_err();
                }
            }
            engine.answer_elicitation(&questions[place], tea_for(name)).await.unwrap();
        }
        for (call, (engine, name)) in calls.into_iter().zip(callers) {
            assert_eq!(said(call).await, format!("Ordered Peppermint for {name}."), "{eras:?}");
            asked(engine, 0).await;
        }
        window.stop().await;
    }
}

#[tokio::test]
async fn two_calls_of_one_caller_are_told_apart() {
    let (place, demo) = (Place::new(), demo_of(Eras::HandshakeOnly, false).await);
    let engine = signed_in(&place, &demo).await;
    let calls = ["one", "two"].map(|name| (name, asking(&engine, CallOptions::new(name))));
    for question in asked(&engine, 2).await {
        let name = question.call.unwrap();
        engine.answer_elicitation(&question.id, tea_for(&name)).await.unwrap();
    }
    for (name, call) in calls {
        assert_eq!(said(call).await, format!("Ordered Peppermint for {name}."));
    }
    engine.stop().await;
}

#[tokio::test]
async fn what_the_session_asks_is_for_the_one_call_that_runs_or_for_the_holder() {
    let (place, demo) = (Place::new(), demo_of(Eras::HandshakeOnly, true).await);
    let window = signed_in(&place, &demo).await;
    until_listening(&demo, Eras::HandshakeOnly).await;
    let ada = window.for_another();
    let first = asking(&ada, CallOptions::new("first"));
    let question = asked(&ada, 1).await.remove(0);
    assert_eq!(question.call.as_deref(), Some("first"));

    let second = asking(&window.for_another(), CallOptions::new("second"));
    let unclear = asked(&window, 1).await.remove(0);
    assert_eq!(unclear.call, None, "whose it is of the two, nobody can tell");
    window.answer_elicitation(&unclear.id, tea_for("somebody")).await.unwrap();
    ada.answer_elicitation(&question.id, tea_for("Ada")).await.unwrap();
    assert_eq!(said(first).await, "Ordered Peppermint for Ada.");
    assert_eq!(said(second).await, "Ordered Peppermint for somebody.");
    window.stop().await;
}

#[tokio::test]
async fn a_caller_that_has_nobody_to_ask_leaves_it_to_the_holder() {
    let (place, demo) = (Place::new(), demo().await);
    let window = signed_in(&place, &demo).await;
    let script = window.for_another();
    let options = CallOptions { asks_holder: true, ..CallOptions::new("script") };
    let call = asking(&script, options);
    let question = asked(&window, 1).await.remove(0);
    assert_eq!(question.call, None, "no call of the window's");
    assert_eq!(script.snapshot().elicitations, []);
    window.answer_elicitation(&question.id, tea_for("the script")).await.unwrap();
    assert_eq!(said(call).await, "Ordered Peppermint for the script.");
    window.stop().await;
}

#[tokio::test]
async fn a_question_ends_with_its_call_in_both_eras() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let (place, demo) = (Place::new(), demo_of(eras, false).await);
        let window = signed_in(&place, &demo).await;
        let ada = window.for_another();
        let cancelled = asking(&ada, CallOptions::new("tea"));
        let question = asked(&ada, 1).await.remove(0);
        // Names are the caller's own: nobody else cancels by them.
        window.cancel_call("tea");
        window.call_tool(&id(), "search_pages", Map::new(), CallOptions::new("later")).await.unwrap();
        assert_eq!(asked(&ada, 1).await, std::slice::from_ref(&question));
        ada.cancel_call("tea");
        cancelled.await.unwrap().unwrap_err();
        asked(&ada, 0).await;
        ada.answer_elicitation(&question.id, tea_for("nobody")).await.unwrap_err();

        let abandoned = asking(&ada, CallOptions::new("tea"));
        asked(&ada, 1).await;
        ada.leave();
        abandoned.await.unwrap().unwrap_err();
        asked(&ada, 0).await;
        let late = asking(&ada, CallOptions::new("late"));
        assert!(said_no(late).await.message.contains("cancelled"), "who has left begins nothing");
        window.stop().await;
    }
}

async fn said_no(call: JoinHandle<Result<ToolCallView, ErrorView>>) -> ErrorView {
    tokio::time::timeout(PATIENCE, call).await.unwrap().unwrap().unwrap_err()
}
