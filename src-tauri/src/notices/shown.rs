//! The notices on the screen, keyed by the numbers that the desktop gave them.

use std::collections::HashMap;

use super::text::{Notice, Response, Subject};

#[derive(Default)]
pub struct ShownNotices(HashMap<u32, Notice>);

/// A click, and the subjects of its notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clicked {
    pub response: Response,
    pub subjects: Vec<Subject>,
}

impl ShownNotices {
    pub fn add(&mut self, number: u32, notice: Notice) {
        self.0.insert(number, notice);
    }

    pub fn remove(&mut self, number: u32) {
        self.0.remove(&number);
    }

    /// Removes the clicked notice, and returns the response to the click. `button` is the index of the clicked button;
    /// `None` is a click on the notice itself.
    pub fn take_clicked(&mut self, number: u32, button: Option<usize>) -> Option<Clicked> {
        let notice = self.0.remove(&number)?;
        let response = match button {
            None => notice.click.map(Response::Do),
            Some(index) => notice.buttons.into_iter().nth(index).map(|(_, response)| response),
        };
        Some(Clicked { response: response?, subjects: notice.subjects })
    }

    /// Removes all notices, and returns their subjects.
    pub fn take_all(&mut self) -> Vec<Subject> {
        self.0.drain().flat_map(|(_, notice)| notice.subjects).collect()
    }

    /// Removes the notices whose subjects no longer need the person, and returns their numbers.
    pub fn take_settled(&mut self, any_open: impl Fn(&[Subject]) -> bool) -> Vec<u32> {
        let is_settled =
            |_: &u32, notice: &mut Notice| !notice.subjects.is_empty() && !any_open(&notice.subjects);
        self.0.extract_if(is_settled).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use usher_api::{ServerId, Want};

    use super::super::expiries::ExpiredService;
    use super::super::text::{expiry_notice, tray_notice};
    use super::*;
    use crate::action::Action;

    fn id(name: &str) -> ServerId {
        ServerId(name.to_owned())
    }

    fn service(name: &str) -> Subject {
        Subject::Service(id(name))
    }

    fn expired(name: &str) -> Notice {
        let action = Want::SignIn;
        expiry_notice(&[ExpiredService { id: id(name), name: name.to_owned(), action }], true)
    }

    fn two_notices() -> ShownNotices {
        let mut shown = ShownNotices::default();
        shown.add(1, expired("linear"));
        shown.add(2, expired("notion"));
        shown
    }

    #[test]
    fn a_click_is_taken_once_and_from_the_notice_that_was_clicked() {
        let mut shown = two_notices();
        let sign_in = Response::Do(Action::SignIn(id("notion")));
        let clicked = Clicked { response: sign_in.clone(), subjects: vec![service("notion")] };
        assert_eq!(shown.take_clicked(2, None), Some(clicked));
        assert_eq!(shown.take_clicked(2, None), None);
        let snooze = Clicked { response: Response::Snooze, subjects: vec![service("linear")] };
        assert_eq!(shown.take_clicked(1, Some(1)), Some(snooze));
    }

    #[test]
    fn unknown_clicks_are_ignored() {
        let mut shown = two_notices();
        assert_eq!(shown.take_clicked(3, None), None);
        assert_eq!(shown.take_clicked(1, Some(2)), None);
        shown.remove(2);
        assert_eq!(shown.take_clicked(2, None), None);
    }

    #[test]
    fn settled_and_lost_notices_are_removed() {
        let mut shown = two_notices();
        shown.add(3, tray_notice());
        assert_eq!(shown.take_settled(|subjects| subjects == [service("linear")]), [2]);
        assert_eq!(shown.take_all(), [service("linear")]);
        assert_eq!(shown.take_clicked(3, None), None);
    }
}
