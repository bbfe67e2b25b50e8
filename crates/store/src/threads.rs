//! Threads that may block: one for each connection, so that a query never changes threads between the wait for a
//! connection and the work on it. Why not the runtime's own and a pool beside them: docs/decisions/0021.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

use contract::Pool;

use crate::db::Db;
use crate::line::Line;
use crate::target::Target;

/// Work for whichever thread is free first. It says when it is done with the connection, before it tells anybody of the
/// outcome: who is told often has more to do at once, and that is for the thread whose connection is warm.
type Job = Box<dyn FnOnce(&mut Line, &dyn Fn()) + Send>;

/// A bounded number of threads, each begun when there is work that no other one is free for.
pub(crate) struct Threads {
    desk: Arc<Desk>,
    most: usize,
    target: Target,
}

impl Threads {
    /// At most `most` threads, the first of them with `first` for its connection to `target`. Each other one opens its
    /// own when it first needs it.
    pub(crate) fn start(target: Target, first: Db, most: usize) -> std::io::Result<Self> {
        let threads = Self { desk: Arc::default(), most, target };
        threads.begin(Line::open(threads.target.clone(), first))?;
        threads.desk.state().running = 1;
        Ok(threads)
    }

    /// Has `job` done by the next free thread. Jobs begin in the order in which they were given.
    pub(crate) fn submit(&self, job: Job) {
        let mut state = self.desk.state();
        state.jobs.push_back(job);
        if let Some(idle) = state.idle.pop() {
            // Or else it would wake up only to wait for the desk.
            drop(state);
            idle.unpark();
        } else if state.running < self.most && self.begin(Line::to(self.target.clone())).is_ok() {
            // Where the system refuses a thread, those that run do its share.
            state.running += 1;
        }
    }

    /// How many there are, and how many have nothing to do.
    pub(crate) fn usage(&self) -> Pool {
        let state = self.desk.state();
        Pool {
            open: state.running as u64,
            idle: state.idle.len() as u64,
            most: self.most as u64,
            queue: state.jobs.len() as u64,
        }
    }

    fn begin(&self, line: Line) -> std::io::Result<()> {
        let desk = Arc::clone(&self.desk);
        thread::Builder::new().name("store".to_owned()).spawn(move || desk.serve(line)).map(drop)
    }
}

impl Drop for Threads {
    /// What has been given is done still; then the threads end and close their connections.
    fn drop(&mut self) {
        let mut state = self.desk.state();
        state.is_closed = true;
        state.idle.drain(..).for_each(|idle| idle.unpark());
    }
}

/// Where jobs and threads meet.
#[derive(Default)]
struct Desk {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Who has nothing to do. The last to come is the first to go: its connection is warm.
    idle: Vec<Thread>,
    running: usize,
    is_closed: bool,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut line: Line) {
        let me = thread::current();
        let is_done = || self.state().idle.push(me.clone());
        while let Some(job) = self.next() {
            // The caller learns of a panic by never getting an answer; a connection may be in the middle of anything.
            if catch_unwind(AssertUnwindSafe(|| job(&mut line, &is_done))).is_err() {
                line.hang_up();
            }
        }
    }

    /// The next job, once there is one; `None` when there will be none.
    fn next(&self) -> Option<Job> {
        let me = thread::current();
        loop {
            let mut state = self.state();
            // It may have said that it is done, and threads may wake without having been called.
            state.idle.retain(|idle| idle.id() != me.id());
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if state.is_closed {
                return None;
            }
            state.idle.push(me.clone());
            drop(state);
            thread::park();
        }
    }
}
