//! The table that is printed.

/// One row.
#[derive(Debug)]
pub struct Row {
    /// What was measured.
    pub workload: String,
    /// Potok's figure.
    pub potok: String,
    /// The other's figure: a peer, or the row that this one is compared with.
    pub peer: String,
    /// How the two compare.
    pub ratio: String,
    /// What is asked for at least, and whether it is met.
    pub at_least: Goal,
    /// What is aimed at, and whether it is met.
    pub aim: Goal,
}

/// A goal; none where the issue asks for nothing.
#[derive(Debug, Default)]
pub struct Goal {
    text: String,
    met: Option<bool>,
}

impl Goal {
    /// A goal, which is met or not.
    #[must_use]
    pub fn new(text: impl Into<String>, met: bool) -> Self {
        Self { text: text.into(), met: Some(met) }
    }

    fn words(&self) -> String {
        match self.met {
            Some(true) => format!("{}: met", self.text),
            Some(false) => format!("{}: NOT MET", self.text),
            None => "-".into(),
        }
    }
}

/// Prints rows as a Markdown table.
pub fn print(title: &str, head: [&str; 6], rows: &[Row]) {
    let mut lines: Vec<[String; 6]> = vec![head.map(Into::into)];
    lines.extend(rows.iter().map(|row| {
        let (workload, potok, peer, ratio) = (&row.workload, &row.potok, &row.peer, &row.ratio);
        [workload.clone(), potok.clone(), peer.clone(), ratio.clone(), row.at_least.words(), row.aim.words()]
    }));
    print_lines(title, &lines);
}

/// Prints lines as a Markdown table; the first is its head.
pub fn print_lines<const N: usize>(title: &str, lines: &[[String; N]]) {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    println!("\n## {title}\n");
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("| {} |", cells.join(" | "));
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            println!("| {} |", rules.join(" | "));
        }
    }
}

/// A number with thousands set apart and a sensible number of digits.
#[must_use]
pub fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{value:.2}");
    }
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number, or a dash.
#[must_use]
pub fn maybe(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{}{unit}", number(value)))
}
