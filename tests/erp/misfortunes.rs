//! Slow, repeated, reordered, dropped, restarted, killed: the end is the same.

use super::*;
use crate::support::program;
use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

crate::on_both![
    whatever_goes_wrong_the_end_is_what_the_books_say,
    misfortunes_change_nothing_in_the_books,
    a_program_that_is_killed_goes_on_where_it_was,
];

const STORM: &str = "--batch 4 --slow 1 --repeat 0.3 --reorder 0.5 --drop 0.3 --restart 0.05";

async fn whatever_goes_wrong_the_end_is_what_the_books_say(app: App) {
    company(&app, 15, 0..6).await;
    let setting = Erp::of(&app).await;
    let mut erp = setting.with(&format!("{STORM} --trade 20 --seed 7"));
    erp.run().await.unwrap();
    agree(&app, &erp).await;
    let mut misfortunes = (erp.report().restarts, erp.report().repeated);
    for day in [21, 23, 25] {
        company(&app, 3, day..day + 2).await;
        erp = setting.with(&format!("{STORM} --trade 20 --seed {day} --today 2026-11-{day}"));
        erp.run().await.unwrap();
        misfortunes = (misfortunes.0 + erp.report().restarts, misfortunes.1 + erp.report().repeated);
        agree(&app, &erp).await;
    }
    assert!(misfortunes.0 > 3 && misfortunes.1 > 3, "it was calm: {misfortunes:?}");
}

async fn misfortunes_change_nothing_in_the_books(app: App) {
    company(&app, 10, 0..5).await;
    let (calm, stormy) = (Erp::of(&app).await, Erp::of(&app).await);
    let mut stormy = stormy.with(&format!("{STORM} --trade 40"));
    stormy.run().await.unwrap();
    agree(&app, &stormy).await;
    let mut calm = calm.with("--trade 40");
    calm.run().await.unwrap();
    agree(&app, &calm).await;
    assert_eq!(stormy.journal().unwrap(), calm.journal().unwrap());
    assert_eq!(stormy.items().unwrap().len(), 5);
}

async fn a_program_that_is_killed_goes_on_where_it_was(app: App) {
    company(&app, 12, 0..6).await;
    let setting = Erp::of(&app).await;
    let file = setting.file();
    for killed_after in [1, 3, 4, 7, 2] {
        let words = ["simulate-erp", "--url", &setting.url, "--key", &setting.key, "--file", &file, "--today", "2026-11-20", "--verbose"];
        let more = ["--batch", "3", "--trade", "12", "--slow", "2", "--drop", "0.2"];
        let mut child = program::command(&[&words[..], &more].concat()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        lines.filter(|line| line.starts_with("message")).take(killed_after).for_each(drop);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let mut erp = setting.with("");
    erp.run().await.unwrap();
    agree(&app, &erp).await;
    let help = program::output(&["simulate-erp", "--help"]);
    assert!(String::from_utf8(help.stdout).unwrap().contains("--reorder"));
}
