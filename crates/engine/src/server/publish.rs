//! Publication of the changes that a server's task made.

use super::availability::availability;
use super::state::ServerTask;
use super::view::view;

impl ServerTask {
    /// Publishes the view, the availability and changed lists.
    pub fn publish(&mut self) {
        self.context.board.change_server(view(self));
        self.outbox.set_availability(availability(self));
        let Some((tools, is_new_connection)) = self.phase.announce() else { return };
        let announcement = self.outbox.announce(tools);
        let board = &self.context.board;
        if is_new_connection && !announcement.is_first {
            // Changes between two connections were not reported.
            board.resources_changed(&self.id);
            board.prompts_changed(&self.id);
        }
        if announcement.has_changed {
            board.tools_changed(&self.id);
        }
    }
}
