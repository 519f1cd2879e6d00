//! The job that refreshes the grant before its expiry.

use super::jobs::Job;

/// The running refresh job, if any. Messages of older jobs are ignored.
#[derive(Default)]
pub(super) struct RefreshJob {
    number: u64,
    job: Option<Job>,
}

impl RefreshJob {
    pub fn is_running(&self) -> bool {
        self.job.is_some()
    }

    pub fn is_current(&self, number: u64) -> bool {
        self.number == number
    }

    pub fn stop(&mut self) {
        self.job = None;
    }

    pub fn start(&mut self, job: impl FnOnce(u64) -> Job) {
        self.number += 1;
        self.job = Some(job(self.number));
    }
}
