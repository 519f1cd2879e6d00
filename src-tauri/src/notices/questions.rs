//! The open questions of servers, and when to show a notification about each. A focused window shows them itself.

use std::collections::BTreeMap;
use std::time::Instant;

use usher_api::ElicitationView;

/// The open questions, by id.
#[derive(Debug, Default)]
pub struct Questions {
    open: BTreeMap<String, Open>,
    window_focused: bool,
}

#[derive(Debug)]
struct Open {
    question: ElicitationView,
    /// When to show the question; `None` once it was shown, or was due while the window had the focus.
    show_at: Option<Instant>,
}

impl Questions {
    /// Replaces the open questions. The ones that are already known are not shown again.
    pub fn apply_snapshot(&mut self, questions: &[ElicitationView], now: Instant) {
        self.open.retain(|id, _| questions.iter().any(|question| question.id == *id));
        for question in questions {
            self.add(question, now);
        }
    }

    pub fn add(&mut self, question: &ElicitationView, now: Instant) {
        let open = || Open { question: question.clone(), show_at: Some(now) };
        self.open.entry(question.id.clone()).or_insert_with(open);
    }

    pub fn remove(&mut self, id: &str) {
        self.open.remove(id);
    }

    pub fn set_window_focused(&mut self, focused: bool) {
        self.window_focused = focused;
    }

    pub fn due_at(&self) -> Option<Instant> {
        self.open.values().filter_map(|open| open.show_at).min()
    }

    /// Takes the questions that are due now, each for a notification of its own.
    pub fn take_due(&mut self, now: Instant) -> Vec<ElicitationView> {
        let is_due = |open: &&mut Open| open.show_at.is_some_and(|show_at| show_at <= now);
        let due = self.open.values_mut().filter(is_due).map(|open| {
            open.show_at = None;
            open.question.clone()
        });
        let due: Vec<_> = due.collect();
        if self.window_focused { Vec::new() } else { due }
    }

    /// Schedules a question again, after its notification failed or was lost.
    pub fn schedule(&mut self, id: &str, at: Instant) {
        if let Some(open) = self.open.get_mut(id) {
            open.show_at = Some(at);
        }
    }

    pub fn is_open(&self, id: &str) -> bool {
        self.open.contains_key(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_views::question;

    #[test]
    fn each_question_is_shown_once_and_not_beside_a_focused_window() {
        let now = Instant::now();
        let asked = question("Notion");
        let mut questions = Questions::default();
        questions.add(&asked, now);
        assert_eq!(questions.take_due(now), std::slice::from_ref(&asked));
        questions.apply_snapshot(std::slice::from_ref(&asked), now);
        assert_eq!(questions.take_due(now), []);
        questions.schedule(&asked.id, now);
        assert_eq!(questions.take_due(now), std::slice::from_ref(&asked));
        questions.apply_snapshot(&[], now);
        assert!(!questions.is_open(&asked.id));

        questions.set_window_focused(true);
        questions.add(&asked, now);
        assert_eq!(questions.take_due(now), []);
        questions.set_window_focused(false);
        assert_eq!(questions.take_due(now), [], "the window has shown it");
    }
}
