use contract::testing::sample;
use contract::{InstanceId, Timestamp};

use super::memory::{Home, Kind, Memory, Run, Stage};
use super::slow::slower_than_usual;

fn home() -> Home {
    Home { instance: InstanceId::new("canary"), name: sample::name("canary-1.managed.example.net") }
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_secs(1_767_225_600 + number * 86_400)
}

#[test]
fn so_many_certificates_a_week_and_what_is_not_needed_waits_for_its_share() {
    let mut memory = Memory::default();
    assert!(memory.may_order(3, false, day(0)));
    memory.count_order(day(0));
    assert!(!memory.may_order(3, false, day(2)), "a third of a week has not passed");
    assert!(memory.may_order(3, true, day(2)), "what is needed does not wait");
    assert!(memory.may_order(3, false, day(3)));
    memory.count_order(day(3));
    memory.count_order(day(4));
    assert!(!memory.may_order(3, true, day(6)), "three are three");
    assert_eq!(memory.room_at(), Some(day(7)));
    assert!(memory.may_order(3, true, day(7)));
    assert!(!memory.may_order(0, true, day(100)), "none is none");
}

#[test]
fn a_run_that_fails_removes_what_it_has_made_until_it_is_gone() {
    let mut run = Run::begin(Kind::Settle, home(), day(0));
    assert!(run.pass_on(day(0)));
    assert_eq!(run.stage, Stage::Provisioned);
    assert!(run.give_up("it failed".to_owned(), day(1)));
    assert_eq!(run.stage, Stage::Delete);
    assert!(run.pass_on(day(1)));
    assert!(run.give_up("it does not go".to_owned(), day(1)));
    assert_eq!(run.stage, Stage::Delete, "deleting is asked for again");
    for expected in [Stage::Deleted, Stage::Clear] {
        assert!(run.pass_on(day(2)));
        assert_eq!(run.stage, expected);
    }
    assert!(!run.pass_on(day(2)));
    let failed = run.failed.unwrap();
    assert_eq!((failed.stage, failed.saw.as_str()), (Stage::Provisioned, "it failed"));

    let mut visit = Run::begin(Kind::Visit, home(), day(0));
    assert!(!visit.give_up("no answer".to_owned(), day(0)), "what is kept stays");
}

#[test]
fn what_takes_twice_as_long_as_usual_and_a_minute_more_is_slow() {
    let mut memory = Memory::default();
    let run = |seconds: u64| {
        let mut run = Run::begin(Kind::Visit, home(), day(0));
        run.times.insert(Stage::Changed, seconds * 1000);
        run
    };
    for seconds in [300, 310, 290, 305] {
        memory.remember(&run(seconds));
    }
    assert_eq!(slower_than_usual(&memory, &run(4000)), None, "four runs say nothing");
    memory.remember(&run(295));
    assert_eq!(slower_than_usual(&memory, &run(590)), None);
    let slow = slower_than_usual(&memory, &run(700)).unwrap();
    assert_eq!(slow, "`changed` took 700 s, usually 300 s");
    for _ in 0..30 {
        memory.remember(&run(700));
    }
    assert_eq!(slower_than_usual(&memory, &run(700)), None, "what lasts is usual in the end");
    assert_eq!(memory.times[&Stage::Changed].len(), 20);
}

#[test]
fn the_memory_is_read_as_it_was_written() {
    let mut memory = Memory { home: Some(home()), runs: 7, ..Memory::default() };
    memory.count_order(day(0));
    memory.remember(&Run::begin(Kind::Visit, home(), day(0)));
    memory.run = Some(Run::begin(Kind::Whole, home(), day(1)));
    assert_eq!(Memory::read(&memory.write()), memory);
    assert_eq!(Memory::read("nonsense"), Memory::default());
}
