//! The notifications that are on the screen, by the numbers that the desktop gave them.

use std::collections::HashMap;

use usher_api::ServerId;

use super::words::{Answer, Notice};

#[derive(Default)]
pub struct Shown(HashMap<u32, Notice>);

/// What was clicked, and the services that its notification was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clicked {
    pub answer: Answer,
    pub about: Vec<ServerId>,
}

impl Shown {
    pub fn add(&mut self, number: u32, notice: Notice) {
        self.0.insert(number, notice);
    }

    pub fn closed(&mut self, number: u32) {
        self.0.remove(&number);
    }

    /// The notification itself was clicked, or the button of this place; either takes it off the screen.
    pub fn clicked(&mut self, number: u32, button: Option<usize>) -> Option<Clicked> {
        let notice = self.0.remove(&number)?;
        let answer = match button {
            None => notice.click.map(Answer::Do),
            Some(place) => notice.buttons.into_iter().nth(place).map(|(_, answer)| answer),
        };
        Some(Clicked { answer: answer?, about: notice.about })
    }

    /// Whoever showed them is gone, and they with them; the services that they were about.
    pub fn lose_all(&mut self) -> Vec<ServerId> {
        self.0.drain().flat_map(|(_, notice)| notice.about).collect()
    }

    /// Takes out those about services of which none needs the person any more; their numbers.
    pub fn take_settled(&mut self, any_open: impl Fn(&[ServerId]) -> bool) -> Vec<u32> {
        let is_settled = |_: &u32, notice: &mut Notice| !notice.about.is_empty() && !any_open(&notice.about);
        self.0.extract_if(is_settled).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Action;
    use crate::need::Need;
    use crate::notice::expiries::Named;
    use crate::notice::words::{of_expiries, stays_in_tray};

    fn id(name: &str) -> ServerId {
        ServerId(name.to_owned())
    }

    fn expired(name: &str) -> Notice {
        of_expiries(&[Named { id: id(name), name: name.to_owned(), need: Need::SignIn }], true)
    }

    fn two() -> Shown {
        let mut shown = Shown::default();
        shown.add(1, expired("linear"));
        shown.add(2, expired("notion"));
        shown
    }

    #[test]
    fn a_click_is_taken_once_and_by_the_notification_that_was_clicked() {
        let mut shown = two();
        let sign_in = Answer::Do(Action::SignIn(id("notion")));
        let clicked = Clicked { answer: sign_in.clone(), about: vec![id("notion")] };
        assert_eq!(shown.clicked(2, None), Some(clicked));
        assert_eq!(shown.clicked(2, None), None);
        let later = Clicked { answer: Answer::Later, about: vec![id("linear")] };
        assert_eq!(shown.clicked(1, Some(1)), Some(later));
    }

    #[test]
    fn clicks_on_nothing_of_ours_are_not_heard() {
        let mut shown = two();
        assert_eq!(shown.clicked(3, None), None);
        assert_eq!(shown.clicked(1, Some(2)), None);
        shown.closed(2);
        assert_eq!(shown.clicked(2, None), None);
    }

    #[test]
    fn what_is_settled_or_lost_is_not_there_any_more() {
        let mut shown = two();
        shown.add(3, stays_in_tray());
        assert_eq!(shown.take_settled(|ids| ids == [id("linear")]), [2]);
        assert_eq!(shown.lose_all(), [id("linear")]);
        assert_eq!(shown.clicked(3, None), None);
    }
}
