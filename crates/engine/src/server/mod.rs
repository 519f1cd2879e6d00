//! One server: its task, which alone writes its state, and the handle through which others reach the task.
//!
//! | file | contents |
//! |---|---|
//! | `handle`, `message` | how others talk to the task |
//! | `task` | the loop |
//! | `state` | what the task holds, in parts |
//! | `phase`, `next_sign_in`, `step_up`, `refresh_job`, `jobs`, `outbox` | the parts; each is written in its own file |
//! | `connect`, `fail`, `refresh` | transitions of a connection |
//! | `begin_sign_in`, `end_sign_in`, `permission`, `sign_out` | transitions of a sign-in |
//! | `view`, `availability`, `publish` | what is derived from the state |
//! | `refusals` | operations that the server refused, noted by the calls |

mod availability;
mod begin_sign_in;
mod connect;
mod end_sign_in;
mod fail;
pub(crate) mod handle;
mod jobs;
pub(crate) mod message;
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
mod view;
