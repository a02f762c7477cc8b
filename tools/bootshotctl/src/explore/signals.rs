//! What ends the program from outside: the person gets the terminal back first.

use std::io::{self, stdout};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// How long a terminal may take to be given back. One that is gone, or stopped, takes nothing.
const PATIENCE: Duration = Duration::from_secs(2);

/// From now on `give_back` is called before a signal ends the program; it then ends as it would have without this.
pub fn give_back_before_the_end(give_back: fn()) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let (done, is_done) = mpsc::channel();
            thread::spawn(move || {
                // Kept to the end: nothing may be drawn after this.
                let _output = stdout().lock();
                give_back();
                let _ = done.send(());
                thread::sleep(Duration::MAX);
            });
            let _ = is_done.recv_timeout(PATIENCE);
            let _ = emulate_default_handler(signal);
        }
    });
    Ok(())
}
