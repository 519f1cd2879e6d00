//! One server: the task that owns the server's state, and the handle that sends messages to the task.
//!
//! | file | contents |
//! |---|---|
//! | `handle`, `message` | the interface of the task |
//! | `task` | the message loop |
//! | `state` | the state, composed of parts |
//! | `transitions` | the table of the allowed transitions |
//! | `phase`, `next_sign_in`, `step_up`, `refresh_job`, `jobs`, `outbox` | its parts; each changes only in its own file |
//! | `connect`, `fail`, `refresh` | transitions of a connection |
//! | `begin_sign_in`, `device_sign_in`, `unattended`, `end_sign_in`, `permission`, `sign_out` | transitions of a sign-in |
//! | `view`, `availability`, `publish` | values derived from the state, and their publication |
//! | `broken_entry` | the view of an entry with an error, which has no task |
//! | `names` | the name of a server, and its own title |
//! | `refusals` | operations that the server refused, recorded by the tool calls |

mod approve;
mod availability;
mod begin_sign_in;
pub(crate) mod broken_entry;
mod connect;
mod device_sign_in;
mod end_sign_in;
mod fail;
pub(crate) mod handle;
mod jobs;
pub(crate) mod message;
pub(crate) mod names;
mod next_sign_in;
mod outbox;
mod permission;
mod phase;
mod publish;
mod refresh;
mod refresh_job;
mod refusals;
mod sign_out;
mod state;
mod step_up;
mod task;
mod transitions;
mod unattended;
pub(crate) mod view;
