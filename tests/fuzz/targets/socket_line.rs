//! The lines of a client of the engine's socket: a hello, then requests; and the lines of the holder.

#![no_main]

use libfuzzer_sys::fuzz_target;
use usher_ipc::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    for line in fuzzing::client_lines(bytes).into_iter().chain(fuzzing::holder_lines(bytes)) {
        // Each message can be written and read again unchanged.
        let again = fuzzing::client_lines(&line).into_iter().chain(fuzzing::holder_lines(&line));
        assert!(again.into_iter().any(|again| again == line), "{}", String::from_utf8_lossy(&line));
    }
});
